//! A table that is merged, from the structs to contract, with the way back from every stage.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;
use crate::split::{blocks, forward};

/// The structs are those of the page.
fn structs() -> [&'static str; 2] {
    let [_, _, before, after, ..] = blocks();
    [before, after]
}

const ROWS: &str = "INSERT INTO users (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c'); \
    INSERT INTO addresses (user_id, street, town) VALUES (1, 'first', 'x'), (2, 'second', NULL)";
const OLD: &str = "SELECT count(*) FROM addresses";
const NEW: &str = "SELECT count(*) FROM users WHERE street IS NOT NULL";

fn generated(project: &Project) {
    let [before, after] = structs();
    user_crate(project);
    project.write("src/models.rs", before);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute(ROWS);
    let unsaid = after.replace("#[zdm(merged_from = \"addresses(user_id)\")]", "");
    project.write(
        "src/models.rs",
        &unsaid.replace("#[zdm(from(\"town\"))]", ""),
    );
    let asked = project.zdm(&["generate", "merge"]);
    assert_ne!(asked.code, 0, "{asked:#?}");
    asked.says("merged_from = \"addresses(user_id)\"");
    project.write("src/models.rs", after);
    project.done(&["generate", "merge"]);
    project.done(&["check"]);
    // Its repository is old code's: new code has none.
    assert!(!project.path("src/zdm/addresses.rs").exists());
}

#[test]
fn a_merge_goes_back_from_every_stage_on_sqlite() {
    from_every_stage(&Project::sqlite(""));
}

#[test]
fn a_merge_goes_back_from_every_stage_on_postgres() {
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
            project.execute("UPDATE users SET street = 'third', city = 'y' WHERE id = 3");
            project.execute("UPDATE users SET street = NULL, city = NULL WHERE id = 2");
            project.execute("UPDATE users SET city = 'z' WHERE id = 1");
        }
        for stage in back {
            let mut arguments = vec!["rollback", "merge", "--to", stage];
            if *stage == "absent" && !["off", "dual_write"].contains(&target) {
                // Its values are in addresses as well, but nobody counts that.
                let refused = project.zdm(&arguments);
                assert_eq!(refused.code, 2, "{refused:#?}");
                refused.says("users.street");
                arguments.push("--drop-rows");
            }
            project.done(&arguments);
        }
        // No trigger is left.
        project.execute(
            "INSERT INTO users VALUES (4, 'd'); INSERT INTO addresses VALUES (4, 'fourth', NULL)",
        );
        project.execute("DELETE FROM users WHERE id = 4");
        assert_eq!(project.value(OLD), "2", "{target}");
        let rows = if target == "complete" {
            ["z", "third"]
        } else {
            ["x", "second"]
        };
        let values = [
            project.value("SELECT town FROM addresses WHERE user_id = 1"),
            project.value("SELECT street FROM addresses WHERE user_id > 1"),
        ];
        assert_eq!(values, rows, "{target}");
    }
}

#[test]
fn a_merge_ends_on_sqlite() {
    to_the_end(&Project::sqlite(""));
}

#[test]
fn a_merge_ends_on_postgres() {
    let server = Server::start();
    to_the_end(&Project::on(server.database("app"), ""));
}

fn to_the_end(project: &Project) {
    generated(project);
    let [_, after] = structs();
    let shown = project.done(&["review", "merge"]);
    shown.says("move the table `addresses` into `users.street`, `users.city`");
    shown.says("every role that writes one of these tables may read and write the other");
    // The struct may not move on before its transition is over.
    project.write(
        "src/models.rs",
        &after.replace("from(\"town\")", "from(\"street\")"),
    );
    assert_ne!(project.zdm(&["generate"]).code, 0);
    project.write("src/models.rs", after);

    // What no struct says of the table would be gone with it.
    project.execute("ALTER TABLE addresses ADD COLUMN geo text");
    let unknown = project.zdm(&["expand"]);
    assert_eq!(unknown.code, 4, "{unknown:#?}");
    unknown.says("no version describes addresses.geo");
    project.refuses("SELECT street FROM users", "street");
    project.execute("ALTER TABLE addresses DROP COLUMN geo");

    project.done(&["advance", "--before-deploy"]);
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill", "--workers", "3"]);
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("cargo zdm finalize");
    assert_eq!(project.stage("merge"), "complete");
    let shut = project.zdm(&["contract"]);
    assert_eq!(shut.code, 4, "{shut:#?}");
    project.done(&["finalize", "merge"]);
    let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    for spent in ["merged_from", "from("] {
        assert!(!models.contains(spent), "{models}");
    }
    assert!(!project.path("src/zdm/m0002_merge").exists());
    project.done(&["check"]);
    project.done(&["contract"]);
    project.refuses("SELECT street FROM addresses", "addresses");
    assert_eq!(project.value(NEW), "2");
    assert_eq!(project.value("SELECT city FROM users WHERE id = 1"), "x");
    // No trigger is left, and half an address is no matter of the database any more.
    project.execute("UPDATE users SET street = NULL WHERE id = 1");

    project.write(
        "src/models.rs",
        &after.replace("#[zdm(from(\"town\"))]", ""),
    );
    let spent = project.zdm(&["check"]);
    assert_eq!(spent.code, 1, "{spent:#?}");
    spent.says("`merged_from` of users is spent");
}
