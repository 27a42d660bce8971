//! Batches to the cursor's end, whatever the key; rows that cannot be converted; size and reasons.

use zdm_runtime::backfill::{self, BackfillError, BackfillOptions, End, Way};
use zdm_runtime::database::Dialect;
use zdm_runtime::progress::Progress;

use crate::cases::{COMPOSITE, Case, ID, RENAME, TEXT, batches_of, text_to_integer};
use crate::pairs::KeyColumn;

const FILLED: &str = "SELECT count(*) FROM users WHERE full_name = name";
const SEEN: &str = "SELECT CAST(sum(rows_seen) AS bigint) FROM {zdm}chunk";

async fn every_row_is_filled(dialect: Dialect) {
    let keys: [&[KeyColumn]; 3] = [ID, COMPOSITE, TEXT];
    let mut case = Case::of(dialect, ID, &RENAME, 0).await;
    for key in keys {
        for (rows, batch) in [(0, 10), (1, 10), (10, 10), (11, 10), (100, 7), (100, 1_000)] {
            case.again(key, &RENAME, rows).await;
            let done = case.fill(&batches_of(batch)).await;
            let about = format!("{key:?}, {rows} rows by {batch}");
            assert_eq!(done.end, End::Done, "{about}");
            assert_eq!(
                (done.rows, done.changed),
                (rows.into(), rows.into()),
                "{about}"
            );
            assert_eq!(done.batches, u64::from(rows.div_ceil(batch)), "{about}");
            assert_eq!(case.number(FILLED).await, i64::from(rows), "{about}");
            assert_eq!(
                case.number("SELECT count(*) FROM {zdm}chunk WHERE state = 'done'")
                    .await,
                1
            );

            let again = case.fill(&batches_of(batch)).await;
            assert_eq!((again.end, again.batches), (End::Done, 0), "{about}");
        }
    }
}

#[tokio::test]
async fn sqlite_fills_every_row_for_every_kind_of_key() {
    every_row_is_filled(Dialect::Sqlite).await;
}

#[tokio::test]
async fn postgres_fills_every_row_for_every_kind_of_key() {
    every_row_is_filled(Dialect::Postgres).await;
}

async fn several_workers_share_the_table(dialect: Dialect) {
    let mut case = Case::of(dialect, COMPOSITE, &RENAME, 1_000).await;
    let options = |worker: u32| BackfillOptions {
        workers: 3,
        worker: format!("worker {worker}"),
        ..batches_of(20)
    };
    let chunks = backfill::plan_chunks(&mut case.connection, &case.migration, &options(0)).await;
    assert_eq!(chunks.unwrap(), 3);
    let mut workers = Vec::new();
    for worker in 0..3 {
        let mut connection = case.target.open().await;
        let (migration, options) = (case.migration.clone(), options(worker));
        workers.push(tokio::spawn(async move {
            backfill::run(&mut connection, &migration, &options, &mut |_| {}).await
        }));
    }
    let mut rows = 0;
    for worker in workers {
        rows += worker.await.unwrap().unwrap().rows;
    }
    assert_eq!(rows, 1_000);
    assert_eq!(case.number(FILLED).await, 1_000);
    assert_eq!(
        case.number("SELECT count(*) FROM {zdm}chunk WHERE state = 'done'")
            .await,
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_workers_share_the_table() {
    several_workers_share_the_table(Dialect::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_workers_share_the_table() {
    several_workers_share_the_table(Dialect::Postgres).await;
}

/// Runs one batch and stops: the kill switch is there from the first batch on.
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
    assert!(
        matches!(&stopped.end, End::Stopped { reason } if reason.contains("kill switch")),
        "{stopped:?}"
    );
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn deleted_and_filled_rows_ahead_of_the_cursor_do_not_end_it() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = Case::of(dialect, ID, &RENAME, 100).await;
        one_batch(&mut case, 10).await;
        assert_eq!(case.number(FILLED).await, 10);
        // The cursor's own row, more than a batch of deleted ones, more than a batch that is right already, and the
        // row at the end.
        case.run("DELETE FROM users WHERE id BETWEEN 10 AND 35 OR id = 100")
            .await;
        case.run("UPDATE users SET full_name = name WHERE id BETWEEN 36 AND 70")
            .await;
        let done = case.fill(&batches_of(10)).await;
        assert_eq!((done.end, done.changed), (End::Done, 29));
        assert_eq!(case.number(FILLED).await, 73);
        assert_eq!(case.number("SELECT count(*) FROM users").await, 73);
    }
}

#[tokio::test]
async fn all_rows_deleted_ahead_of_the_cursor_end_it() {
    let mut case = Case::of(Dialect::Sqlite, ID, &RENAME, 30).await;
    one_batch(&mut case, 10).await;
    case.run("DELETE FROM users").await;
    let done = case.fill(&batches_of(10)).await;
    assert_eq!((done.end, done.batches), (End::Done, 0));
}

const BAD: &str = "UPDATE users SET age = 'forty' WHERE id IN (17, 18, 399);
                   UPDATE users SET age = '99999999999' WHERE id IN (1, 300, 400);
                   UPDATE users SET age = NULL WHERE id = 20;
                   UPDATE users SET age = '007' WHERE id = 21;";

async fn bad_rows_wait_and_all_others_are_filled(dialect: Dialect, error: &str) {
    let mut case = Case::of(dialect, ID, &text_to_integer(dialect, "quarantine"), 400).await;
    case.run(BAD).await;
    let done = case.fill(&batches_of(64)).await;
    assert_eq!((done.end, done.rows, done.quarantined), (End::Done, 400, 6));
    assert_eq!(case.number(SEEN).await, 400);
    // What was right is left as it was: '007' is 7.
    let filled = "SELECT count(*) FROM users
                  WHERE CAST(age_int AS text) = age OR age_int = 7 AND age = '007'";
    assert_eq!(case.number(filled).await, 393);
    assert_eq!(case.number("SELECT count(age_int) FROM users").await, 393);
    let by_test =
        "SELECT count(*) FROM {zdm}quarantine WHERE value_type = 'text' AND column_name = 'age_int'
                   AND row_key IN ('[\"17\"]', '[\"18\"]', '[\"399\"]')";
    assert_eq!(case.number(by_test).await, 3);
    let by_search = format!(
        "SELECT count(*) FROM {{zdm}}quarantine WHERE value_type = 'unknown' AND column_name = 'age_int'
         AND error LIKE '%{error}%' AND row_key IN ('[\"1\"]', '[\"300\"]', '[\"400\"]')"
    );
    assert_eq!(case.number(&by_search).await, 3);
}

#[tokio::test]
async fn sqlite_quarantines_rows_and_fills_the_others() {
    bad_rows_wait_and_all_others_are_filled(Dialect::Sqlite, "CHECK constraint failed").await;
}

#[tokio::test]
async fn postgres_quarantines_rows_and_fills_the_others() {
    bad_rows_wait_and_all_others_are_filled(Dialect::Postgres, "out of range").await;
}

#[tokio::test]
async fn reject_stops_with_the_keys_and_goes_on_when_they_are_mended() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = Case::of(dialect, ID, &text_to_integer(dialect, "reject"), 100).await;
        case.run(BAD).await;
        for (keys, mend) in [
            (vec!["1"], "UPDATE users SET age = '1' WHERE id = 1"),
            (
                vec!["17", "18"],
                "UPDATE users SET age = '2' WHERE id IN (17, 18)",
            ),
        ] {
            let stopped = backfill::run(
                &mut case.connection,
                &case.migration,
                &batches_of(10),
                &mut |_| {},
            )
            .await
            .unwrap_err();
            let BackfillError::Unconvertible { keys: found, .. } = &stopped else {
                panic!("{stopped}");
            };
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, keys, "{stopped}");
            case.run(mend).await;
        }
        let done = case.fill(&batches_of(10)).await;
        assert_eq!((done.end, done.rows), (End::Done, 90));
        assert_eq!(case.number("SELECT count(*) FROM {zdm}quarantine").await, 0);
        assert_eq!(case.number("SELECT count(age_int) FROM users").await, 99);
    }
}

