//! Sections: forward, back, again, interrupted, blocked, edited.

use std::time::Duration;

use zdm_runtime::database::{Connection, Dialect};
use zdm_runtime::executor::{self, Event, ExecutorError, ExecutorOptions, Outcome};
use zdm_runtime::manifest::{Direction, IndexDefinition};
use zdm_runtime::migration::Migration;
use zdm_runtime::operator::{Lease, LeaseError};
use zdm_runtime::phase::Section;

use crate::cases::{ID, create_users};
use crate::pairs::Version;
use crate::target::{Target, number, text};

/// Short waits and pauses: how long they are decides nothing in these tests.
fn impatient() -> ExecutorOptions {
    ExecutorOptions {
        lock_timeout: Duration::from_millis(20),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(5),
        ..ExecutorOptions::of("test")
    }
}

pub(crate) async fn expand(
    connection: &mut Connection,
    migration: &Migration,
    direction: Direction,
) -> Result<Outcome, ExecutorError> {
    expand_as(connection, migration, direction, &impatient()).await
}

async fn expand_as(
    connection: &mut Connection,
    migration: &Migration,
    direction: Direction,
    options: &ExecutorOptions,
) -> Result<Outcome, ExecutorError> {
    executor::run(
        connection,
        migration,
        Section::Expand,
        direction,
        options,
        &mut |_| {},
    )
    .await
}

pub(crate) async fn with_users(dialect: Dialect) -> (Target, Connection) {
    let target = Target::of(dialect).await;
    let mut connection = target.open().await;
    create_users(&mut connection, ID, 3).await;
    (target, connection)
}

pub(crate) const RECORDED: &str = "SELECT count(*) FROM {zdm}step";
const DONE: Outcome = Outcome {
    executed: 3,
    already_done: 0,
};

/// Adds two columns; the last step checks something and has no undo of its own.
fn two_columns(dialect: Dialect) -> Version {
    let mut version = Version::of(dialect);
    version.reversible(
        Section::Expand,
        "ALTER TABLE users ADD COLUMN one text;",
        "ALTER TABLE users DROP COLUMN one;",
    );
    version.reversible(
        Section::Expand,
        "ALTER TABLE users ADD COLUMN two text DEFAULT '{now} {id} {zdm}';",
        "ALTER TABLE users DROP COLUMN two;",
    );
    version.step(
        Section::Expand,
        Direction::Up,
        "UPDATE users SET one = two;",
    );
    version
}

async fn forward_back_and_forward(dialect: Dialect) {
    let (_target, mut connection) = with_users(dialect).await;
    let migration = two_columns(dialect).load();
    for _ in 0..2 {
        let done = expand(&mut connection, &migration, Direction::Up)
            .await
            .unwrap();
        assert_eq!(done, DONE);
        assert_eq!(number(&mut connection, RECORDED).await, 3);
        let filled = text(&mut connection, "SELECT min(one) FROM users").await;
        // Reviewed files are executed byte for byte, the words of control statements included.
        assert_eq!(filled.as_deref().map(str::len), Some(16));

        let again = expand(&mut connection, &migration, Direction::Up)
            .await
            .unwrap();
        assert_eq!((again.executed, again.already_done), (0, 3));

        let undone = expand(&mut connection, &migration, Direction::Down)
            .await
            .unwrap();
        assert_eq!(undone.executed, 2);
        assert_eq!(number(&mut connection, RECORDED).await, 0);
        connection
            .query("SELECT one FROM users", &[])
            .await
            .unwrap_err();
        connection
            .query("SELECT two FROM users", &[])
            .await
            .unwrap_err();

        let nothing = expand(&mut connection, &migration, Direction::Down)
            .await
            .unwrap();
        assert_eq!((nothing.executed, nothing.already_done), (0, 2));
    }
    let audited = "SELECT count(*) FROM {zdm}audit WHERE action = 'step' AND outcome = 'done'";
    assert_eq!(number(&mut connection, audited).await, 10);
}

#[tokio::test]
async fn postgres_goes_forward_back_and_forward() {
    forward_back_and_forward(Dialect::Postgres).await;
}

