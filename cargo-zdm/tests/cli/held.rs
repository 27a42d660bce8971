//! What somebody rolled back, `advance` does not take forward again by itself.

use zdm_runtime::database::Value;

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

/// It said so before it moved: what stops it leaves a migration that holds all the same.
#[test]
fn a_rollback_that_is_stopped_holds_as_well() {
    on_sqlite(HASTY, |project| {
        to_shadow(project);
        project.execute(
            "CREATE TRIGGER refuses BEFORE UPDATE OF stage ON zdm_stage WHEN NEW.stage = 'dual_write'
             BEGIN SELECT RAISE(ABORT, 'not now'); END",
        );
        assert_ne!(project.zdm(&["rollback"]).code, 0);
        project.execute("DROP TRIGGER refuses");
        stays(project, &["advance"], "shadow");
    });
}

/// One whose gate is shut has not begun: nothing was taken back, and nothing is held.
#[test]
fn a_rollback_before_a_shut_gate_holds_nothing() {
    on_sqlite(HASTY, |project| {
        to_shadow(project);
        assert_eq!(project.zdm(&["advance"]).code, 4);
        assert_eq!(project.stage("users_full_name"), "complete");
        project.execute(
            "INSERT INTO zdm_instance (instance, label, started_at, lease_until) VALUES ('last', 'last', 0, 99999999999999);
             INSERT INTO zdm_instance_code (instance, migration, code_state) SELECT 'last', migration, 'final' FROM zdm_migration;
             INSERT INTO zdm_instance_fence SELECT 'last', table_name, epoch FROM zdm_fence",
        );
        let refused = project.zdm(&["rollback"]);
        assert_eq!(refused.code, 4, "{refused:#?}");
        refused.says("nobody_final");
        let held = "SELECT count(rolled_back_at) FROM zdm_migration";
        assert_eq!(project.value(held), "0");
        let waits = project.zdm(&["advance"]);
        assert!(!waits.out.contains("not_rolled_back"), "{waits:#?}");
        assert!(!waits.err.contains("not_rolled_back"), "{waits:#?}");
    });
}

/// A rollback that comes in between `advance` looking and moving is not overlooked: the trigger plays it, at the claim.
#[test]
fn a_rollback_just_before_the_claim_holds_on_sqlite() {
    on_sqlite(HASTY, |project| {
        let rolls_back = |event: &str| {
            format!(
                "CREATE TRIGGER rolls_back_{event} AFTER {event} ON zdm_operator WHEN NEW.lease_until > 0
                 BEGIN UPDATE zdm_migration SET rolled_back_at = 1 WHERE migration = NEW.migration; END;"
            )
        };
        a_rollback_just_before_the_claim_holds(
            project,
            &(rolls_back("INSERT") + &rolls_back("UPDATE")),
            "DROP TRIGGER rolls_back_INSERT; DROP TRIGGER rolls_back_UPDATE;
             UPDATE zdm_migration SET rolled_back_at = NULL",
        );
    });
}

#[test]
fn a_rollback_just_before_the_claim_holds_on_postgres() {
    on_postgres(HASTY, |project| {
        a_rollback_just_before_the_claim_holds(
            project,
            "CREATE OR REPLACE FUNCTION rolls_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             UPDATE zdm.migration SET rolled_back_at = 1 WHERE migration = NEW.migration; RETURN NEW; END $$;
             CREATE TRIGGER rolls_back AFTER INSERT OR UPDATE ON zdm.operator
             FOR EACH ROW EXECUTE FUNCTION rolls_back()",
            "DROP TRIGGER rolls_back ON zdm.operator; UPDATE zdm.migration SET rolled_back_at = NULL",
        );
    });
}

fn a_rollback_just_before_the_claim_holds(project: &Project, begin: &str, end: &str) {
    let to_be_moved_from: [(&str, &[&[&str]]); 4] = [
        ("off", &[&["expand"]]),
        ("dual_write", &[&["switch", "--to", "dual_write"]]),
        ("dual_write", &[&["backfill"], &["verify"]]),
        ("shadow", &[&["switch", "--to", "shadow"]]),
    ];
    for (stage, commands) in to_be_moved_from {
        for command in commands {
            project.done(command);
        }
        project.execute(begin);
        stays(project, &["advance"], stage);
        project.execute(end);
    }
}

