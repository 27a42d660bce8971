//! A rollback that is repeated goes no further than it was asked to, whether or not its first run could say that it was done.

use serde_json::Value;

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;

const NAME: &str = "users_full_name";

/// `rollback …` that succeeds.
fn back(project: &Project, arguments: &[&str]) -> Value {
    let command = [&["rollback", NAME, "--format", "json"], arguments].concat();
    project.done(&command).object()
}

fn to_complete(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage(NAME), "complete");
}

#[test]
fn a_second_rollback_has_to_say_where_to_on_sqlite() {
    on_sqlite(HASTY, a_second_rollback_has_to_say_where_to);
}

#[test]
fn a_second_rollback_has_to_say_where_to_on_postgres() {
    on_postgres(HASTY, a_second_rollback_has_to_say_where_to);
}

fn a_second_rollback_has_to_say_where_to(project: &Project) {
    to_complete(project);
    for (first, from, to, next) in [
        (&[][..], "complete", "ramp_down", "dual_write"),
        (&["--to", "dual_write"], "ramp_down", "dual_write", "off"),
        (&["--to", "off"], "dual_write", "off", "absent"),
    ] {
        let run = back(project, first);
        assert_eq!(
            (&run["from"], &run["to"], &run["held"]),
            (&from.into(), &to.into(), &true.into()),
            "{run}"
        );
        for again in [&["rollback", NAME][..], &["rollback", NAME, "--dry-run"]] {
            let asked = project.zdm(again);
            assert_eq!(asked.code, 2, "{asked:#?}");
            asked.says(&format!("was rolled back and stands at {to}"));
            asked.says(&format!("cargo zdm rollback {NAME} --to {next}"));
        }
        let repeated = back(project, &["--to", to]);
        assert_eq!(repeated["to"], to, "{repeated}");
        assert_eq!(repeated["did"], "it is there already", "{repeated}");
        assert_eq!(project.stage(NAME), to);
    }
    let forward = project.zdm(&["rollback", NAME, "--to", "dual_write"]);
    assert_eq!(forward.code, 2, "{forward:#?}");
    forward.says("no way back leads from there to dual_write");
    for _ in 0..2 {
        assert_eq!(back(project, &["--to", "absent"])["to"], "absent");
    }
    // Nothing lies behind it, so nothing has to be asked.
    assert_eq!(back(project, &[])["to"], "absent");
}

/// Several steps at once are held all along.
#[test]
fn a_rollback_goes_as_far_as_it_is_told() {
    on_sqlite(HASTY, |project| {
        to_complete(project);
        project.execute("INSERT INTO users (id, full_name) VALUES (4, 'edsger')");
        let dry = project.done(&["rollback", NAME, "--to", "off", "--dry-run"]);
        dry.says("ramp_down");
        dry.says("4_switch_reads/down.sql");
        assert_eq!(project.stage(NAME), "complete");
        let run = back(project, &["--to", "off"]);
        assert_eq!(
            (&run["from"], &run["to"]),
            (&"complete".into(), &"off".into()),
            "{run}"
        );
        let name = "SELECT name FROM users WHERE id = 4";
        assert_eq!(project.value(name), "edsger");
        assert_eq!(project.zdm(&["advance"]).code, 4);
        assert_eq!(project.stage(NAME), "off");
    });
}

/// What stops it on the way leaves its goal behind: a rollback without a place goes there, and no further.
#[test]
fn a_rollback_that_was_stopped_is_ended_where_it_was_to_end() {
    on_sqlite(HASTY, |project| {
        to_complete(project);
        for stage in ["ramp_down", "dual_write", "off"] {
            project.execute(&format!(
                "CREATE TRIGGER refuses BEFORE UPDATE OF stage ON zdm_stage WHEN NEW.stage = '{stage}'
                 BEGIN SELECT RAISE(ABORT, 'not now'); END"
            ));
            let to = ["--to", "off"];
            let arguments = if stage == "ramp_down" { &to[..] } else { &[] };
            let stopped = project.zdm(&[&["rollback", NAME], arguments].concat());
            assert_eq!(stopped.code, 3, "{stopped:#?}");
            project.execute("DROP TRIGGER refuses");
        }
        assert_eq!(project.stage(NAME), "dual_write");
        assert_eq!(back(project, &[])["to"], "off");
        assert_eq!(project.zdm(&["rollback", NAME]).code, 2);
        assert_eq!(project.stage(NAME), "off");
    });
}

/// Whoever says where it is to be wants it to stay there.
#[test]
fn a_migration_that_is_there_already_is_held_there() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        project.fill();
        project.done(&["switch", "--to", "dual_write"]);
        for _ in 0..2 {
            let run = back(project, &["--to", "dual_write"]);
            assert_eq!(run["held"], true, "{run}");
        }
        assert_eq!(project.zdm(&["advance"]).code, 4);
        assert_eq!(project.stage(NAME), "dual_write");
        // A goal that a rollback was stopped on the way to is given up by naming another.
        project.execute("UPDATE zdm_migration SET rolled_back_to = 'absent'");
        back(project, &["--to", "dual_write"]);
        project
            .zdm(&["rollback", NAME])
            .says("was rolled back and stands at dual_write");
        // So is one of an older tool, which told no goal.
        project.execute("UPDATE zdm_migration SET rolled_back_to = NULL");
        assert_eq!(project.zdm(&["rollback", NAME]).code, 2);
        // Let go, it is as if nothing had been taken back.
        project.done(&["resume", NAME]);
        assert_eq!(back(project, &[])["to"], "off");
    });
}
