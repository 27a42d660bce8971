//! One connection to the target database, whatever its kind: statements with text and integer values, no more.
//!
//! Control tables, phases, backfill and gates are written once on top of it. What differs between databases is in
//! one file each ([`postgres`], [`sqlite`]).

#[cfg(feature = "operate")]
pub mod blockers;
#[cfg(feature = "operate")]
pub mod catalogue;
pub mod control;
pub(crate) mod control_connection;
mod error;
#[cfg(feature = "operate")]
pub mod older_transactions;
pub(crate) mod pool;
#[cfg(feature = "postgres")]
pub mod pooled;
#[cfg(feature = "postgres")]
pub(crate) mod pooler;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "operate")]
mod reading;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "operate")]
mod typed;

use std::fmt;

pub use control_connection::ControlConnection;
pub use error::DatabaseError;
pub use pool::Pool;
#[cfg(feature = "postgres")]
use postgres::Kept;

/// Opens a transaction on `PostgreSQL` that may write, whatever the role's default.
const WRITING: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// A kind of database, named as its folder of templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `PostgreSQL` 13 and newer.
    Postgres,
    /// `SQLite` 3.42 and newer, for `unixepoch` with fractions.
    Sqlite,
}

impl Dialect {
    /// The name of its folder of templates and in `zdm.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    /// The dialect that a database URL's scheme names.
    pub fn of_url(url: &str) -> Option<Self> {
        match url.split(':').next()? {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }

    /// A control statement with its words put in: `{zdm}` the prefix of the control tables, `{now}` the database's
    /// clock in milliseconds, `{id}` the type of an ascending row number.
    pub fn control(self, statement: &str) -> String {
        let (prefix, now, id) = match self {
            Self::Postgres => (
                "zdm.",
                "(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint",
                "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            ),
            Self::Sqlite => (
                "zdm_",
                "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
                "INTEGER PRIMARY KEY AUTOINCREMENT",
            ),
        };
        statement
            .replace("{zdm}", prefix)
            .replace("{now}", now)
            .replace("{id}", id)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value that is bound or returned. The kind of a NULL matters to a typed protocol, so it is part of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An integer of up to 64 bits.
    Int(Option<i64>),
    /// Text.
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

/// One row of an answer.
pub type Row = Vec<Value>;

/// An open connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Connection {
    /// To `PostgreSQL` itself.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgConnection),
    /// To `PostgreSQL`, or so it seems, through a pooler.
    #[cfg(feature = "postgres")]
    Pooled(pooled::Pooled),
    /// To `SQLite`.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqliteConnection),
}

impl Connection {
    /// Connects to `postgres://…` or `sqlite://…`. A `SQLite` file that is not there is created, with a
    /// write-ahead log; one that is there keeps its journal.
    pub async fn open(url: &str) -> Result<Self, DatabaseError> {
        match Dialect::of_url(url) {
            #[cfg(feature = "postgres")]
            Some(Dialect::Postgres) => postgres::open(url).await,
            #[cfg(feature = "sqlite")]
            Some(Dialect::Sqlite) => sqlite::open(url).await.map(Self::Sqlite),
            _ => {
                let scheme = url.split(':').next().unwrap_or_default();
                let feature = Dialect::of_url(url).map_or(scheme, |dialect| dialect.name());
                Err(DatabaseError::NoDriver {
                    scheme: scheme.to_owned(),
                    feature: feature.to_owned(),
                })
            }
        }
    }

    /// The kind of database at the other end.
    pub fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) | Self::Pooled(_) => Dialect::Postgres,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Whether the session at the other end may be another one in each transaction, so that nothing works here that needs more
    /// than one.
    pub fn is_pooled(&self) -> bool {
        match self {
            #[cfg(feature = "postgres")]
            Self::Pooled(_) => true,
            _ => false,
        }
    }

    /// Runs one statement (with [`Dialect::control`]'s words) and returns how many rows it changed.
    pub async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        let sql = self.dialect().control(sql);
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                postgres::execute(connection, sql, values, Kept::Yes).await
            }
            #[cfg(feature = "postgres")]
            Self::Pooled(connection) => connection.execute(sql, values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::execute(connection, sql, values).await,
        }
    }

