//! A connection that executes the statements of repositories with values whose types only the database knows.
//!
//! `PostgreSQL`: each text is prepared once per connection with the types that generated code binds, byte for byte, and executed with
//! literals; so a plan that a migration spoils fails here as it would there. `SQLite`: values are bound.
//! Must not know: tables, stages.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::collections::HashMap;
use std::time::Duration;

use zdm_runtime::database::{Connection, DatabaseError, Dialect};

use super::value::{Value, Values};

/// How long the load waits for the one write lock of `SQLite`, which is not handed over in the order of asking.
const PATIENT: Duration = Duration::from_mins(1);

/// What the connections of the load are called.
pub(super) const NAME: &str = "zdm rehearsal";

/// A named value of an answer, by column.
pub(super) type Answer = HashMap<String, Value>;

/// A connection with the statements that were prepared on it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) connection: Connection,
    url: String,
    prepared: HashMap<String, usize>,
}

impl Line {
    pub(super) async fn open(url: &str) -> Result<Self, DatabaseError> {
        Ok(Self {
            connection: connect(url).await?,
            url: url.to_owned(),
            prepared: HashMap::new(),
        })
    }

    /// Where it leads; not to be printed.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Drops the connection, whatever it was at, and opens another.
    pub(super) async fn reopen(&mut self) -> Result<(), DatabaseError> {
        self.connection = connect(&self.url).await?;
        self.prepared.clear();
        Ok(())
    }

    /// Runs a statement; the types are those of its parameters. Returns how many rows it changed.
    pub(super) async fn execute(
        &mut self,
        sql: &str,
        types: &[&str],
        values: &[Value],
    ) -> Result<u64, DatabaseError> {
        match &mut self.connection {
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => {
                let prepared = &mut self.prepared;
                postgres::execute(connection, prepared, (sql, types), values).await
            }
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => sqlite::execute(connection, sql, values).await,
            other => Err(no_driver(other, (sql, types, values))),
        }
    }

    /// Runs a query and returns its rows, each value by the name of its column.
    pub(super) async fn query(
        &mut self,
        sql: &str,
        types: &[&str],
        values: &[Value],
    ) -> Result<Vec<Answer>, DatabaseError> {
        let named = self.rows(sql, types, values).await?.into_iter();
        Ok(named.map(|row| row.into_iter().collect()).collect())
    }

    /// The same, of a query with one row: its values in their order.
    pub(super) async fn one(
        &mut self,
        sql: &str,
        types: &[&str],
        values: &[Value],
    ) -> Result<Values, DatabaseError> {
        let rows = self.rows(sql, types, values).await?;
        let first = rows.into_iter().next().unwrap_or_default().into_iter();
        Ok(first.map(|(_, value)| value).collect())
    }

    /// The rows of an answer, each value with the name of its column.
    pub(super) async fn rows(
        &mut self,
        sql: &str,
        types: &[&str],
        values: &[Value],
    ) -> Result<Vec<Named>, DatabaseError> {
        match &mut self.connection {
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => {
                let prepared = &mut self.prepared;
                postgres::rows(connection, prepared, (sql, types), values).await
            }
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => sqlite::rows(connection, sql, values).await,
            other => Err(no_driver(other, (sql, types, values))),
        }
    }
}

/// The values of a row by the names of their columns, in their order.
type Named = Vec<(String, Value)>;

/// The statement is named for a build whose driver does not look at all of it.
fn no_driver(
    connection: &Connection,
    (_sql, _types, _values): (&str, &[&str], &[Value]),
) -> DatabaseError {
    DatabaseError::NoDriver {
        scheme: connection.dialect().name().to_owned(),
        feature: connection.dialect().name().to_owned(),
    }
}

/// Whether the connection is gone.
pub(super) fn is_cut(error: &DatabaseError) -> bool {
    match error {
        DatabaseError::Lost(_)
        | DatabaseError::Other(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => true,
        DatabaseError::Other(sqlx::Error::Database(error)) => {
            error.code().as_deref() == Some("57P01")
        }
        _ => false,
    }
}

async fn connect(url: &str) -> Result<Connection, DatabaseError> {
    let mut connection = Connection::open(url).await?;
    let settings = match connection.dialect() {
        Dialect::Postgres => format!("SET application_name = '{NAME}'"),
        // A process that is killed loses nothing without the wait for the disk; only a machine that is would.
        Dialect::Sqlite => format!(
            "PRAGMA busy_timeout = {}; PRAGMA synchronous = NORMAL;",
            PATIENT.as_millis()
        ),
    };
    connection.run_file(&settings).await?;
    Ok(connection)
}