#[tokio::test]
async fn the_way_back_fills_old_from_new() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = Case::of(dialect, ID, &RENAME, 50).await;
        case.fill(&batches_of(20)).await;
        case.run("UPDATE users SET full_name = 'new alone' WHERE id > 40")
            .await;
        let back = BackfillOptions {
            way: Way::Reverse,
            ..batches_of(20)
        };
        let done = case.fill(&back).await;
        assert_eq!((done.end, done.rows, done.changed), (End::Done, 50, 10));
        assert_eq!(case.number(FILLED).await, 50);
        assert_eq!(
            case.number("SELECT count(*) FROM users WHERE name = 'new alone'")
                .await,
            10
        );
    }
}

#[tokio::test]
async fn a_one_way_migration_has_no_way_back() {
    let mut version = crate::pairs::version(Dialect::Sqlite, ID, &RENAME);
    version.manifest.reversible = false;
    let mut case = Case::with(Dialect::Sqlite, ID, 5, &version).await;
    let back = BackfillOptions {
        way: Way::Reverse,
        ..batches_of(20)
    };
    let refused = backfill::run(&mut case.connection, &case.migration, &back, &mut |_| {}).await;
    assert!(
        matches!(refused, Err(BackfillError::OneWay { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_reset_backfill_starts_from_the_beginning() {
    let mut case = Case::of(Dialect::Sqlite, ID, &RENAME, 50).await;
    case.fill(&batches_of(20)).await;
    case.run("UPDATE users SET full_name = 'stale'").await;
    let done = case.fill_again(&batches_of(20)).await;
    assert_eq!((done.end, done.changed), (End::Done, 50));
    assert_eq!(case.number(FILLED).await, 50);
}

#[tokio::test]
async fn progress_counts_towards_the_total() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = Case::of(dialect, ID, &RENAME, 100).await;
        case.run("ANALYZE users").await;
        let mut seen: Vec<Progress> = Vec::new();
        backfill::run(
            &mut case.connection,
            &case.migration,
            &batches_of(30),
            &mut |progress| {
                seen.push(progress.clone());
            },
        )
        .await
        .unwrap();
        let rows: Vec<u64> = seen.iter().map(|progress| progress.rows).collect();
        assert_eq!(rows, [30, 60, 90, 100]);
        assert!(
            seen.iter().all(|progress| progress.total == Some(100)),
            "{seen:?}"
        );
        assert!(
            seen.iter().all(|progress| progress.rows_per_second > 0.0),
            "{seen:?}"
        );
        assert_eq!(
            seen.last().unwrap().remaining,
            Some(std::time::Duration::ZERO)
        );
    }
}
