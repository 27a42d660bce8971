//! A table that is written anew at once, as long as it is small: nothing comes between the look and the step.

use std::time::Duration;

use zdm_runtime::database::{Connection, Dialect};
use zdm_runtime::executor::{self, ExecutorError, ExecutorOptions, Outcome};
use zdm_runtime::manifest::{Direction, SmallTable};
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;

use crate::cases::{ID, create_users};
use crate::pairs::Version;
use crate::target::{Target, number};

const ADD: &str =
    "ALTER TABLE users ADD COLUMN shout text GENERATED ALWAYS AS (upper(name)) STORED;";
const TAKE_AWAY: &str = "ALTER TABLE users DROP COLUMN shout;";
const COLUMNS: &str =
    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'shout'";
const ROWS: &str = "SELECT count(*) FROM users";
const INSERT: &str = "INSERT INTO users (id, tenant, login, name) VALUES (4, '', 'four', 'four')";
const LIMIT: u64 = 8 * 1024 * 1024;

fn small(most_rows: u64, most_bytes: u64) -> Vec<SmallTable> {
    vec![SmallTable {
        table: "users".to_owned(),
        rows: 2,
        bytes: 16_384,
        most_rows,
        most_bytes,
    }]
}

fn version(up: &str, small: Vec<SmallTable>) -> Migration {
    let mut version = Version::of(Dialect::Postgres);
    version.reversible(Section::Expand, up, TAKE_AWAY);
    version.manifest.steps[0].small = small;
    version.load()
}

/// Three users.
async fn users() -> (Target, Connection) {
    let target = Target::of(Dialect::Postgres).await;
    let mut connection = target.open().await;
    create_users(&mut connection, ID, 3).await;
    (target, connection)
}

async fn expand(
    connection: &mut Connection,
    migration: &Migration,
    direction: Direction,
    patience: Duration,
) -> Result<Outcome, ExecutorError> {
    let options = ExecutorOptions {
        lock_timeout: patience,
        attempts: 1,
        ..ExecutorOptions::of("test")
    };
    let section = Section::Expand;
    executor::run(
        connection,
        migration,
        section,
        direction,
        &options,
        &mut |_| {},
    )
    .await
}

const PATIENT: Duration = Duration::from_mins(1);

