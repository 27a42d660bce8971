//! Questions to a database that somebody else works on: they read, under a deadline, and leave nothing behind.

use std::time::Duration;

use super::{Connection, DatabaseError, Row, Value};

impl Connection {
    /// Connects without creating or changing anything, a `SQLite` file's journal included.
    pub async fn open_to_read(url: &str) -> Result<Self, DatabaseError> {
        match super::Dialect::of_url(url) {
            #[cfg(feature = "sqlite")]
            Some(super::Dialect::Sqlite) => {
                super::sqlite::open_to_read(url).await.map(Self::Sqlite)
            }
            _ => Self::open(url).await,
        }
    }

    /// Runs one query byte for byte in a transaction that is rolled back. `preparation` may create what is gone with the
    /// transaction: `PostgreSQL`'s functions in `pg_temp`. The query itself can write nothing.
    pub async fn query_only(
        &mut self,
        preparation: &str,
        query: &str,
        values: &[Value],
        deadline: Duration,
    ) -> Result<Vec<Row>, DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let kept = super::postgres::Kept::Yes;
                super::postgres::query_only(connection, preparation, query, values, deadline, kept)
                    .await
            }
            #[cfg(feature = "postgres")]
            Self::Pooled(connection) => {
                connection
                    .query_only(preparation, query, values, deadline)
                    .await
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                super::sqlite::query_only(connection, preparation, query, values, deadline).await
            }
        }
    }
}
