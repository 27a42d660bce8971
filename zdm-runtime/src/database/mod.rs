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
#[cfg(feature = "operate")]
pub mod older_transactions;
pub(crate) mod pool;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "operate")]
mod reading;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::fmt;

pub use control_connection::ControlConnection;
pub use pool::Pool;

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
                "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
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

/// What a database refused, as far as the runtime has to tell the cases apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// A row's value, a constraint, or a function or trigger that refuses the row: the same statement on the same row fails
    /// again, and others may not.
    #[error("{}", told(.0))]
    Data(#[source] sqlx::Error),
    /// A lock was not to be had in time, a deadlock, a serialization failure, `SQLITE_BUSY`: try again.
    #[error("{}", told(.0))]
    Busy(#[source] sqlx::Error),
    /// The role lacks a right (SQLSTATE 42501, a read-only file).
    #[error("{}", told(.0))]
    Forbidden(#[source] sqlx::Error),
    /// The connection is gone.
    #[error("{}", told(.0))]
    Lost(#[source] sqlx::Error),
    /// Everything else.
    #[error("{}", told(.0))]
    Other(#[source] sqlx::Error),
    /// An answer of another shape than the statement promises.
    #[error("the answer to the question {question} has an unexpected shape: {answer}")]
    Unexpected {
        /// What was asked.
        question: String,
        /// What came back.
        answer: String,
    },
    /// A row is not found by the text of its own key.
    #[error(
        "the row of {table} with the key ({key}) is not found by that text: the type of the key does not keep it, so rows \
         would be skipped. Nothing is counted as done; give the key a type whose text is exact, such as an integer, a text \
         or a UUID"
    )]
    InexactKey {
        /// The table.
        table: String,
        /// The key's text.
        key: String,
    },
    /// The URL's scheme names a database that this build has no driver for.
    #[error("this build has no driver for `{scheme}`: install it with `--features {feature}`")]
    NoDriver {
        /// Scheme of the URL.
        scheme: String,
        /// The feature that brings the driver.
        feature: String,
    },
}

/// The database's own words with its detail and hint, which name the value or the way on. The driver adds a line number,
/// which is one of `PostgreSQL`'s source.
fn told(error: &sqlx::Error) -> String {
    let Some(database) = error.as_database_error() else {
        return error.to_string();
    };
    let words = match database.code() {
        Some(code) => format!("{} (code {code})", database.message()),
        None => database.message().to_owned(),
    };
    #[cfg(feature = "postgres")]
    if let Some(database) = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        let more = [database.detail(), database.hint()].into_iter().flatten();
        let all = std::iter::once(words.as_str()).chain(more);
        let all: Vec<&str> = all.map(|words| words.trim_end_matches('.')).collect();
        return all.join(". ");
    }
    words
}

impl DatabaseError {
    /// An answer of another shape than the statement promises.
    #[cfg(feature = "operate")]
    pub(crate) fn unexpected(question: &str, answer: &[Value]) -> Self {
        Self::Unexpected {
            question: question.to_owned(),
            answer: format!("{answer:?}"),
        }
    }

    /// A deadline or an administrator ended the statement (`PostgreSQL`'s `query_canceled`, `SQLITE_INTERRUPT`).
    pub fn is_cancelled(&self) -> bool {
        let Self::Other(sqlx::Error::Database(error)) = self else {
            return false;
        };
        matches!(error.code().as_deref(), Some("57014" | "9"))
    }

    /// Somebody else has kept `SQLite`'s only write lock for too long.
    pub fn is_locked_file(&self) -> bool {
        let Self::Busy(sqlx::Error::Database(error)) = self else {
            return false;
        };
        error.message().contains("is locked")
    }

    /// What depends on what was to be dropped, one per line, where the server says so (`dependent_objects_still_exist`).
    #[cfg(feature = "operate")]
    pub(crate) fn dependents(&self) -> Option<&str> {
        let Self::Other(sqlx::Error::Database(error)) = self else {
            return None;
        };
        #[cfg(feature = "postgres")]
        if error.code().as_deref() == Some("2BP01") {
            let error = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?;
            return error.detail();
        }
        let _ = error;
        None
    }

    /// What was to be created has the name of something that is there (`duplicate_column`, `duplicate_table`,
    /// `duplicate_object`).
    pub fn is_duplicate(&self) -> bool {
        let Self::Other(sqlx::Error::Database(error)) = self else {
            return false;
        };
        // SQLite has one code for all that its parser refuses.
        matches!(error.code().as_deref(), Some("42701" | "42P07" | "42710"))
            || error.message().starts_with("duplicate column name")
            || error.message().ends_with("already exists")
    }

    /// The driver's error, or the error itself where no driver was asked.
    pub(crate) fn into_sqlx(self) -> Result<sqlx::Error, Self> {
        match self {
            Self::Data(error)
            | Self::Busy(error)
            | Self::Forbidden(error)
            | Self::Lost(error)
            | Self::Other(error) => Ok(error),
            Self::NoDriver { .. } | Self::Unexpected { .. } | Self::InexactKey { .. } => Err(self),
        }
    }
}

/// An open connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Connection {
    /// To `PostgreSQL`.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgConnection),
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
            Some(Dialect::Postgres) => postgres::open(url).await.map(Self::Postgres),
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
            Self::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs one statement (with [`Dialect::control`]'s words) and returns how many rows it changed.
    pub async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, DatabaseError> {
        let sql = self.dialect().control(sql);
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::execute(connection, sql, values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::execute(connection, sql, values).await,
        }
    }

    /// Runs one statement (with [`Dialect::control`]'s words) and returns its rows.
    pub async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        let sql = self.dialect().control(sql);
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::query(connection, sql, values).await,
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
                postgres::execute(connection, sql.to_owned(), values).await
            }
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
            Self::Postgres(connection) => postgres::query(connection, sql.to_owned(), values).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::query_on_rows(connection, sql, values).await,
        }
    }

    /// Has the database read one reviewed statement without running it: what it names has to be there.
    pub async fn prepare_file(&mut self, sql: &str) -> Result<(), DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::prepare(connection, sql.to_owned()).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::prepare(connection, sql.to_owned()).await,
        }
    }

    /// Runs reviewed SQL byte for byte: no parameters, possibly several statements.
    pub async fn run_file(&mut self, sql: &str) -> Result<(), DatabaseError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::run_file(connection, sql).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::run_file(connection, sql).await,
        }
    }

    /// Opens a transaction that may write and sees what others commit meanwhile, whatever the role's default; on `SQLite` it
    /// has the only write lock.
    pub async fn begin(&mut self) -> Result<(), DatabaseError> {
        let begin = match self.dialect() {
            Dialect::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        };
        self.run_file(begin).await
    }

    /// Opens a transaction in which everything that is read is of one moment.
    pub async fn begin_snapshot(&mut self) -> Result<(), DatabaseError> {
        let begin = match self.dialect() {
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Dialect::Sqlite => "BEGIN",
        };
        self.run_file(begin).await
    }

    /// Commits the open transaction.
    pub async fn commit(&mut self) -> Result<(), DatabaseError> {
        self.run_file("COMMIT").await
    }

    /// Rolls the open transaction back.
    pub async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.run_file("ROLLBACK").await
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
