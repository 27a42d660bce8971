//! The audit log's chain, broken by whoever changes what was written.

use zdm_runtime::audit::{self, Finding};
use zdm_runtime::database::{Connection, Dialect};

use crate::audit::{chain, entry, installed};
use crate::fixture::Database;

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
