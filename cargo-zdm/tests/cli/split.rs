//! A table that is split, from the structs to contract, with the way back from every stage.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

/// The structs are those of the page.
const PAGE: &str = include_str!("../../../docs/tables.md");

/// Of the split, of the merge, then of columns that move: before and after.
pub(crate) fn blocks() -> [&'static str; 6] {
    let blocks: Vec<&str> = PAGE
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    blocks.try_into().expect("before and after, three times")
}

fn structs() -> [&'static str; 2] {
    let [before, after, ..] = blocks();
    [before, after]
}

const ROWS: &str = "INSERT INTO users (id, name, street, city) VALUES \
    (1, 'a', 'first', 'x'), (2, 'b', 'second', NULL), (3, 'c', NULL, NULL)";
const OLD: &str = "SELECT count(*) FROM users WHERE street IS NOT NULL";
const NEW: &str = "SELECT count(*) FROM addresses";

fn generated(project: &Project) {
    let [before, after] = structs();
    user_crate(project);
    project.write("src/models.rs", before);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute(ROWS);
    project.write("src/models.rs", after);
    project.done(&["generate", "split"]);
    project.done(&["check"]);
}

pub(crate) fn forward(project: &Project, target: &str) {
    let steps: &[(&str, &[&[&str]])] = &[
        ("off", &[&["expand"]]),
        ("dual_write", &[&["switch", "--to", "dual_write"]]),
        (
            "shadow",
            &[
                &["backfill", "--workers", "3"],
                &["verify"],
                &["switch", "--to", "shadow"],
            ],
        ),
        ("live", &[&["switch", "--to", "100%"]]),
        (
            "ramp_down",
            &[&["verify"], &["switch", "--to", "ramp_down"]],
        ),
        ("complete", &[&["switch", "--to", "complete"]]),
    ];
    for (stage, commands) in steps {
        for command in *commands {
            project.done(command);
        }
        if *stage == target {
            return;
        }
    }
}

#[test]
fn a_split_goes_back_from_every_stage_on_sqlite() {
    from_every_stage(&Project::sqlite(""));
}

#[test]
fn a_split_goes_back_from_every_stage_on_postgres() {
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
            project.execute("INSERT INTO addresses VALUES (3, 'third', 'y')");
            project.execute("DELETE FROM addresses WHERE user_id = 2");
            project.execute("UPDATE addresses SET town = 'z' WHERE user_id = 1");
        }
        for stage in back {
            let mut arguments = vec!["rollback", "split", "--to", stage];
            if *stage == "absent" && !["off", "dual_write"].contains(&target) {
                // Its rows are in users as well, but nobody has counted that since the triggers went.
                let refused = project.zdm(&arguments);
                assert_eq!(refused.code, 2, "{refused:#?}");
                refused.says("the table addresses, which holds rows");
                arguments.push("--drop-rows");
            }
            project.done(&arguments);
        }
        // No trigger is left.
        project.execute(
            "INSERT INTO users VALUES (4, 'd', 'fourth', NULL); DELETE FROM users WHERE id = 4",
        );
        let rows = if target == "complete" {
            "z third"
        } else {
            "x NULL"
        };
        assert_eq!(project.value(OLD), "2", "{target}");
        let values = format!(
            "{} {}",
            project.value("SELECT city FROM users WHERE id = 1"),
            project.value("SELECT street FROM users WHERE id = 3")
        );
        assert_eq!(values, rows, "{target}");
    }
}

#[test]
fn a_split_ends_on_sqlite() {
    to_the_end(&Project::sqlite(""));
}

#[test]
fn a_split_ends_on_postgres() {
    let server = Server::start();
    to_the_end(&Project::on(server.database("app"), ""));
}

fn to_the_end(project: &Project) {
    generated(project);
    let [_, after] = structs();
    let shown = project.done(&["review", "split"]);
    shown.says("move `users.street`, `users.city` to the new table `addresses`");
    // The struct may not move on before its transition is over.
    project.write(
        "src/models.rs",
        &after.replace("from(\"city\")", "from(\"street\")"),
    );
    assert_ne!(project.zdm(&["generate"]).code, 0);
    project.write("src/models.rs", after);

    project.done(&["advance", "--before-deploy"]);
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("cargo zdm finalize");
    assert_eq!(project.stage("split"), "complete");
    let shut = project.zdm(&["contract"]);
    assert_eq!(shut.code, 4, "{shut:#?}");
    project.done(&["finalize", "split"]);
    let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    for spent in ["split_from", "from("] {
        assert!(!models.contains(spent), "{models}");
    }
    assert!(!project.path("src/zdm/m0002_split").exists());
    project.done(&["check"]);
    project.done(&["contract"]);
    project.refuses("SELECT street FROM users", "street");
    assert_eq!(project.value(NEW), "2");
    // Nothing is left that knows the columns: both tables are written alone.
    project.execute("UPDATE addresses SET street = 'moved' WHERE user_id = 1");
    project.execute("INSERT INTO users (id, name) VALUES (4, 'd')");
    project.execute("DELETE FROM users WHERE id = 1");
    assert_eq!(project.value(NEW), "1");

    project.write(
        "src/models.rs",
        &after.replace("#[zdm(from(\"city\"))]", ""),
    );
    let spent = project.zdm(&["check"]);
    assert_eq!(spent.code, 1, "{spent:#?}");
    spent.says("`split_from` of addresses is spent");
}
