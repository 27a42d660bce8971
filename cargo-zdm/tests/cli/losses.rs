//! What a rollback would lose for good, it asks about, counted: values of an added column, written meanwhile too.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

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
        run.says("cargo zdm rollback two --drop-rows");
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
