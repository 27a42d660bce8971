//! Rows that could not be converted wait here by their keys: listed, fixed, waived, released.
//!
//! Must not know: how they were found.

mod release;
mod table;

use std::time::{Duration, Instant};

pub use table::{Entry, State, list};

pub(crate) use release::{by_function as release_computed, valid as release_valid};
pub(crate) use table::{Found, add, kept};

use crate::audit;
use crate::database::{Connection, DatabaseError};
use crate::key::Key;
use crate::migration::Migration;

/// Why the quarantine could not be worked on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuarantineError {
    /// The table has no backfill.
    #[error("the migration {migration} backfills no table `{table}`: it backfills {}", .known.join(", "))]
    UnknownTable {
        /// The migration's id.
        migration: String,
        /// What was asked for.
        table: String,
        /// The tables that it backfills.
        known: Vec<String>,
    },
    /// The key is not in quarantine.
    #[error("the row ({key}) of {table} is not in quarantine")]
    NotThere {
        /// The table.
        table: String,
        /// The key.
        key: Key,
    },
    /// A waiver without a reason.
    #[error(
        "a waiver needs a reason: it stands in the audit log for whoever misses these rows later"
    )]
    NoReason,
    /// A stored key cannot be read.
    #[error("the quarantine holds a key that is none: {0}")]
    Key(#[from] serde_json::Error),
    /// The database refused.
    #[error("the quarantine cannot be read or written: {0}; nothing was changed")]
    Database(#[from] DatabaseError),
}

/// What became of a row that was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fixed {
    /// It is converted now.
    Converted,
    /// It has been deleted; there is nothing left to convert.
    Gone,
    /// It still cannot be converted.
    Still {
        /// Why.
        error: String,
    },
}

/// Converts one row again, after somebody has mended its value. One that was released before is converted: that is how a
/// run that was killed ends when it is repeated.
pub async fn fix(
    connection: &mut Connection,
    migration: &Migration,
    table: &str,
    key: &Key,
    actor: &str,
) -> Result<Fixed, QuarantineError> {
    let started = Instant::now();
    let backfill = migration
        .backfill(table)
        .ok_or_else(|| QuarantineError::UnknownTable {
            migration: migration.id().to_owned(),
            table: table.to_owned(),
            known: migration
                .manifest()
                .backfills
                .iter()
                .map(|backfill| backfill.table.clone())
                .collect(),
        })?;
    match table::holds(connection, migration.id(), table, key).await? {
        Some(true) => {}
        Some(false) => return Ok(Fixed::Converted),
        None => {
            return Err(QuarantineError::NotThere {
                table: table.to_owned(),
                key: key.clone(),
            });
        }
    }
    let log = async |connection: &mut Connection, fixed: &Fixed| {
        let told = told(table, key, fixed);
        audit::append(connection, entry(migration, actor, started, &told)).await
    };
    let fixed = release::fix(connection, migration, backfill, (key, None), log).await?;
    if let Fixed::Still { .. } = fixed {
        let told = told(table, key, &fixed);
        audit::record(connection, entry(migration, actor, started, &told)).await?;
    }
    Ok(fixed)
}

/// Outcome and detail for the audit log.
fn told(table: &str, key: &Key, fixed: &Fixed) -> (&'static str, String) {
    match fixed {
        Fixed::Converted => ("done", format!("row ({key}) of {table} is converted")),
        Fixed::Gone => ("done", format!("row ({key}) of {table} was deleted")),
        Fixed::Still { error } => ("refused", format!("row ({key}) of {table}: {error}")),
    }
}

fn entry<'a>(
    migration: &'a Migration,
    actor: &'a str,
    started: Instant,
    (outcome, detail): &'a (&'static str, String),
) -> audit::Entry<'a> {
    audit::Entry {
        actor,
        migration: migration.id(),
        content_hash: None,
        action: "quarantine fix",
        statement: None,
        outcome,
        duration: started.elapsed(),
        detail,
    }
}

/// Lets the migration go on without rows that nobody will mend: all that wait, or one. Returns how many.
pub async fn waive(
    connection: &mut Connection,
    migration: &Migration,
    row: Option<(&str, &Key)>,
    actor: &str,
    reason: &str,
) -> Result<u64, QuarantineError> {
    if reason.trim().is_empty() {
        return Err(QuarantineError::NoReason);
    }
    connection.begin().await?;
    let waived = waive_in_transaction(connection, migration, row, actor, reason).await;
    connection.end(waived).await
}

async fn waive_in_transaction(
    connection: &mut Connection,
    migration: &Migration,
    row: Option<(&str, &Key)>,
    actor: &str,
    reason: &str,
) -> Result<u64, QuarantineError> {
    let waived = table::waive(connection, migration.id(), row).await?;
    if let Some((table, key)) = row
        && waived == 0
    {
        return Err(QuarantineError::NotThere {
            table: table.to_owned(),
            key: key.clone(),
        });
    }
    let detail = match row {
        Some((table, key)) => format!("row ({key}) of {table}: {reason}"),
        None => format!("{waived} values: {reason}"),
    };
    let entry = audit::Entry {
        actor,
        migration: migration.id(),
        content_hash: None,
        action: "quarantine waive",
        statement: None,
        outcome: "done",
        duration: Duration::ZERO,
        detail: &detail,
    };
    audit::append(connection, entry).await?;
    Ok(waived)
}