fn found(result: Result<Outcome, ExecutorError>) -> SmallTable {
    match result {
        Err(ExecutorError::Outgrown { found, .. }) => found,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_table_that_has_outgrown_its_rows_is_left_as_it_is() {
    let (_target, mut connection) = users().await;
    let migration = version(ADD, small(3, LIMIT));
    for _ in 0..2 {
        connection.execute(INSERT, &[]).await.unwrap();
        let refused = expand(&mut connection, &migration, Direction::Up, PATIENT).await;
        let message = refused.as_ref().unwrap_err().to_string();
        for words in [
            "nothing of it was changed",
            "the version allows for at most 3 rows in 8 MiB",
            "It held 2 rows in 16 KiB when the version was written; here it holds more than 3 rows",
        ] {
            assert!(message.contains(words), "{message}");
        }
        assert_eq!(found(refused).rows, 4);
        assert_eq!(number(&mut connection, COLUMNS).await, 0);
        let recorded = "SELECT count(*) FROM {zdm}step";
        assert_eq!(number(&mut connection, recorded).await, 0);

        let delete = "DELETE FROM users WHERE id = 4";
        connection.execute(delete, &[]).await.unwrap();
        let done = expand(&mut connection, &migration, Direction::Up, PATIENT).await;
        assert_eq!(done.unwrap().executed, 1);
        assert_eq!(number(&mut connection, COLUMNS).await, 1);
        let undone = expand(&mut connection, &migration, Direction::Down, PATIENT).await;
        assert_eq!(undone.unwrap().executed, 1);
        assert_eq!(number(&mut connection, COLUMNS).await, 0);
    }
}

/// Few rows that are large, and many that are dead, are as slow.
#[tokio::test]
async fn bytes_count_too() {
    let (_target, mut connection) = users().await;
    let bloated = "ALTER TABLE users SET (autovacuum_enabled = off);
        INSERT INTO users (id, tenant, login, name)
            SELECT n, '', n::text, repeat('x', 500) FROM generate_series(10, 1000) AS n;
        DELETE FROM users WHERE id >= 10";
    connection.run_file(bloated).await.unwrap();
    let migration = version(ADD, small(3, 65_536));
    let refused = expand(&mut connection, &migration, Direction::Up, PATIENT).await;
    assert!(found(refused).bytes > 65_536);
    assert_eq!(number(&mut connection, COLUMNS).await, 0);
    let migration = version(ADD, small(3, LIMIT));
    let done = expand(&mut connection, &migration, Direction::Up, PATIENT).await;
    assert_eq!(done.unwrap().executed, 1);
}

/// Waits until a session waits for a lock that another holds.
async fn somebody_waits(connection: &mut Connection) {
    let waiting =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass";
    while number(connection, waiting).await == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn rows_that_are_being_written_are_waited_for_and_counted() {
    let (target, mut connection) = users().await;
    let mut writer = target.open().await;
    writer.begin().await.unwrap();
    writer.execute(INSERT, &[]).await.unwrap();
    let migration = version(ADD, small(3, LIMIT));
    let hurried = Duration::from_millis(20);
    let refused = expand(&mut connection, &migration, Direction::Up, hurried).await;
    assert!(
        matches!(refused, Err(ExecutorError::Blocked { .. })),
        "{refused:?}"
    );
    let step =
        tokio::spawn(
            async move { expand(&mut connection, &migration, Direction::Up, PATIENT).await },
        );
    somebody_waits(&mut target.open().await).await;
    writer.commit().await.unwrap();
    assert_eq!(found(step.await.unwrap()).rows, 4);
    assert_eq!(number(&mut writer, COLUMNS).await, 0);
}

/// From the count on, nobody writes before the step is done.
#[tokio::test]
async fn a_writer_waits_while_the_step_runs_and_then_goes_on() {
    let (target, mut connection) = users().await;
    let mut holder = target.open().await;
    let lock = "SELECT count(pg_advisory_lock(1))";
    assert_eq!(number(&mut holder, lock).await, 1);
    let up = format!("SELECT pg_advisory_xact_lock(1); {ADD}");
    let migration = version(&up, small(3, LIMIT));
    let step =
        tokio::spawn(
            async move { expand(&mut connection, &migration, Direction::Up, PATIENT).await },
        );
    let counted = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'";
    while number(&mut holder, counted).await == 0 {
        tokio::task::yield_now().await;
    }
    let mut writer = target.open().await;
    let writing = tokio::spawn(async move { writer.execute(INSERT, &[]).await });
    somebody_waits(&mut holder).await;
    let unlock = "SELECT count(pg_advisory_unlock(1))";
    assert_eq!(number(&mut holder, unlock).await, 1);
    assert_eq!(step.await.unwrap().unwrap().executed, 1);
    assert_eq!(writing.await.unwrap().unwrap(), 1);
    let computed = "SELECT count(*) FROM users WHERE shout = upper(name)";
    assert_eq!(number(&mut holder, computed).await, 4);
    assert_eq!(number(&mut holder, ROWS).await, 4);
}

#[tokio::test]
async fn a_step_that_takes_longer_than_anybody_may_wait_is_rolled_back() {
    let (_target, mut connection) = users().await;
    let migration = version(&format!("{ADD} SELECT pg_sleep(600);"), small(3, LIMIT));
    let hurried = Duration::from_millis(200);
    let refused = expand(&mut connection, &migration, Direction::Up, hurried).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, ExecutorError::Slow { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("rolled back: nobody could use users while it ran, and 200 ms"),
        "{message}"
    );
    assert_eq!(number(&mut connection, COLUMNS).await, 0);
}

/// What is counted cannot be less than what is there.
#[tokio::test]
async fn rows_that_a_policy_hides_are_no_rows_that_are_absent() {
    let (_target, mut connection) = users().await;
    let hidden = "CREATE ROLE app NOSUPERUSER; GRANT ALL ON SCHEMA zdm, public TO app;
        GRANT ALL ON ALL TABLES IN SCHEMA zdm TO app; GRANT USAGE ON ALL SEQUENCES IN SCHEMA zdm TO app;
        ALTER TABLE users OWNER TO app;
        ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY;
        SET ROLE app; SET row_security = on";
    connection.run_file(hidden).await.unwrap();
    assert_eq!(number(&mut connection, ROWS).await, 0);
    let migration = version(ADD, small(2, LIMIT));
    let refused = expand(&mut connection, &migration, Direction::Up, PATIENT).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("row-level security"), "{message}");
    connection.run_file("RESET ROLE").await.unwrap();
    assert_eq!(number(&mut connection, COLUMNS).await, 0);
}

/// A plan that says so outside a transaction contradicts itself.
#[tokio::test]
async fn only_a_transaction_keeps_a_table_small() {
    let mut version = Version::of(Dialect::Postgres);
    version.reversible(Section::Expand, ADD, TAKE_AWAY);
    version.manifest.steps[0].small = small(3, LIMIT);
    version.manifest.steps[0].transactional = false;
    let folder = tempfile::tempdir().unwrap();
    version.write(folder.path());
    let error = Migration::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("for small tables alone"), "{error}");
}