#[tokio::test]
async fn sqlite_goes_forward_back_and_forward() {
    forward_back_and_forward(Dialect::Sqlite).await;
}

async fn a_failing_step_keeps_those_before(dialect: Dialect) {
    let (_target, mut connection) = with_users(dialect).await;
    let mut version = two_columns(dialect);
    version.step(
        Section::Expand,
        Direction::Up,
        "INSERT INTO users (id, tenant, login, name) SELECT id, '', '', '' FROM taken;",
    );
    let migration = version.load();
    connection
        .run_file("CREATE TABLE taken (id bigint); INSERT INTO taken VALUES (4), (3);")
        .await
        .unwrap();
    let refused = expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ExecutorError::Refused { .. }),
        "{refused}"
    );
    assert!(
        refused
            .to_string()
            .contains("step 4 of 1_expand/up.sql, lines 8-8"),
        "{refused}"
    );
    assert_eq!(number(&mut connection, RECORDED).await, 3);
    assert_eq!(
        number(&mut connection, "SELECT count(*) FROM users").await,
        3
    );
    let audited = "SELECT count(*) FROM {zdm}audit WHERE outcome = 'failed'";
    assert_eq!(number(&mut connection, audited).await, 1);

    connection
        .run_file("DELETE FROM taken WHERE id = 3")
        .await
        .unwrap();
    let done = expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap();
    assert_eq!((done.executed, done.already_done), (1, 3));
    assert_eq!(
        number(&mut connection, "SELECT count(*) FROM users").await,
        4
    );
}

#[tokio::test]
async fn postgres_continues_after_a_failing_step() {
    a_failing_step_keeps_those_before(Dialect::Postgres).await;
}

#[tokio::test]
async fn sqlite_continues_after_a_failing_step() {
    a_failing_step_keeps_those_before(Dialect::Sqlite).await;
}

#[tokio::test]
async fn an_executed_step_that_was_edited_since_is_refused() {
    let (_target, mut connection) = with_users(Dialect::Sqlite).await;
    let migration = two_columns(Dialect::Sqlite).load();
    expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap();

    let mut edited = Version::of(Dialect::Sqlite);
    edited.reversible(
        Section::Expand,
        "ALTER TABLE users ADD COLUMN one integer;",
        "ALTER TABLE users DROP COLUMN one;",
    );
    for direction in [Direction::Up, Direction::Down] {
        let refused = expand(&mut connection, &edited.load(), direction)
            .await
            .unwrap_err();
        assert!(
            matches!(
                refused,
                ExecutorError::EditedAfterExecution { number: 1, .. }
            ),
            "{refused}"
        );
    }
    assert_eq!(number(&mut connection, RECORDED).await, 3);
}

#[tokio::test]
async fn a_plan_for_another_database_is_refused() {
    let (_target, mut connection) = with_users(Dialect::Sqlite).await;
    let migration = two_columns(Dialect::Postgres).load();
    let refused = expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ExecutorError::WrongDialect { .. }),
        "{refused}"
    );
}

/// Runs the section while `blocker` holds a lock, and lets go at the first refused try.
async fn released_at_the_first_refusal(
    mut connection: Connection,
    migration: Migration,
    mut blocker: Connection,
) -> (Connection, Vec<String>) {
    let (refusals, mut refused) = tokio::sync::mpsc::unbounded_channel();
    let running = tokio::spawn(async move {
        let options = ExecutorOptions {
            attempts: 10_000,
            ..impatient()
        };
        let done = executor::run(
            &mut connection,
            &migration,
            Section::Expand,
            Direction::Up,
            &options,
            &mut |event| {
                if let Event::Retrying { blockers, .. } = event {
                    let names = blockers.iter().map(ToString::to_string).collect();
                    let _ = refusals.send(names);
                }
            },
        )
        .await;
        (connection, done)
    });
    let names = refused.recv().await.expect("a refused try");
    blocker.commit().await.unwrap();
    let (connection, done) = running.await.unwrap();
    assert_eq!(done.unwrap(), DONE);
    (connection, names)
}