/// Half an expand is no expand: no deploy takes it for done, and there is a way on.
#[test]
fn an_undo_of_expand_that_is_stopped_is_told_and_can_be_ended_either_way() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        project.execute("CREATE VIEW shown AS SELECT full_name FROM users");
        assert_ne!(project.zdm(&["rollback"]).code, 0);
        let early = project.zdm(&["advance", "--before-deploy"]);
        assert_eq!(early.code, 4, "{early:#?}");
        project.done(&["expand"]);
        assert_eq!(project.stage("users_full_name"), "off");
        assert_ne!(project.zdm(&["rollback"]).code, 0);
        project.execute("DROP VIEW shown");
        project.done(&["rollback"]);
        assert_eq!(project.stage("users_full_name"), "absent");
    });
}

/// What instances saw to differ is filled and compared again before reads go to new once more.
#[test]
fn seen_mismatches_are_not_forgotten_by_a_rollback() {
    on_sqlite(HASTY, |project| {
        to_shadow(project);
        project.execute("UPDATE users SET name = 'lovelace' WHERE id = 1");
        project.execute(
            "INSERT INTO zdm_mismatch (migration, instance, mismatches) VALUES ('2222bbbb2222', 'web', 1)",
        );
        project.done(&["rollback"]);
        let early = project.zdm(&["switch", "--to", "shadow"]);
        assert_eq!(early.code, 4, "{early:#?}");
        early.says("backfilled");
        project.done(&["backfill"]);
        project.done(&["verify"]);
        project.done(&["switch", "--to", "shadow"]);
        let full_name = "SELECT full_name FROM users WHERE id = 1";
        assert_eq!(project.value(full_name), "lovelace");
    });
}

/// Nobody is at the keyboard.
#[test]
fn advance_goes_back_by_itself_where_rows_differ_on_sqlite() {
    on_sqlite(&format!("{HASTY}\nstep_back = 3"), goes_back_by_itself);
}

#[test]
fn advance_goes_back_by_itself_where_rows_differ_on_postgres() {
    on_postgres(&format!("{HASTY}\nstep_back = 3"), goes_back_by_itself);
}

fn goes_back_by_itself(project: &Project) {
    for stage in ["shadow", "live"] {
        to_shadow(project);
        if stage == "live" {
            project.done(&["switch", "--to", "25%"]);
        }
        project.execute("UPDATE users SET name = 'lovelace' WHERE id = 1");
        see_mismatches(project, 2);
        let waits = project.zdm(&["advance"]);
        assert_eq!(waits.code, 4, "{waits:#?}");
        waits.says("no_shadow_mismatch");
        assert_eq!(project.stage("users_full_name"), stage);

        see_mismatches(project, 3);
        let back = project.zdm(&["advance"]);
        assert_eq!(back.code, 4, "{back:#?}");
        back.says("instances saw 3 times a row whose sides differ, and step_back = 3");
        back.says("not_rolled_back");
        assert_eq!(reasons(project), if stage == "shadow" { 1 } else { 2 });
        stays(project, &["advance"], "dual_write");

        // What differed is filled again before reads go to new once more.
        project.done(&[
            "resume",
            "users_full_name",
            "--reason",
            "the writer is mended",
        ]);
        assert_eq!(project.zdm(&["advance"]).code, 4);
        assert_eq!(project.stage("users_full_name"), "complete");
        let full_name = "SELECT full_name FROM users WHERE id = 1";
        assert_eq!(project.value(full_name), "lovelace");
        project.done(&["rollback", "--to", "absent"]);
        project.execute("DELETE FROM users");
    }
}

/// How often the log says why reads went back by themselves.
fn reasons(project: &Project) -> i64 {
    project.connected(async |connection| {
        let sql = "SELECT count(*) FROM {zdm}audit WHERE action = 'step back' AND detail LIKE 'instances saw 3 times%'";
        match connection.query(sql, &[]).await.unwrap()[0][0] {
            Value::Int(Some(count)) => count,
            ref other => panic!("{other:?}"),
        }
    })
}

fn see_mismatches(project: &Project, rows: i64) {
    project.connected(async |connection| {
        let delete = "DELETE FROM {zdm}mismatch";
        connection.execute(delete, &[]).await.unwrap();
        let insert = "INSERT INTO {zdm}mismatch (migration, instance, mismatches) VALUES ('2222bbbb2222', 'web', $1)";
        connection.execute(insert, &[rows.into()]).await.unwrap();
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
