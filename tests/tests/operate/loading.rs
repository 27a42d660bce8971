//! What is not what was reviewed is refused before anything is executed.

use std::path::{Path, PathBuf};

use zdm_runtime::database::Dialect;
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::{LoadError, Migration};
use zdm_runtime::phase::Section;

use crate::cases::{ID, RENAME};
use crate::pairs::{Version, version};

fn written() -> (tempfile::TempDir, PathBuf) {
    let zdm = tempfile::tempdir().unwrap();
    let folder = zdm.path().join("0002_users");
    version(Dialect::Sqlite, ID, &RENAME).write(&folder);
    (zdm, folder)
}

fn change(path: &Path, from: &str, to: &str) {
    let content = std::fs::read_to_string(path).unwrap();
    assert!(content.contains(from), "{content}");
    std::fs::write(path, content.replace(from, to)).unwrap();
}

#[test]
fn an_edited_missing_or_additional_file_is_named() {
    let (_zdm, folder) = written();
    assert!(Migration::load(&folder).is_ok());

    let batch = folder.join("3_backfill/batch.sql");
    let content = std::fs::read_to_string(&batch).unwrap();
    std::fs::write(&batch, format!("{content} ")).unwrap();
    let refused = Migration::load(&folder).unwrap_err();
    assert!(
        matches!(&refused, LoadError::Edited { path, .. } if *path == batch),
        "{refused}"
    );

    std::fs::remove_file(&batch).unwrap();
    let refused = Migration::load(&folder).unwrap_err();
    assert!(
        matches!(&refused, LoadError::Missing { path } if *path == batch),
        "{refused}"
    );

    std::fs::write(&batch, content).unwrap();
    let extra = folder.join("1_expand/later.sql");
    std::fs::write(&extra, "DROP TABLE users;").unwrap();
    let refused = Migration::load(&folder).unwrap_err();
    assert!(
        matches!(&refused, LoadError::Extra { path } if *path == extra),
        "{refused}"
    );
}

#[test]
fn a_plan_that_is_newer_absent_or_broken_is_refused() {
    let (_zdm, folder) = written();
    let plan = folder.join("plan.toml");
    change(&plan, "format = 1", "format = 2\nunheard_of = true");
    let refused = Migration::load(&folder).unwrap_err();
    assert!(
        matches!(refused, LoadError::NewerFormat { found: 2, .. }),
        "{refused}"
    );
    change(&plan, "format = 2", "format = 1");
    let refused = Migration::load(&folder).unwrap_err();
    assert!(matches!(refused, LoadError::Malformed { .. }), "{refused}");
    std::fs::remove_file(&plan).unwrap();
    let refused = Migration::load(&folder).unwrap_err();
    assert!(matches!(refused, LoadError::NoPlan { .. }), "{refused}");
}

#[test]
fn lines_that_are_not_there_and_an_undo_in_two_places_are_contradictions() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = version(Dialect::Sqlite, ID, &RENAME);
    lines.manifest.steps[0].lines = (2, 3);
    lines.write(folder.path());
    let refused = Migration::load(folder.path()).unwrap_err();
    assert!(
        refused.to_string().contains("names the lines 2 to 3"),
        "{refused}"
    );

    let mut apart = version(Dialect::Sqlite, ID, &RENAME);
    apart.step(Section::Expand, Direction::Up, "SELECT 1;");
    for undoes in [2, 1] {
        apart
            .step(Section::Expand, Direction::Down, "SELECT 1;")
            .undoes = Some(undoes);
    }
    apart.write(folder.path());
    let refused = Migration::load(folder.path()).unwrap_err();
    assert!(
        refused.to_string().contains("undone in two places"),
        "{refused}"
    );
}

/// It would lose what somebody has put on the table.
#[test]
fn a_rebuild_that_expects_nothing_is_refused() {
    let mut rebuild = version(Dialect::Sqlite, ID, &RENAME);
    let sql = "CREATE TABLE other (id int); DROP TABLE users; ALTER TABLE other RENAME TO users;";
    let step = rebuild.step(Section::Expand, Direction::Up, sql);
    step.rewrites = true;
    step.expects = vec!["CREATE TABLE users (id int)".to_owned()];
    let folder = tempfile::tempdir().unwrap();
    rebuild.write(folder.path());
    Migration::load(folder.path()).unwrap();
    for (transactional, expects) in [
        (true, vec![]),
        (false, vec!["CREATE TABLE users (id int)".to_owned()]),
    ] {
        let step = rebuild.manifest.steps.last_mut().unwrap();
        step.transactional = transactional;
        step.expects = expects;
        rebuild.write(folder.path());
        let refused = Migration::load(folder.path()).unwrap_err();
        assert!(refused.to_string().contains("`expects`"), "{refused}");
    }
}

#[test]
fn versions_come_in_their_order_and_share_no_number() {
    let zdm = tempfile::tempdir().unwrap();
    for number in [10, 9, 2] {
        let mut version = Version::of(Dialect::Sqlite);
        version.manifest.version = number;
        version.write(&zdm.path().join(version.manifest.folder()));
    }
    std::fs::write(zdm.path().join("zdm.sum"), "").unwrap();
    let numbers = |zdm: &Path| -> Vec<u32> {
        let versions = Migration::load_all(zdm).unwrap();
        versions
            .iter()
            .map(|version| version.manifest().version)
            .collect()
    };
    assert_eq!(numbers(zdm.path()), [2, 9, 10]);

    let mut second = Version::of(Dialect::Sqlite);
    second.manifest.name = "others".to_owned();
    second.write(&zdm.path().join("0002_others"));
    let refused = Migration::load_all(zdm.path()).unwrap_err();
    assert!(
        matches!(refused, LoadError::SameVersion { version: 2, .. }),
        "{refused}"
    );

    std::fs::rename(
        zdm.path().join("0002_others"),
        zdm.path().join("0003_others"),
    )
    .unwrap();
    let refused = Migration::load_all(zdm.path()).unwrap_err();
    assert!(matches!(refused, LoadError::Misplaced { .. }), "{refused}");
}

#[test]
fn the_content_hash_follows_the_content_and_not_the_number() {
    let mut renumbered = version(Dialect::Sqlite, ID, &RENAME);
    let before = renumbered.load().content_hash().to_owned();
    renumbered.manifest.version = 5;
    renumbered.manifest.parent = Some("ba9876543210".to_owned());
    assert_eq!(renumbered.load().content_hash(), before);
    renumbered.manifest.steps[0].blocks_writers = false;
    assert_ne!(renumbered.load().content_hash(), before);
    let mut edited = version(Dialect::Sqlite, ID, &RENAME);
    edited
        .files
        .insert("3_backfill/batch.sql".to_owned(), "SELECT 1".to_owned());
    assert_ne!(edited.load().content_hash(), before);
}
