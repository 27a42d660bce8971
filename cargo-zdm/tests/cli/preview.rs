//! `rollback --dry-run` shows the statements that the rollback executes, in their order: what the audit log holds of it.

use serde_json::Value;

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;
use crate::versions;

/// Every way forward from nothing to a stage, one command after the other.
const FORWARD: &[&[&str]] = &[
    &["expand"],
    &["switch", "--to", "dual_write"],
    &["backfill"],
    &["verify"],
    &["switch", "--to", "shadow"],
    &["switch", "--to", "10%"],
    &["switch", "--to", "100%"],
    &["verify"],
    &["switch", "--to", "ramp_down"],
    &["switch", "--to", "complete"],
];

#[test]
fn every_rollback_does_what_its_preview_shows_on_sqlite() {
    on_sqlite(HASTY, every_rollback_does_what_its_preview_shows);
}

#[test]
fn every_rollback_does_what_its_preview_shows_on_postgres() {
    on_postgres(HASTY, every_rollback_does_what_its_preview_shows);
}

/// From every stage all the way back; the migration is then expanded anew.
fn every_rollback_does_what_its_preview_shows(project: &Project) {
    for commands in 1..=FORWARD.len() {
        for (number, command) in FORWARD[..commands].iter().enumerate() {
            project.done(command);
            if number == 0 && commands == 1 {
                project.fill();
            }
        }
        back_to_nothing(project);
    }
    for command in FORWARD {
        project.done(command);
    }
    as_shown(project, &["--to", "absent"]);
    assert_eq!(project.stage("users_full_name"), "absent");
}

#[test]
fn a_rollback_over_a_stopped_step_does_what_its_preview_shows_on_sqlite() {
    const STOP: &str = "CREATE TRIGGER stop BEFORE EVENT ON zdm_TABLE WHEN ROW BEGIN SELECT RAISE(ABORT, 'stopped'); END";
    on_sqlite(HASTY, |project| {
        over_a_stopped_step(project, "sqlite", STOP, "DROP TRIGGER stop");
    });
}

#[test]
fn a_rollback_over_a_stopped_step_does_what_its_preview_shows_on_postgres() {
    const STOP: &str = "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped'; END $$;
        CREATE TRIGGER stop BEFORE EVENT ON zdm.TABLE FOR EACH ROW WHEN (ROW) EXECUTE FUNCTION stop()";
    on_postgres(HASTY, |project| {
        over_a_stopped_step(project, "postgres", STOP, "DROP FUNCTION stop() CASCADE");
    });
}

/// A step forward, or back, that fails between its parts.
fn over_a_stopped_step(project: &Project, dialect: &str, stop: &str, go: &str) {
    let stopped = |command: &[&str], event: &str, table: &str, row: &str| {
        let stop = stop.replace("EVENT", event).replace("TABLE", table);
        project.execute(
            &stop
                .replace("ROW)", &format!("{row})"))
                .replace("WHEN ROW", &format!("WHEN {row}")),
        );
        let run = project.zdm(command);
        assert_ne!(run.code, 0, "{run:#?}");
        run.says("stopped");
        project.execute(go);
    };
    let forward = |commands: &[&[&str]]| {
        for command in commands {
            project.done(command);
        }
    };
    let released = |statements: &[String]| {
        statements
            .iter()
            .any(|sql| sql == "CREATE INDEX users_name ON users (name);\n")
    };
    let before = |command: &[&str], stage: &str| {
        stopped(
            command,
            "UPDATE",
            "stage",
            &format!("NEW.stage = '{stage}'"),
        );
    };
    let kept = |command: &[&str]| stopped(command, "DELETE", "step", "OLD.section = 'release'");
    let (complete, to_ramp_down) = FORWARD.split_last().unwrap();

    forward(to_ramp_down);
    before(complete, "complete");
    assert!(released(&back_to_nothing(project)));

    forward(&FORWARD[..5]);
    project.done(&["rollback"]);
    before(&["rollback", "--to", "off"], "off");
    back_to_nothing(project);

    forward(FORWARD);
    before(&["rollback"], "ramp_down");
    back_to_nothing(project);

    forward(FORWARD);
    kept(&["rollback"]);
    assert!(released(&back_to_nothing(project)));

    versions::write_without_dual_writes(&project.path("zdm"), dialect);
    forward(&[&["expand"], complete]);
    kept(&["rollback"]);
    assert_eq!(project.stage("users_full_name"), "off");
    assert!(released(&back_to_nothing(project)));
}

/// Takes the way back to its end, each step after its preview; what was executed.
fn back_to_nothing(project: &Project) -> Vec<String> {
    let mut executed = Vec::new();
    loop {
        let goal = goal(project);
        let to: Vec<&str> = goal.iter().flat_map(|goal| ["--to", goal]).collect();
        let (done, statements) = as_shown(project, &to);
        executed.extend(statements);
        if done["to"] == "absent" {
            return executed;
        }
    }
}

/// A rollback after its preview, and the statements that it executed.
fn as_shown(project: &Project, to: &[&str]) -> (Value, Vec<String>) {
    let rollback = [&["rollback", "users_full_name", "--format", "json"], to].concat();
    let shown = project
        .done(&[&rollback[..], &["--dry-run"]].concat())
        .object();
    let last: i64 = project
        .value(&audited(project, "SELECT max(entry)"))
        .parse()
        .unwrap();
    let done = project.done(&rollback).object();
    assert_eq!(shown["would"], done["did"]);
    let statements = statements(project, last);
    assert_eq!(
        without_headings(&shown["sql"]),
        statements.concat(),
        "{shown}"
    );
    (done, statements)
}

/// What the next step back needs for `--to`: nothing for the first one, or for one that is to be ended.
fn goal(project: &Project) -> Option<String> {
    let run = project.zdm(&["rollback", "users_full_name", "--dry-run"]);
    if run.code == 0 {
        return None;
    }
    let (_, goal) = run.err.split_once("users_full_name --to ").expect(&run.err);
    Some(goal.split('`').next().unwrap().to_owned())
}

fn audited(project: &Project, select: &str) -> String {
    let table = if project.url.starts_with("sqlite") {
        "zdm_audit"
    } else {
        "zdm.audit"
    };
    format!("{select} FROM {table}")
}

/// What was executed after the entry `last`, in its order.
fn statements(project: &Project, mut last: i64) -> Vec<String> {
    let mut statements = Vec::new();
    loop {
        let next = |select: &str| {
            let rest = format!(
                " WHERE entry > {last} AND statement IS NOT NULL AND outcome = 'done' ORDER BY entry LIMIT 1"
            );
            project.value(&(audited(project, select) + &rest))
        };
        let Ok(entry) = next("SELECT entry").parse() else {
            return statements;
        };
        statements.push(next("SELECT statement"));
        last = entry;
    }
}

/// The SQL without the lines that tell which file it is from.
fn without_headings(sql: &Value) -> String {
    let lines = sql.as_str().unwrap().split_inclusive('\n');
    lines
        .filter(|line| !line.starts_with("-- 0002_users_full_name/"))
        .collect()
}
