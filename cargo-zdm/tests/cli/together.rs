//! A backfill that several processes are started for at the same moment, or while one of them has only begun or is at its end.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};

use zdm_tests::postgres::Server;

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::{Project, Run};

const PROCESSES: usize = 8;
const ROUNDS: usize = 3;
const ROWS: i64 = 6_000;
/// Two tables: a process that comes in between meets one that is cut and one that is not.
const SECOND: &str = r"
#[derive(Migratable, Debug, Clone)]
pub struct Order {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}
";

/// Somebody else, far away and alive, holds the migration.
fn held(project: &Project, purpose: &str) {
    let (operator, _) = tables(project);
    project.execute(&format!(
        "UPDATE {operator} SET owner = 'ada@far (pid 1, 0{purpose})', lease_until = 9000000000000000"
    ));
}

fn let_go(project: &Project) {
    let (operator, _) = tables(project);
    project.execute(&format!("UPDATE {operator} SET lease_until = 0"));
}

fn tables(project: &Project) -> (&'static str, &'static str) {
    if project.url.starts_with("sqlite") {
        ("zdm_operator", "zdm_chunk")
    } else {
        ("zdm.operator", "zdm.chunk")
    }
}

fn begin(project: &Project, arguments: &[&str]) -> Child {
    project
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn end(child: Child) -> Run {
    Run::from(child.wait_with_output().unwrap())
}

fn two_tables(project: &Project) {
    user_crate(project);
    let before = format!("{BEFORE}{SECOND}");
    project.write("src/models.rs", &before);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    let renamed = "#[zdm(renamed_from = \"name\")]\n    pub full_name";
    project.write("src/models.rs", &before.replace("pub name", renamed));
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
    for table in ["users", "orders"] {
        project.execute(&format!(
            "INSERT INTO {table} (name) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {ROWS}) \
             SELECT 'row ' || n FROM n"
        ));
    }
}

fn all_started_at_once_work(project: &Project) {
    two_tables(project);
    for round in 0..ROUNDS {
        project.done(&["switch", "two", "--to", "dual_write"]);
        let arguments = ["backfill", "two", "--batch-rows", "50", "--format", "json"];
        let all: Vec<_> = (0..PROCESSES).map(|_| begin(project, &arguments)).collect();
        let mut rows = 0;
        for run in all.into_iter().map(end) {
            assert_eq!(run.code, 0, "round {round}: {run:#?}");
            rows += run.object()["rows"].as_i64().unwrap();
        }
        assert_eq!(rows, 2 * ROWS, "round {round}");
        project.done(&["verify", "two"]);
        project.done(&["rollback", "two", "--to", "off"]);
        project.done(&["resume", "two"]);
    }
}

#[test]
fn all_that_are_started_at_once_work_on_sqlite() {
    all_started_at_once_work(&Project::sqlite(""));
}

#[test]
fn all_that_are_started_at_once_work_on_postgres() {
    let server = Server::start();
    all_started_at_once_work(&Project::on(server.database("app"), ""));
}

/// One that comes while another is about to cut the tables waits, and takes its place where that one ends before it has.
fn one_that_comes_early_waits(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    project.done(&["switch", "--to", "dual_write"]);
    held(project, "");
    let refused = project.zdm(&["backfill"]);
    assert_eq!(refused.code, 4, "{refused:#?}");
    refused.says("ada@far (pid 1, 0) is moving migration");
    held(project, ", backfilling");
    let mut waiting = begin(project, &["backfill"]);
    let mut said = BufReader::new(waiting.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("waiting until ada@far"), "{line}");
    let_go(project);
    said.read_to_string(&mut line).unwrap();
    let run = end(waiting);
    assert_eq!(run.code, 0, "{line}{run:#?}");
    assert!(line.contains(": 3 rows"), "{line}");
}

#[test]
fn one_that_comes_early_waits_on_sqlite() {
    on_sqlite(HASTY, one_that_comes_early_waits);
}

#[test]
fn one_that_comes_early_waits_on_postgres() {
    on_postgres(HASTY, one_that_comes_early_waits);
}

/// One that comes late finds nothing left, whoever holds the migration by now and whatever for.
fn one_that_comes_late_is_done(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill"]);
    let (_, chunk) = tables(project);
    for purpose in ["", ", backfilling"] {
        held(project, purpose);
        let late = project.done(&["backfill", "--format", "json"]);
        assert_eq!(late.object()["rows"], 0, "{late:#?}");
        // As long as something is open, it works at that.
        project.execute(&format!(
            "UPDATE {chunk} SET state = 'open', cursor_key = NULL"
        ));
        let late = project.done(&["backfill"]);
        late.says("joining the backfill of ada@far");
        late.says(": 3 rows");
    }
}

#[test]
fn one_that_comes_late_is_done_on_sqlite() {
    on_sqlite(HASTY, one_that_comes_late_is_done);
}

#[test]
fn one_that_comes_late_is_done_on_postgres() {
    on_postgres(HASTY, one_that_comes_late_is_done);
}

/// A pause stops all of them in the same words; those that are started after `resume` end what is left.
fn a_pause_stops_all_and_resume_lets_all_go_on(project: &Project) {
    two_tables(project);
    project.done(&["switch", "two", "--to", "dual_write"]);
    let arguments = ["backfill", "two", "--batch-rows", "10", "--format", "json"];
    let mut rows = 0;
    for round in 0..ROUNDS {
        let all: Vec<_> = (0..PROCESSES).map(|_| begin(project, &arguments)).collect();
        project.done(&["pause", "two"]);
        for run in all.into_iter().map(end) {
            if run.code == 0 {
                rows += run.object()["rows"].as_i64().unwrap();
                continue;
            }
            assert_eq!(run.code, 4, "round {round}: {run:#?}");
            assert!(run.out.contains("paused"), "round {round}: {run:#?}");
            rows += run.object()["rows"].as_i64().unwrap_or_default();
        }
        project.done(&["resume", "two"]);
    }
    let all: Vec<_> = (0..PROCESSES).map(|_| begin(project, &arguments)).collect();
    for run in all.into_iter().map(end) {
        assert_eq!(run.code, 0, "{run:#?}");
        rows += run.object()["rows"].as_i64().unwrap();
    }
    assert_eq!(rows, 2 * ROWS);
    project.done(&["verify", "two"]);
}

#[test]
fn a_pause_stops_all_and_resume_lets_all_go_on_on_sqlite() {
    a_pause_stops_all_and_resume_lets_all_go_on(&Project::sqlite(""));
}

#[test]
fn a_pause_stops_all_and_resume_lets_all_go_on_on_postgres() {
    let server = Server::start();
    a_pause_stops_all_and_resume_lets_all_go_on(&Project::on(server.database("app"), ""));
}