#[tokio::test]
async fn postgres_retries_until_a_reader_lets_go() {
    let (target, connection) = with_users(Dialect::Postgres).await;
    let mut reader = target.open().await;
    reader.begin().await.unwrap();
    let pid = number(&mut reader, "SELECT pg_backend_pid()").await;
    number(&mut reader, "SELECT count(*) FROM users").await;
    let migration = two_columns(Dialect::Postgres).load();
    let (_, names) = released_at_the_first_refusal(connection, migration, reader).await;
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(
        names[0].contains(&format!("pid {pid} holds AccessShareLock")),
        "{names:?}"
    );
    assert!(names[0].contains("SELECT count(*) FROM users"), "{names:?}");
}

#[tokio::test]
async fn sqlite_retries_until_a_writer_lets_go() {
    let (target, mut connection) = with_users(Dialect::Sqlite).await;
    connection
        .run_file("PRAGMA busy_timeout = 5")
        .await
        .unwrap();
    let mut writer = target.open().await;
    writer.begin().await.unwrap();
    let migration = two_columns(Dialect::Sqlite).load();
    released_at_the_first_refusal(connection, migration, writer).await;
}

#[tokio::test]
async fn postgres_names_who_is_in_the_way_when_it_gives_up() {
    let (target, mut connection) = with_users(Dialect::Postgres).await;
    let mut reader = target.open().await;
    reader.begin().await.unwrap();
    let pid = number(&mut reader, "SELECT pg_backend_pid()").await;
    number(&mut reader, "SELECT count(*) FROM users").await;
    let options = ExecutorOptions {
        attempts: 3,
        ..impatient()
    };
    let migration = two_columns(Dialect::Postgres).load();
    let refused = expand_as(&mut connection, &migration, Direction::Up, &options)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, ExecutorError::Blocked { attempts: 3, blockers, .. } if blockers[0].pid == pid),
        "{refused}"
    );
    let audited = "SELECT count(*) FROM {zdm}audit WHERE outcome = 'refused'";
    assert_eq!(number(&mut connection, audited).await, 3);
    // The limit went with its transaction.
    let limit = text(&mut connection, "SELECT current_setting('lock_timeout')").await;
    assert_eq!(limit.as_deref(), Some("0"));
}

/// A step that locks two tables.
fn of_two_tables() -> Migration {
    let mut version = Version::of(Dialect::Postgres);
    let step = version.step(
        Section::Expand,
        Direction::Up,
        "LOCK TABLE users, teams IN ACCESS EXCLUSIVE MODE;",
    );
    step.also_locks = vec!["teams".to_owned()];
    version.load()
}

#[tokio::test]
async fn postgres_names_who_holds_a_further_table_of_a_step() {
    let (target, mut connection) = with_users(Dialect::Postgres).await;
    let teams = "CREATE TABLE teams (id integer)";
    connection.run_file(teams).await.unwrap();
    let mut reader = target.open().await;
    reader.begin().await.unwrap();
    let pid = number(&mut reader, "SELECT pg_backend_pid()").await;
    number(&mut reader, "SELECT count(*) FROM teams").await;
    let migration = of_two_tables();
    let refused = expand_as(&mut connection, &migration, Direction::Up, &impatient()).await;
    assert!(
        matches!(&refused, Err(ExecutorError::Blocked { blockers, .. }) if blockers[0].pid == pid),
        "{refused:?}"
    );
    let told = refused.unwrap_err().to_string();
    assert!(
        told.contains("(ACCESS EXCLUSIVE on users, teams)"),
        "{told}"
    );
    // Nobody waits for a lock in vain behind a transaction that is long already.
    let options = ExecutorOptions {
        long: Duration::ZERO,
        patience: Duration::from_millis(10),
        ..impatient()
    };
    let refused = expand_as(&mut connection, &migration, Direction::Up, &options).await;
    assert!(
        matches!(&refused, Err(ExecutorError::LongTransactions { blockers, .. }) if blockers[0].pid == pid),
        "{refused:?}"
    );
    reader.rollback().await.unwrap();
    let done = expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap();
    assert_eq!(done.executed, 1);
}

