//! Signals: each holds, slows or stops the backfill with its reason, one that says nothing holds, and one that cannot be read is
//! found before the first batch.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use zdm_runtime::backfill::throttle::{self, Monitor, Published, Signal, Throttle, Verdict};
use zdm_runtime::backfill::{self, BackfillOptions, End, Outcome};
use zdm_runtime::database::{Connection, Dialect, Value};

use crate::cases::{Case, ID, RENAME, batches_of};

/// Counters reach others at once from PostgreSQL 15 on, before that within a second.
const FLUSH: &str = "DO $$ BEGIN PERFORM pg_stat_force_next_flush(); EXCEPTION WHEN undefined_function THEN NULL; END $$";

async fn monitor(case: &mut Case, throttle: &Throttle) -> Monitor {
    Monitor::probe(&mut case.connection, throttle, &["users".to_owned()])
        .await
        .unwrap()
}

async fn verdict(case: &mut Case, monitor: &mut Monitor) -> Verdict {
    monitor.verdict(&mut case.connection).await
}

/// The application's connection, not the tool's.
async fn application(case: &Case) -> Connection {
    let mut connection = case.target.open().await;
    connection
        .run_file("SET application_name = 'service'")
        .await
        .unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_holds_until_it_says_nothing_more_and_the_ledger_says_why() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = Case::of(dialect, ID, &RENAME, 100).await;
        case.run("CREATE TABLE hold (reason text); INSERT INTO hold VALUES ('a sale is on')")
            .await;
        let wanted = Throttle {
            query: Some("SELECT reason FROM hold".to_owned()),
            ..Throttle::default()
        };
        let mut monitor = monitor(&mut case, &wanted).await;
        let first = verdict(&mut case, &mut monitor).await;
        assert!(matches!(&first, Verdict::Hold(reason) if reason.contains("a sale is on")));
        let (sender, verdicts) = watch::channel(Published::now(first));
        let asked = case.target.open().await;
        tokio::spawn(throttle::watch(
            asked,
            case.target.url.clone(),
            monitor,
            sender,
        ));
        let options = BackfillOptions {
            verdicts: Some(verdicts),
            ..batches_of(10)
        };
        let (waits, mut is_waiting) = tokio::sync::mpsc::unbounded_channel();
        let mut connection = case.target.open().await;
        let migration = case.migration.clone();
        let running = tokio::spawn(async move {
            backfill::run(&mut connection, &migration, &options, &mut |progress| {
                if let Some(reason) = &progress.throttle {
                    let _ = waits.send(reason.clone());
                }
            })
            .await
        });
        let said = is_waiting.recv().await.unwrap();
        assert_eq!(said, "waiting: the query of zdm.toml says a sale is on");
        let published = case
            .connection
            .query("SELECT throttle FROM {zdm}chunk", &[])
            .await
            .unwrap();
        assert_eq!(
            published,
            [[Value::from("the query of zdm.toml says a sale is on")]]
        );
        assert_eq!(case.number("SELECT count(full_name) FROM users").await, 0);
        case.run("DELETE FROM hold").await;
        let done: Outcome = running.await.unwrap().unwrap();
        assert_eq!((done.end, done.rows), (End::Done, 100));
        let left = "SELECT count(throttle) FROM {zdm}chunk";
        assert_eq!(case.number(left).await, 0);
    }
}

#[tokio::test]
async fn signals_that_cannot_be_read_are_found_at_once_and_all_of_them() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 1).await;
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut wanted = Throttle {
        query: Some("SELECT reason FROM missing".to_owned()),
        url: Some(format!("http://user:secret@{nobody}/hold?token=secret")),
        ..Throttle::default()
    };
    let tables = ["users".to_owned()];
    let found = Monitor::probe(&mut case.connection, &wanted, &tables)
        .await
        .unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].contains("query") && found[0].contains("missing"),
        "{found:?}"
    );
    assert!(found[0].contains("off = [\"query\"]"), "{found:?}");
    assert!(
        found[1].contains("url") && !found[1].contains("secret"),
        "{found:?}"
    );
    wanted.off = vec![Signal::Query, Signal::Url];
    let mut monitor = monitor(&mut case, &wanted).await;
    assert_eq!(verdict(&mut case, &mut monitor).await, Verdict::Go);
}

