//! A connection of the command line, whatever stands between.

use zdm_runtime::database::{Connection, Value};
use zdm_tests::pgbouncer::PgBouncer;
use zdm_tests::postgres::Server;

use crate::KEPT;

async fn value(connection: &mut Connection, sql: &str) -> Value {
    let rows = connection.query(sql, &[]).await.unwrap();
    rows.into_iter().flatten().next().expect("a value")
}

#[tokio::test]
async fn a_setting_and_a_statement_end_with_their_transaction() {
    let server = Server::start();
    let direct = server.database("app");
    assert!(!Connection::open(&direct).await.unwrap().is_pooled());
    let pooler = PgBouncer::before(&server);
    let before = pooler.in_each_session("app", KEPT).await;
    let mut connection = Connection::open(&pooler.url("app")).await.unwrap();
    assert!(connection.is_pooled());

    // Another session for each transaction, and the same for all of one.
    let pid = "SELECT pg_backend_pid()";
    let first = value(&mut connection, pid).await;
    assert_ne!(value(&mut connection, pid).await, first);
    connection.begin().await.unwrap();
    let first = value(&mut connection, pid).await;
    assert_eq!(value(&mut connection, pid).await, first);
    connection
        .run_file("SET LOCAL lock_timeout = 77")
        .await
        .unwrap();
    assert_eq!(
        value(&mut connection, "SHOW lock_timeout").await,
        "77ms".into()
    );
    connection.commit().await.unwrap();

    // A hidden row is an error, in and out of a transaction of the caller's.
    for sql in [
        "SHOW row_security",
        "SELECT current_setting('row_security')",
    ] {
        assert_eq!(value(&mut connection, sql).await, "off".into());
        connection.begin_snapshot().await.unwrap();
        assert_eq!(value(&mut connection, sql).await, "off".into());
        connection.rollback().await.unwrap();
    }
    let read = connection
        .query_only(
            "SET LOCAL jit = off;",
            "SELECT $1 || current_setting('row_security')",
            &["is ".into()],
            std::time::Duration::from_secs(9),
        )
        .await
        .unwrap();
    assert_eq!(read, [[Value::from("is off")]]);
    connection.prepare_file("SELECT $1 + 1;\n").await.unwrap();
    assert!(
        connection
            .prepare_file("SELECT $1 + missing")
            .await
            .is_err()
    );
    assert!(connection.run_file("SELECT 1; SELECT 1 / 0").await.is_err());
    connection
        .run_file("CREATE TABLE kept (n bigint); INSERT INTO kept VALUES (1)")
        .await
        .unwrap();
    let changed = connection
        .execute("UPDATE kept SET n = $1", &[2.into()])
        .await;
    assert_eq!(changed.unwrap(), 1);
    drop(connection);
    assert_eq!(pooler.in_each_session("app", KEPT).await, before);
}

/// The next question is not asked inside the transaction of one that nobody waited for.
#[tokio::test]
async fn a_question_that_is_given_up_leaves_no_transaction() {
    let server = Server::start();
    server.database("app");
    let pooler = PgBouncer::before(&server);
    let mut connection = Connection::open(&pooler.url("app")).await.unwrap();
    connection
        .run_file("CREATE TABLE kept (n bigint)")
        .await
        .unwrap();
    let given_up = tokio::time::timeout(
        std::time::Duration::from_millis(200),
        connection.query("SELECT pg_sleep(1)::text", &[]),
    );
    assert!(given_up.await.is_err());
    connection
        .execute("INSERT INTO kept VALUES (1)", &[])
        .await
        .unwrap();
    drop(connection);
    let mut other = Connection::open(&pooler.url("app")).await.unwrap();
    assert_eq!(
        value(&mut other, "SELECT count(*) FROM kept").await,
        1.into()
    );
}
