//! What a rollback would lose for good, it asks about, counted: values of an added column, written meanwhile too.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::{Project, Run};

const NAME: &str = "pub name: String";
const ADDED: &str = "pub name: String,\n    pub note: Option<String>,\n    #[zdm(default = \"7\")]\n    pub level: i32";

/// Runs a test on both databases, each in a crate of its own.
fn on_both(test: impl Fn(&Project)) {
    let server = Server::start();
    test(&Project::on(server.database("app"), ""));
    test(&Project::sqlite(""));
}

/// A table with two rows, and a second version in the database.
fn changed(project: &Project, fields: &str) {
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('Ada'), ('Grace')");
    project.write("src/models.rs", &BEFORE.replace(NAME, fields));
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
}

#[test]
fn values_of_an_added_column_are_not_dropped_unasked() {
    on_both(|project| {
        changed(project, ADDED);
        project.execute("UPDATE users SET note = 'here only', level = 8 WHERE name = 'Ada'");
        project.execute("UPDATE users SET note = 'here too' WHERE name = 'Grace'");
        let run = project.zdm(&["rollback", "two"]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("the column users.note, which holds 2 values");
        run.says("the column users.level, which holds 1 value");
        run.says("cargo zdm rollback two --to absent --drop-rows");
        assert_eq!(project.stage("two"), "expanded");
        let dry = project.done(&["rollback", "two", "--dry-run"]);
        dry.says("the column users.note, which holds 2 values: this needs --drop-rows");
        assert!(!dry.out.contains("never touched"), "{dry:#?}");
        let dry = project.done(&["rollback", "two", "--dry-run", "--format", "json"]);
        let lost = &dry.object()["loses"];
        assert_eq!(lost.as_array().unwrap().len(), 2, "{lost}");

        let run = project.done(&["rollback", "two", "--drop-rows"]);
        run.says("drops the column users.note and the column users.level with every value in them");
        assert_eq!(project.stage("two"), "absent");
        assert_eq!(project.value("SELECT count(*) FROM users"), "2");
    });
}

#[test]
fn defaults_and_null_are_no_values() {
    on_both(|project| {
        changed(project, ADDED);
        project.execute("INSERT INTO users (name) VALUES ('Joan')");
        let run = project.done(&["rollback", "two"]);
        assert!(!run.out.contains("never touched"), "{run:#?}");
        assert_eq!(project.stage("two"), "absent");
    });
}

/// PostgreSQL keeps once what `now()` was for the rows that were there; what it gave to new rows cannot be told from a value.
#[test]
fn what_a_moving_default_gave_older_rows_is_no_value() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    let seen = "pub name: String,\n    #[zdm(default = \"now()\", sql_type = \"timestamptz\")]\n    pub seen: String";
    changed(&project, seen);
    project.execute("INSERT INTO users (name) VALUES ('Joan')");
    project
        .zdm(&["rollback", "two"])
        .says("the column users.seen, which holds 1 value");
    project.execute("DELETE FROM users WHERE name = 'Joan'");
    project.done(&["rollback", "two"]);
}

