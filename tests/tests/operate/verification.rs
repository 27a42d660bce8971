//! Every row compared, what is wrong named, what waits skipped.

use zdm_runtime::database::Dialect;
use zdm_runtime::key::Key;
use zdm_runtime::verification::{
    self, Mismatch, Side, VerificationError, VerificationOptions, Verified,
};

use crate::cases::{COMPOSITE, Case, ID, RENAME, batches_of, text_to_integer};

async fn verify(case: &mut Case, side: Side, batch_rows: u32) -> Verified {
    let options = VerificationOptions {
        batch_rows,
        ..VerificationOptions::of("test", side)
    };
    verification::run(&mut case.connection, &case.migration, &options, &mut |_| {})
        .await
        .unwrap()
}

async fn fill(case: &mut Case) {
    case.fill(&batches_of(50)).await;
}

fn recorded(state: &str, side: &str, mismatches: u32) -> String {
    format!(
        "SELECT count(*) FROM {{zdm}}verification
         WHERE state = '{state}' AND side = '{side}' AND mismatches = {mismatches} AND epoch = 7
           AND finished_at >= started_at"
    )
}

async fn mismatches_are_counted_once_and_named(dialect: Dialect) {
    let mut case = Case::of(dialect, COMPOSITE, &RENAME, 200).await;
    fill(&mut case).await;
    for batch in [1_000, 7, 1] {
        let passed = verify(&mut case, Side::New, batch).await;
        assert_eq!((passed.rows, passed.mismatches), (200, 0), "by {batch}");
        assert!(passed.passed());
    }
    case.run("UPDATE users SET full_name = 'stale' WHERE id IN (3, 4, 199)")
        .await;
    for batch in [1_000, 7, 1] {
        let failed = verify(&mut case, Side::New, batch).await;
        assert_eq!((failed.rows, failed.mismatches), (200, 3), "by {batch}");
        let first = [["b,c", "199"], ["b,c", "4"], ["ä\"b", "3"]];
        let mut keys: Vec<Key> = failed.first.into_iter().map(|row| row.key).collect();
        keys.sort();
        assert_eq!(keys, first.map(Key::of), "by {batch}");
    }
    assert_eq!(case.number(&recorded("passed", "new", 0)).await, 3);
    assert_eq!(case.number(&recorded("failed", "new", 3)).await, 3);
    assert_eq!(verify(&mut case, Side::Old, 100).await.mismatches, 3);
    assert_eq!(case.number(&recorded("failed", "old", 3)).await, 1);
}

#[tokio::test]
async fn sqlite_mismatches_are_counted_once_and_named() {
    mismatches_are_counted_once_and_named(Dialect::Sqlite).await;
}

#[tokio::test]
async fn postgres_mismatches_are_counted_once_and_named() {
    mismatches_are_counted_once_and_named(Dialect::Postgres).await;
}

#[tokio::test]
async fn a_row_that_the_comparison_cannot_read_is_a_mismatch_unless_it_waits() {
    let dialect = Dialect::Postgres;
    let mut case = Case::of(dialect, ID, &text_to_integer(dialect, "quarantine"), 100).await;
    case.run("UPDATE users SET age = '99999999999' WHERE id IN (40, 41)")
        .await;
    fill(&mut case).await;
    let skipped = verify(&mut case, Side::New, 30).await;
    assert_eq!(
        (skipped.rows, skipped.mismatches, skipped.skipped),
        (100, 0, 2)
    );

    // An old writer comes after the backfill.
    case.run("UPDATE users SET age = '88888888888' WHERE id = 90")
        .await;
    let failed = verify(&mut case, Side::New, 30).await;
    assert_eq!(
        (failed.rows, failed.mismatches, failed.skipped),
        (100, 1, 2)
    );
    let found = Mismatch {
        table: "users".to_owned(),
        key: Key::of(["90"]),
        columns: vec!["age_int".to_owned()],
    };
    assert_eq!(failed.first, [found]);
}

#[tokio::test]
async fn an_empty_table_passes() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = Case::of(dialect, ID, &RENAME, 0).await;
        let passed = verify(&mut case, Side::New, 10).await;
        assert!(passed.passed());
        assert_eq!(case.number(&recorded("passed", "new", 0)).await, 1);
    }
}

#[tokio::test]
async fn a_migration_without_a_stage_is_not_verified() {
    let mut case = Case::of(Dialect::Sqlite, ID, &RENAME, 10).await;
    case.connection
        .execute("DELETE FROM {zdm}stage", &[])
        .await
        .unwrap();
    let options = VerificationOptions::of("test", Side::New);
    let refused =
        verification::run(&mut case.connection, &case.migration, &options, &mut |_| {}).await;
    assert!(
        matches!(refused, Err(VerificationError::NotStarted { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_verification_that_was_reset_while_it_ran_says_nothing() {
    let mut case = Case::of(Dialect::Sqlite, ID, &RENAME, 10).await;
    fill(&mut case).await;
    let url = case.target.url.clone();
    let options = VerificationOptions::of("test", Side::New);
    let (started, mut reached) = tokio::sync::mpsc::unbounded_channel();
    let (reset, wait) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            reached.recv().await.unwrap();
            let mut connection = zdm_runtime::database::Connection::open(&url).await.unwrap();
            connection
                .execute("DELETE FROM {zdm}verification", &[])
                .await
                .unwrap();
            reset.send(()).unwrap();
        });
    });
    let overtaken = verification::run(
        &mut case.connection,
        &case.migration,
        &options,
        &mut move |_| {
            started.send(()).unwrap();
            wait.recv().unwrap();
        },
    )
    .await;
    assert!(
        matches!(overtaken, Err(VerificationError::Overtaken { .. })),
        "{overtaken:?}"
    );
    other.join().unwrap();
}
