//! Writers, workers and row locks at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use zdm_runtime::backfill::{self, BackfillError, BackfillOptions, End};
use zdm_runtime::database::{Connection, Dialect, Value};

use crate::cases::{Case, ID, RENAME, batches_of};
use crate::target::number;

const ROWS: i64 = 2_000;
const WRITERS: i64 = 3;

/// What a writer of the transition's code does: both sides in one statement. The oracle is what it wrote last.
async fn write(
    mut connection: Connection,
    writer: i64,
    over: Arc<AtomicBool>,
) -> Vec<Option<String>> {
    let keys = ROWS / WRITERS;
    let mut oracle: Vec<Option<String>> = vec![None; usize::try_from(keys).unwrap()];
    let mut state = writer + 1;
    let mut round = 0;
    while !over.load(Ordering::Acquire) || round < 50 {
        round += 1;
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        let at = state % keys;
        let id = at * WRITERS + writer + 1;
        let value = format!("written by {writer} in round {round}");
        let changed = connection
            .execute(
                "UPDATE users SET name = $2, full_name = $2 WHERE id = CAST($1 AS bigint)",
                &[Value::from(id), Value::from(value.as_str())],
            )
            .await
            .unwrap();
        assert_eq!(changed, 1);
        oracle[usize::try_from(at).unwrap()] = Some(value);
        tokio::task::yield_now().await;
    }
    oracle
}

