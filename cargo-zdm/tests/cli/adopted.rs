//! Tables that are there already: not taken for the tool's own, and not recorded unseen. A rollback that drops a table says so.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

#[test]
fn a_foreign_table_is_not_adopted_on_sqlite() {
    a_foreign_table_is_not_adopted(&Project::sqlite(""));
}

#[test]
fn a_foreign_table_is_not_adopted_on_postgres() {
    let server = Server::start();
    a_foreign_table_is_not_adopted(&Project::on(server.database("app"), ""));
}

fn a_foreign_table_is_not_adopted(project: &Project) {
    user_crate(project);
    project.execute("CREATE TABLE users (foo int)");
    project.execute("INSERT INTO users VALUES (7)");
    project.done(&["init"]);
    for arguments in [
        &["expand"][..],
        &["expand"],
        &["advance", "--before-deploy"],
    ] {
        let run = project.zdm(arguments);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("the table users");
        run.says("cargo zdm init --baseline");
    }
    assert_eq!(project.stage("init"), "absent");
    project.done(&["rollback", "init"]);
    assert_eq!(project.value("SELECT foo FROM users"), "7");
}

#[test]
fn a_view_is_no_baseline_on_sqlite() {
    a_view_is_no_baseline(&Project::sqlite(""));
}

#[test]
fn a_view_is_no_baseline_on_postgres() {
    let server = Server::start();
    a_view_is_no_baseline(&Project::on(server.database("app"), ""));
}

fn a_view_is_no_baseline(project: &Project) {
    user_crate(project);
    project.execute("CREATE VIEW users AS SELECT 1 AS id, 'ada' AS name");
    project.done(&["init", "--baseline"]);
    let run = project.zdm(&["expand"]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("the table users (users is a view)");
    assert_eq!(project.stage("baseline"), "absent");
}

#[test]
fn a_baseline_is_compared_on_sqlite() {
    a_baseline_is_compared(&Project::sqlite(""));
}

#[test]
fn a_baseline_is_compared_on_postgres() {
    let server = Server::start();
    a_baseline_is_compared(&Project::on(server.database("app"), ""));
}

fn a_baseline_is_compared(project: &Project) {
    user_crate(project);
    let more = "#[derive(Migratable, Debug, Clone)]\npub struct Team {\n    #[zdm(primary_key)]\n    pub id: i64,\n}\n";
    project.write("src/models.rs", &format!("{BEFORE}\n{more}"));
    project.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)");
    project.done(&["init", "--baseline"]);
    for _ in 0..2 {
        let run = project.zdm(&["expand"]);
        assert_eq!(run.code, 1, "{run:#?}");
        run.says("the column users.name");
        run.says("the table teams");
        assert_eq!(project.stage("baseline"), "absent");
    }
    project.execute("ALTER TABLE users ADD COLUMN name text");
    project.execute("CREATE TABLE teams (id INTEGER PRIMARY KEY)");
    let run = project.done(&["expand", "--format", "json"]).object();
    assert_eq!(run["expanded"][0]["did"], "adopt", "{run}");
}

#[test]
fn a_table_with_rows_is_not_dropped_unasked_on_sqlite() {
    a_table_with_rows_is_not_dropped_unasked(&Project::sqlite(""));
}

#[test]
fn a_table_with_rows_is_not_dropped_unasked_on_postgres() {
    let server = Server::start();
    a_table_with_rows_is_not_dropped_unasked(&Project::on(server.database("app"), ""));
}

fn a_table_with_rows_is_not_dropped_unasked(project: &Project) {
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada')");
    let run = project.zdm(&["rollback", "init"]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("--drop-rows");
    run.says("the table users");
    let dry = project.done(&["rollback", "init", "--dry-run"]);
    dry.says("--drop-rows");
    assert!(!dry.out.contains("never touched"), "{dry:#?}");
    assert_eq!(project.stage("init"), "expanded");
    assert_eq!(project.value("SELECT name FROM users"), "ada");

    let run = project.done(&["rollback", "init", "--drop-rows"]);
    run.says("every row of users");
    assert!(!run.err.contains("never touched"), "{run:#?}");
    assert_eq!(project.stage("init"), "absent");

    // An empty one goes without a word.
    project.done(&["expand"]);
    project.done(&["rollback", "init"]);
}
