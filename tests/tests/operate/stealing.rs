//! Workers without a chunk of their own take over the rest of another's, and no row is counted twice.

use std::sync::{Mutex, mpsc};

use zdm_runtime::backfill::{self, BackfillOptions, End, Outcome};
use zdm_runtime::database::{Dialect, Value};

use crate::cases::{COMPOSITE, Case, ID, RENAME, TEXT, batches_of};

const FILLED: &str = "SELECT count(*) FROM users WHERE full_name = name";
const SEEN: &str = "SELECT CAST(sum(rows_seen) AS bigint) FROM {zdm}chunk";
const CHUNKS: &str = "SELECT count(*) FROM {zdm}chunk";

fn second(rows: u32, least: u64) -> BackfillOptions {
    BackfillOptions {
        worker: "worker 2".to_owned(),
        least_stolen: least,
        ..batches_of(rows)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_rest_of_a_chunk_is_taken_over_between_two_batches() {
    for key in [ID, COMPOSITE, TEXT] {
        let mut case = Case::of(Dialect::Postgres, key, &RENAME, 2_000).await;
        let (begun, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let mut connection = case.target.open().await;
        let migration = case.migration.clone();
        let may_go_on = Mutex::new(may_go_on);
        let first = tokio::spawn(async move {
            let mut batches = 0;
            backfill::run(&mut connection, &migration, &batches_of(10), &mut |_| {
                batches += 1;
                if batches == 1 {
                    begun.send(()).unwrap();
                    tokio::task::block_in_place(|| may_go_on.lock().unwrap().recv().unwrap());
                }
            })
            .await
        });
        tokio::task::block_in_place(|| has_begun.recv().unwrap());
        let helped = case.fill(&second(50, 100)).await;
        assert!(helped.rows > 1_500, "{key:?}: {helped:?}");
        assert!(
            matches!(helped.end, End::Elsewhere { chunks: 1 }),
            "{helped:?}"
        );
        go_on.send(()).unwrap();
        let first: Outcome = first.await.unwrap().unwrap();
        assert_eq!((first.end, first.rows + helped.rows), (End::Done, 2_000));
        assert_eq!(case.number(FILLED).await, 2_000);
        assert_eq!(case.number(SEEN).await, 2_000);
        assert!(case.number(CHUNKS).await > 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_batch_that_reached_into_what_was_taken_over_is_repeated() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 2_000).await;
    let mut holder = case.target.open().await;
    holder.begin().await.unwrap();
    holder
        .run_file("UPDATE users SET login = '' WHERE id = 500")
        .await
        .unwrap();
    let mut connection = case.target.open().await;
    let migration = case.migration.clone();
    let patient = BackfillOptions {
        lock_timeout: std::time::Duration::from_mins(10),
        ..batches_of(1_500)
    };
    let first = tokio::spawn(async move {
        backfill::run(&mut connection, &migration, &patient, &mut |_| {}).await
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    while case.number(waits).await == 0 {
        tokio::task::yield_now().await;
    }
    let helped = case.fill(&second(300, 1_500)).await;
    assert_eq!(helped.end, End::Elsewhere { chunks: 1 });
    assert!((900..1_100).contains(&helped.rows), "{helped:?}");
    holder.rollback().await.unwrap();
    let first = first.await.unwrap().unwrap();
    assert_eq!((first.end, first.rows + helped.rows), (End::Done, 2_000));
    assert_eq!(case.number(FILLED).await, 2_000);
    assert_eq!(case.number(SEEN).await, 2_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_was_cancelled_is_not_begun_again_by_a_worker_that_joins() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = Case::of(dialect, ID, &RENAME, 100).await;
        let joins = BackfillOptions {
            enters: false,
            ..batches_of(10)
        };
        let none = case.fill(&joins).await;
        assert_eq!((none.end, none.rows), (End::Cancelled, 0));
        backfill::plan_chunks(&mut case.connection, &case.migration, &joins)
            .await
            .unwrap();
        let mut operator = case.target.open().await;
        let mut first = true;
        let (cancel, is_to_cancel) = mpsc::channel::<()>();
        let (done, is_done) = mpsc::channel::<()>();
        let is_done = Mutex::new(is_done);
        let id = case.migration.id().to_owned();
        let other = tokio::task::spawn_blocking(move || {
            is_to_cancel.recv().unwrap();
            tokio::runtime::Handle::current()
                .block_on(backfill::reset(&mut operator, &id, backfill::Way::Up))
                .unwrap();
            done.send(()).unwrap();
        });
        let cancelled = backfill::run(&mut case.connection, &case.migration, &joins, &mut |_| {
            if std::mem::take(&mut first) {
                cancel.send(()).unwrap();
                tokio::task::block_in_place(|| is_done.lock().unwrap().recv().unwrap());
            }
        })
        .await
        .unwrap();
        other.await.unwrap();
        assert_eq!((cancelled.end, cancelled.rows), (End::Cancelled, 10));
        assert_eq!(case.number(FILLED).await, 10);
        let chunks = case.connection.query(CHUNKS, &[]).await.unwrap();
        assert_eq!(chunks, [[Value::Int(Some(0))]]);
    }
}