async fn no_write_is_lost(dialect: Dialect) {
    let mut case = Case::of(dialect, ID, &RENAME, u32::try_from(ROWS).unwrap()).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let connection = case.target.open().await;
        writers.push(tokio::spawn(write(connection, writer, over.clone())));
    }
    let done = backfill::run(
        &mut case.connection,
        &case.migration,
        &batches_of(25),
        &mut |_| {},
    )
    .await
    .unwrap();
    over.store(true, Ordering::Release);
    assert_eq!(done.end, End::Done);
    for (writer, oracle) in writers.into_iter().enumerate() {
        for (at, expected) in oracle.await.unwrap().into_iter().enumerate() {
            let id = i64::try_from(at).unwrap() * WRITERS + i64::try_from(writer).unwrap() + 1;
            let expected = expected.unwrap_or_else(|| format!("name {id}"));
            let row = case
                .connection
                .query(
                    "SELECT name, full_name FROM users WHERE id = CAST($1 AS bigint)",
                    &[Value::from(id)],
                )
                .await
                .unwrap();
            let expected = Value::from(expected);
            assert_eq!(row[0], [expected.clone(), expected], "row {id}");
        }
    }
    let apart = "SELECT count(*) FROM users WHERE full_name IS DISTINCT FROM name";
    assert_eq!(case.number(apart).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_loses_no_concurrent_write() {
    no_write_is_lost(Dialect::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_loses_no_concurrent_write() {
    no_write_is_lost(Dialect::Postgres).await;
}

/// A worker that is overtaken in the middle changes nothing more: its next batch is rolled back, cursor and data.
async fn a_stale_worker_changes_nothing(dialect: Dialect) {
    let mut case = Case::of(dialect, ID, &RENAME, 100).await;
    let mut other = case.target.open().await;
    let (batches, mut after_batch) = tokio::sync::mpsc::unbounded_channel();
    let (overtaken, wait) = std::sync::mpsc::channel::<()>();
    let migration = case.migration.clone();
    let mut connection = case.target.open().await;
    let stale = tokio::spawn(async move {
        backfill::run(
            &mut connection,
            &migration,
            &batches_of(10),
            &mut move |progress| {
                let _ = batches.send(progress.rows);
                if progress.rows == 20 {
                    tokio::task::block_in_place(|| wait.recv()).unwrap();
                }
            },
        )
        .await
    });
    assert_eq!(after_batch.recv().await, Some(10));
    assert_eq!(after_batch.recv().await, Some(20));

    // While the first sleeps, its lease ends and somebody else takes the chunk.
    other
        .execute("UPDATE {zdm}chunk SET lease_until = 0", &[])
        .await
        .unwrap();
    let second = BackfillOptions {
        worker: "worker 2".to_owned(),
        ..batches_of(10)
    };
    let mut filled_by_stale = Vec::new();
    let file = case.target.path("stop");
    let once = BackfillOptions {
        kill_switch: Some(file.clone()),
        ..second.clone()
    };
    let stopped = backfill::run(&mut case.connection, &case.migration, &once, &mut |_| {
        std::fs::write(&file, "").unwrap();
    })
    .await
    .unwrap();
    assert_eq!(stopped.rows, 10);
    // The second holds the chunk again, as if it were in the middle of it.
    other
        .execute(
            "UPDATE {zdm}chunk SET lease_owner = 'worker 2', lease_epoch = lease_epoch + 1, lease_until = {now} + 600000",
            &[],
        )
        .await
        .unwrap();
    filled_by_stale.push(number(&mut other, "SELECT count(full_name) FROM users").await);
    overtaken.send(()).unwrap();
    let left = stale.await.unwrap().unwrap();
    assert_eq!((left.rows, left.end), (20, End::Elsewhere { chunks: 1 }));
    filled_by_stale.push(number(&mut other, "SELECT count(full_name) FROM users").await);
    assert_eq!(filled_by_stale, [30, 30]);

    let done = backfill::run(&mut case.connection, &case.migration, &second, &mut |_| {})
        .await
        .unwrap();
    assert_eq!((done.end, done.rows), (End::Done, 70));
    assert_eq!(case.number("SELECT count(full_name) FROM users").await, 100);
    let seen = "SELECT CAST(sum(rows_seen) AS bigint) FROM {zdm}chunk";
    assert_eq!(case.number(seen).await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_stale_worker_changes_nothing() {
    a_stale_worker_changes_nothing(Dialect::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_stale_worker_changes_nothing() {
    a_stale_worker_changes_nothing(Dialect::Postgres).await;
}

#[tokio::test]
async fn a_live_lease_is_left_alone_until_it_is_taken_over() {
    let mut case = Case::of(Dialect::Sqlite, ID, &RENAME, 10).await;
    backfill::plan_chunks(&mut case.connection, &case.migration, &batches_of(10))
        .await
        .unwrap();
    case.connection
        .execute(
            "UPDATE {zdm}chunk SET lease_owner = 'killed', lease_until = {now} + 600000",
            &[],
        )
        .await
        .unwrap();
    let left = backfill::run(
        &mut case.connection,
        &case.migration,
        &batches_of(10),
        &mut |_| {},
    )
    .await
    .unwrap();
    assert_eq!((left.rows, left.end), (0, End::Elsewhere { chunks: 1 }));
    let freed = backfill::take_over(
        &mut case.connection,
        case.migration.id(),
        backfill::Way::Up,
        "killed",
    );
    assert_eq!(freed.await.unwrap(), 1);
    let done = backfill::run(
        &mut case.connection,
        &case.migration,
        &batches_of(10),
        &mut |_| {},
    )
    .await
    .unwrap();
    assert_eq!((done.rows, done.end), (10, End::Done));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_row_makes_batches_smaller_until_it_is_free() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 100).await;
    let mut holder = case.target.open().await;
    holder.begin().await.unwrap();
    holder
        .run_file("UPDATE users SET login = '' WHERE id = 60")
        .await
        .unwrap();
    let options = BackfillOptions {
        lock_timeout: Duration::from_millis(20),
        first_pause: Duration::from_millis(1),
        attempts: 10_000,
        ..batches_of(50)
    };
    let (refusals, mut refused) = tokio::sync::mpsc::unbounded_channel();
    let mut connection = case.target.open().await;
    let migration = case.migration.clone();
    let smallest = Arc::new(AtomicI64::new(i64::MAX));
    let seen = smallest.clone();
    let running = tokio::spawn(async move {
        backfill::run(&mut connection, &migration, &options, &mut |progress| {
            if let Some(reason) = &progress.throttle {
                seen.fetch_min(progress.batch_rows.into(), Ordering::AcqRel);
                let _ = refusals.send(reason.clone());
            }
        })
        .await
    });
    let reason = refused.recv().await.unwrap();
    assert!(reason.contains("row lock"), "{reason}");
    holder.commit().await.unwrap();
    let done = running.await.unwrap().unwrap();
    assert_eq!((done.end, done.rows), (End::Done, 100));
    assert!(smallest.load(Ordering::Acquire) <= 25, "{smallest:?}");
    assert_eq!(case.number("SELECT count(full_name) FROM users").await, 100);
}

#[tokio::test]
async fn a_row_lock_that_stays_is_named() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 100).await;
    let mut holder = case.target.open().await;
    holder.begin().await.unwrap();
    let pid = number(&mut holder, "SELECT pg_backend_pid()").await;
    holder
        .run_file("UPDATE users SET login = '' WHERE id = 60")
        .await
        .unwrap();
    let options = BackfillOptions {
        lock_timeout: Duration::from_millis(20),
        first_pause: Duration::from_millis(1),
        attempts: 5,
        ..batches_of(50)
    };
    let refused = backfill::run(&mut case.connection, &case.migration, &options, &mut |_| {}).await;
    let Err(BackfillError::Blocked { blockers, rows, .. }) = &refused else {
        panic!("{refused:?}");
    };
    assert!(
        blockers.iter().any(|blocker| blocker.pid == pid),
        "{blockers:?}"
    );
    assert_eq!(*rows, 10);
    assert_eq!(case.number("SELECT count(full_name) FROM users").await, 50);
    holder.rollback().await.unwrap();
    let done = backfill::run(&mut case.connection, &case.migration, &options, &mut |_| {}).await;
    assert_eq!(done.unwrap().rows, 50);
}

/// What is inserted while it runs has both sides: a backfill that went after it would not end before its writers do.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn inserts_without_end_do_not_keep_it_from_ending() {
    const BATCH: u32 = 25;
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 500).await;
    let (over, inserted) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicI64::new(0)),
    );
    let mut connection = case.target.open().await;
    let (done, count) = (over.clone(), inserted.clone());
    let writer = tokio::spawn(async move {
        let insert = "INSERT INTO users (id, tenant, login, name, full_name)
             SELECT id, 'b', 'user ' || id, 'new ' || id, 'new ' || id FROM generate_series(CAST($1 AS bigint), CAST($1 AS bigint) + 9) AS id";
        while !done.load(Ordering::Acquire) {
            let first = 501 + count.load(Ordering::Acquire);
            connection.execute(insert, &[first.into()]).await.unwrap();
            count.fetch_add(10, Ordering::AcqRel);
        }
    });
    // After each batch more rows are new than it has done.
    let mut wait = |_: &zdm_runtime::progress::Progress| {
        let enough = inserted.load(Ordering::Acquire) + 2 * i64::from(BATCH);
        tokio::task::block_in_place(|| {
            while inserted.load(Ordering::Acquire) < enough {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
    };
    let options = batches_of(BATCH);
    let work = backfill::run(&mut case.connection, &case.migration, &options, &mut wait);
    let ended = tokio::time::timeout(Duration::from_mins(1), work).await;
    over.store(true, Ordering::Release);
    writer.await.unwrap();
    let ended = ended.expect("it ends beside its writers").unwrap();
    assert_eq!((ended.end, ended.changed), (End::Done, 500));
    let inserted = inserted.load(Ordering::Acquire);
    assert!(inserted >= 1_000, "{inserted}");
    let right = "SELECT count(*) FROM users WHERE full_name = name";
    assert_eq!(case.number(right).await, 500 + inserted);
}