/// Whoever waits for several tables waits for each a part of the time after which a writer looks for a deadlock.
#[tokio::test]
async fn postgres_says_what_makes_many_tries_necessary() {
    let (target, mut connection) = with_users(Dialect::Postgres).await;
    let prepared = "CREATE TABLE teams (id integer); SET deadlock_timeout = '30ms'";
    connection.run_file(prepared).await.unwrap();
    let mut reader = target.open().await;
    reader.begin().await.unwrap();
    number(&mut reader, "SELECT count(*) FROM teams").await;
    let migration = of_two_tables();
    let options = ExecutorOptions {
        attempts: 4,
        lock_timeout: Duration::from_secs(1),
        ..impatient()
    };
    let mut told = Vec::new();
    let refused = executor::run(
        &mut connection,
        &migration,
        Section::Expand,
        Direction::Up,
        &options,
        &mut |event| {
            if let Event::Retrying { limited, .. } = event {
                told.push(limited.map(|limited| limited.to_string()));
            }
        },
    )
    .await
    .unwrap_err()
    .to_string();
    let [None, None, Some(limited)] = &told[..] else {
        panic!("{told:?}");
    };
    for text in [limited, &refused] {
        assert!(text.contains("at most 10 ms"), "{text}");
        assert!(text.contains("deadlock_timeout (30 ms)"), "{text}");
        assert!(text.contains("ALTER SYSTEM SET deadlock_timeout"), "{text}");
    }
    reader.rollback().await.unwrap();
    let done = expand(&mut connection, &migration, Direction::Up).await;
    assert_eq!(done.unwrap().executed, 1);
}

#[tokio::test]
async fn postgres_gives_a_lock_up_before_a_writer_looks_for_a_deadlock() {
    let (_target, mut connection) = with_users(Dialect::Postgres).await;
    let mut version = Version::of(Dialect::Postgres);
    version.reversible(
        Section::Expand,
        "CREATE TABLE waits AS SELECT current_setting('lock_timeout') AS at_most;",
        "DROP TABLE waits;",
    );
    let patient = ExecutorOptions {
        lock_timeout: Duration::from_mins(1),
        ..impatient()
    };
    let migration = version.load();
    let done = expand_as(&mut connection, &migration, Direction::Up, &patient).await;
    assert_eq!(done.unwrap().executed, 1);
    let limit = text(&mut connection, "SELECT at_most FROM waits").await;
    assert_eq!(limit.as_deref(), Some("400ms"));
}

#[tokio::test]
async fn sqlite_does_not_say_that_nobody_is_in_the_way() {
    let (target, mut connection) = with_users(Dialect::Sqlite).await;
    let short = "PRAGMA busy_timeout = 5";
    connection.run_file(short).await.unwrap();
    let mut writer = target.open().await;
    writer.begin().await.unwrap();
    let options = ExecutorOptions {
        attempts: 2,
        ..impatient()
    };
    let migration = two_columns(Dialect::Sqlite).load();
    let refused = expand_as(&mut connection, &migration, Direction::Up, &options)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("in 2 tries; another process holds the write lock"),
        "{refused}"
    );
    assert!(!refused.contains("gone by now"), "{refused}");
}

/// Statements that cannot run twice: the second of them fails once, and once more.
async fn an_undo_goes_on_after_what_it_has_done(dialect: Dialect) {
    let (_target, mut connection) = with_users(dialect).await;
    let mut version = Version::of(dialect);
    version.reversible(
        Section::Expand,
        "ALTER TABLE users ADD COLUMN one text;",
        "ALTER TABLE users ADD COLUMN two text;",
    );
    for sql in [
        "INSERT INTO obstacle VALUES (1);",
        "ALTER TABLE users DROP COLUMN one;",
    ] {
        version.step(Section::Expand, Direction::Down, sql).undoes = Some(1);
    }
    let migration = version.load();
    expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap();
    for _ in 0..2 {
        expand(&mut connection, &migration, Direction::Down)
            .await
            .unwrap_err();
        let forward = expand(&mut connection, &migration, Direction::Up).await;
        assert!(matches!(forward, Err(ExecutorError::HalfUndone { .. })));
    }
    connection
        .run_file("CREATE TABLE obstacle (id integer)")
        .await
        .unwrap();
    let undone = expand(&mut connection, &migration, Direction::Down)
        .await
        .unwrap();
    assert_eq!((undone.executed, undone.already_done), (2, 1));
    assert_eq!(number(&mut connection, RECORDED).await, 0);
    connection
        .run_file("ALTER TABLE users DROP COLUMN two")
        .await
        .unwrap();
    expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap();
}

