//! An expand that failed in the middle is neither there nor absent; and what a later version stands on stays.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

const UNIQUE: &str = "#[zdm(unique)]\n    pub name: String,\n    pub note: Option<String>,\n    pub remark: Option<String>";

fn begun(project: &Project) {
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada'), ('ada')");
    let after = BEFORE.replace("pub name: String", UNIQUE);
    project.write("src/models.rs", &after);
    project.done(&["generate", "two"]);
    let run = project.zdm(&["expand"]);
    assert_eq!(run.code, 3, "{run:#?}");
    assert_eq!(project.stage("two"), "expanding");
}

#[test]
fn half_an_expand_is_taken_back_on_sqlite() {
    half_an_expand_is_taken_back(&Project::sqlite(""));
}

#[test]
fn half_an_expand_is_taken_back_on_postgres() {
    let server = Server::start();
    half_an_expand_is_taken_back(&Project::on(server.database("app"), ""));
}

fn half_an_expand_is_taken_back(project: &Project) {
    begun(project);
    project.done(&["status"]).says("expand: 2 of 3 steps done");
    let status = project
        .done(&["status", "two", "--format", "json"])
        .object();
    assert_eq!(
        status["migrations"][0]["expand"]["steps_done"], 2,
        "{status}"
    );
    project.done(&["rollback", "two", "--dry-run"]).says("note");

    // The only one that is under way needs no name.
    let back = project.done(&["rollback", "--format", "json"]).object();
    assert_eq!(back["from"], "expanding", "{back}");
    assert_eq!(back["to"], "absent", "{back}");
    let gone = project.zdm(&["rollback", "two"]);
    assert_eq!(gone.code, 0, "{gone:#?}");
    // Nothing of it is left, and nothing does it again by itself.
    project.execute("ALTER TABLE users ADD COLUMN note text");
    project.execute("ALTER TABLE users DROP COLUMN note");
    let held = project.zdm(&["advance"]);
    assert_eq!(held.code, 4, "{held:#?}");
    held.says("not_rolled_back");
    project.execute("UPDATE users SET name = 'grace' WHERE id = 2");
    project.done(&["expand"]);
    assert_eq!(project.stage("two"), "expanded");
}

#[test]
fn half_an_expand_goes_on_on_sqlite() {
    half_an_expand_goes_on(&Project::sqlite(""));
}

#[test]
fn half_an_expand_goes_on_on_postgres() {
    let server = Server::start();
    half_an_expand_goes_on(&Project::on(server.database("app"), ""));
}

fn half_an_expand_goes_on(project: &Project) {
    begun(project);
    let early = project.zdm(&["switch", "two", "--to", "dual_write"]);
    assert_eq!(early.code, 2, "{early:#?}");
    early.says("half expanded");
    let under = project.zdm(&["rollback", "init", "--drop-rows"]);
    assert_eq!(under.code, 4, "{under:#?}");
    under.says("0002_two");
    project.execute("UPDATE users SET name = 'grace' WHERE id = 2");
    project.done(&["advance"]);
    assert_eq!(project.stage("two"), "expanded");
}

#[test]
fn what_a_later_version_stands_on_stays_on_sqlite() {
    what_a_later_version_stands_on_stays(&Project::sqlite(""));
}

#[test]
fn what_a_later_version_stands_on_stays_on_postgres() {
    let server = Server::start();
    what_a_later_version_stands_on_stays(&Project::on(server.database("app"), ""));
}

fn what_a_later_version_stands_on_stays(project: &Project) {
    user_crate(project);
    project.done(&["init"]);
    project.done(&["expand"]);
    let noted = BEFORE.replace(
        "pub name: String",
        "pub name: String,\n    pub note: Option<String>",
    );
    project.write("src/models.rs", &noted);
    project.done(&["generate", "note"]);
    project.done(&["expand"]);
    let run = project.zdm(&["rollback", "init"]);
    assert_eq!(run.code, 4, "{run:#?}");
    run.says("nothing_stands_on_it");
    run.says("cargo zdm rollback note");
    project
        .done(&["rollback", "init", "--dry-run"])
        .says("nothing_stands_on_it");
    assert_eq!(project.stage("init"), "expanded");
    project.execute("INSERT INTO users (name, note) VALUES ('ada', '')");
    project.execute("DELETE FROM users");
    project.done(&["rollback", "note"]);
    project.done(&["rollback", "init"]);
    assert_eq!(project.stage("init"), "absent");
}

#[test]
fn what_a_contracted_version_stands_on_has_no_way_back_on_sqlite() {
    what_a_contracted_version_stands_on_has_no_way_back(&Project::sqlite(""));
}

#[test]
fn what_a_contracted_version_stands_on_has_no_way_back_on_postgres() {
    let server = Server::start();
    what_a_contracted_version_stands_on_has_no_way_back(&Project::on(server.database("app"), ""));
}

/// Users; then a note on them and teams; then a version that changes the teams alone.
fn what_a_contracted_version_stands_on_has_no_way_back(project: &Project) {
    const TEAM: &str = "
#[derive(Migratable)]
pub struct Team {
    #[zdm(primary_key)]
    pub id: i64,
    pub label: Option<String>,
}
";
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    let noted = BEFORE.replace(
        "pub name: String",
        "pub name: String,\n    pub note: Option<String>",
    );
    let both = format!("{noted}{TEAM}");
    project.write("src/models.rs", &both);
    project.done(&["generate", "teams"]);
    project.done(&["expand"]);
    let renamed = both.replace(
        "pub label",
        "#[zdm(renamed_from = \"label\")]\n    pub title",
    );
    project.write("src/models.rs", &renamed);
    project.done(&["generate", "title"]);
    project.done(&["expand"]);
    // The advice can be followed: the last one first, though it does not touch users.
    for version in ["init", "teams"] {
        let run = project.zdm(&["rollback", version]);
        assert_eq!(run.code, 4, "{run:#?}");
        run.says("cargo zdm rollback title");
    }
    assert_eq!(project.zdm(&["advance"]).code, 4);
    project.done(&["finalize"]);
    project.done(&["contract", "title"]);
    for version in ["init", "teams"] {
        for arguments in [
            &["rollback", version][..],
            &["rollback", version, "--dry-run"],
        ] {
            let run = project.zdm(arguments);
            assert_eq!(run.code, 2, "{run:#?}");
            run.says(
                "has no way back: 0003_title stands on it and has none itself: old is dropped",
            );
            assert!(!run.err.contains("cargo zdm rollback title"), "{run:#?}");
        }
    }
    project.done(&["status"]);
}

/// What a kill leaves between the end of a build and its record.
#[test]
fn an_index_without_its_record_is_taken_back() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.done(&["init"]);
    project.done(&["expand"]);
    let indexed = BEFORE.replace("pub name", "#[zdm(index = \"by_name\")]\n    pub name");
    project.write("src/models.rs", &indexed);
    project.done(&["generate", "index"]);
    let left = "UPDATE zdm.step SET done_at = -1
                WHERE migration = (SELECT migration FROM zdm.migration WHERE name = 'index');
                UPDATE zdm.migration SET expanded_at = NULL WHERE name = 'index'";
    let built = "SELECT count(*) FROM pg_class WHERE relname = 'by_name'";
    project.done(&["expand"]);
    project.execute(left);
    assert_eq!(project.stage("index"), "expanding");
    project.done(&["rollback"]);
    assert_eq!(project.stage("index"), "absent");
    assert_eq!(project.value(built), "0");
}
