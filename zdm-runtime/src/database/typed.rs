//! Rows as the driver has them and arguments of any type, for values that a function of the application computes.
//!
//! Comes in: reviewed statements, inside the caller's transaction. Must not know: what is read and computed.

#[cfg(feature = "postgres")]
use sqlx::postgres::{PgArguments, PgRow};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{SqliteArguments, SqliteRow};

use super::{Connection, DatabaseError, Value};

impl Connection {
    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres_rows(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<PgRow>, DatabaseError> {
        use super::postgres::{self, Kept};
        match self {
            Self::Postgres(connection) => postgres::rows(connection, sql, values, Kept::Yes).await,
            Self::Pooled(connection) => {
                postgres::rows(connection.inside(), sql, values, Kept::No).await
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Err(another_kind()),
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres_change(
        &mut self,
        sql: &str,
        arguments: PgArguments,
    ) -> Result<u64, DatabaseError> {
        use super::postgres::{self, Kept};
        match self {
            Self::Postgres(connection) => {
                postgres::change(connection, sql, arguments, Kept::Yes).await
            }
            Self::Pooled(connection) => {
                postgres::change(connection.inside(), sql, arguments, Kept::No).await
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Err(another_kind()),
        }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) async fn sqlite_rows(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<SqliteRow>, DatabaseError> {
        match self {
            Self::Sqlite(connection) => super::sqlite::rows(connection, sql, values).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) | Self::Pooled(_) => Err(another_kind()),
        }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) async fn sqlite_change(
        &mut self,
        sql: &str,
        arguments: SqliteArguments,
    ) -> Result<u64, DatabaseError> {
        match self {
            Self::Sqlite(connection) => super::sqlite::change(connection, sql, arguments).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) | Self::Pooled(_) => Err(another_kind()),
        }
    }
}

/// The plan's dialect is compared with the connection's before anything is asked.
#[cfg(all(feature = "postgres", feature = "sqlite"))]
fn another_kind() -> DatabaseError {
    DatabaseError::Other(sqlx::Error::Configuration(
        "the function was generated for another kind of database".into(),
    ))
}
