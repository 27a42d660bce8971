//! Forward over an undo that has begun and not ended, by a step that takes away what was put back.

use zdm_runtime::database::{Connection, Dialect};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;

use crate::executor::{RECORDED, expand, with_users};
use crate::pairs::Version;
use crate::target::number;

/// Drops an index, whose undo has a second statement.
fn dropping(dialect: Dialect) -> Migration {
    let mut version = Version::of(dialect);
    let up = "DROP INDEX IF EXISTS by_name; DELETE FROM ready;";
    version.step(Section::Expand, Direction::Up, up).repeatable = true;
    for sql in [
        "CREATE INDEX by_name ON users (age);",
        "INSERT INTO obstacle VALUES (1);",
    ] {
        version.step(Section::Expand, Direction::Down, sql).undoes = Some(1);
    }
    version.load()
}

async fn run(connection: &mut Connection, sql: &str) {
    connection.run_file(sql).await.unwrap();
}

/// The undo fails at its second statement, and only there: the first one is not done twice.
async fn fails_at_the_obstacle(connection: &mut Connection, migration: &Migration) {
    let failed = expand(connection, migration, Direction::Down).await;
    let failed = failed.unwrap_err().to_string();
    assert!(failed.contains("obstacle"), "{failed}");
    assert_eq!(
        number(connection, RECORDED).await,
        2,
        "the step, and half of its undo"
    );
}

async fn forward_leads_over_half_an_undo(dialect: Dialect) {
    let (_target, mut connection) = with_users(dialect).await;
    let connection = &mut connection;
    let migration = dropping(dialect);
    run(connection, "CREATE TABLE ready (id integer)").await;
    expand(connection, &migration, Direction::Up).await.unwrap();
    fails_at_the_obstacle(connection, &migration).await;

    // Forward fails as well: what was put back is there, and so is its record.
    run(connection, "DROP TABLE ready").await;
    expand(connection, &migration, Direction::Up)
        .await
        .unwrap_err();
    fails_at_the_obstacle(connection, &migration).await;

    run(connection, "CREATE TABLE ready (id integer)").await;
    let forward = expand(connection, &migration, Direction::Up).await.unwrap();
    assert_eq!((forward.executed, forward.already_done), (1, 0));
    assert_eq!(number(connection, RECORDED).await, 1);
    let again = expand(connection, &migration, Direction::Up).await.unwrap();
    assert_eq!((again.executed, again.already_done), (0, 1));

    // The undo begins anew: what it had put back is gone.
    fails_at_the_obstacle(connection, &migration).await;
    run(connection, "CREATE TABLE obstacle (id integer)").await;
    let undone = expand(connection, &migration, Direction::Down)
        .await
        .unwrap();
    assert_eq!((undone.executed, undone.already_done), (1, 1));
    assert_eq!(number(connection, RECORDED).await, 0);
    run(connection, "DROP INDEX by_name").await;
}

#[tokio::test]
async fn postgres_leads_forward_over_half_an_undo() {
    forward_leads_over_half_an_undo(Dialect::Postgres).await;
}

#[tokio::test]
async fn sqlite_leads_forward_over_half_an_undo() {
    forward_leads_over_half_an_undo(Dialect::Sqlite).await;
}
