//! The way back from every stage, and the gates that stand in other ways.

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;

const TO_SHADOW: &[&[&str]] = &[
    &["expand"],
    &["switch", "--to", "dual_write"],
    &["backfill"],
    &["verify"],
    &["switch", "--to", "shadow"],
];

fn to_shadow(project: &Project) {
    for (number, arguments) in TO_SHADOW.iter().enumerate() {
        project.done(arguments);
        if number == 0 {
            project.fill();
        }
    }
}

#[test]
fn back_from_every_stage_on_sqlite() {
    on_sqlite(HASTY, back_from_every_stage);
}

#[test]
fn back_from_every_stage_on_postgres() {
    on_postgres(HASTY, back_from_every_stage);
}

fn back_from_every_stage(project: &Project) {
    let back = |from: &str, to: &str| {
        let run = project
            .done(&["rollback", "--to", to, "--format", "json"])
            .object();
        assert_eq!(
            (&run["from"], &run["to"]),
            (&from.into(), &to.into()),
            "{run}"
        );
    };
    to_shadow(project);
    back("shadow", "dual_write");
    project.done(&["switch", "--to", "shadow"]);
    project.done(&["switch", "--to", "10%"]);
    back("live", "dual_write");
    project.done(&["switch", "--to", "shadow"]);
    project.done(&["switch", "--to", "100%"]);
    project.done(&["verify"]);
    project.done(&["switch", "--to", "ramp_down"]);
    back("ramp_down", "dual_write");

    project.done(&["switch", "--to", "shadow"]);
    project.done(&["switch", "--to", "100%"]);
    project.done(&["verify"]);
    project.done(&["switch", "--to", "ramp_down"]);
    project.done(&["switch", "--to", "complete"]);
    // At `complete` the application writes new alone.
    project.execute("INSERT INTO users (id, full_name) VALUES (4, 'edsger')");
    back("complete", "ramp_down");
    assert_eq!(
        project.value("SELECT name FROM users WHERE id = 4"),
        "edsger"
    );
    back("ramp_down", "dual_write");
    back("dual_write", "off");
    let filled = project.zdm(&["switch", "--to", "shadow"]);
    assert_eq!(filled.code, 4, "{filled:#?}");
    back("off", "absent");
    assert_eq!(
        project.value("SELECT count(*) FROM users WHERE name IS NOT NULL"),
        "3"
    );
    project.done(&["expand"]);
    assert_eq!(project.stage("users_full_name"), "off");
}

#[test]
fn shut_gates_are_shown_and_nothing_moves() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        project.fill();
        let skip = project.zdm(&["switch", "--to", "complete", "--format", "json"]);
        assert_eq!(skip.code, 4, "{skip:#?}");
        let error = &skip.object()["error"];
        assert_eq!(error["kind"], "gate");
        let gates = error["gates"].as_array().unwrap();
        assert!(gates.iter().any(|gate| gate["open"] == false), "{error}");
        assert_eq!(project.zdm(&["backfill"]).code, 4);
        assert_eq!(project.zdm(&["verify"]).code, 4);
        assert_eq!(project.zdm(&["contract"]).code, 4);
        assert_eq!(project.stage("users_full_name"), "off");
        project.done(&["switch", "--to", "dual_write"]);
        let early = project.zdm(&["switch", "--to", "shadow"]);
        assert_eq!(early.code, 4, "{early:#?}");
        early.says("backfilled");
        assert_eq!(project.stage("users_full_name"), "dual_write");
    });
}

#[test]
fn rows_that_differ_are_a_finding() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        project.fill();
        project.done(&["switch", "--to", "dual_write"]);
        project.done(&["backfill"]);
        project.execute("UPDATE users SET name = 'lovelace' WHERE id = 1");
        let run = project.zdm(&["verify", "--format", "json"]);
        assert_eq!(run.code, 1, "{run:#?}");
        let found = run.object();
        assert_eq!(found["mismatches"], 1, "{found}");
        assert_eq!(found["first"][0]["key"], "1", "{found}");
        assert_eq!(project.zdm(&["switch", "--to", "shadow"]).code, 4);
        // What the message says to do mends them.
        project.done(&["backfill"]);
        project.done(&["verify"]);
        let full_name = "SELECT full_name FROM users WHERE id = 1";
        assert_eq!(project.value(full_name), "lovelace");
        project.done(&["switch", "--to", "shadow"]);
    });
}

#[test]
fn a_one_way_migration_says_why_complete_has_no_way_back() {
    on_sqlite(HASTY, |project| {
        crate::versions::write_one_way(&project.path("zdm"), "sqlite");
        project.done(&["expand"]);
        for told in [
            &["advance", "--dry-run"][..],
            &["switch", "--to", "dual_write", "--dry-run"],
        ] {
            project.zdm(told).says("point of no return");
        }
        to_shadow(project);
        let run = project.zdm(&["rollback", "--to", "off"]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("no way back leads from there to off: the migration is one-way");
        run.says("--to dual_write");
        project.done(&["rollback"]);
        assert_eq!(project.stage("users_full_name"), "dual_write");
        let run = project.zdm(&["rollback"]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("the first dual write was its point of no return");
        run.says("reads take old, and every write keeps both sides");
        assert_eq!(project.stage("users_full_name"), "dual_write");
        project.done(&["status"]).says("point of no return");
        project.done(&["switch", "--to", "shadow"]);
        project.done(&["switch", "--to", "100%"]);
        project.done(&["verify"]);
        project.done(&["switch", "--to", "ramp_down"]);
        project.done(&["switch", "--to", "complete"]);
        let run = project.zdm(&["rollback"]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("one-way");
        assert_eq!(project.stage("users_full_name"), "complete");
    });
}

#[test]
fn only_one_command_line_moves_a_migration() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        project.execute(
            "INSERT OR REPLACE INTO zdm_operator (migration, owner, lease_epoch, lease_until)
             VALUES ('2222bbbb2222', 'grace@elsewhere (pid 7)', 7, unixepoch() * 1000 + 600000)",
        );
        let run = project.zdm(&["switch", "--to", "dual_write", "--format", "json"]);
        assert_eq!(run.code, 4, "{run:#?}");
        run.says("grace@elsewhere");
        assert_eq!(run.object()["error"]["kind"], "gate");
    });
}

#[test]
fn a_command_that_died_here_is_followed_at_once() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        // The greatest pid that Linux gives out is below this one.
        project.execute(
            "INSERT OR REPLACE INTO zdm_operator (migration, owner, lease_epoch, lease_until)
             VALUES ('2222bbbb2222', 'ada@here (pid 4999999, 01)', 7, unixepoch() * 1000 + 600000)",
        );
        let run = project.done(&["switch", "--to", "dual_write", "--actor", "ada@here"]);
        run.says("whose process has ended");
    });
}
