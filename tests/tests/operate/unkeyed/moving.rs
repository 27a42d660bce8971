//! Rows that somebody moves while batches go by.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zdm_runtime::backfill::{self, BackfillOptions, End};
use zdm_runtime::database::{Connection, Dialect, Value};

use super::{PROOFS, STALE, to_the_end, verify, visits};
use crate::cases::{Case, batches_of};
use zdm_runtime::verification::Side;

/// Runs until the first batch is done, in which a file says to stop.
async fn one_batch(case: &mut Case, rows: u32) {
    let file = case.target.path("stop");
    let options = BackfillOptions {
        kill_switch: Some(file.clone()),
        ..batches_of(rows)
    };
    let stopped = backfill::run(&mut case.connection, &case.migration, &options, &mut |_| {
        std::fs::write(&file, "").unwrap();
    })
    .await
    .unwrap();
    assert_eq!(stopped.batches, 1);
    assert!(matches!(stopped.end, End::Stopped { .. }), "{stopped:?}");
    std::fs::remove_file(&file).unwrap();
}

/// The whole table is written anew: what was filled has gone to its end, so that rows that are not stand behind the cursor.
#[tokio::test]
async fn a_table_that_is_written_anew_in_between_is_gone_through_again() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = visits(dialect, 2_000).await;
        case.run("ANALYZE").await;
        one_batch(&mut case, 300).await;
        let filled = case.number("SELECT count(path) FROM visits").await;
        assert!((100..600).contains(&filled), "{dialect}: {filled}");
        case.run("DELETE FROM visits WHERE seconds <= 100").await;
        let anew = match dialect {
            Dialect::Postgres => "VACUUM FULL visits",
            Dialect::Sqlite => "VACUUM",
        };
        case.run(anew).await;
        let mut labels = Vec::new();
        let done = backfill::run(
            &mut case.connection,
            &case.migration,
            &batches_of(300),
            &mut |progress| labels.push(progress.table.clone()),
        )
        .await
        .unwrap();
        assert_eq!(done.end, End::Done, "{dialect}");
        assert_eq!(
            case.number(PROOFS).await,
            2,
            "{dialect}: one pass did not do"
        );
        assert_eq!(labels.first().unwrap(), "visits", "{dialect}");
        assert_eq!(labels.last().unwrap(), "visits, pass 2", "{dialect}");
        assert_eq!(case.number(STALE).await, 0, "{dialect}");
        assert_eq!(case.number("SELECT count(*) FROM visits").await, 1_900);
        assert!(verify(&mut case, Side::New, false).await.passed());
    }
}

/// Rows that a statement moves which writes neither side: into what room there is in the last block, then into that of the first.
#[tokio::test]
async fn rows_that_are_moved_behind_the_cursor_are_found_by_the_second_pass() {
    let mut case = visits(Dialect::Postgres, 3_000).await;
    case.run("DELETE FROM visits WHERE ctid < '(1,0)' AND seconds > 2")
        .await;
    for sql in ["VACUUM visits", "ANALYZE visits"] {
        case.run(sql).await;
    }
    one_batch(&mut case, 100).await;
    case.run("UPDATE visits SET seconds = -1 WHERE seconds BETWEEN 1500 AND 1800")
        .await;
    let behind = "SELECT count(*) FROM visits WHERE path IS NULL AND ctid < '(1,0)'";
    assert!(
        case.number(behind).await > 0,
        "some stand behind the cursor"
    );
    let done = case.fill(&batches_of(100)).await;
    assert_eq!(done.end, End::Done);
    assert_eq!(case.number(PROOFS).await, 2);
    assert_eq!(case.number(STALE).await, 0);
}

