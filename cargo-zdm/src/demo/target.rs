//! The database that the demo runs on: found free of an earlier demo's tables, left as it was found.
//!
//! Comes in: a URL, or none for an embedded `SQLite` file in a folder of its own. Goes out: the URL and the clean-up.
//! Must not know: the migration's steps, the load.

use tempfile::TempDir;
use zdm_runtime::database::{Connection, Dialect, Value};
use zdm_runtime::operator::VERSIONS;

use super::error::DemoError;
use super::oracle;
use crate::context::shown_url;

/// The demo's own table, as its models name it.
pub(super) const TABLE: &str = "cargo_zdm_demo_users";

/// Control tables that hold rows of a migration, and those that hold rows of a table.
const OF_MIGRATION: [&str; 8] = [
    "stage",
    "stage_table",
    "step",
    "chunk",
    "quarantine",
    "verification",
    "mismatch",
    "operator",
];

/// A database, and what it held before.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) dialect: Dialect,
    folder: Option<TempDir>,
    had_control: bool,
}

impl Target {
    /// Looks whether the demo may use the database.
    pub(super) async fn prepare(url: Option<&str>) -> Result<Self, DemoError> {
        let (url, folder) = if let Some(url) = url {
            (url.to_owned(), None)
        } else {
            let folder = temporary_folder()?;
            let file = folder.path().join("demo.db");
            (format!("sqlite://{}", file.display()), Some(folder))
        };
        let mut connection = Connection::open(&url).await?;
        for table in [TABLE, oracle::TABLE] {
            if has_table(&mut connection, table).await? {
                return Err(DemoError::TableExists(table.to_owned()));
            }
        }
        let had_control = has_control(&mut connection).await?;
        Ok(Self {
            url,
            dialect: connection.dialect(),
            folder,
            had_control,
        })
    }

    /// The URL as it may be printed.
    pub(super) fn shown(&self) -> String {
        shown_url(&self.url)
    }

    /// Leaves everything for whoever wants to look at it.
    pub(super) fn keep(&mut self) {
        if let Some(folder) = &mut self.folder {
            folder.disable_cleanup(true);
        }
    }

    /// Takes away what the demo made. Control tables that were there before lose the demo's rows, except those of the audit
    /// log, which is only ever appended to.
    pub(super) async fn clean(&self, migrations: &[String]) -> Result<(), DemoError> {
        if self.folder.is_some() {
            return Ok(());
        }
        let mut connection = Connection::open(&self.url).await?;
        for table in [TABLE, oracle::TABLE] {
            connection
                .run_file(&format!("DROP TABLE IF EXISTS {table}"))
                .await?;
        }
        if self.had_control {
            forget(&mut connection, migrations).await
        } else {
            drop_control(&mut connection).await
        }
    }
}

/// A folder that goes with its value.
pub(super) fn temporary_folder() -> Result<TempDir, DemoError> {
    tempfile::Builder::new()
        .prefix("zdm-demo-")
        .tempdir()
        .map_err(|error| DemoError::File {
            path: std::env::temp_dir().display().to_string(),
            error,
        })
}

async fn forget(connection: &mut Connection, migrations: &[String]) -> Result<(), DemoError> {
    for migration in migrations {
        drop_functions(connection, migration).await?;
        let id = [Value::from(migration.as_str())];
        for table in OF_MIGRATION {
            let sql = format!("DELETE FROM {{zdm}}{table} WHERE migration = $1");
            connection.execute(&sql, &id).await?;
        }
        connection
            .execute(
                "DELETE FROM {zdm}instance WHERE instance IN
                     (SELECT instance FROM {zdm}instance_code WHERE migration = $1)",
                &id,
            )
            .await?;
        for table in ["instance_code", "migration"] {
            let sql = format!("DELETE FROM {{zdm}}{table} WHERE migration = $1");
            connection.execute(&sql, &id).await?;
        }
    }
    // Nobody's at present: the next command that claims the versions writes it anew.
    connection
        .execute(
            "DELETE FROM {zdm}operator WHERE migration = $1 AND lease_until < {now}",
            &[VERSIONS.into()],
        )
        .await?;
    for table in ["instance_fence", "fence"] {
        let sql = format!("DELETE FROM {{zdm}}{table} WHERE table_name = $1");
        connection.execute(&sql, &[TABLE.into()]).await?;
    }
    Ok(())
}

/// An interrupted migration leaves the functions behind that convert its values.
async fn drop_functions(connection: &mut Connection, migration: &str) -> Result<(), DemoError> {
    if connection.dialect() != Dialect::Postgres {
        return Ok(());
    }
    let functions = connection
        .query(
            "SELECT oid::regprocedure::text FROM pg_proc
             WHERE pronamespace = 'zdm'::regnamespace::oid AND starts_with(proname::text, $1)",
            &[format!("{migration}_").into()],
        )
        .await?;
    for function in functions.iter().flatten() {
        if let Value::Text(Some(function)) = function {
            connection
                .run_file(&format!("DROP FUNCTION {function}"))
                .await?;
        }
    }
    Ok(())
}

async fn drop_control(connection: &mut Connection) -> Result<(), DemoError> {
    match connection.dialect() {
        Dialect::Postgres => {
            connection
                .run_file("DROP SCHEMA IF EXISTS zdm CASCADE")
                .await?;
        }
        Dialect::Sqlite => {
            let tables = connection
                .query(
                    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'zdm\\_%' ESCAPE '\\'",
                    &[],
                )
                .await?;
            for table in tables.iter().flatten() {
                if let Value::Text(Some(table)) = table {
                    connection
                        .run_file(&format!("DROP TABLE IF EXISTS \"{table}\""))
                        .await?;
                }
            }
        }
    }
    Ok(())
}

async fn has_control(connection: &mut Connection) -> Result<bool, DemoError> {
    let sql = match connection.dialect() {
        Dialect::Postgres => "SELECT count(*) FROM pg_namespace WHERE nspname = 'zdm'",
        Dialect::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name = 'zdm_meta'",
    };
    let found = connection.query(sql, &[]).await?;
    Ok(found != [[Value::from(0)]])
}

async fn has_table(connection: &mut Connection, table: &str) -> Result<bool, DemoError> {
    let sql = match connection.dialect() {
        Dialect::Postgres => {
            "SELECT count(*) FROM pg_class WHERE oid = CAST(pg_catalog.to_regclass($1) AS oid)"
        }
        Dialect::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name = $1",
    };
    let found = connection.query(sql, &[table.into()]).await?;
    Ok(found != [[Value::from(0)]])
}