#[tokio::test]
async fn a_query_can_change_nothing() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = Case::of(dialect, ID, &RENAME, 3).await;
        let wanted = Throttle {
            query: Some("DELETE FROM users RETURNING id".to_owned()),
            ..Throttle::default()
        };
        let probed = Monitor::probe(&mut case.connection, &wanted, &["users".to_owned()]).await;
        assert_eq!(probed.is_err(), dialect == Dialect::Postgres);
        assert_eq!(case.number("SELECT count(*) FROM users").await, 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_holds_with_any_status_but_success() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let status = Arc::new(AtomicU16::new(503));
    let answered = status.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1_024];
            let _ = stream.read(&mut request).unwrap();
            let status = answered.load(Ordering::Acquire);
            let answer =
                format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let mut case = Case::of(Dialect::Sqlite, ID, &RENAME, 1).await;
    let wanted = Throttle {
        url: Some(format!("http://{address}/hold")),
        ..Throttle::default()
    };
    let mut monitor = monitor(&mut case, &wanted).await;
    let held = verdict(&mut case, &mut monitor).await;
    let reason = format!("http://{address}/hold answers 503");
    assert_eq!(held, Verdict::Hold(reason));
    status.store(204, Ordering::Release);
    assert_eq!(verdict(&mut case, &mut monitor).await, Verdict::Go);
}

#[tokio::test]
async fn a_kill_switch_stops_and_is_the_most_severe() {
    let mut case = Case::of(Dialect::Sqlite, ID, &RENAME, 1).await;
    let file = case.target.path("stop");
    let wanted = Throttle {
        query: Some("SELECT 'busy'".to_owned()),
        kill_switch: Some(file.clone()),
        ..Throttle::default()
    };
    let mut monitor = monitor(&mut case, &wanted).await;
    assert!(matches!(
        verdict(&mut case, &mut monitor).await,
        Verdict::Hold(_)
    ));
    std::fs::write(&file, "").unwrap();
    let stopped = verdict(&mut case, &mut monitor).await;
    assert!(
        matches!(&stopped, Verdict::Stop(reason) if reason.contains("stop")),
        "{stopped:?}"
    );
}

#[tokio::test]
async fn a_vacuum_of_the_table_holds_and_after_a_while_slows() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 1).await;
    let mut wanted = Throttle::default();
    let mut patient = monitor(&mut case, &wanted).await;
    wanted.autovacuum = Duration::ZERO;
    let mut impatient = monitor(&mut case, &wanted).await;
    let mut vacuum = application(&case).await;
    vacuum.begin().await.unwrap();
    vacuum
        .run_file("LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE")
        .await
        .unwrap();
    let held = verdict(&mut case, &mut patient).await;
    assert!(
        matches!(&held, Verdict::Hold(reason) if reason.contains("users")),
        "{held:?}"
    );
    let crawls = verdict(&mut case, &mut impatient).await;
    assert!(matches!(crawls, Verdict::Crawl(_)), "{crawls:?}");
    vacuum.rollback().await.unwrap();
    assert_eq!(verdict(&mut case, &mut patient).await, Verdict::Go);
}

#[tokio::test]
async fn an_old_transaction_holds_also_where_its_age_is_not_told() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 1).await;
    case.run("CREATE ROLE plain LOGIN; GRANT USAGE ON SCHEMA zdm TO plain")
        .await;
    let wanted = Throttle {
        oldest_transaction: Duration::ZERO,
        ..Throttle::default()
    };
    let mut plain = case.target.open().await;
    plain.run_file("SET ROLE plain").await.unwrap();
    let mut monitor = Monitor::probe(&mut plain, &wanted, &["users".to_owned()])
        .await
        .unwrap();
    let mut old = application(&case).await;
    old.begin().await.unwrap();
    let pid = match old.query("SELECT pg_backend_pid()", &[]).await.unwrap()[0][0] {
        Value::Int(Some(pid)) => pid,
        ref other => panic!("{other:?}"),
    };
    // The first look sees it, the second has seen it for longer than nothing.
    monitor.verdict(&mut plain).await;
    let held = monitor.verdict(&mut plain).await;
    let named = format!("of pid {pid} is 0 s old");
    assert!(
        matches!(&held, Verdict::Hold(reason) if reason.contains(&named)),
        "{held:?}"
    );
    old.rollback().await.unwrap();
    assert_eq!(monitor.verdict(&mut plain).await, Verdict::Go);
}

#[tokio::test]
async fn dead_rows_slow_it_down() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 2_000).await;
    let mut monitor = monitor(&mut case, &Throttle::default()).await;
    case.run("ALTER TABLE users SET (autovacuum_enabled = off); UPDATE users SET login = login")
        .await;
    let slow = loop {
        case.run(FLUSH).await;
        match verdict(&mut case, &mut monitor).await {
            Verdict::Go => tokio::task::yield_now().await,
            slow => break slow,
        }
    };
    assert!(
        matches!(&slow, Verdict::Slow(reason) if reason.contains("users")),
        "{slow:?}"
    );
    case.run("VACUUM users").await;
    while verdict(&mut case, &mut monitor).await != Verdict::Go {
        case.run(FLUSH).await;
    }
}