    /// Runs one statement (with [`Dialect::control`]'s words) and returns its rows.
    pub async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        let sql = self.dialect().control(sql);
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::query(connection, sql, values, Kept::Yes).await,
            #[cfg(feature = "postgres")]
            Self::Pooled(connection) => connection.query(sql, values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::query(connection, sql, values).await,
        }
    }

    /// Runs one reviewed statement byte for byte and returns how many rows it changed.
    pub async fn execute_file(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<u64, DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                postgres::execute(connection, sql.to_owned(), values, Kept::Yes).await
            }
            #[cfg(feature = "postgres")]
            Self::Pooled(connection) => connection.execute(sql.to_owned(), values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::execute_on_rows(connection, sql, values).await,
        }
    }

    /// Runs one reviewed statement byte for byte and returns its rows.
    pub async fn query_file(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<Row>, DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                postgres::query(connection, sql.to_owned(), values, Kept::Yes).await
            }
            #[cfg(feature = "postgres")]
            Self::Pooled(connection) => connection.query(sql.to_owned(), values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::query_on_rows(connection, sql, values).await,
        }
    }

    /// Has the database read one reviewed statement without running it: what it names has to be there.
    pub async fn prepare_file(&mut self, sql: &str) -> Result<(), DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::prepare(connection, sql.to_owned()).await,
            #[cfg(feature = "postgres")]
            Self::Pooled(connection) => connection.prepare(sql).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::prepare(connection, sql.to_owned()).await,
        }
    }

    /// Runs reviewed SQL byte for byte: no parameters, possibly several statements.
    pub async fn run_file(&mut self, sql: &str) -> Result<(), DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::run_file(connection, sql).await,
            #[cfg(feature = "postgres")]
            Self::Pooled(connection) => connection.run_file(sql).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::run_file(connection, sql).await,
        }
    }

    /// Opens a transaction that may write and sees what others commit meanwhile, whatever the role's default; on `SQLite` it
    /// has the only write lock.
    pub async fn begin(&mut self) -> Result<(), DatabaseError> {
        let begin = match self.dialect() {
            Dialect::Postgres => WRITING,
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        };
        self.open_transaction(begin).await
    }

    /// The same with what `SET LOCAL` takes, in one trip to the server. `SQLite` has no such settings.
    #[cfg(feature = "operate")]
    pub(crate) async fn begin_with(&mut self, settings: &[&str]) -> Result<(), DatabaseError> {
        if self.dialect() == Dialect::Sqlite {
            return self.begin().await;
        }
        let mut begin = WRITING.to_owned();
        for setting in settings {
            begin = begin + "; SET LOCAL " + setting;
        }
        self.open_transaction(&begin).await
    }

    /// Opens a transaction in which everything that is read is of one moment.
    pub async fn begin_snapshot(&mut self) -> Result<(), DatabaseError> {
        let begin = match self.dialect() {
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Dialect::Sqlite => "BEGIN",
        };
        self.open_transaction(begin).await
    }

    async fn open_transaction(&mut self, begin: &str) -> Result<(), DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Pooled(connection) => connection.begin(begin).await,
            _ => self.run_file(begin).await,
        }
    }

    async fn end_transaction(&mut self, end: &str) -> Result<(), DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Pooled(connection) => connection.end(end).await,
            _ => self.run_file(end).await,
        }
    }

    /// Commits the open transaction.
    pub async fn commit(&mut self) -> Result<(), DatabaseError> {
        self.end_transaction("COMMIT").await
    }

    /// Rolls the open transaction back.
    pub async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.end_transaction("ROLLBACK").await
    }

    /// Ends the open transaction as its outcome asks: commits it, or rolls it back and reports what failed. A connection that
    /// is gone has rolled back by itself, so a rollback that fails hides nothing.
    #[cfg(feature = "operate")]
    pub async fn end<T, E: From<DatabaseError>>(&mut self, outcome: Result<T, E>) -> Result<T, E> {
        if outcome.is_ok() {
            self.commit().await?;
        } else {
            let _ = self.rollback().await;
        }
        outcome
    }
}
