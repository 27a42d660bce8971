//! Signals: each holds, slows or stops the backfill with its reason, one that says nothing holds, and one that cannot be read is
//! found before the first batch.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use zdm_runtime::backfill::throttle::{self, Monitor, Published, Signal, Throttle, Verdict};
use zdm_runtime::backfill::{self, BackfillError, BackfillOptions, End, Outcome};
use zdm_runtime::database::{Connection, Dialect, Value};

use zdm_tests::postgres::Server;

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

/// A backfill beside the test, and why it is slower than it could be each time that it says so.
async fn running(
    case: &Case,
    options: BackfillOptions,
) -> (
    JoinHandle<Result<Outcome, BackfillError>>,
    UnboundedReceiver<String>,
) {
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let mut connection = case.target.open().await;
    let migration = case.migration.clone();
    let running = tokio::spawn(async move {
        backfill::run(&mut connection, &migration, &options, &mut |progress| {
            if let Some(reason) = &progress.throttle {
                let _ = tell.send(reason.clone());
            }
        })
        .await
    });
    (running, told)
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
        let (running, mut is_waiting) = running(&case, options).await;
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

#[tokio::test]
async fn a_replica_that_lags_or_goes_holds_and_a_role_that_is_not_told_is_refused() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 1).await;
    let standby = case.target.standby();
    let mut replica = Connection::open(&standby.url()).await.unwrap();
    let wanted = Throttle {
        replica_lag: Duration::ZERO,
        ..Throttle::default()
    };
    let mut monitor = monitor(&mut case, &wanted).await;
    while verdict(&mut case, &mut monitor).await != Verdict::Go {
        tokio::task::yield_now().await;
    }
    replica
        .run_file("SELECT pg_wal_replay_pause()")
        .await
        .unwrap();
    case.run("INSERT INTO users (id, tenant, login, name) VALUES (2, 'a', 'b', 'c')")
        .await;
    let held = loop {
        match verdict(&mut case, &mut monitor).await {
            Verdict::Go => tokio::task::yield_now().await,
            held => break held,
        }
    };
    assert!(
        matches!(&held, Verdict::Hold(reason) if reason.contains("walreceiver")),
        "{held:?}"
    );

    case.run("CREATE ROLE plain LOGIN").await;
    case.run("SET ROLE plain").await;
    let refused = Monitor::probe(&mut case.connection, &wanted, &["users".to_owned()])
        .await
        .unwrap_err();
    case.run("RESET ROLE").await;
    assert_eq!(refused.len(), 1, "{refused:?}");
    let refused = refused[0].to_string();
    assert!(
        refused.contains("GRANT pg_read_all_stats TO plain"),
        "{refused}"
    );

    replica
        .run_file("SELECT pg_wal_replay_resume()")
        .await
        .unwrap();
    while verdict(&mut case, &mut monitor).await != Verdict::Go {
        tokio::task::yield_now().await;
    }
    drop(standby);
    let gone = loop {
        match verdict(&mut case, &mut monitor).await {
            Verdict::Hold(reason) if reason.contains("not connected any more") => break reason,
            _ => tokio::task::yield_now().await,
        }
    };
    assert!(gone.contains("replica_lag"), "{gone}");
}

#[tokio::test]
async fn a_log_that_nobody_archives_holds() {
    let server = Server::start_with(&["archive_mode=on", "archive_command=false"]);
    let mut connection = Connection::open(&server.database("target")).await.unwrap();
    let wanted = Throttle {
        archive_backlog: 2,
        ..Throttle::default()
    };
    let mut monitor = Monitor::probe(&mut connection, &wanted, &[]).await.unwrap();
    assert_eq!(monitor.verdict(&mut connection).await, Verdict::Go);
    for segment in 0..4 {
        let fill = format!("CREATE TABLE of_{segment} (); SELECT pg_switch_wal()");
        connection.run_file(&fill).await.unwrap();
    }
    let held = loop {
        match monitor.verdict(&mut connection).await {
            Verdict::Go => tokio::task::yield_now().await,
            held => break held,
        }
    };
    assert!(
        matches!(&held, Verdict::Hold(reason) if reason.contains("archived")),
        "{held:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_reason_stands_at_every_chunk_of_a_worker() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 100).await;
    let slow = Verdict::Slow("vacuum is behind".to_owned());
    let (_sender, verdicts) = watch::channel(Published::now(slow));
    let options = BackfillOptions {
        workers: 3,
        verdicts: Some(verdicts),
        ..batches_of(10)
    };
    let mut looker = case.target.open().await;
    let here = tokio::runtime::Handle::current();
    let mut told = 0;
    let done = backfill::run(&mut case.connection, &case.migration, &options, &mut |_| {
        let reasons = "SELECT count(*) FROM {zdm}chunk WHERE lease_owner IS NOT NULL AND throttle = 'vacuum is behind'";
        let found = tokio::task::block_in_place(|| here.block_on(looker.query(reasons, &[])));
        assert_eq!(found.unwrap(), [[Value::Int(Some(1))]]);
        told += 1;
    })
    .await
    .unwrap();
    assert_eq!((done.end, done.batches), (End::Done, told));
    assert!(told > 3, "{told}");
}

/// A worker that listens to the vacuum waits for one that lags, and goes on when it has caught up or is there no more.
#[tokio::test]
async fn a_vacuum_that_lags_is_waited_for() {
    for catches_up in [true, false] {
        let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 100).await;
        let (vacuum, lags) = watch::channel(true);
        let options = BackfillOptions {
            vacuum_lags: Some(lags),
            ..batches_of(10)
        };
        let (running, mut is_waiting) = running(&case, options).await;
        let said = is_waiting.recv().await.unwrap();
        assert!(
            said.contains("vacuum of the table has fallen behind"),
            "{said}"
        );
        assert_eq!(case.number("SELECT count(full_name) FROM users").await, 0);
        if catches_up {
            vacuum.send_replace(false);
        } else {
            drop(vacuum);
        }
        let done: Outcome = running.await.unwrap().unwrap();
        assert_eq!((done.end, done.rows), (End::Done, 100));
    }
}

/// As long as somebody else has a transaction open, statements aim at another time: none at all here, so that they are as small as can be.
#[tokio::test(flavor = "multi_thread")]
async fn beside_others_batches_are_small_and_the_ledger_says_why() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 400).await;
    let mut service = application(&case).await;
    service
        .run_file("BEGIN; SELECT count(*) FROM users")
        .await
        .unwrap();
    let options = BackfillOptions {
        target_beside: Duration::ZERO,
        ..batches_of(100)
    };
    let mut told = Vec::new();
    let migration = case.migration.clone();
    let outcome = backfill::run(
        &mut case.connection,
        &migration,
        &options,
        &mut |progress| {
            told.extend(progress.throttle.clone());
        },
    )
    .await
    .unwrap();
    assert_eq!((outcome.end, outcome.rows), (End::Done, 400));
    // The first as large as it was told, the others of the ten rows below which locks are the trouble, not the size.
    assert_eq!(outcome.batches, 1 + 30);
    assert!(
        told.iter()
            .all(|reason| reason.contains("others are at work")),
        "{told:?}"
    );
    assert!(!told.is_empty());
    service.run_file("COMMIT").await.unwrap();
}
