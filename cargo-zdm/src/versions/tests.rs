use camino::{Utf8Path, Utf8PathBuf};
use zdm_model::Schema;
use zdm_runtime::manifest::{Manifest, Route};

use super::{History, PLAN_FILE, Snapshot, State, VersionError, id, snapshot};
use crate::files::FileTree;

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    (folder, path)
}

fn append(history: &mut History, folder: &Utf8Path, name: &str, route: Route) {
    let schema = Snapshot::EMPTY.text();
    let parent = history.last().map(|last| last.id.clone());
    let taken = history.taken_out().map(|old| old.id.clone());
    let manifest = Manifest {
        format: 1,
        id: taken.unwrap_or_else(|| id(parent.as_deref(), name, &schema)),
        version: history.last().map_or(0, |last| last.version) + 1,
        name: name.to_owned(),
        parent,
        after: Vec::new(),
        needed_by: Vec::new(),
        for_good: Vec::new(),
        dialect: "sqlite".to_owned(),
        route,
        reversible: true,
        tables: vec!["users".to_owned()],
        reasons: Vec::new(),
        changes: Vec::new(),
        transitions: String::new(),
        steps: Vec::new(),
        backfills: Vec::new(),
        pairs: Vec::new(),
        creates: std::collections::BTreeMap::new(),
        drops: std::collections::BTreeMap::new(),
        retyped: std::collections::BTreeMap::new(),
        described: std::collections::BTreeMap::new(),
        merged: Vec::new(),
        moved: Vec::new(),
        renames: std::collections::BTreeMap::new(),
        renamed_keys: std::collections::BTreeMap::new(),
        exchanged_keys: std::collections::BTreeMap::new(),
        refers: std::collections::BTreeMap::new(),
        refers_to: std::collections::BTreeMap::new(),
        unkeyed: std::collections::BTreeMap::new(),
        acts: std::collections::BTreeMap::new(),
        nets: std::collections::BTreeMap::new(),
        keep: None,
        no_keep: false,
        exchanges: Vec::new(),
        enums: Vec::new(),
        files: std::collections::BTreeMap::new(),
    };
    let mut files = FileTree::default();
    files.insert(PLAN_FILE, toml::to_string(&manifest).unwrap());
    files.insert(snapshot::FILE, schema);
    files.insert("1_expand/up.sql", format!("-- {name}\n"));
    let tree = history.append(manifest, files, false).unwrap();
    tree.write(folder).unwrap();
}

fn two_versions(folder: &Utf8Path) {
    let mut history = History::open(folder).unwrap();
    append(&mut history, folder, "create_users", Route::Direct);
    append(&mut history, folder, "users_full_name", Route::FivePhases);
}

#[test]
fn a_history_is_read_as_it_was_written() {
    let (_guard, folder) = folder();
    two_versions(&folder);
    let history = History::open(&folder).unwrap();
    let folders: Vec<_> = history.versions().iter().map(Manifest::folder).collect();
    assert_eq!(folders, ["0001_create_users", "0002_users_full_name"]);
    let states: Vec<_> = history
        .versions()
        .iter()
        .map(|version| history.code().of(&version.id))
        .collect();
    assert_eq!(states, [None, Some(State::Transition)]);
    assert_eq!(
        history.last_schema(&Snapshot::EMPTY).unwrap(),
        Schema::default()
    );
    assert_eq!(history.named("users_full_name").unwrap().version, 2);
}

#[test]
fn an_edited_file_is_named_with_its_version() {
    let (_guard, folder) = folder();
    two_versions(&folder);
    std::fs::write(
        folder.join("0001_create_users/1_expand/up.sql"),
        "-- other\n",
    )
    .unwrap();
    let error = History::open(&folder).unwrap_err();
    assert!(
        matches!(&error, VersionError::Edited { folder, path }
            if folder == "0001_create_users" && path == "1_expand/up.sql"),
        "{error}"
    );
}

#[test]
fn a_file_more_or_less_is_named() {
    let (_guard, folder) = folder();
    two_versions(&folder);
    let extra = folder.join("0002_users_full_name/notes.txt");
    std::fs::write(&extra, "x").unwrap();
    assert!(matches!(
        History::open(&folder),
        Err(VersionError::FileExtra { .. })
    ));
    std::fs::remove_file(&extra).unwrap();
    std::fs::remove_file(folder.join("0002_users_full_name/1_expand/up.sql")).unwrap();
    assert!(matches!(
        History::open(&folder),
        Err(VersionError::FileMissing { .. })
    ));
}

