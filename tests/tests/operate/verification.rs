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

/// Compares until so many rows are on record, then is gone as a killed process is.
async fn interrupted(case: &mut Case, rows: i64) {
    let mut connection = case.target.open().await;
    let migration = case.migration.clone();
    let options = VerificationOptions {
        batch_rows: 10,
        worker: "gone".to_owned(),
        ..VerificationOptions::of("test", Side::New)
    };
    let (told, mut tells) = tokio::sync::mpsc::channel(1);
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let running = tokio::spawn(async move {
        verification::run(&mut connection, &migration, &options, &mut |progress| {
            if i64::try_from(progress.rows).unwrap() >= rows {
                let _ = told.try_send(());
                // Until nobody is left to hear of it.
                let _ = tokio::task::block_in_place(|| released.lock().unwrap().recv());
            }
        })
        .await
    });
    tells.recv().await.unwrap();
    running.abort();
    drop(release);
    assert!(running.await.unwrap_err().is_cancelled());
    let seen = case.number("SELECT rows_seen FROM {zdm}verification").await;
    assert!((rows..1_000).contains(&seen), "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_interrupted_comparison_goes_on_where_it_was() {
    for (dialect, key) in [(Dialect::Sqlite, ID), (Dialect::Postgres, COMPOSITE)] {
        let mut case = Case::of(dialect, key, &RENAME, 1_000).await;
        fill(&mut case).await;
        interrupted(&mut case, 30).await;
        let running = "SELECT count(*) FROM {zdm}verification WHERE state = 'running'";
        // As long as it may be alive, another begins at the beginning.
        let whole = verify(&mut case, Side::New, 100).await;
        assert_eq!(whole.rows, 1_000);
        assert_eq!(case.number(running).await, 1);
        let id = case.migration.id().to_owned();
        verification::take_over(&mut case.connection, &id, "gone")
            .await
            .unwrap();
        let mut compared = 0;
        let options = VerificationOptions::of("test", Side::New);
        let passed = verification::run(
            &mut case.connection,
            &case.migration,
            &options,
            &mut |seen| {
                compared = compared.max(seen.rows);
            },
        )
        .await
        .unwrap();
        assert!(passed.passed());
        assert_eq!(passed.rows, 1_000);
        assert!(compared <= 970, "{compared}");
        assert!(passed.checksums.is_some());
        assert_eq!(passed.checksums, whole.checksums);
        assert_eq!(case.number(running).await, 0);
        assert_eq!(case.number(&recorded("passed", "new", 0)).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_comparison_of_before_a_hop_is_not_gone_on_with() {
    let mut case = Case::of(Dialect::Sqlite, ID, &RENAME, 1_000).await;
    fill(&mut case).await;
    interrupted(&mut case, 30).await;
    let id = case.migration.id().to_owned();
    verification::take_over(&mut case.connection, &id, "gone")
        .await
        .unwrap();
    case.connection
        .execute("UPDATE {zdm}stage SET epoch = epoch + 1", &[])
        .await
        .unwrap();
    case.run("UPDATE users SET full_name = 'stale' WHERE id = 1")
        .await;
    let failed = verify(&mut case, Side::New, 100).await;
    assert_eq!((failed.rows, failed.mismatches), (1_000, 1));
}

async fn repair(case: &mut Case, side: Side) -> Result<Verified, VerificationError> {
    let options = VerificationOptions {
        repair: true,
        ..VerificationOptions::of("test", side)
    };
    verification::run(&mut case.connection, &case.migration, &options, &mut |_| {}).await
}

#[tokio::test]
async fn rows_that_differ_are_filled_from_the_side_that_is_read() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = Case::of(dialect, COMPOSITE, &RENAME, 200).await;
        fill(&mut case).await;
        let stale = "UPDATE users SET full_name = 'stale' WHERE id IN (3, 4, 199)";
        case.run(stale).await;
        let mended = repair(&mut case, Side::New).await.unwrap();
        assert_eq!((mended.mismatches, mended.repaired), (3, 3));
        assert!(!mended.passed());
        let chunks = "SELECT count(*) FROM {zdm}chunk WHERE state = 'done'";
        assert_eq!(case.number(chunks).await, 1);
        let passed = verify(&mut case, Side::New, 100).await;
        assert_eq!((passed.rows, passed.mismatches), (200, 0));
        let stale_again = "SELECT count(*) FROM users WHERE full_name = 'stale'";
        assert_eq!(case.number(stale_again).await, 0);

        // On the way back old is what is filled.
        case.run("UPDATE users SET full_name = 'new' WHERE id = 5")
            .await;
        let back = repair(&mut case, Side::Old).await.unwrap();
        assert_eq!((back.mismatches, back.repaired), (1, 1));
        let filled = "SELECT count(*) FROM users WHERE name = 'new' AND full_name = 'new'";
        assert_eq!(case.number(filled).await, 1);

        case.connection
            .execute("UPDATE {zdm}stage SET stage = 'live'", &[])
            .await
            .unwrap();
        case.run(stale).await;
        let refused = repair(&mut case, Side::New).await.unwrap_err();
        assert!(
            matches!(refused, VerificationError::NotRepairable { .. }),
            "{refused}"
        );
        assert_eq!(case.number(stale_again).await, 3);
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_converted_is_not_repaired() {
    let dialect = Dialect::Postgres;
    let mut case = Case::of(dialect, ID, &text_to_integer(dialect, "quarantine"), 100).await;
    fill(&mut case).await;
    case.run("UPDATE users SET age = '88888888888' WHERE id = 90")
        .await;
    let left = repair(&mut case, Side::New).await.unwrap();
    assert_eq!((left.mismatches, left.repaired), (1, 0));
    assert_eq!(case.number("SELECT count(*) FROM {zdm}chunk").await, 0);
}
