//! On `SQLite` a table is rebuilt, forward and back: whatever somebody has added to it by hand stops the command that would lose
//! it.

use crate::generate::{AFTER, BEFORE, be_hasty, user_crate};
use crate::project::Project;

const CHECKED: &str =
    "#[zdm(table = \"users\", check(name = \"users_name\", expr = \"name <> ''\"))]\npub struct";

#[test]
fn what_was_added_by_hand_stops_every_command_that_rebuilds_the_table() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada'), ('grace')");

    project.write("src/models.rs", &BEFORE.replace("pub struct", CHECKED));
    project.done(&["generate", "checked"]);
    stopped_by_hand(&project, &["expand"]);
    stopped_by_hand(&project, &["rollback", "checked"]);
    project.done(&["expand"]);

    project.write(
        "src/models.rs",
        &AFTER.replace(
            "pub struct",
            &CHECKED
                .replace("name = \"users_name\"", "name = \"filled\"")
                .replace("name <>", "full_name <>"),
        ),
    );
    project.done(&["generate", "full_name"]);
    for command in ["expand", "switch --to dual_write", "backfill", "verify"] {
        project.done(&command.split(' ').collect::<Vec<_>>());
    }
    refused_by_hand(&project, &["advance"]);
    stopped_by_hand(&project, &["switch", "--to", "shadow"]);
    project.done(&["rollback"]);
    stopped_by_hand(&project, &["rollback", "--to", "off"]);
    for command in [
        "switch --to dual_write",
        "backfill",
        "verify",
        "switch --to shadow",
        "switch --to 100%",
        "verify",
        "switch --to ramp_down",
    ] {
        project.done(&command.split(' ').collect::<Vec<_>>());
    }
    stopped_by_hand(&project, &["switch", "--to", "complete"]);
    stopped_by_hand(&project, &["rollback"]);
    assert_eq!(project.value("SELECT count(*) FROM users"), "2");
}

/// Without what was added by hand the command goes through.
fn stopped_by_hand(project: &Project, command: &[&str]) {
    refused_by_hand(project, command);
    project.done(command);
}

/// An index, then a trigger, that no version describes.
fn refused_by_hand(project: &Project, command: &[&str]) {
    for (create, drop) in [
        (
            "CREATE INDEX by_hand ON users (id DESC)",
            "DROP INDEX by_hand",
        ),
        (
            "CREATE TRIGGER by_hand AFTER DELETE ON users BEGIN SELECT 1; END",
            "DROP TRIGGER by_hand",
        ),
    ] {
        project.execute(create);
        let schema = "SELECT group_concat(sql) FROM sqlite_schema WHERE tbl_name = 'users'";
        let before = project.value(schema);
        let run = project.zdm(command);
        assert_eq!(run.code, 3, "{command:?}: {run:#?}");
        run.says("would lose the");
        run.says("by_hand");
        assert_eq!(project.value(schema), before, "{command:?}");
        project.execute(drop);
    }
}