#[test]
fn a_file_edited_together_with_its_line_breaks_the_chain() {
    let (_guard, folder) = folder();
    two_versions(&folder);
    let file = folder.join("0001_create_users/1_expand/up.sql");
    let (old, new) = (std::fs::read(&file).unwrap(), b"-- other\n");
    std::fs::write(&file, new).unwrap();
    let short = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..8].to_owned();
    let sum = folder.join("zdm.sum");
    let text = std::fs::read_to_string(&sum).unwrap();
    std::fs::write(&sum, text.replace(&short(&old), &short(new))).unwrap();
    let error = History::open(&folder).unwrap_err();
    assert!(
        matches!(&error, VersionError::ChainBroken { folder } if folder == "0001_create_users"),
        "{error}"
    );
}

#[test]
fn an_amended_version_keeps_its_id_and_leaves_no_file_behind() {
    let (_guard, folder) = folder();
    two_versions(&folder);
    let before = History::open(&folder).unwrap().last().unwrap().id.clone();
    let mut history = History::without_last(&folder).unwrap();
    append(
        &mut history,
        &folder,
        "users_name_in_full",
        Route::FivePhases,
    );
    let history = History::open(&folder).unwrap();
    assert_eq!(history.last().unwrap().id, before);
    assert_eq!(history.versions().len(), 2);
    assert!(!folder.join("0002_users_full_name").exists());
    assert_eq!(history.in_transition().count(), 1);
}

#[test]
fn two_versions_behind_the_same_one_are_a_fork_until_one_is_rebased() {
    let (_guard, ours) = folder();
    two_versions(&ours);
    let (_other, theirs) = folder();
    let mut history = History::open(&theirs).unwrap();
    append(&mut history, &theirs, "create_users", Route::Direct);
    append(&mut history, &theirs, "users_email", Route::Direct);
    let merged = format!(
        "{}<<<<<<< HEAD\n=======\n{}",
        std::fs::read_to_string(theirs.join("zdm.sum")).unwrap(),
        std::fs::read_to_string(ours.join("zdm.sum")).unwrap()
    );
    for path in [PLAN_FILE, snapshot::FILE, "1_expand/up.sql"] {
        let path = format!("0002_users_email/{path}");
        let target = ours.join(&path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(theirs.join(&path), target).unwrap();
    }
    std::fs::write(ours.join("zdm.sum"), &merged).unwrap();
    let error = History::open(&ours).unwrap_err();
    assert!(
        error.to_string().contains("cargo zdm generate --rebase"),
        "{error}"
    );
    std::fs::write(
        ours.join("zdm.sum"),
        merged.replace("<<<<<<< HEAD\n=======\n", ""),
    )
    .unwrap();
    assert!(matches!(
        History::open(&ours),
        Err(VersionError::Forked { .. })
    ));

    let unknown = History::without_own(&ours, None).unwrap_err();
    assert!(
        matches!(unknown, VersionError::WhoseVersion { .. }),
        "{unknown}"
    );
    let mut history = History::without_own(&ours, Some("users_full_name")).unwrap();
    let id = history.taken_out().unwrap().id.clone();
    append(&mut history, &ours, "users_full_name", Route::FivePhases);
    let history = History::open(&ours).unwrap();
    let folders: Vec<_> = history.versions().iter().map(Manifest::folder).collect();
    assert_eq!(
        folders,
        [
            "0001_create_users",
            "0002_users_email",
            "0003_users_full_name"
        ]
    );
    assert_eq!(history.last().unwrap().id, id);
    assert!(!ours.join("0002_users_full_name").exists());
}

#[test]
fn a_folder_without_its_line_is_told() {
    let (_guard, folder) = folder();
    two_versions(&folder);
    let sum = folder.join("zdm.sum");
    let text = std::fs::read_to_string(&sum).unwrap();
    let kept: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with("0002"))
        .collect();
    std::fs::write(&sum, kept.join("\n")).unwrap();
    let lost = |folder: &Utf8Path, version: &str| {
        let error = History::open(folder).unwrap_err().to_string();
        assert!(
            error.contains(&format!("no line for version {version}: restore zdm.sum")),
            "{error}"
        );
    };
    lost(&folder, "0002_users_full_name");
    std::fs::remove_file(&sum).unwrap();
    lost(&folder, "0001_create_users");
}
