//! The audit log's chain: kept by writers at once, and broken by whoever changes what was written.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use zdm_runtime::audit::{self, Chain, Entry, Finding};
use zdm_runtime::database::{Connection, DatabaseError, Dialect, Value, control};

use crate::fixture::{Database, MIGRATION};

const WRITERS: i64 = 8;
const ROUNDS: i64 = 30;

fn entry<'a>(actor: &'a str, detail: &'a str) -> Entry<'a> {
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

async fn installed(database: &Database) -> Connection {
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

async fn chain(connection: &mut Connection) -> Chain {
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

/// Six entries, and a copy of them to begin from again.
async fn written(database: &Database) -> Connection {
    let mut connection = installed(database).await;
    for number in 1..=6 {
        let detail = format!("detail {number}");
        audit::record(&mut connection, entry("anna", &detail))
            .await
            .unwrap();
    }
    for table in ["audit", "meta"] {
        let kept = format!("CREATE TABLE kept_{table} AS SELECT * FROM {{zdm}}{table}");
        connection.execute(&kept, &[]).await.unwrap();
    }
    connection
}

/// What is found after somebody has done this.
async fn found_after(connection: &mut Connection, tampering: &[&str]) -> Vec<Finding> {
    let index = match connection.dialect() {
        Dialect::Postgres => "zdm.zdm_audit_sequence",
        Dialect::Sqlite => "zdm_audit_sequence",
    };
    // Whoever writes here can take away what stands in the way.
    let drop = format!("DROP INDEX IF EXISTS {index}");
    connection.run_file(&drop).await.unwrap();
    for sql in tampering {
        let changed = connection.execute(sql, &[]).await.unwrap();
        assert!(changed > 0, "{sql}");
    }
    let findings = chain(connection).await.findings;
    let overriding = match connection.dialect() {
        Dialect::Postgres => "OVERRIDING SYSTEM VALUE",
        Dialect::Sqlite => "",
    };
    let back = format!("INSERT INTO {{zdm}}audit {overriding} SELECT * FROM kept_audit");
    for sql in [
        "DELETE FROM {zdm}audit",
        back.as_str(),
        "DELETE FROM {zdm}meta",
        "INSERT INTO {zdm}meta SELECT * FROM kept_meta",
    ] {
        connection.execute(sql, &[]).await.unwrap();
    }
    assert_eq!(chain(connection).await.findings, []);
    findings
}

const COPIED: &str = "recorded_at, actor, database_role, migration, content_hash, action, statement, outcome, duration_ms, detail, \
                      previous_hash, entry_hash";

#[tokio::test]
async fn every_field_that_is_changed_is_found() {
    for database in [Database::postgres(), Database::sqlite()] {
        let mut connection = written(&database).await;
        let text = |entry: i64, column: &str| {
            format!("UPDATE {{zdm}}audit SET {column} = 'x' WHERE sequence = {entry}")
        };
        let changed = |sequence: i64| Finding::Changed {
            sequence,
            entry: sequence,
        };
        for column in [
            "actor",
            "database_role",
            "migration",
            "content_hash",
            "action",
            "statement",
            "outcome",
            "detail",
        ] {
            for entry in [1, 4, 6] {
                let found = found_after(&mut connection, &[&text(entry, column)]).await;
                assert_eq!(found, [changed(entry)], "{column}");
            }
        }
        for column in ["recorded_at", "duration_ms"] {
            let later =
                format!("UPDATE {{zdm}}audit SET {column} = {column} + 1 WHERE sequence = 4");
            assert_eq!(found_after(&mut connection, &[&later]).await, [changed(4)]);
        }
        for column in ["content_hash", "statement"] {
            let gone = format!("UPDATE {{zdm}}audit SET {column} = NULL WHERE sequence = 4");
            assert_eq!(found_after(&mut connection, &[&gone]).await, [changed(4)]);
        }
        for column in ["previous_hash", "entry_hash"] {
            let found = found_after(&mut connection, &[&text(4, column)]).await;
            assert!(found.contains(&changed(4)), "{column}: {found:?}");
        }
    }
}

#[tokio::test]
async fn what_is_removed_inserted_or_moved_is_found() {
    for database in [Database::postgres(), Database::sqlite()] {
        let mut connection = written(&database).await;
        let mut found = async |tampering: &[&str]| found_after(&mut connection, tampering).await;
        let removed = |from, to| vec![Finding::Removed { from, to }];

        assert_eq!(
            found(&["DELETE FROM {zdm}audit WHERE sequence = 1"]).await,
            removed(1, 1)
        );
        assert_eq!(
            found(&["DELETE FROM {zdm}audit WHERE sequence IN (3, 4)"]).await,
            removed(3, 4)
        );
        assert_eq!(
            found(&["DELETE FROM {zdm}audit WHERE sequence > 4"]).await,
            removed(5, 6)
        );
        assert_eq!(found(&["DELETE FROM {zdm}audit"]).await, removed(1, 6));
        // Whoever sets the head back as well still has to know the hash.
        let set_back = [
            "DELETE FROM {zdm}audit WHERE sequence > 4",
            "UPDATE {zdm}meta SET audit_entries = 4",
        ];
        assert_eq!(
            found(&set_back).await,
            [Finding::LastReplaced { sequence: 4 }]
        );
        for sequence in ["NULL", "4", "7", "0"] {
            let inserted = format!(
                "INSERT INTO {{zdm}}audit (sequence, {COPIED}) SELECT {sequence}, {COPIED} FROM kept_audit WHERE sequence = 3"
            );
            let found = found(&[&inserted]).await;
            assert!(
                matches!(found.as_slice(), [Finding::Inserted { entry: 7.. }]),
                "{sequence}: {found:?}"
            );
        }
        // Renumbered behind the new one, the entries are no longer those of their hashes.
        let renumbered = found(&[
            "UPDATE {zdm}audit SET sequence = sequence + 1 WHERE sequence > 3",
            "UPDATE {zdm}meta SET audit_entries = 7",
        ])
        .await;
        assert!(
            renumbered.contains(&Finding::Removed { from: 4, to: 4 }),
            "{renumbered:?}"
        );
        assert!(
            renumbered.contains(&Finding::Changed {
                sequence: 5,
                entry: 4
            }),
            "{renumbered:?}"
        );

        let swapped =
            found(&["UPDATE {zdm}audit SET sequence = 7 - sequence WHERE sequence IN (3, 4)"])
                .await;
        assert!(
            swapped.contains(&Finding::Changed {
                sequence: 3,
                entry: 4
            }),
            "{swapped:?}"
        );
        let rows_swapped = found(&[
            "UPDATE {zdm}audit SET sequence = -sequence WHERE sequence IN (3, 4)",
            "UPDATE {zdm}audit SET sequence = 7 + sequence WHERE sequence IN (-3, -4)",
        ])
        .await;
        assert!(
            rows_swapped.contains(&Finding::Moved {
                sequence: 4,
                entry: 3
            }),
            "{rows_swapped:?}"
        );

        // A chain that is sound in itself, put in the place of another's tail.
        let replaced = found(&[
            "UPDATE {zdm}audit SET detail = 'detail 5', entry_hash = 'other' WHERE sequence = 5",
        ])
        .await;
        assert!(
            replaced.contains(&Finding::Replaced {
                sequence: 6,
                entry: 6
            }),
            "{replaced:?}"
        );
        let replaced = found(&["UPDATE {zdm}meta SET audit_unchained = 1"]).await;
        assert!(
            replaced.contains(&Finding::Replaced {
                sequence: 1,
                entry: 1
            }),
            "{replaced:?}"
        );
    }
}

/// Takes away what version 5 of the control tables has added.
pub(crate) async fn age(connection: &mut Connection) {
    let index = match connection.dialect() {
        Dialect::Postgres => "DROP INDEX zdm.zdm_audit_sequence",
        Dialect::Sqlite => "DROP INDEX zdm_audit_sequence",
    };
    connection.run_file(index).await.unwrap();
    for column in [
        "database_role",
        "content_hash",
        "sequence",
        "previous_hash",
        "entry_hash",
    ] {
        let sql = format!("ALTER TABLE {{zdm}}audit DROP COLUMN {column}");
        connection.execute(&sql, &[]).await.unwrap();
    }
    for column in ["entries", "hash", "unchained", "last_unchained"] {
        let sql = format!("ALTER TABLE {{zdm}}meta DROP COLUMN audit_{column}");
        connection.execute(&sql, &[]).await.unwrap();
    }
    let approvals = "ALTER TABLE {zdm}migration DROP COLUMN taken_back_at";
    connection.execute(approvals, &[]).await.unwrap();
    let version = "UPDATE {zdm}meta SET version = 4";
    connection.execute(version, &[]).await.unwrap();
}

#[tokio::test]
async fn entries_from_before_the_chain_stay_outside_and_are_counted() {
    for database in [Database::postgres(), Database::sqlite()] {
        let mut connection = installed(&database).await;
        age(&mut connection).await;
        let old = "INSERT INTO {zdm}audit (recorded_at, actor, migration, action, outcome, duration_ms, detail) \
                   VALUES ({now}, 'old tool', '', 'step', 'done', 0, '')";
        for _ in 0..3 {
            connection.execute(old, &[]).await.unwrap();
        }
        assert_eq!(audit::verify(&mut connection).await.unwrap(), None);
        control::install(&mut connection).await.unwrap();
        let empty = chain(&mut connection).await;
        assert_eq!((empty.entries, empty.unchained), (0, 3));
        assert_eq!(empty.findings, []);
        audit::record(&mut connection, entry("new tool", ""))
            .await
            .unwrap();
        let found = chain(&mut connection).await;
        assert_eq!((found.entries, found.unchained), (1, 3));
        assert_eq!(found.findings, []);

        let removed = "DELETE FROM {zdm}audit WHERE entry = 2";
        connection.execute(removed, &[]).await.unwrap();
        let before = Finding::Before {
            expected: 3,
            found: 2,
        };
        let found = chain(&mut connection).await.findings;
        assert_eq!(found, std::slice::from_ref(&before));
        connection.execute(old, &[]).await.unwrap();
        let late = Finding::Inserted { entry: 5 };
        assert_eq!(chain(&mut connection).await.findings, [late, before]);
    }
}
