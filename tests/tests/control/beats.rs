//! Signs of life on `SQLite`: they are writes to the application's own file, so there are few.

use sqlx::Connection as _;
use zdm_runtime::hop::Target;
use zdm_runtime::{Stage, Zdm, fleet};

use crate::fixture::{BEFORE, Database, MIGRATION, Operator, TRANSITION};

async fn lease_left(operator: &mut Operator) -> i64 {
    operator
        .number("SELECT lease_until - {now} FROM {zdm}instance")
        .await
}

/// Any write makes a transaction that has read fail at its first own write: `database is locked` (517, `SQLITE_BUSY_SNAPSHOT`).
#[tokio::test]
async fn a_transaction_that_has_read_can_write_whatever_the_beats() {
    let database = Database::sqlite().expanded().await;
    let zdm = database.zdm(&BEFORE).await;
    zdm.beat().await.unwrap();
    let mut application = sqlx::SqliteConnection::connect(&database.url())
        .await
        .unwrap();
    let mut transaction = application.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM users")
        .execute(&mut *transaction)
        .await
        .unwrap();
    for _ in 0..5 {
        zdm.beat().await.unwrap();
    }
    sqlx::query("INSERT INTO users (id) VALUES (1)")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_lease_is_kept_and_is_short_while_a_migration_moves() {
    const SHORT: std::ops::RangeInclusive<i64> = 0..=10_000;
    let database = Database::sqlite().expanded().await;
    let mut operator = Operator::of(&database).await;

    let quiet: Zdm = database.zdm(&BEFORE).await;
    quiet.beat().await.unwrap();
    assert!(!SHORT.contains(&lease_left(&mut operator).await));
    for almost_over in ["{now} + 1000", "0"] {
        let sql = format!("UPDATE {{zdm}}instance SET lease_until = {almost_over}");
        operator.connection.execute(&sql, &[]).await.unwrap();
        quiet.beat().await.unwrap();
        assert!(!SHORT.contains(&lease_left(&mut operator).await));
    }
    quiet.close().await.unwrap();

    let moving = database.zdm(&TRANSITION).await;
    let long = "UPDATE {zdm}instance SET lease_until = {now} + 60000";
    operator.connection.execute(long, &[]).await.unwrap();
    moving.beat().await.unwrap();
    assert!(SHORT.contains(&lease_left(&mut operator).await));
    operator
        .advance(Target::stage(Stage::DualWrite))
        .await
        .unwrap();
    moving.beat().await.unwrap();
    let members = fleet::members(&mut operator.connection, MIGRATION)
        .await
        .unwrap();
    assert!(members[0].living && members[0].behind == 0, "{members:?}");
}