#[tokio::test]
async fn postgres_goes_on_with_an_undo() {
    an_undo_goes_on_after_what_it_has_done(Dialect::Postgres).await;
}

#[tokio::test]
async fn sqlite_goes_on_with_an_undo() {
    an_undo_goes_on_after_what_it_has_done(Dialect::Sqlite).await;
}

fn unique_index() -> Migration {
    let mut version = Version::of(Dialect::Postgres);
    let step = version.step(
        Section::Expand,
        Direction::Up,
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"users Age\" ON users (age);",
    );
    step.transactional = false;
    step.blocks_writers = false;
    step.lock = String::from("SHARE UPDATE EXCLUSIVE");
    step.builds_index = Some("users Age".to_owned());
    step.index = Some(IndexDefinition {
        columns: vec!["age".to_owned()],
        unique: true,
        predicate: None,
        over: None,
    });
    let step = version.step(
        Section::Expand,
        Direction::Down,
        "DROP INDEX CONCURRENTLY IF EXISTS \"users Age\";",
    );
    step.transactional = false;
    step.undoes = Some(1);
    version.load()
}

const INDEXES: &str = "SELECT count(*) FROM pg_class WHERE relname = 'users Age'";
const VALID: &str = "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
                     WHERE relname = 'users Age' AND indisvalid";

#[tokio::test]
async fn an_invalid_index_is_dropped_and_built_again() {
    let (_target, mut connection) = with_users(Dialect::Postgres).await;
    let migration = unique_index();
    connection
        .run_file("UPDATE users SET age = '1'")
        .await
        .unwrap();
    let refused = expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, ExecutorError::Unfit { rows, .. } if rows == "3 rows of users: (1), (2), (3)"),
        "{refused}"
    );
    // It would go on refusing writes.
    assert_eq!(number(&mut connection, INDEXES).await, 0);

    // What an attempt leaves that was killed.
    connection
        .run_file("CREATE UNIQUE INDEX CONCURRENTLY \"users Age\" ON users (age)")
        .await
        .unwrap_err();
    assert_eq!(number(&mut connection, INDEXES).await, 1);
    assert_eq!(number(&mut connection, VALID).await, 0);

    connection
        .run_file("UPDATE users SET age = id")
        .await
        .unwrap();
    expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap();
    assert_eq!(number(&mut connection, VALID).await, 1);
    for (setting, default) in [("lock_timeout", "0"), ("statement_timeout", "0")] {
        let now = text(
            &mut connection,
            &format!("SELECT current_setting('{setting}')"),
        )
        .await;
        assert_eq!(now.as_deref(), Some(default));
    }

    expand(&mut connection, &migration, Direction::Down)
        .await
        .unwrap();
    assert_eq!(number(&mut connection, INDEXES).await, 0);
    expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap();
    assert_eq!(number(&mut connection, VALID).await, 1);
}

#[tokio::test]
async fn an_index_that_misses_its_deadline_leaves_nothing_behind() {
    let (target, mut connection) = with_users(Dialect::Postgres).await;
    let mut sleeper = target.open().await;
    sleeper
        .run_file("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class;")
        .await
        .unwrap();
    let migration = unique_index();
    let options = ExecutorOptions {
        deadline: Duration::from_millis(200),
        ..impatient()
    };
    let refused = expand_as(&mut connection, &migration, Direction::Up, &options)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ExecutorError::Deadline { .. }),
        "{refused}"
    );
    assert_eq!(number(&mut connection, VALID).await, 0);
    // What is left of it waits for the sleeper as well, and is on record until it is gone.
    let done = "SELECT count(*) FROM {zdm}step WHERE done_at >= 0";
    assert_eq!(number(&mut connection, done).await, 0);
    sleeper.commit().await.unwrap();
    expand(&mut connection, &migration, Direction::Up)
        .await
        .unwrap();
    assert_eq!(number(&mut connection, VALID).await, 1);
}

