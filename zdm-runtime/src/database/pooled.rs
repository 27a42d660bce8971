//! A connection through a pooler that lends its connections to the server for a transaction at a time.
//!
//! Whatever is asked is asked inside a transaction, the statement is prepared without a name in the same one, and a setting
//! ends with it: nothing is left to the next client, and nothing of one's own is looked for where it is not.
//! Comes in and goes out: as in [`postgres`]. Must not know: what is asked.

use sqlx::PgConnection;

use super::postgres::{self, Kept};
use super::{DatabaseError, Row, Value};

/// A connection to such a pooler.
#[derive(Debug)]
pub struct Pooled {
    connection: PgConnection,
    open: Open,
}

/// Which transaction is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    None,
    /// The caller's.
    Callers,
    /// Of one statement. Met at the next one, it is what a question that nobody waited for has left.
    Own,
}

/// A row that a policy hides from this role would be passed over by a backfill and count as verified: it is an error.
const UNHIDDEN: &str = "SET LOCAL row_security = off";

impl Pooled {
    pub(super) fn new(connection: PgConnection) -> Self {
        Self {
            connection,
            open: Open::None,
        }
    }

    /// Opens the caller's transaction.
    pub(super) async fn begin(&mut self, begin: &str) -> Result<(), DatabaseError> {
        self.open(begin, Open::Callers).await
    }

    /// Ends it, by `COMMIT` or `ROLLBACK`.
    pub(super) async fn end(&mut self, end: &str) -> Result<(), DatabaseError> {
        self.open = Open::None;
        postgres::run_file(&mut self.connection, end).await
    }

    /// The connection, where the caller's transaction is open.
    #[cfg(feature = "operate")]
    pub(super) fn inside(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) async fn execute(
        &mut self,
        sql: String,
        values: &[Value],
    ) -> Result<u64, DatabaseError> {
        let own = self.enter().await?;
        let done = postgres::execute(&mut self.connection, sql, values, Kept::No).await;
        self.leave(own, done).await
    }

    pub(super) async fn query(
        &mut self,
        sql: String,
        values: &[Value],
    ) -> Result<Vec<Row>, DatabaseError> {
        let own = self.enter().await?;
        let rows = postgres::query(&mut self.connection, sql, values, Kept::No).await;
        self.leave(own, rows).await
    }

    /// The name is gone before anybody else can meet it.
    pub(super) async fn prepare(&mut self, sql: &str) -> Result<(), DatabaseError> {
        let read = format!(
            "PREPARE zdm_read AS {}\n; DEALLOCATE zdm_read",
            sql.trim_end().trim_end_matches(';')
        );
        self.run_file(&read).await
    }

    pub(super) async fn run_file(&mut self, sql: &str) -> Result<(), DatabaseError> {
        let own = self.enter().await?;
        let done = postgres::run_file(&mut self.connection, sql).await;
        self.leave(own, done).await
    }

    /// As [`postgres::query_only`]: the transaction is its own.
    #[cfg(feature = "operate")]
    pub(super) async fn query_only(
        &mut self,
        preparation: &str,
        query: &str,
        values: &[Value],
        deadline: std::time::Duration,
    ) -> Result<Vec<Row>, DatabaseError> {
        let preparation = format!("{UNHIDDEN};\n{preparation}");
        postgres::query_only(
            &mut self.connection,
            &preparation,
            query,
            values,
            deadline,
            Kept::No,
        )
        .await
    }

    async fn enter(&mut self) -> Result<bool, DatabaseError> {
        if self.open == Open::Callers {
            return Ok(false);
        }
        self.open("BEGIN", Open::Own).await?;
        Ok(true)
    }

    async fn leave<T>(
        &mut self,
        own: bool,
        done: Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        if !own {
            return done;
        }
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.end(end).await;
        done.and_then(|done| ended.map(|()| done))
    }

    async fn open(&mut self, begin: &str, whose: Open) -> Result<(), DatabaseError> {
        if self.open == Open::Own {
            self.end("ROLLBACK").await?;
        }
        self.open = whose;
        let all = format!("{begin}; {UNHIDDEN}");
        let done = postgres::run_file(&mut self.connection, &all).await;
        if done.is_err() {
            self.open = Open::None;
        }
        done
    }
}
