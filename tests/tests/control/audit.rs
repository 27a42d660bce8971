//! The audit log's chain, kept by writers at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use zdm_runtime::audit::{self, Chain, Entry};
use zdm_runtime::database::{Connection, DatabaseError, Dialect, Value, control};

use crate::fixture::{Database, MIGRATION};

const WRITERS: i64 = 8;
const ROUNDS: i64 = 30;

pub(crate) fn entry<'a>(actor: &'a str, detail: &'a str) -> Entry<'a> {
    Entry {
        actor,
        migration: MIGRATION,
        content_hash: Some("content"),
        action: "step",
        statement: Some("SELECT 1"),
        outcome: "done",
        duration: Duration::from_millis(7),
        detail,
    }
}

pub(crate) async fn installed(database: &Database) -> Connection {
    let mut connection = database.connection().await;
    control::install(&mut connection).await.unwrap();
    connection
        .run_file("CREATE TABLE work (id bigint PRIMARY KEY, done bigint NOT NULL)")
        .await
        .unwrap();
    let rows =
        "INSERT INTO work VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0)";
    connection.run_file(rows).await.unwrap();
    connection
}

pub(crate) async fn chain(connection: &mut Connection) -> Chain {
    audit::verify(connection).await.unwrap().unwrap()
}

/// One writer: entries of their own, entries with a row's lock, with the whole table's, and transactions that come to nothing. What
/// it appended, in its order.
async fn write(mut connection: Connection, writer: i64, start: Arc<Barrier>) -> Vec<String> {
    let actor = format!("writer {writer}");
    let mut kept = Vec::new();
    start.wait().await;
    for round in 0..ROUNDS {
        let detail = format!("{writer}/{round}");
        let (row, keeps) = ((writer + round) % WRITERS, round % 5 != 4);
        if round % 3 == 0 {
            audit::record(&mut connection, entry(&actor, &detail))
                .await
                .unwrap();
            kept.push(detail);
            continue;
        }
        connection.begin().await.unwrap();
        if round % 3 == 1 && connection.dialect() == Dialect::Postgres {
            let lock = "LOCK TABLE work IN ACCESS EXCLUSIVE MODE";
            connection.run_file(lock).await.unwrap();
        }
        let change = "UPDATE work SET done = done + 1 WHERE id = $1";
        connection.execute(change, &[row.into()]).await.unwrap();
        audit::append(&mut connection, entry(&actor, &detail))
            .await
            .unwrap();
        if keeps {
            connection.commit().await.unwrap();
            kept.push(detail);
        } else {
            connection.rollback().await.unwrap();
        }
    }
    kept
}

async fn writers_at_once_keep_one_chain(database: Database) {
    let mut connection = installed(&database).await;
    let start = Arc::new(Barrier::new(usize::try_from(WRITERS).unwrap()));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let connection = database.connection().await;
        writers.push(tokio::spawn(write(connection, writer, start.clone())));
    }
    let mut entries = 0;
    for (writer, task) in writers.into_iter().enumerate() {
        let kept = task.await.unwrap();
        let found = connection
            .query(
                "SELECT detail FROM {zdm}audit WHERE actor = $1 ORDER BY sequence",
                &[format!("writer {writer}").into()],
            )
            .await
            .unwrap();
        let expected: Vec<_> = kept
            .iter()
            .map(|detail| vec![detail.as_str().into()])
            .collect();
        assert_eq!(found, expected);
        entries += i64::try_from(kept.len()).unwrap();
    }
    let found = chain(&mut connection).await;
    assert_eq!((found.entries, found.unchained), (entries, 0));
    assert_eq!(found.findings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_keep_one_chain_on_postgres() {
    writers_at_once_keep_one_chain(Database::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_keep_one_chain_on_sqlite() {
    writers_at_once_keep_one_chain(Database::sqlite()).await;
}

/// A constraint that is checked at the end would wait for a row while the head is held, and its owner for the head.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_waited_for_while_the_head_is_held() {
    let database = Database::postgres();
    let mut looking = installed(&database).await;
    looking
        .run_file("CREATE TABLE child (work_id bigint REFERENCES work (id) DEFERRABLE INITIALLY DEFERRED)")
        .await
        .unwrap();
    let (mut parent, mut child) = (database.connection().await, database.connection().await);
    parent.begin().await.unwrap();
    let locked = "SELECT done FROM work WHERE id = 1 FOR UPDATE";
    parent.query(locked, &[]).await.unwrap();
    let waits = tokio::spawn(async move {
        child.begin().await?;
        child.run_file("INSERT INTO child VALUES (1)").await?;
        audit::append(&mut child, entry("child", "")).await?;
        child.commit().await
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    while looking.query(waiting, &[]).await.unwrap() != [[Value::from(1)]] {
        tokio::task::yield_now().await;
    }
    audit::append(&mut parent, entry("parent", ""))
        .await
        .unwrap();
    parent.commit().await.unwrap();
    waits.await.unwrap().unwrap();
    let found = chain(&mut looking).await;
    assert_eq!((found.entries, found.findings), (2, Vec::new()));
}

/// Whoever holds the head is cut off when it falls silent, and nobody waits for it longer than for a lock.
#[tokio::test]
async fn the_head_is_held_and_waited_for_within_limits() {
    let database = Database::postgres();
    let mut connection = installed(&database).await;
    for (set, expected) in [("0", "5s"), ("300", "300ms"), ("60000", "5s")] {
        connection.begin().await.unwrap();
        let limit = format!("SET LOCAL lock_timeout = {set}");
        connection.run_file(&limit).await.unwrap();
        audit::append(&mut connection, entry("a", ""))
            .await
            .unwrap();
        for (setting, expected) in [
            ("lock_timeout", expected),
            ("idle_in_transaction_session_timeout", "10s"),
        ] {
            let found = connection.query(&format!("SHOW {setting}"), &[]).await;
            assert_eq!(found.unwrap(), [[Value::from(expected)]]);
        }
        let mut other = database.connection().await;
        other.begin().await.unwrap();
        other.run_file("SET LOCAL lock_timeout = 1").await.unwrap();
        let refused = audit::append(&mut other, entry("b", "")).await;
        assert!(
            matches!(refused, Err(DatabaseError::Busy(_))),
            "{refused:?}"
        );
        other.rollback().await.unwrap();
        connection.commit().await.unwrap();
    }
    assert_eq!(chain(&mut connection).await.findings, []);
}