/// Rebuilds `users`, keeping the rows that the condition names.
fn rebuild(condition: &str) -> Migration {
    let mut version = Version::of(Dialect::Sqlite);
    let sql = format!(
        "CREATE TABLE users_new (id integer PRIMARY KEY, name text);\n\
         INSERT INTO users_new SELECT id, name FROM users WHERE {condition};\n\
         DROP TABLE users;\n\
         ALTER TABLE users_new RENAME TO users;"
    );
    let step = version.step(Section::Expand, Direction::Up, &sql);
    step.rewrites = true;
    step.expects = vec![
        "CREATE TABLE users (id bigint NOT NULL, tenant text NOT NULL, login text NOT NULL, name text NOT NULL, age text, \
         PRIMARY KEY (id))"
            .to_owned(),
    ];
    version.load()
}

#[tokio::test]
async fn a_rebuilt_table_keeps_its_references() {
    let (_target, mut connection) = with_users(Dialect::Sqlite).await;
    connection
        .run_file(
            "CREATE TABLE orders (user_id bigint REFERENCES users (id) ON DELETE CASCADE);
             INSERT INTO orders VALUES (1), (2), (2);
             PRAGMA foreign_keys = OFF; INSERT INTO orders VALUES (77); PRAGMA foreign_keys = ON;",
        )
        .await
        .unwrap();
    let refused = expand(&mut connection, &rebuild("id <> 2"), Direction::Up)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, ExecutorError::ForeignKeys { broken, .. } if *broken == ["orders → users: 2 rows"]),
        "{refused}"
    );
    assert_eq!(number(&mut connection, "PRAGMA foreign_keys").await, 1);
    assert_eq!(
        number(&mut connection, "SELECT count(age) FROM users").await,
        3
    );

    // The reference to 77 was broken before: that is not the rebuild's doing.
    expand(&mut connection, &rebuild("id > 0"), Direction::Up)
        .await
        .unwrap();
    assert_eq!(
        number(&mut connection, "SELECT count(*) FROM orders").await,
        4
    );
    assert_eq!(
        number(&mut connection, "SELECT count(name) FROM users").await,
        3
    );
    assert_eq!(number(&mut connection, "PRAGMA foreign_keys").await, 1);
    connection
        .run_file("INSERT INTO orders VALUES (78)")
        .await
        .unwrap_err();
}

/// An operator finds the gates of `contract` open, then sleeps (a closed laptop) until the claim runs out. Another one rolls
/// back and reads old again. Waking, the first one dropped old: only hops asked for the claim, not the steps.
async fn nothing_is_executed_after_the_claim_is_lost(dialect: Dialect) {
    let (target, mut connection) = with_users(dialect).await;
    let migration = two_columns(dialect).load();
    let sleeper = Lease::acquire(&mut connection, migration.id(), "sleeper")
        .await
        .unwrap();
    let mut other = target.open().await;
    let run_out = "UPDATE {zdm}operator SET lease_until = 0";
    other.execute(run_out, &[]).await.unwrap();
    let owner = Lease::acquire(&mut other, migration.id(), "other")
        .await
        .unwrap();
    let run = async |connection: &mut Connection, lease| {
        let options = ExecutorOptions {
            leases: vec![lease],
            ..impatient()
        };
        let (section, up) = (Section::Expand, Direction::Up);
        executor::run(connection, &migration, section, up, &options, &mut |_| {}).await
    };
    let refused = run(&mut connection, sleeper).await.unwrap_err();
    assert!(
        matches!(
            refused,
            ExecutorError::Overtaken {
                source: LeaseError::Lost { .. },
                ..
            }
        ),
        "{refused}"
    );
    assert_eq!(number(&mut connection, RECORDED).await, 0);
    assert_eq!(run(&mut other, owner).await.unwrap(), DONE);
}

#[tokio::test]
async fn sqlite_executes_nothing_after_the_claim_is_lost() {
    nothing_is_executed_after_the_claim_is_lost(Dialect::Sqlite).await;
}

#[tokio::test]
async fn postgres_executes_nothing_after_the_claim_is_lost() {
    nothing_is_executed_after_the_claim_is_lost(Dialect::Postgres).await;
}
