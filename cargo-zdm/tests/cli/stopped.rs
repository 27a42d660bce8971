//! Something is in the way of a rollback, at each stage: what it says then.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

const RENAME: &str = "#[zdm(renamed_from = \"name\", unique)]\n    pub full_name: String";
const STAGES: [&str; 6] = [
    "off",
    "dual_write",
    "shadow",
    "live",
    "ramp_down",
    "complete",
];

fn begun(project: &Project) {
    user_crate(project);
    project.write(
        "src/models.rs",
        &BEFORE.replace("pub name", "#[zdm(unique)]\n    pub name"),
    );
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('Ada')");
    project.write("src/models.rs", &BEFORE.replace("pub name: String", RENAME));
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
}

fn forward(project: &Project, stage: &str) {
    let commands: &[&[&str]] = match stage {
        "dual_write" => &[&["switch", "two", "--to", "dual_write"]],
        "shadow" => &[
            &["backfill", "two"],
            &["verify", "two"],
            &["switch", "two", "--to", "shadow"],
        ],
        "live" => &[&["switch", "two", "--to", "100%"]],
        "ramp_down" => &[&["verify", "two"], &["switch", "two", "--to", "ramp_down"]],
        "complete" => &[&["switch", "two", "--to", "complete"]],
        _ => &[],
    };
    for command in commands {
        project.done(command);
    }
}

fn to(project: &Project, last: &str) {
    begun(project);
    for stage in STAGES {
        forward(project, stage);
        if stage == last {
            break;
        }
    }
    assert_eq!(project.stage("two"), last);
}

/// Nothing of the way back concerns a view over new, but its end: that names the view, and both ways on lead there.
fn a_view_over_new(project: &Project, told: &str) {
    to(project, "complete");
    project.execute("CREATE VIEW shown AS SELECT full_name FROM users");
    for stage in ["ramp_down", "dual_write", "off"] {
        project.done(&["rollback", "--to", stage]);
        assert_eq!(project.stage("two"), stage);
    }
    for _ in 0..2 {
        let run = project.zdm(&["rollback", "--to", "absent"]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says(told);
        run.says("nothing of this step was done");
        run.says("or `cargo zdm expand two`, which makes it whole again");
        for misleading in ["CASCADE", "at line", "rolled back"] {
            assert!(!run.err.contains(misleading), "{run:#?}");
        }
    }
    project.done(&["expand", "two"]);
    assert_eq!(project.stage("two"), "off");
    assert_eq!(project.zdm(&["rollback"]).code, 3);
    project.execute("DROP VIEW shown");
    project.done(&["rollback"]);
    assert_eq!(project.stage("two"), "absent");
    assert_eq!(project.value("SELECT name FROM users"), "Ada");
}

#[test]
fn a_view_over_new_is_named_on_sqlite() {
    a_view_over_new(&Project::sqlite(""), "error in view shown");
}

#[test]
fn a_view_over_new_is_named_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    a_view_over_new(
        &project,
        "view shown depends on column full_name of table users",
    );
}

#[test]
fn a_view_over_a_created_table_is_named() {
    let server = Server::start();
    let told = [
        (
            Project::on(server.database("app"), ""),
            "view shown depends on table users",
        ),
        (Project::sqlite(""), "error in view shown"),
    ];
    for (project, told) in told {
        user_crate(&project);
        project.done(&["init"]);
        project.done(&["expand"]);
        project.execute("CREATE VIEW shown AS SELECT name FROM users");
        let run = project.zdm(&["rollback", "init"]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says(told);
        project.execute("DROP VIEW shown");
        project.done(&["rollback", "init"]);
    }
}

/// Nothing moves, and the message says whom to look for.
#[test]
fn a_locked_file_is_told() {
    let project = Project::sqlite("");
    to(&project, "shadow");
    project.connected(async |writer| {
        writer.begin().await.unwrap();
        let run = project.zdm(&["rollback"]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("database is locked");
        run.says("`lsof` on the file names it");
        writer.rollback().await.unwrap();
    });
    assert_eq!(project.stage("two"), "shadow");
    project.done(&["rollback"]);
    assert_eq!(project.stage("two"), "dual_write");
}
