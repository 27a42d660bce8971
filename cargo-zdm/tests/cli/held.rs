//! What somebody rolled back, `advance` does not take forward again by itself.

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;
use crate::versions;

#[test]
fn what_was_rolled_back_waits_for_somebody_on_sqlite() {
    on_sqlite(HASTY, what_was_rolled_back_waits_for_somebody);
}

#[test]
fn what_was_rolled_back_waits_for_somebody_on_postgres() {
    on_postgres(HASTY, what_was_rolled_back_waits_for_somebody);
}

fn what_was_rolled_back_waits_for_somebody(project: &Project) {
    to_shadow(project);
    let back = project.done(&["rollback", "--format", "json"]).object();
    assert_eq!(
        (&back["to"], &back["held"]),
        (&"dual_write".into(), &true.into()),
        "{back}"
    );
    for _ in 0..2 {
        stays(project, &["advance"], "dual_write");
    }
    project.done(&["status"]).says("was rolled back");

    // A step by hand is a decision, and ends it.
    project.done(&["switch", "--to", "shadow"]);
    assert_eq!(
        project.zdm(&["advance"]).code,
        4,
        "contract waits for final code"
    );
    assert_eq!(project.stage("users_full_name"), "complete");

    // The way back from `complete` stops halfway, at a stage that has a way forward.
    project.done(&["rollback"]);
    stays(project, &["advance"], "ramp_down");
    project.done(&[
        "resume",
        "users_full_name",
        "--reason",
        "the dashboard was wrong",
    ]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("users_full_name"), "complete");
}

/// A scheduled job runs between the rollback of the database and the next deploy.
#[test]
fn an_undone_expand_is_not_done_again_by_itself() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        project.done(&["rollback"]);
        assert_eq!(project.stage("users_full_name"), "absent");
        stays(project, &["advance"], "absent");
        stays(project, &["advance", "--before-deploy"], "absent");
        project.done(&["expand"]);
        assert_eq!(project.stage("users_full_name"), "off");

        project.done(&["rollback"]);
        project.done(&["resume", "users_full_name"]);
        project.done(&["advance", "--before-deploy"]);
        assert_eq!(project.stage("users_full_name"), "off");
    });
}

/// The checkout from before the migration works on a database from which it was taken back.
#[test]
fn a_version_that_was_taken_back_is_not_missed_by_older_checkouts() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        versions::write_first(&project.path("zdm"), "sqlite");
        let ahead = project.zdm(&["status"]);
        assert_eq!(ahead.code, 3, "{ahead:#?}");
        ahead.says("the database is ahead of this checkout");
        versions::write(&project.path("zdm"), "sqlite");
        project.done(&["rollback"]);
        versions::write_first(&project.path("zdm"), "sqlite");
        project.done(&["status"]);
        project.done(&["advance"]);
    });
}

fn to_shadow(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    for arguments in [
        &["switch", "--to", "dual_write"][..],
        &["backfill"],
        &["verify"],
        &["switch", "--to", "shadow"],
    ] {
        project.done(arguments);
    }
}

fn stays(project: &Project, arguments: &[&str], stage: &str) {
    let run = project.zdm(arguments);
    assert_eq!(run.code, 4, "{run:#?}");
    run.says("not_rolled_back");
    run.says("cargo zdm resume users_full_name");
    assert_eq!(project.stage("users_full_name"), stage);
}
