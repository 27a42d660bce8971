//! A connection of the application itself that the control tables may be read on: inside its transaction and snapshot.

#[cfg(feature = "postgres")]
use super::postgres::Kept;
use super::{Connection, DatabaseError, Dialect, Row, Value};

/// `sqlx::PgConnection`, `sqlx::SqliteConnection`, `diesel_async::AsyncPgConnection` and [`Connection`]. Sealed: generated code names it, nobody implements it.
pub trait ControlConnection: sealed::Control {}

impl<C: sealed::Control> ControlConnection for C {}

pub(crate) mod sealed {
    use std::future::Future;

    use super::{DatabaseError, Dialect, Row, Value};

    /// Statements with [`Dialect::control`]'s words.
    pub trait Control: Send {
        /// The kind of database at the other end.
        fn dialect(&self) -> Dialect;

        /// Runs one statement and returns how many rows it changed.
        fn change(
            &mut self,
            sql: &str,
            values: &[Value],
        ) -> impl Future<Output = Result<u64, DatabaseError>> + Send;

        /// Runs one statement and returns its rows.
        fn rows(
            &mut self,
            sql: &str,
            values: &[Value],
        ) -> impl Future<Output = Result<Vec<Row>, DatabaseError>> + Send;
    }
}

#[cfg(feature = "postgres")]
impl sealed::Control for sqlx::PgConnection {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        let sql = Dialect::Postgres.control(sql);
        super::postgres::execute(self, sql, values, Kept::Yes).await
    }

    async fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        let sql = Dialect::Postgres.control(sql);
        super::postgres::query(self, sql, values, Kept::Yes).await
    }
}

#[cfg(feature = "sqlite")]
impl sealed::Control for sqlx::SqliteConnection {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        super::sqlite::execute(self, Dialect::Sqlite.control(sql), values).await
    }

    async fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        super::sqlite::query(self, Dialect::Sqlite.control(sql), values).await
    }
}

impl sealed::Control for Connection {
    fn dialect(&self) -> Dialect {
        Self::dialect(self)
    }

    async fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        self.execute(sql, values).await
    }

    async fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        self.query(sql, values).await
    }
}
