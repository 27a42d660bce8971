//! A table in which nothing tells rows apart: the backfill goes along where they stand, and a pass proves nothing, for rows move.

mod moving;
mod named;

use zdm_runtime::backfill::{self, BackfillOptions, End, Way};
use zdm_runtime::database::{Connection, Dialect, Value};
use zdm_runtime::manifest::Direction;
use zdm_runtime::verification::{self, Side, VerificationOptions, Verified};

use crate::cases::{Case, batches_of, enter_dual_write, expand};
use crate::target::Target;

/// Rows with sides that differ.
const STALE: &str = "SELECT count(*) FROM visits WHERE path IS DISTINCT FROM page";
const PROOFS: &str = "SELECT count(*) FROM {zdm}chunk WHERE lo = '[]' AND state = 'done'";

/// A database with `rows` visits, `page 1` and so on, and the migration that calls `page` `path` expanded on it.
async fn visits(dialect: Dialect, rows: u32) -> Case {
    let found = zdm_tests::cases::Case::all();
    let found = found
        .iter()
        .find(|case| case.name == "rename_column/without_key");
    let generates = cargo_zdm::dialect::Dialect::named(dialect.name()).unwrap();
    let found = found.unwrap();
    let target = Target::of(dialect).await;
    let mut case = Case {
        connection: target.open().await,
        target,
        migration: found.migration(&generates),
    };
    let foundation = found.foundation(&generates);
    expand(&mut case.connection, &foundation, Direction::Up).await;
    case.run(&format!(
        "INSERT INTO visits (page, seconds)
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})
         SELECT 'page ' || n, n FROM numbers WHERE {rows} > 0"
    ))
    .await;
    expand(&mut case.connection, &case.migration, Direction::Up).await;
    enter_dual_write(&mut case.connection, &case.migration).await;
    case
}

async fn verify(case: &mut Case, side: Side, repair: bool) -> Verified {
    let options = VerificationOptions {
        repair,
        ..VerificationOptions::of("test", side)
    };
    verification::run(&mut case.connection, &case.migration, &options, &mut |_| {})
        .await
        .unwrap()
}

#[tokio::test]
async fn every_row_is_filled_and_proved() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        for (rows, batch) in [(0, 10), (1, 10), (300, 100), (3_000, 100), (3_000, 100_000)] {
            let mut case = visits(dialect, rows).await;
            let about = format!("{dialect}: {rows} rows by {batch}");
            let done = case.fill(&batches_of(batch)).await;
            assert_eq!(
                (&done.end, done.changed),
                (&End::Done, rows.into()),
                "{about}"
            );
            assert!(done.rows >= rows.into(), "{about}: {done:?}");
            assert_eq!(case.number(STALE).await, 0, "{about}");
            assert_eq!(case.number(PROOFS).await, 1, "{about}");
            let again = case.fill(&batches_of(batch)).await;
            assert_eq!((again.end, again.batches), (End::Done, 0), "{about}");
            let compared = verify(&mut case, Side::New, false).await;
            assert_eq!(
                (compared.rows, compared.mismatches),
                (rows.into(), 0),
                "{about}"
            );
            assert_eq!(compared.checksums.is_some(), dialect == Dialect::Postgres);
            let sums = compared.checksums;
            assert!(sums.is_none_or(|sums| sums.are_equal() && sums.by_down == 0));
        }
    }
}

#[tokio::test]
async fn a_table_is_gone_through_in_batches() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = visits(dialect, 5_000).await;
        case.run("ANALYZE").await;
        let done = case.fill(&batches_of(500)).await;
        assert!((10..30).contains(&done.batches), "{dialect}: {done:?}");
    }
}

#[tokio::test]
async fn several_workers_share_the_table() {
    let mut case = visits(Dialect::Postgres, 5_000).await;
    case.run("ANALYZE visits").await;
    let options = |worker: u32| BackfillOptions {
        workers: 3,
        worker: format!("worker {worker}"),
        ..batches_of(200)
    };
    let chunks = backfill::plan_chunks(&mut case.connection, &case.migration, &options(0)).await;
    assert_eq!(chunks.unwrap(), 4, "three ranges and what proves them");
    let mut workers = Vec::new();
    for worker in 0..3 {
        let connection = case.target.open().await;
        workers.push(tokio::spawn(to_the_end(
            connection,
            case.migration.clone(),
            options(worker),
        )));
    }
    let mut changed = 0;
    for worker in workers {
        changed += worker.await.unwrap();
    }
    assert_eq!(changed, 5_000);
    assert_eq!(case.number(STALE).await, 0);
    assert_eq!(case.number(PROOFS).await, 1);
}

/// As a worker of the command line goes on while others are at work; how many rows it changed.
async fn to_the_end(
    mut connection: Connection,
    migration: zdm_runtime::migration::Migration,
    options: BackfillOptions,
) -> u64 {
    let mut changed = 0;
    loop {
        let done = backfill::run(&mut connection, &migration, &options, &mut |_| {})
            .await
            .unwrap();
        changed += done.changed;
        match done.end {
            End::Done => return changed,
            End::Elsewhere { .. } => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_way_back_fills_old_from_new() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = visits(dialect, 1_000).await;
        case.fill(&batches_of(200)).await;
        case.run("UPDATE visits SET path = 'new alone' WHERE seconds > 600")
            .await;
        let back = BackfillOptions {
            way: Way::Reverse,
            ..batches_of(200)
        };
        let done = case.fill(&back).await;
        assert_eq!((done.end, done.changed), (End::Done, 400), "{dialect}");
        assert_eq!(case.number(STALE).await, 0);
        let kept = "SELECT count(*) FROM visits WHERE page = 'new alone'";
        assert_eq!(case.number(kept).await, 400);
        assert!(verify(&mut case, Side::Old, false).await.passed());
    }
}

/// What a batch and its like execute reads the blocks of its range and no other, whether the values are known when it is planned or not.
#[tokio::test]
async fn each_statement_of_a_range_scans_a_range_of_addresses() {
    let mut case = visits(Dialect::Postgres, 20_000).await;
    case.run("ANALYZE visits").await;
    let backfill = case.migration.manifest().backfills[0].clone();
    let files = [
        Some(&backfill.batch),
        backfill.reverse.as_ref(),
        Some(&backfill.count),
        Some(&backfill.verify),
        Some(&backfill.mismatches),
        backfill.checksums.as_ref(),
        Some(&backfill.boundary),
    ];
    for (number, file) in files.into_iter().flatten().enumerate() {
        let sql = case.migration.file(file).to_owned();
        let sql = sql.trim().trim_end_matches(';');
        let limit = if *file == backfill.boundary {
            ", '10'"
        } else {
            ""
        };
        for mode in ["force_generic_plan", "force_custom_plan"] {
            case.run(&format!(
                "SET plan_cache_mode = {mode}; PREPARE s{number}_{mode} AS {sql}"
            ))
            .await;
            let plan = case
                .connection
                .query_file(
                    &format!("EXPLAIN EXECUTE s{number}_{mode} ('(3,65535)', '(5,65535)'{limit})"),
                    &[],
                )
                .await
                .unwrap();
            let plan: Vec<String> = plan
                .iter()
                .map(|line| match &line[..] {
                    [Value::Text(Some(line))] => line.clone(),
                    other => panic!("{other:?}"),
                })
                .collect();
            let plan = plan.join("\n");
            assert!(plan.contains("Tid Range Scan"), "{file}, {mode}: {plan}");
            assert!(!plan.contains("Seq Scan"), "{file}, {mode}: {plan}");
        }
    }
}
