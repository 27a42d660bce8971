//! Columns that a Rust function of the application fills: the backfill, run by the application's own binary.
//!
//! Comes in: a pool, the version as the binary was built with it, the function. Goes out: filled columns and the ledger's end. Who
//! cuts the table and moves the migration stays `cargo zdm`. Must not know: what the function does.

mod call;
mod entry;
mod error;
mod fill;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use entry::{Options, Version, backfill};
pub use error::ComputedError;
#[cfg(feature = "postgres")]
pub use postgres::OfPostgres;
#[cfg(feature = "sqlite")]
pub use sqlite::OfSqlite;

pub(crate) use fill::{Filled, fill};

/// The function of one column, as generated code hands it over.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The table.
    pub table: &'static str,
    /// The column that it fills.
    pub column: &'static str,
    /// How it is called for the rows of a batch.
    pub of: Of,
}

/// A function over the rows of a kind of database.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Of {
    /// Of `PostgreSQL`.
    #[cfg(feature = "postgres")]
    Postgres(&'static dyn postgres::Calls),
    /// Of `SQLite`.
    #[cfg(feature = "sqlite")]
    Sqlite(&'static dyn sqlite::Calls),
}
