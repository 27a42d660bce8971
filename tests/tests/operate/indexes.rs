//! Indexes that are built beside running writes: what has their name, and what a killed attempt leaves.

use std::time::Duration;

use zdm_runtime::database::catalogue::{backend_pid, server_version};
use zdm_runtime::database::{Connection, Dialect};
use zdm_runtime::executor::{self, ExecutorError, ExecutorOptions, Outcome};
use zdm_runtime::facts;
use zdm_runtime::manifest::{Direction, IndexDefinition};
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;

use crate::cases::{ID, create_users};
use crate::pairs::Version;
use crate::target::{Target, number, text};

const DEFINITION: &str = "SELECT pg_get_indexdef('users_by_name'::regclass)";
const INDEXES: &str = "SELECT count(*) FROM pg_class WHERE relname = 'users_by_name'";
const RECORDED: &str = "SELECT count(*) FROM {zdm}step";
const RIGHT: &str = "CREATE INDEX users_by_name ON users (name) WHERE name <> ''";

async fn users() -> (Target, Connection) {
    let target = Target::of(Dialect::Postgres).await;
    let mut connection = target.open().await;
    create_users(&mut connection, ID, 3).await;
    connection
        .run_file("CREATE TABLE others (name text)")
        .await
        .unwrap();
    (target, connection)
}

fn partial_index() -> Migration {
    let mut version = Version::of(Dialect::Postgres);
    let step = version.step(
        Section::Expand,
        Direction::Up,
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_by_name ON users (name) WHERE name <> '';",
    );
    step.transactional = false;
    step.blocks_writers = false;
    step.builds_index = Some("users_by_name".to_owned());
    step.index = Some(IndexDefinition {
        columns: vec!["name".to_owned()],
        unique: false,
        predicate: Some("name <> ''".to_owned()),
        over: None,
    });
    let step = version.step(
        Section::Expand,
        Direction::Down,
        "DROP INDEX CONCURRENTLY IF EXISTS users_by_name;",
    );
    step.transactional = false;
    step.blocks_writers = false;
    step.undoes = Some(1);
    version.load()
}

async fn expand(
    connection: &mut Connection,
    direction: Direction,
) -> Result<Outcome, ExecutorError> {
    let options = ExecutorOptions {
        deadline: Duration::from_mins(1),
        ..ExecutorOptions::of("test")
    };
    executor::run(
        connection,
        &partial_index(),
        Section::Expand,
        direction,
        &options,
        &mut |_| {},
    )
    .await
}

#[tokio::test]
async fn what_else_has_the_name_is_neither_taken_over_nor_dropped() {
    let (_target, mut connection) = users().await;
    for other in [
        "CREATE INDEX users_by_name ON others (name) WHERE name <> ''",
        "CREATE INDEX users_by_name ON users (age) WHERE name <> ''",
        "CREATE INDEX users_by_name ON users (name, age) WHERE name <> ''",
        "CREATE UNIQUE INDEX users_by_name ON users (name) WHERE name <> ''",
        "CREATE INDEX users_by_name ON users (name)",
        "CREATE INDEX users_by_name ON users (name) WHERE name <> 'ada'",
        "CREATE INDEX users_by_name ON users (lower(name)) WHERE name <> ''",
        "CREATE INDEX users_by_name ON users (name DESC) WHERE name <> ''",
        "CREATE INDEX users_by_name ON users USING hash (name) WHERE name <> ''",
        "CREATE INDEX users_by_name ON users (name) INCLUDE (age) WHERE name <> ''",
    ] {
        connection.run_file(other).await.unwrap();
        let before = text(&mut connection, DEFINITION).await.unwrap();
        let refused = expand(&mut connection, Direction::Up).await.unwrap_err();
        assert!(
            matches!(&refused, ExecutorError::OtherIndex { found, .. } if *found == before),
            "{other}: {refused}"
        );
        assert_eq!(number(&mut connection, RECORDED).await, 0, "{other}");
        assert_eq!(text(&mut connection, DEFINITION).await.unwrap(), before);

        // In its place after the step was done: the way back does not take it along.
        connection
            .run_file("DROP INDEX users_by_name")
            .await
            .unwrap();
        expand(&mut connection, Direction::Up).await.unwrap();
        let instead = format!("DROP INDEX users_by_name; {other}");
        connection.run_file(&instead).await.unwrap();
        let refused = expand(&mut connection, Direction::Down).await.unwrap_err();
        assert!(
            matches!(&refused, ExecutorError::OtherIndex { .. }),
            "{other}: {refused}"
        );
        assert_eq!(text(&mut connection, DEFINITION).await.unwrap(), before);
        connection
            .run_file("DROP INDEX users_by_name")
            .await
            .unwrap();
        expand(&mut connection, Direction::Down).await.unwrap();
    }
}

