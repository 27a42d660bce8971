//! `pause` and `resume`: what they hold, what they let through.

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;
use crate::versions;

#[test]
fn a_pause_holds_the_way_forward_on_sqlite() {
    on_sqlite(HASTY, a_pause_holds_the_way_forward);
}

#[test]
fn a_pause_holds_the_way_forward_on_postgres() {
    on_postgres(HASTY, a_pause_holds_the_way_forward);
}

fn a_pause_holds_the_way_forward(project: &Project) {
    let json = |arguments: &[&str]| {
        let arguments = [arguments, &["--format", "json"]].concat();
        project.done(&arguments).object()
    };
    project.done(&["expand"]);
    project.fill();
    project.done(&["switch", "--to", "dual_write"]);
    let held = json(&["pause", "users_full_name", "--reason", "incident 4711"]);
    assert_eq!(
        (&held["paused"], &held["changed"]),
        (&true.into(), &true.into()),
        "{held}"
    );
    assert_eq!(json(&["pause", "2"])["changed"], false);

    for move_ in [
        &["backfill"][..],
        &["advance"],
        &["switch", "--to", "shadow"],
    ] {
        let run = project.zdm(move_);
        assert_eq!(run.code, 4, "{run:#?}");
        run.says("not_paused");
        run.says("cargo zdm resume");
    }
    assert_eq!(project.value("SELECT count(full_name) FROM users"), "0");
    project.done(&["status"]).says("has been paused for");

    let released = json(&["resume", "users_full_name"]);
    assert_eq!(
        (&released["paused"], &released["changed"]),
        (&false.into(), &true.into())
    );
    project
        .done(&["resume", "2"])
        .says("neither paused nor rolled back");
    versions::finalize(&project.path("zdm"));
    project.done(&["advance"]);
    let audit = json(&["status", "--audit"]);
    let of = |action: &str| {
        let entries = audit["audit"].as_array().unwrap().iter();
        entries.filter(|entry| entry["action"] == action).count()
    };
    assert_eq!((of("pause"), of("resume")), (1, 1), "{audit}");
}

#[test]
fn a_pause_does_not_hold_the_rollback_from_complete() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        project.fill();
        assert_eq!(project.zdm(&["advance"]).code, 4);
        assert_eq!(project.stage("users_full_name"), "complete");
        project.execute("INSERT INTO users (id, full_name) VALUES (4, 'edsger')");
        project.done(&["pause", "users_full_name"]);
        project.done(&["rollback"]);
        assert_eq!(project.stage("users_full_name"), "ramp_down");
        assert_eq!(
            project.value("SELECT name FROM users WHERE id = 4"),
            "edsger"
        );
    });
}

#[test]
fn only_what_is_in_transition_can_be_paused() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        let run = project.zdm(&["pause", "init"]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("no stage that could be held");
    });
}
