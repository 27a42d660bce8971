//! A column that moves between two tables that both stay, from the structs to contract, with the way back from every stage.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;
use crate::split::{blocks, forward};

/// The structs are those of the page.
fn structs() -> [&'static str; 2] {
    let [.., before, after] = blocks();
    [before, after]
}

const MOVED: &str = "moved_from = \"addresses.town\"";
const ROWS: &str = "INSERT INTO users (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c'); \
    INSERT INTO addresses (user_id, street, town) VALUES (1, 'first', 'x'), (2, 'second', NULL)";
const OLD: &str = "SELECT count(*) FROM addresses WHERE town IS NOT NULL";
const NEW: &str = "SELECT count(*) FROM users WHERE city IS NOT NULL";

fn generated(project: &Project) {
    let [before, after] = structs();
    user_crate(project);
    project.write("src/models.rs", before);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute(ROWS);
    let unsaid = after.replace(&format!("#[zdm({MOVED})]"), "");
    project.write("src/models.rs", &unsaid.replace("city", "town"));
    let asked = project.zdm(&["generate", "moved"]);
    assert_ne!(asked.code, 0, "{asked:#?}");
    asked.says(MOVED);
    project.write("src/models.rs", after);
    project.done(&["generate", "moved"]);
    project.done(&["check"]);
}

#[test]
fn a_move_goes_back_from_every_stage_on_sqlite() {
    from_every_stage(&Project::sqlite(""));
}

#[test]
fn a_move_goes_back_from_every_stage_on_postgres() {
    let server = Server::start();
    from_every_stage(&Project::on(server.database("app"), ""));
}

fn from_every_stage(project: &Project) {
    generated(project);
    for (target, back) in [
        ("off", &["absent"][..]),
        ("dual_write", &["off", "absent"]),
        ("shadow", &["dual_write", "off", "absent"]),
        ("live", &["dual_write", "off", "absent"]),
        ("ramp_down", &["dual_write", "off", "absent"]),
        ("complete", &["ramp_down", "dual_write", "off", "absent"]),
    ] {
        forward(project, target);
        if target == "complete" {
            // At `complete` the application writes new alone.
            project.execute("UPDATE users SET city = 'y' WHERE id = 1");
            project.execute("UPDATE users SET city = 'z' WHERE id = 2");
            project.refuses(
                "UPDATE users SET city = 'nowhere' WHERE id = 3",
                "none of (city)",
            );
        }
        for stage in back {
            let mut arguments = vec!["rollback", "moved", "--to", stage];
            if *stage == "absent" && !["off", "dual_write"].contains(&target) {
                // Its values are in addresses as well, but nobody counts that.
                let refused = project.zdm(&arguments);
                assert_eq!(refused.code, 2, "{refused:#?}");
                refused.says("users.city");
                arguments.push("--drop-rows");
            }
            project.done(&arguments);
        }
        // No trigger is left.
        project.execute(
            "INSERT INTO users VALUES (4, 'd'); INSERT INTO addresses VALUES (4, 'fourth', 'w')",
        );
        project.execute("DELETE FROM addresses WHERE user_id = 4; DELETE FROM users WHERE id = 4");
        let rows = if target == "complete" {
            ["2", "y"]
        } else {
            ["1", "x"]
        };
        let values = [
            project.value(OLD),
            project.value("SELECT town FROM addresses WHERE user_id = 1"),
        ];
        assert_eq!(values, rows, "{target}");
    }
}

#[test]
fn a_move_ends_on_sqlite() {
    to_the_end(&Project::sqlite(""));
}

#[test]
fn a_move_ends_on_postgres() {
    let server = Server::start();
    to_the_end(&Project::on(server.database("app"), ""));
}

fn to_the_end(project: &Project) {
    generated(project);
    let [_, after] = structs();
    let shown = project.done(&["review", "moved"]);
    shown.says("move `addresses.town` to `users.city`");
    shown.says("every role that writes one of these tables may read and write the other");
    // The struct may not move on before its transition is over, nor another version change its tables.
    for (changed, says) in [
        (
            after.replace("addresses.town", "addresses.street"),
            "have changed since",
        ),
        (
            after.replace(
                "pub street: String",
                "pub street: String, pub house: Option<i32>",
            ),
            "while columns move out of it or into it",
        ),
    ] {
        project.write("src/models.rs", &changed);
        let refused = project.zdm(&["generate"]);
        assert_ne!(refused.code, 0, "{refused:#?}");
        refused.says(says);
    }
    project.write("src/models.rs", after);

    project.done(&["advance", "--before-deploy"]);
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill", "--workers", "3"]);
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("cargo zdm finalize");
    assert_eq!(project.stage("moved"), "complete");
    let shut = project.zdm(&["contract"]);
    assert_eq!(shut.code, 4, "{shut:#?}");
    project.done(&["finalize", "moved"]);
    let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    assert!(!models.contains("moved_from"), "{models}");
    assert!(!project.path("src/zdm/m0002_moved").exists());
    project.done(&["check"]);
    project.done(&["contract"]);
    project.refuses("SELECT town FROM addresses", "town");
    assert_eq!(project.value(NEW), "1");
    assert_eq!(project.value("SELECT city FROM users WHERE id = 1"), "x");
    // No trigger is left, and the city is the user's own.
    project.execute("UPDATE users SET city = 'here' WHERE id = 3");
    project.execute("DELETE FROM addresses");
    assert_eq!(project.value(NEW), "2");

    project.write("src/models.rs", after);
    let spent = project.zdm(&["check"]);
    assert_eq!(spent.code, 1, "{spent:#?}");
    spent.says("the transition attributes of users.city are spent");
}
