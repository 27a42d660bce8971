//! What can stop a backfill, and what is safe then.

use crate::database::blockers::{self, Blocker};
use crate::database::{DatabaseError, Dialect};
use crate::key::Key;

/// Why a backfill stopped. Every batch is one transaction with its cursor: what is done stays done, and running again
/// goes on from the cursor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackfillError {
    /// The plan is for another kind of database.
    #[error(
        "the migration {migration} was generated for {plan}, this is {connection}; nothing was changed"
    )]
    WrongDialect {
        /// The migration's id.
        migration: String,
        /// What it was generated for.
        plan: String,
        /// What was connected to.
        connection: Dialect,
    },
    /// No way back was declared.
    #[error(
        "{tables} cannot be filled back: the migration declares no `down`. Old values can only come from a backup; \
         nothing was changed"
    )]
    OneWay {
        /// The migration's tables.
        tables: String,
    },
    /// Rows that cannot be converted, and no declaration that says what to do with them.
    #[error(
        "{table} has rows that cannot be converted ({columns}), with the keys {}: {reason}. {rule}. The batch was \
         rolled back, the rows before it are done. Mend these rows, then run the backfill again: it goes on here",
        named(.keys)
    )]
    Unconvertible {
        /// The table.
        table: String,
        /// The columns to be filled.
        columns: String,
        /// The rows, or the first of them.
        keys: Vec<Key>,
        /// The database's answer, or what the test of validity found.
        reason: String,
        /// What was declared.
        rule: String,
    },
    /// The function that fills a column cannot be called for a row.
    #[error(
        "{table} has a row, ({key}), for which the function that fills it cannot be called: {reason}. The batch was rolled back, the \
         rows before it are done. Mend the function or the row, then run the backfill again: it goes on here"
    )]
    Function {
        /// The table.
        table: String,
        /// The row.
        key: Key,
        /// What the panic said, or why what it takes cannot be read.
        reason: String,
    },
    /// Passes over a table find no fewer rows that differ.
    #[error(
        "{rows} rows of {table} still have sides that differ after {passes} passes, no fewer than before{}. Either `up` gives them no value \
         (NULL, where the new column takes none), or somebody writes one side alone. What is filled stays filled; mend the cause, then \
         run the backfill again: it passes over the table once more",
        standing(.found)
    )]
    Stalled {
        /// The table.
        table: String,
        /// How many differ.
        rows: u64,
        /// Passes that have ended.
        passes: usize,
        /// Where the first of them stand.
        found: Vec<Key>,
    },
    /// Row locks were not to be had.
    #[error(
        "the backfill of {table} did not get its row locks in {attempts} tries, with {rows} rows at last; {}. Nothing \
         is half done. End the session in the way, then run the backfill again: it goes on here",
        blockers::who(.blockers, .source)
    )]
    Blocked {
        /// The table.
        table: String,
        /// How often it was tried.
        attempts: u32,
        /// Size of the last batch.
        rows: u32,
        /// Sessions that hold row locks.
        blockers: Vec<Blocker>,
        /// The database's last answer.
        source: DatabaseError,
    },
    /// The connection ended.
    #[error(
        "the connection was lost during the backfill of {table}: {source}. Data and cursor are committed together, so \
         nothing is half done and nothing is lost; connect again and run the backfill again: at most one batch is \
         repeated, which changes nothing that is right already"
    )]
    Lost {
        /// The table.
        table: String,
        /// What the driver said.
        source: DatabaseError,
    },
    /// The database refused something else.
    #[error(
        "the backfill of {table} stopped: {source}. The batch was rolled back, the rows before it are done; mend the \
         cause, then run the backfill again: it goes on here"
    )]
    Refused {
        /// The table.
        table: String,
        /// The database's answer.
        source: DatabaseError,
    },
    /// A key in the ledger is not what this tool writes.
    #[error("chunk {chunk} of the ledger holds a key that is none ({source}); nothing was changed")]
    Ledger {
        /// The chunk.
        chunk: i64,
        /// Why it cannot be read.
        source: serde_json::Error,
    },
}

impl BackfillError {
    pub(super) fn of(table: &str, source: DatabaseError) -> Self {
        let table = table.to_owned();
        match source {
            source @ DatabaseError::Lost(_) => Self::Lost { table, source },
            source => Self::Refused { table, source },
        }
    }
}

fn standing(keys: &[Key]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    format!(", the first of them at present at {}", keys.join(", "))
}

fn named(keys: &[Key]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("({key})")).collect();
    keys.join(", ")
}