#[test]
fn a_fill_asks_only_for_what_its_row_does_not_tell() {
    on_both(|project| {
        changed(
            project,
            "#[zdm(up = \"lower(name)\")]\n    pub slug: String,\n    pub name: String",
        );
        project.execute("UPDATE users SET slug = lower(name)");
        project.done(&["rollback", "two"]);
        project.done(&["expand"]);
        project.execute("UPDATE users SET slug = 'ada-1' WHERE name = 'Ada'");
        let run = project.zdm(&["rollback", "two"]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("the column users.slug, which holds 1 value");
        project.done(&["rollback", "two", "--drop-rows"]);
    });
}

/// The new side of a pair is a copy: old keeps what it tells.
#[test]
fn a_new_side_goes_unasked_and_old_is_named() {
    on_both(|project| {
        changed(
            project,
            "#[zdm(renamed_from = \"name\")]\n    pub full_name: String",
        );
        project.execute("UPDATE users SET full_name = name");
        let run = project.done(&["rollback", "two"]);
        run.says("drops the column users.full_name; users.name stays");
        assert_eq!(project.value("SELECT min(name) FROM users"), "Ada");
    });
}

/// Runs a rollback while somebody has written and not committed; commits once the rollback has begun to move.
fn with_a_late_commit(project: &Project, migration: &str, write: &str) -> Run {
    project.connected(async |writer| {
        writer.begin().await.unwrap();
        writer.run_file(write).await.unwrap();
        let mut command = project.command(&["rollback", migration]);
        let mut running = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
        // What it says first, it says after its first look.
        let first = lines.next().expect("it says what it does").unwrap();
        assert!(first.contains("expand is undone"), "{first}");
        writer.commit().await.unwrap();
        lines.for_each(drop);
        Run::from(running.wait_with_output().unwrap())
    })
}

#[test]
fn rows_written_between_look_and_drop_are_seen() {
    on_both(|project| {
        user_crate(project);
        project.done(&["init"]);
        project.done(&["expand"]);
        let run = with_a_late_commit(project, "init", "INSERT INTO users (name) VALUES ('Ada')");
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("the table users, which holds rows");
        run.says("--drop-rows");
        assert_eq!(project.value("SELECT name FROM users"), "Ada");
        project.done(&["expand"]);
        assert_eq!(project.stage("init"), "expanded");
    });
}

#[test]
fn values_written_between_look_and_drop_are_seen() {
    on_both(|project| {
        changed(project, ADDED);
        let run = with_a_late_commit(
            project,
            "two",
            "UPDATE users SET level = 8 WHERE name = 'Ada'",
        );
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("the column users.level, which holds 1 value");
        assert_eq!(project.value("SELECT max(level) FROM users"), "8");
        assert_eq!(project.stage("two"), "expanding");
        project.done(&["rollback", "two", "--drop-rows"]);
        assert_eq!(project.stage("two"), "absent");
    });
}

/// A role whose transactions see only what was committed before they began.
#[test]
fn rows_are_seen_whatever_the_default_isolation() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    project.execute("ALTER DATABASE app SET default_transaction_isolation = 'repeatable read'");
    user_crate(&project);
    project.done(&["init"]);
    project.done(&["expand"]);
    let run = with_a_late_commit(&project, "init", "INSERT INTO users (name) VALUES ('Ada')");
    assert_eq!(run.code, 2, "{run:#?}");
    assert_eq!(project.value("SELECT name FROM users"), "Ada");
}

/// Rows that a policy hides from the table's owner are rows all the same.
#[test]
fn hidden_rows_are_not_taken_for_none() {
    let server = Server::start();
    let url = server.database("app");
    let plain = url.replace("owner@", "plain@");
    let owner = Project::on(url, "");
    owner.execute("CREATE ROLE plain LOGIN; GRANT ALL ON DATABASE app TO plain; GRANT ALL ON SCHEMA public TO plain");
    let project = Project::on(plain, "");
    user_crate(&project);
    project.done(&["init"]);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('Ada')");
    project.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
    project.refuses("SELECT count(*) FROM users", "row-level security");
    let run = project.zdm(&["rollback", "init"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("row-level security");
    assert_eq!(owner.value("SELECT name FROM users"), "Ada");
}

/// Writers do not wait for a look that takes long: here a default that takes long to evaluate stands for a large table.
#[test]
fn a_look_that_takes_long_lets_writers_go_on() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    changed(&project, ADDED);
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    project.write("zdm.toml", &format!("{written}lock_timeout = \"50ms\"\n"));
    let slow = "CAST(pg_sleep(0.5) AS text)";
    project.execute(&format!("ALTER TABLE users ALTER note SET DEFAULT {slow}"));
    project.execute("UPDATE users SET note = ''");
    let run = project.zdm(&["rollback", "two"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("writers of users wait");
    run.says("lock_timeout");
    project.done(&["rollback", "two", "--drop-rows"]);
}
