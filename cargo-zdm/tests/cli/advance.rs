//! `advance`: as far as gates and policy allow, idempotent, exit 4 while something is left.

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;
use crate::versions;

#[test]
fn a_hasty_team_is_done_in_one_go_on_sqlite() {
    on_sqlite(HASTY, done_in_one_go);
}

#[test]
fn a_hasty_team_is_done_in_one_go_on_postgres() {
    on_postgres(HASTY, done_in_one_go);
}

fn done_in_one_go(project: &Project) {
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.stage("users_full_name"), "off");
    project.fill();
    let run = project.zdm(&["advance", "--format", "json"]);
    assert_eq!(run.code, 4, "{run:#?}");
    let waits = &run.object()["migrations"][1];
    assert_eq!(waits["stage"], "complete", "{waits}");
    assert_eq!(waits["shut"][0]["gate"], "final_code", "{waits}");
    versions::finalize(&project.path("zdm"));
    let run = project.done(&["advance", "--format", "json"]).object();
    assert_eq!(run["done"], true, "{run}");
    assert_eq!(project.stage("users_full_name"), "contracted");
    assert_eq!(
        project.value("SELECT full_name FROM users WHERE id = 1"),
        "ada"
    );
    let again = project.done(&["advance", "--format", "json"]).object();
    assert_eq!(again["migrations"][1]["moves"], 0, "{again}");
}

#[test]
fn a_cautious_team_is_told_what_it_waits_for() {
    on_sqlite("", |project| {
        let run = project.zdm(&["advance", "--format", "json"]);
        assert_eq!(run.code, 4, "{run:#?}");
        let object = run.object();
        assert_eq!(object["done"], false);
        let rename = &object["migrations"][1];
        assert_eq!(rename["stage"], "live", "{object}");
        assert_eq!(rename["shut"][0]["gate"], "dwell", "{object}");
        assert!(rename["shut"][0]["opens_when"].is_string(), "{object}");
    });
}

#[test]
fn contract_waits_for_the_backup() {
    let policy = format!("{HASTY}\nbackup_hook = \"test -e backup\"");
    on_sqlite(&policy, |project| {
        assert_eq!(project.zdm(&["advance"]).code, 4);
        versions::finalize(&project.path("zdm"));
        let run = project.zdm(&["advance"]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("test -e backup");
        assert_eq!(project.stage("users_full_name"), "complete");
        std::fs::write(project.path("backup"), "").unwrap();
        project.done(&["advance"]);
        assert_eq!(project.stage("users_full_name"), "contracted");
    });
}

#[test]
fn watching_ends_when_everything_is_done() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand", "--actor", "pipeline"]);
        versions::finalize(&project.path("zdm"));
        let run = project.done(&[
            "advance", "--watch", "--actor", "pipeline", "--format", "json",
        ]);
        assert_eq!(run.object()["done"], true);
        let audit = project
            .done(&["status", "--audit", "--format", "json"])
            .object();
        let entries = audit["audit"].as_array().unwrap();
        assert!(
            entries.iter().all(|entry| entry["actor"] == "pipeline"),
            "{audit}"
        );
        assert_eq!(
            project.zdm(&["advance", "--watch", "--before-deploy"]).code,
            2
        );
    });
}
