//! `zdm demo` as a user runs it: the whole way, kills, planted mistakes, a database of one's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use zdm_runtime::database::{self, Connection};
use zdm_tests::postgres::Server;
use zdm_tests::signal::{Signal, send};

const PHASES: [&str; 5] = [
    "expand",
    "dual_write",
    "backfill",
    "switch_reads",
    "contract",
];

/// Runs the demo with a temporary folder of its own, which must be empty afterwards.
fn demo(arguments: &[&str]) -> (Output, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-zdm"))
        .args(["zdm", "demo", "--format", "json"])
        .args(arguments)
        .env("TMPDIR", folder.path())
        .output()
        .expect("the demo starts");
    let left = folder.path().read_dir().expect("the folder");
    // SQLite unlinks its temporary files once they are open: a kill may come between.
    let left: Vec<_> = left
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| !name.to_string_lossy().starts_with("etilqs_"))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    let answer = String::from_utf8_lossy(&output.stdout);
    let last = answer.lines().last().unwrap_or_default();
    let object = serde_json::from_str(last).unwrap_or_else(|_| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        panic!("no object: {answer}\n{complaint}")
    });
    (output, object)
}

fn number(report: &Value, name: &str) -> u64 {
    report[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {report}"))
}

fn assert_clean(output: &Output, report: &Value) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{report}\n{complaint}");
    assert_eq!(report["phases"], serde_json::json!(PHASES));
    for phase in PHASES {
        assert!(number(&report["writes"], phase) > 0, "{report}");
        assert!(number(&report["reads"], phase) > 0, "{report}");
    }
    for kind in ["failed_statements", "lost_writes", "mismatches"] {
        assert_eq!(number(report, kind), 0, "{report}");
    }
    let seconds = report["seconds"].as_f64();
    assert!(seconds.is_some_and(|seconds| seconds > 0.0), "{report}");
}

/// Exactly this many of each, and the exit code for findings.
fn assert_found(output: &Output, report: &Value, failed: u64, lost: u64, mismatches: u64) {
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert_eq!(number(report, "failed_statements"), failed, "{report}");
    assert_eq!(number(report, "lost_writes"), lost, "{report}");
    assert_eq!(number(report, "mismatches"), mismatches, "{report}");
    assert!(report["problems"].is_array(), "{report}");
    let phases = report["phases"].as_array().map(Vec::len);
    assert!(
        phases.is_some_and(|phases| phases < PHASES.len()),
        "nothing may be dropped then: {report}"
    );
}

#[test]
fn the_whole_way_on_sqlite_loses_nothing() {
    let (output, report) = demo(&["--rows", "400"]);
    assert_clean(&output, &report);
    assert_eq!(number(&report, "rows"), 400);
}

#[test]
fn kills_of_every_command_and_of_writers_lose_nothing() {
    let (output, report) = demo(&["--rows", "400", "--kill"]);
    assert_clean(&output, &report);
}

#[test]
fn a_lost_write_is_found() {
    let (output, report) = demo(&["--rows", "400", "--plant", "lost-write"]);
    assert_found(&output, &report, 0, 1, 0);
}

#[test]
fn a_stale_read_is_found() {
    let (output, report) = demo(&["--rows", "400", "--plant", "stale-read"]);
    assert_found(&output, &report, 0, 0, 1);
}

#[test]
fn a_failed_statement_is_found() {
    let (output, report) = demo(&["--rows", "400", "--plant", "failed-statement"]);
    assert_found(&output, &report, 1, 0, 0);
}

/// One number from a database.
fn ask(url: &str, sql: &str) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let rows = runtime.block_on(async {
        let mut connection = Connection::open(url).await.expect("a connection");
        connection.query(sql, &[]).await.expect(sql)
    });
    match rows.first().map(Vec::as_slice) {
        Some([database::Value::Int(Some(number))]) => *number,
        other => panic!("{sql}: {other:?}"),
    }
}

fn run_sql(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut connection = Connection::open(url).await.expect("a connection");
        connection.run_file(sql).await.expect(sql);
    });
}

fn install_control(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut connection = Connection::open(url).await.expect("a connection");
        let installed = database::control::install(&mut connection).await;
        installed.expect("control tables");
    });
}

const TABLES: &str = "SELECT count(*) FROM information_schema.tables
    WHERE table_name LIKE 'cargo_zdm_demo_%' OR table_schema = 'zdm'";

#[test]
fn the_whole_way_on_postgres_loses_nothing_and_leaves_nothing() {
    let server = Server::start();
    let url = server.database("demo");
    let (output, report) = demo(&["--rows", "400", "--database-url", &url]);
    assert_clean(&output, &report);
    assert_eq!(ask(&url, TABLES), 0);
}

/// The plant ends the way after expand, while its functions and the records of a half-done migration are there.
#[test]
fn a_way_that_ends_early_leaves_nothing_beside_what_others_have() {
    let server = Server::start();
    let url = server.database("demo");
    install_control(&url);
    let arguments = [
        "--rows",
        "400",
        "--plant",
        "failed-statement",
        "--database-url",
        &url,
    ];
    let (output, report) = demo(&arguments);
    assert_found(&output, &report, 1, 0, 0);
    let functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'zdm'::regnamespace";
    assert_eq!(ask(&url, functions), 0);
    assert_eq!(ask(&url, "SELECT count(*) FROM zdm.migration"), 0);
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'cargo_zdm_demo_%'";
    assert_eq!(ask(&url, tables), 0);
}

