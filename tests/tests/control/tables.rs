//! The control tables: installed once, brought up to date from an older version, left alone where they are newer.

use zdm_runtime::audit::{self, Finding};
use zdm_runtime::database::control::{self, Installed};
use zdm_runtime::database::{Connection, Dialect};
use zdm_runtime::{Error, Zdm, history};

use crate::audit::{chain, entry, installed};
use crate::fixture::{Database, TRANSITION};

#[tokio::test]
async fn installing_twice_or_from_two_sides_at_once_is_installing_once() {
    for database in [Database::postgres(), Database::sqlite()] {
        let (mut first, mut second) = (database.connection().await, database.connection().await);
        let (one, other) =
            tokio::join!(control::install(&mut first), control::install(&mut second));
        one.unwrap();
        other.unwrap();
        control::install(&mut first).await.unwrap();
        let rows = first
            .query("SELECT version FROM {zdm}meta", &[])
            .await
            .unwrap();
        assert_eq!(rows, vec![vec![control::VERSION.into()]]);
    }
}

/// What versions 2 to 4 have added.
const ADDED: [(&str, &str); 9] = [
    ("migration", "rolled_back_at"),
    ("migration", "rolled_back_to"),
    ("chunk", "throttle"),
    ("verification", "cursor_table"),
    ("verification", "cursor_key"),
    ("verification", "lease_owner"),
    ("verification", "lease_epoch"),
    ("verification", "lease_until"),
    ("verification", "repaired"),
];

/// Applications go on with the tables of an older tool; the next `expand` adds what is missing.
#[tokio::test]
async fn control_tables_of_an_older_version_are_brought_up_to_date() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut connection = database.connection().await;
        age(&mut connection).await;
        for (table, column) in ADDED {
            let sql = format!("ALTER TABLE {{zdm}}{table} DROP COLUMN {column}");
            connection.execute(&sql, &[]).await.unwrap();
        }
        let first = "UPDATE {zdm}meta SET version = 1";
        connection.execute(first, &[]).await.unwrap();
        let zdm = database.zdm(&TRANSITION).await;
        let found = control::installed_version(&mut connection).await.unwrap();
        assert_eq!(found, Installed::Outdated(1));
        control::install(&mut connection).await.unwrap();
        let found = control::installed_version(&mut connection).await.unwrap();
        assert_eq!(found, Installed::Ready);
        let recorded = history::list(&mut connection).await.unwrap();
        assert!(recorded.iter().all(|version| !version.rolled_back));
        zdm.beat().await.unwrap();
        zdm.ready().unwrap();
    }
}

#[tokio::test]
async fn control_tables_of_a_newer_generation_are_left_alone() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut connection = database.connection().await;
        connection
            .execute("UPDATE {zdm}meta SET version = 9, least_runtime = 7", &[])
            .await
            .unwrap();
        let error = Zdm::connect(database.pool().await, &TRANSITION)
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::ControlTooNew {
                    version: 9,
                    least: 7,
                    ..
                }
            ),
            "{error}"
        );
        assert!(control::install(&mut connection).await.is_err());
    }
}

/// Takes away what versions 5 to 8 of the control tables have added.
async fn age(connection: &mut Connection) {
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
    for column in ["old_checksum", "new_checksum", "by_down"] {
        let sql = format!("ALTER TABLE {{zdm}}verification DROP COLUMN {column}");
        connection.execute(&sql, &[]).await.unwrap();
    }
    for (table, column) in [
        ("stage", "read_instances"),
        ("instance", "name"),
        ("instance_code", "held"),
        ("migration", "kept_until"),
    ] {
        let sql = format!("ALTER TABLE {{zdm}}{table} DROP COLUMN {column}");
        connection.execute(&sql, &[]).await.unwrap();
    }
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
