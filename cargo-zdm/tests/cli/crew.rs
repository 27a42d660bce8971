//! A backfill that several processes work at, with a signal that holds it; what `status` says meanwhile, and `cancel`.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::{Project, Run};

/// A team that waits for nothing, but for its own query.
const HELD: &str = "soak = \"0s\"\nramp_dwell = \"0s\"\nsleepers = \"0s\"\n\n[policy.throttle]\nquery = \"SELECT reason FROM hold\"";
const WORKERS: &str =
    "SELECT count(DISTINCT lease_owner) FROM zdm.chunk WHERE throttle IS NOT NULL";

fn held(project: &Project) {
    project.done(&["expand"]);
    project
        .execute("INSERT INTO users SELECT id, 'user ' || id FROM generate_series(1, 50000) AS id");
    project.execute("CREATE TABLE hold (reason text); INSERT INTO hold VALUES ('a sale is on')");
    project.done(&["switch", "--to", "dual_write"]);
}

fn begin(project: &Project) -> Child {
    begin_as(project, &["backfill", "--format", "json"])
}

fn begin_as(project: &Project, arguments: &[&str]) -> Child {
    project
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_for(project: &Project, sql: &str, value: &str) {
    while project.value(sql) != value {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_second_process_joins_the_backfill_of_the_first() {
    on_postgres(HELD, |project| {
        held(project);
        let first = begin(project);
        wait_for(project, WORKERS, "1");
        let second = begin(project);
        wait_for(project, WORKERS, "2");
        project
            .done(&["status"])
            .says("slower: the query of zdm.toml says a sale is on");
        let run = project.zdm(&["switch", "--to", "shadow"]);
        assert_eq!(run.code, 4, "{run:#?}");
        project.execute("DELETE FROM hold");
        let mut rows = 0;
        for process in [first, second] {
            let run = Run::from(process.wait_with_output().unwrap());
            assert_eq!(run.code, 0, "{run:#?}");
            rows += run.object()["rows"].as_i64().unwrap();
        }
        assert_eq!(rows, 50_000);
        let verified = project.done(&["verify", "--format", "json"]).object();
        assert_eq!(verified["rows"], 50_000, "{verified}");
    });
}

#[test]
fn a_cancelled_backfill_ends_and_begins_again_at_the_beginning() {
    on_postgres(HELD, |project| {
        held(project);
        let run = project.zdm(&["cancel", "users_full_name"]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("nothing to cancel");
        let process = begin(project);
        wait_for(project, WORKERS, "1");
        let told = begin_as(project, &["backfill"]);
        wait_for(project, WORKERS, "2");
        project
            .done(&["cancel", "users_full_name", "--reason", "incident 4711"])
            .says("the backfill is cancelled");
        let run = Run::from(process.wait_with_output().unwrap());
        assert_eq!(run.code, 4, "{run:#?}");
        let object = run.object();
        assert_eq!(object["continues"], false, "{object}");
        let stopped = object["stopped"].to_string();
        assert!(stopped.contains("cancelled"), "{stopped}");
        let told = Run::from(told.wait_with_output().unwrap());
        assert_eq!(told.code, 4, "{told:#?}");
        told.says("cancelled");
        told.says("the cursors are forgotten");
        assert!(!told.out.contains("continues at the cursors"), "{told:#?}");
        assert_eq!(project.value("SELECT count(*) FROM zdm.chunk"), "0");
        let run = project.zdm(&["backfill"]);
        assert_eq!(run.code, 4, "{run:#?}");
        run.says("not_paused");
        project.execute("DELETE FROM hold");
        project.done(&["resume", "users_full_name"]);
        let done = project.done(&["backfill", "--format", "json"]).object();
        assert_eq!(done["rows"], 50_000, "{done}");
    });
}

#[test]
fn a_kill_switch_stops_whatever_else_is_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop");
    std::fs::write(&file, "").unwrap();
    let policy = format!("sleepers = \"0s\"\n\n[policy.throttle]\nkill_switch = {file:?}");
    on_sqlite(&policy, |project| {
        project.done(&["expand"]);
        project.fill();
        project.done(&["switch", "--to", "dual_write"]);
        let run = project.zdm(&["backfill", "--no-throttle"]);
        assert_eq!(run.code, 4, "{run:#?}");
        run.says("the kill switch");
        assert_eq!(project.value("SELECT count(full_name) FROM users"), "0");
        std::fs::remove_file(&file).unwrap();
        project.done(&["backfill", "--no-throttle"]);
    });
}

#[test]
fn a_rollback_whose_backfill_is_stopped_says_why_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop");
    let policy = format!("{HASTY}\n\n[policy.throttle]\nkill_switch = {file:?}");
    on_sqlite(&policy, |project| {
        project.done(&["expand"]);
        project.fill();
        assert_eq!(project.zdm(&["advance"]).code, 4);
        assert_eq!(project.stage("users_full_name"), "complete");
        project.execute("INSERT INTO users (id, full_name) VALUES (4, 'edsger')");
        std::fs::write(&file, "").unwrap();
        let run = project.zdm(&["rollback"]);
        assert_eq!(run.code, 4, "{run:#?}");
        run.says("old is not filled from new yet: the kill switch");
        std::fs::remove_file(&file).unwrap();
        project.done(&["rollback"]);
        assert_eq!(project.stage("users_full_name"), "ramp_down");
        let name = "SELECT name FROM users WHERE id = 4";
        assert_eq!(project.value(name), "edsger");
    });
}

#[test]
fn a_signal_that_cannot_be_read_or_is_none_is_told_before_anything_is_filled() {
    for (throttle, code, words) in [
        (
            "query = \"SELECT reason FROM missing\"",
            3,
            "off = [\"query\"]",
        ),
        ("off = [\"replicas\"]", 2, "replica_lag"),
        ("replica_lag = \"soon\"", 2, "is no duration"),
    ] {
        let policy = format!("soak = \"0s\"\nsleepers = \"0s\"\n\n[policy.throttle]\n{throttle}");
        on_sqlite("", |project| {
            project.done(&["expand"]);
            project.fill();
            project.done(&["switch", "--to", "dual_write"]);
            project.write("zdm.toml", &format!("[policy]\n{policy}\n"));
            let run = project.zdm(&["backfill"]);
            assert_eq!(run.code, code, "{run:#?}");
            run.says(words);
            assert_eq!(project.value("SELECT count(full_name) FROM users"), "0");
        });
    }
}