#[tokio::test]
async fn a_table_of_the_name_is_no_index() {
    let (_target, mut connection) = users().await;
    connection
        .run_file("CREATE TABLE users_by_name (id int)")
        .await
        .unwrap();
    let refused = expand(&mut connection, Direction::Up).await.unwrap_err();
    assert!(
        matches!(&refused, ExecutorError::OtherIndex { .. }),
        "{refused}"
    );
    assert_eq!(number(&mut connection, INDEXES).await, 1);
}

/// An invalid index of somebody else's may be one that is being built now.
#[tokio::test]
async fn an_invalid_index_of_another_table_stays() {
    let (_target, mut connection) = users().await;
    connection
        .run_file("INSERT INTO others VALUES ('ada'), ('ada')")
        .await
        .unwrap();
    connection
        .run_file("CREATE UNIQUE INDEX CONCURRENTLY users_by_name ON others (name)")
        .await
        .unwrap_err();
    let refused = expand(&mut connection, Direction::Up).await.unwrap_err();
    assert!(
        matches!(&refused, ExecutorError::OtherIndex { found, .. } if found.ends_with("invalid")),
        "{refused}"
    );
    assert_eq!(number(&mut connection, INDEXES).await, 1);
}

/// What a kill leaves between the end of the build and its record.
async fn killed_before_the_record(connection: &mut Connection) {
    expand(connection, Direction::Up).await.unwrap();
    connection
        .execute("UPDATE {zdm}step SET done_at = -1", &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn an_index_that_was_built_and_not_recorded_is_recorded_or_dropped() {
    let (_target, mut connection) = users().await;
    for _ in 0..2 {
        killed_before_the_record(&mut connection).await;
        let migration = partial_index();
        let facts = facts::collect(&mut connection, migration.manifest())
            .await
            .unwrap();
        let facts::Fact::Known(sections) = facts.sections else {
            panic!("{facts:?}");
        };
        assert_eq!(sections[&Section::Expand].done, 0);
        assert_eq!(sections[&Section::Expand].to_undo(), 1);
        let again = expand(&mut connection, Direction::Up).await.unwrap();
        assert_eq!((again.executed, again.already_done), (1, 0));
        assert_eq!(
            text(&mut connection, DEFINITION).await.unwrap(),
            written(&mut connection).await
        );

        killed_before_the_record(&mut connection).await;
        let undone = expand(&mut connection, Direction::Down).await.unwrap();
        assert_eq!(undone.executed, 1);
        assert_eq!(number(&mut connection, INDEXES).await, 0);
        assert_eq!(number(&mut connection, RECORDED).await, 0);
    }
}

/// As the database writes what is right.
async fn written(connection: &mut Connection) -> String {
    connection
        .run_file(&format!("DROP INDEX users_by_name; {RIGHT}"))
        .await
        .unwrap();
    text(connection, DEFINITION).await.unwrap()
}

/// The record that it begins is there before the build, so that a kill in between is told.
#[tokio::test]
async fn a_build_that_has_begun_is_on_record() {
    let (target, mut connection) = users().await;
    let mut sleeper = target.open().await;
    sleeper
        .run_file("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class;")
        .await
        .unwrap();
    let building = tokio::spawn(async move { expand(&mut connection, Direction::Up).await });
    let mut other = target.open().await;
    while number(&mut other, INDEXES).await == 0 {
        assert!(!building.is_finished(), "{:?}", building.await);
        tokio::task::yield_now().await;
    }
    let begun = "SELECT count(*) FROM {zdm}step WHERE done_at < 0";
    assert_eq!(number(&mut other, begun).await, 1);
    sleeper.commit().await.unwrap();
    building.await.unwrap().unwrap();
    assert_eq!(number(&mut other, begun).await, 0);
    assert_eq!(number(&mut other, RECORDED).await, 1);
}

#[tokio::test]
async fn a_build_tells_whose_transaction_it_waits_out() {
    let (target, mut connection) = users().await;
    let pid = backend_pid(&mut connection).await.unwrap();
    let mut looker = target.open().await;
    assert_eq!(executor::building(&mut looker, pid).await.unwrap(), None);
    let mut old = target.open().await;
    old.run_file("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await
        .unwrap();
    number(&mut old, "SELECT count(*) FROM users").await;
    let holder = backend_pid(&mut old).await.unwrap();
    let built = tokio::spawn(async move { expand(&mut connection, Direction::Up).await.unwrap() });
    let told = loop {
        match executor::building(&mut looker, pid).await.unwrap() {
            Some(building) if building.waits_for == Some(holder) => break building.to_string(),
            _ => tokio::task::yield_now().await,
        }
    };
    assert!(
        told.ends_with(&format!("waits for the transaction of pid {holder}")),
        "{told}"
    );
    old.rollback().await.unwrap();
    assert_eq!(built.await.unwrap().executed, 1);
    assert_eq!(executor::building(&mut looker, pid).await.unwrap(), None);
}

#[tokio::test]
async fn an_index_of_a_partitioned_table_is_built_by_hand_and_then_found() {
    let target = Target::of(Dialect::Postgres).await;
    let mut connection = target.open().await;
    connection
        .run_file(
            "CREATE TABLE users (id bigint NOT NULL, name text NOT NULL) PARTITION BY RANGE (id);
             CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (0) TO (100);
             CREATE TABLE users_high PARTITION OF users FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id);
             CREATE TABLE users_highest PARTITION OF users_high FOR VALUES FROM (150) TO (200)",
        )
        .await
        .unwrap();
    let refused = expand(&mut connection, Direction::Up).await.unwrap_err();
    let ExecutorError::Partitioned { statements, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(statements.len(), 7, "{refused}");
    assert_eq!(number(&mut connection, RECORDED).await, 0);
    for statement in statements {
        connection.run_file(statement).await.unwrap();
    }
    assert_eq!(
        expand(&mut connection, Direction::Up)
            .await
            .unwrap()
            .executed,
        1
    );
    assert_eq!(number(&mut connection, RECORDED).await, 1);
    let of_parts = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'users_by_name'::regclass";
    assert_eq!(number(&mut connection, of_parts).await, 2);
}

/// From PostgreSQL 15 on.
async fn knows_alike_nulls(connection: &mut Connection) -> bool {
    server_version(connection).await.unwrap() >= Some(150_000)
}

/// By whatever the index tells rows apart: the server names one value of them.
#[tokio::test]
async fn rows_that_a_unique_index_refuses_are_named() {
    let (_target, mut connection) = users().await;
    let nullable = "ALTER TABLE users ALTER COLUMN name DROP NOT NULL";
    connection.run_file(nullable).await.unwrap();
    for (over, name, rows) in [
        (
            "(name) NULLS NOT DISTINCT",
            "CASE id WHEN 2 THEN 'b' END",
            "2 rows of users: (1), (3)",
        ),
        (
            "(lower(name), (id > 0))",
            "CASE id WHEN 1 THEN 'b' WHEN 2 THEN 'A' ELSE 'a' END",
            "2 rows of users: (2), (3)",
        ),
        (
            "(lower(name))",
            "CASE id WHEN 1 THEN 'a' WHEN 2 THEN 'A' END",
            "2 rows of users: (1), (2)",
        ),
        (
            "((name = 'a') DESC) INCLUDE (name) NULLS NOT DISTINCT WHERE id > 1",
            "CASE id WHEN 1 THEN 'a' END",
            "2 rows of users: (2), (3)",
        ),
    ] {
        if over.contains("NULLS NOT DISTINCT") && !knows_alike_nulls(&mut connection).await {
            eprintln!("skipped, this server does not know it: {over}");
            continue;
        }
        let set = format!("UPDATE users SET name = {name}");
        connection.run_file(&set).await.unwrap();
        let mut version = Version::of(Dialect::Postgres);
        let sql = format!(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_by_name ON users {over};"
        );
        let step = version.step(Section::Expand, Direction::Up, &sql);
        step.transactional = false;
        step.blocks_writers = false;
        step.builds_index = Some("users_by_name".to_owned());
        step.index = Some(IndexDefinition {
            columns: Vec::new(),
            unique: true,
            predicate: None,
            over: Some(over.to_owned()),
        });
        let refused = executor::run(
            &mut connection,
            &version.load(),
            Section::Expand,
            Direction::Up,
            &ExecutorOptions::of("test"),
            &mut |_| {},
        )
        .await
        .unwrap_err();
        assert!(
            matches!(&refused, ExecutorError::Unfit { rows: told, .. } if told == rows),
            "{over}: {refused}"
        );
        let drop = "DROP INDEX IF EXISTS users_by_name";
        connection.run_file(drop).await.unwrap();
        connection
            .execute("DELETE FROM {zdm}step", &[])
            .await
            .unwrap();
    }
}
