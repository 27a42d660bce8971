//! Killed in the middle: what is committed stays, at most one batch is repeated.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use zdm_runtime::backfill::{self, BackfillError, End, Way};
use zdm_runtime::database::{Connection, Dialect};
use zdm_runtime::executor::{self, ExecutorError, ExecutorOptions};
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;

use crate::cases::{Case, ID, RENAME, batches_of};
use crate::pairs::version;
use crate::target::number;

const SEEN: &str = "SELECT CAST(sum(rows_seen) AS bigint) FROM {zdm}chunk";
const FILLED: &str = "SELECT count(*) FROM users WHERE full_name = name";

async fn killed_three_times_it_still_ends_right(dialect: Dialect) {
    let mut case = Case::of(dialect, ID, &RENAME, 3_000).await;
    let folder = tempfile::tempdir().unwrap();
    version(dialect, ID, &RENAME).write(folder.path());
    for lines in [1, 7, 20] {
        // It waits to be killed where that did not happen earlier.
        let mut child = Command::new(env!("CARGO_BIN_EXE_backfill"))
            .arg(&case.target.url)
            .arg(folder.path())
            .arg((lines + 5).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let reported = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .take(lines)
            .count();
        assert_eq!(reported, lines);
        // SIGKILL: wherever it is by now.
        child.kill().unwrap();
        child.wait().unwrap();
        // A killed client's batch may still be running on the server; its locks end with it.
        let seen = case.number(SEEN).await;
        assert!((10..3_000).contains(&seen), "{seen}");
        let id = case.migration.id().to_owned();
        backfill::take_over(&mut case.connection, &id, Way::Up, "worker 1")
            .await
            .unwrap();
    }
    let before = case.number(SEEN).await;
    let done = backfill::run(
        &mut case.connection,
        &case.migration,
        &batches_of(10),
        &mut |_| {},
    )
    .await
    .unwrap();
    assert_eq!(done.end, End::Done);
    assert_eq!(case.number(FILLED).await, 3_000);
    // No committed batch was done twice: what was seen adds up to the table.
    assert_eq!(case.number(SEEN).await, 3_000);
    assert!(i64::try_from(done.rows).unwrap() <= 3_000 - before + 10);
}

#[tokio::test]
async fn sqlite_survives_being_killed() {
    killed_three_times_it_still_ends_right(Dialect::Sqlite).await;
}

#[tokio::test]
async fn postgres_survives_being_killed() {
    killed_three_times_it_still_ends_right(Dialect::Postgres).await;
}

/// The server ends the session in the middle of a batch's statement, at row 45.
#[tokio::test]
async fn a_connection_lost_inside_a_batch_loses_that_batch_alone() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 100).await;
    case.run(
        "CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END';
         CREATE TRIGGER leave BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.id = 45) EXECUTE FUNCTION leave();",
    )
    .await;
    let lost = backfill::run(
        &mut case.connection,
        &case.migration,
        &batches_of(10),
        &mut |_| {},
    )
    .await
    .unwrap_err();
    assert!(matches!(lost, BackfillError::Lost { .. }), "{lost}");
    assert!(
        lost.to_string().contains("at most one batch is repeated"),
        "{lost}"
    );

    case.connection = case.target.open().await;
    assert_eq!(case.number(FILLED).await, 40);
    assert_eq!(case.number(SEEN).await, 40);
    case.run("DROP TRIGGER leave ON users").await;
    let done = backfill::run(
        &mut case.connection,
        &case.migration,
        &batches_of(10),
        &mut |_| {},
    )
    .await
    .unwrap();
    assert_eq!((done.end, done.rows), (End::Done, 60));
    assert_eq!(case.number(FILLED).await, 100);
}

/// The same in the middle of a section: the step is either there and recorded, or neither.
#[tokio::test]
async fn a_connection_lost_inside_a_step_leaves_nothing_of_it() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 10).await;
    let mut plan = version(Dialect::Postgres, ID, &RENAME);
    plan.reversible(
        Section::SwitchReads,
        "ALTER TABLE users ADD COLUMN one text;",
        "ALTER TABLE users DROP COLUMN one;",
    );
    plan.reversible(
        Section::SwitchReads,
        "ALTER TABLE users ADD COLUMN two text; SELECT leave();",
        "ALTER TABLE users DROP COLUMN two;",
    );
    let migration = plan.load();
    case.run(
        "CREATE FUNCTION leave() RETURNS void LANGUAGE sql AS
             'SELECT pg_terminate_backend(pg_backend_pid())'",
    )
    .await;
    let options = ExecutorOptions::of("test");
    let switch = async |connection: &mut Connection, direction| {
        let section = Section::SwitchReads;
        executor::run(
            connection,
            &migration,
            section,
            direction,
            &options,
            &mut |_| {},
        )
        .await
    };
    let lost = switch(&mut case.connection, Direction::Up)
        .await
        .unwrap_err();
    assert!(matches!(lost, ExecutorError::Lost { .. }), "{lost}");

    case.connection = case.target.open().await;
    let recorded = "SELECT count(*) FROM {zdm}step WHERE section = 'switch_reads'";
    assert_eq!(case.number(recorded).await, 1);
    let columns =
        "SELECT count(*) FROM information_schema.columns WHERE column_name IN ('one', 'two')";
    assert_eq!(number(&mut case.connection, columns).await, 1);
    case.run("CREATE OR REPLACE FUNCTION leave() RETURNS void LANGUAGE sql AS ''")
        .await;
    let done = switch(&mut case.connection, Direction::Up).await.unwrap();
    assert_eq!((done.executed, done.already_done), (1, 1));
    assert_eq!(number(&mut case.connection, columns).await, 2);
    let undone = switch(&mut case.connection, Direction::Down).await.unwrap();
    assert_eq!(undone.executed, 2);
    assert_eq!(number(&mut case.connection, columns).await, 0);
}