/// Between its batches a backfill that was stopped goes on where it was, and proves the whole table.
#[tokio::test]
async fn a_backfill_that_was_stopped_goes_on() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = visits(dialect, 2_000).await;
        case.run("ANALYZE").await;
        one_batch(&mut case, 300).await;
        one_batch(&mut case, 300).await;
        let done = case.fill(&batches_of(300)).await;
        assert_eq!(done.end, End::Done);
        assert!(done.changed <= 1_800, "{dialect}: {done:?}");
        assert_eq!(
            (case.number(STALE).await, case.number(PROOFS).await),
            (0, 1)
        );
    }
}

/// What a writer has stored, with how often.
type Stored = BTreeMap<String, i64>;

/// Stores rows on both sides, twice each, renames and deletes its own, and changes what is no side of any, its own and those from before.
async fn write(mut connection: Connection, writer: i64, over: Arc<AtomicBool>) -> Stored {
    let mut stored = Stored::new();
    let mut state = writer + 1;
    let mut round = 0_i64;
    while !over.load(Ordering::Acquire) || round < 150 {
        round += 1;
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        let page = format!("{writer} in round {round}");
        let text = |text: &str| Value::from(text);
        let own = stored.keys().next().cloned();
        let (sql, values) = match (state / 7 % 5, own) {
            (0, Some(own)) => {
                let times = stored.remove(&own).unwrap();
                stored.insert(page.clone(), times);
                (
                    "UPDATE visits SET page = $2, path = $2 WHERE page = $1",
                    vec![text(&own), text(&page)],
                )
            }
            (1, Some(own)) => {
                stored.remove(&own);
                ("DELETE FROM visits WHERE page = $1", vec![text(&own)])
            }
            (2, _) => {
                stored.insert(page.clone(), 2);
                (
                    "INSERT INTO visits (page, path, seconds) VALUES ($1, $1, 0), ($1, $1, 0)",
                    vec![text(&page)],
                )
            }
            _ => {
                let from_before = format!("page {}", state % 3_000);
                (
                    "UPDATE visits SET seconds = seconds + 1 WHERE page = $1",
                    vec![text(&from_before)],
                )
            }
        };
        connection.execute(sql, &values).await.unwrap();
        tokio::task::yield_now().await;
    }
    stored
}

async fn no_row_is_lost(dialect: Dialect, workers: u32) {
    let mut case = visits(dialect, 3_000).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for writer in 0..3 {
        let connection = case.target.open().await;
        writers.push(tokio::spawn(write(connection, writer, over.clone())));
    }
    let mut filling = Vec::new();
    for worker in 0..workers {
        let options = BackfillOptions {
            workers,
            worker: format!("worker {worker}"),
            least_stolen: 100,
            ..batches_of(50)
        };
        let connection = case.target.open().await;
        filling.push(tokio::spawn(to_the_end(
            connection,
            case.migration.clone(),
            options,
        )));
    }
    let mut changed = 0;
    for worker in filling {
        changed += worker.await.unwrap();
    }
    // Proved once, rows stay as they are: the writers write both sides.
    assert_eq!(case.number(STALE).await, 0, "{dialect}");
    over.store(true, Ordering::Release);
    let mut expected: Stored = (1..=3_000).map(|n| (format!("page {n}"), 1)).collect();
    for writer in writers {
        expected.extend(writer.await.unwrap());
    }
    assert_eq!(changed, 3_000, "{dialect}: each row from before once");
    assert_eq!(case.number(STALE).await, 0, "{dialect}");
    let rows = case
        .connection
        .query("SELECT path, count(*) FROM visits GROUP BY path", &[])
        .await
        .unwrap();
    let found: Stored = rows
        .into_iter()
        .map(|row| match &row[..] {
            [Value::Text(Some(path)), Value::Int(Some(times))] => (path.clone(), *times),
            _ => panic!("{row:?}"),
        })
        .collect();
    assert_eq!(found, expected, "{dialect}");
    assert!(verify(&mut case, Side::New, false).await.passed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn postgres_loses_no_row_beside_writers_and_two_workers() {
    no_row_is_lost(Dialect::Postgres, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn sqlite_loses_no_row_beside_writers() {
    no_row_is_lost(Dialect::Sqlite, 1).await;
}