#[test]
fn a_table_in_the_way_is_left_alone() {
    let server = Server::start();
    let url = server.database("demo");
    run_sql(
        &url,
        "CREATE TABLE cargo_zdm_demo_oracle (id bigint); INSERT INTO cargo_zdm_demo_oracle VALUES (7)",
    );
    let (output, answer) = demo(&["--rows", "400", "--database-url", &url]);
    assert_eq!(output.status.code(), Some(3), "{answer}");
    assert!(
        answer["error"]["message"]
            .as_str()
            .is_some_and(|message| message.contains("cargo_zdm_demo_oracle")),
        "{answer}"
    );
    assert_eq!(ask(&url, "SELECT max(id) FROM cargo_zdm_demo_oracle"), 7);
    assert_eq!(ask(&url, TABLES), 1);
}

/// Every file below a folder, with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in next.read_dir().expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = std::fs::read(&path).expect("a file");
                let below = path.strip_prefix(folder).expect("a path below");
                found.insert(below.to_owned(), content);
            }
        }
    }
    found
}

#[test]
fn what_the_demo_runs_is_what_generate_writes() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/app");
    for dialect in ["postgres", "sqlite"] {
        for version in ["v1", "v2", "v3"] {
            let output = Command::new(env!("CARGO_BIN_EXE_cargo-zdm"))
                .args(["zdm", "check", "--manifest-path"])
                .arg(demo.join(dialect).join(version).join("zdm.toml"))
                .output()
                .expect("check starts");
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{dialect} {version}, see src/demo/app/regenerate: {said}"
            );
        }
    }
}

#[test]
fn the_deploys_share_their_history() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/app");
    for dialect in ["postgres", "sqlite"] {
        let versions = |deploy: &str| files(&demo.join(dialect).join(deploy).join("versions"));
        let (first, second, third) = (versions("v1"), versions("v2"), versions("v3"));
        for (earlier, later) in [(&first, &second), (&second, &third)] {
            let reviewed = |path: &Path| path.components().count() > 1;
            let kept: Vec<_> = earlier.iter().filter(|(path, _)| reviewed(path)).collect();
            assert!(kept.len() > 2, "{dialect}: {kept:?}");
            for (path, content) in kept {
                assert_eq!(
                    later.get(path),
                    Some(content),
                    "{dialect}: {}",
                    path.display()
                );
            }
        }
    }
}

/// A demo whose processes are at work, and their ids.
#[cfg(target_os = "linux")]
struct AtWork {
    demo: std::process::Child,
    workers: Vec<u32>,
    /// Somebody has to be there for what it says.
    _output: std::io::BufReader<std::process::ChildStdout>,
}

#[cfg(target_os = "linux")]
fn at_work(folder: &Path) -> AtWork {
    use std::io::{BufRead as _, BufReader, Read as _};

    let mut demo = Command::new(env!("CARGO_BIN_EXE_cargo-zdm"))
        .args(["zdm", "demo", "--rows", "400"])
        .env("TMPDIR", folder)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the demo starts");
    let mut output = BufReader::new(demo.stdout.take().expect("its output"));
    let started = output
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .any(|line| line.starts_with("start"));
    assert!(started, "the demo ended without a load");
    let workers: Vec<u32> = Path::new("/proc")
        .read_dir()
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|process| is_worker_of(*process, demo.id()))
        .collect();
    assert!(workers.len() >= 3, "{workers:?}");
    AtWork {
        demo,
        workers,
        _output: output,
    }
}

#[cfg(target_os = "linux")]
fn is_worker_of(process: u32, demo: u32) -> bool {
    let parent = std::fs::read_to_string(format!("/proc/{process}/status"))
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
    parent == Some(demo) && is_worker(process)
}

#[cfg(target_os = "linux")]
fn is_worker(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/cmdline"))
        .is_ok_and(|arguments| arguments.contains("demo-worker"))
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_demo_leaves_no_process_and_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut at_work = at_work(folder.path());
    send(at_work.demo.id(), Signal::INT);
    let status = at_work.demo.wait().expect("its end");
    assert_eq!(status.code(), Some(3));
    assert!(!at_work.workers.into_iter().any(is_worker));
    assert_eq!(files(folder.path()).len(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn the_processes_of_a_killed_demo_end_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut at_work = at_work(folder.path());
    send(at_work.demo.id(), Signal::KILL);
    at_work.demo.wait().expect("its end");
    while at_work.workers.iter().copied().any(is_worker) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn a_database_that_others_use_keeps_what_is_theirs() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("shared.db").display());
    install_control(&url);
    run_sql(&url, "INSERT INTO zdm_fence VALUES ('theirs', 7)");
    let (output, report) = demo(&["--rows", "300", "--database-url", &url]);
    assert_clean(&output, &report);
    assert_eq!(
        ask(
            &url,
            "SELECT epoch FROM zdm_fence WHERE table_name = 'theirs'"
        ),
        7
    );
    for table in [
        "fence WHERE table_name <> 'theirs'",
        "migration",
        "stage",
        "stage_table",
        "step",
        "chunk",
        "quarantine",
        "verification",
        "instance",
        "instance_code",
        "instance_fence",
        "mismatch",
        "operator",
    ] {
        let sql = format!("SELECT count(*) FROM zdm_{table}");
        assert_eq!(ask(&url, &sql), 0, "{table}");
    }
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'cargo_zdm_demo_%'";
    assert_eq!(ask(&url, tables), 0);
}
