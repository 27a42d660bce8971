//! The last comparisons of a migration that have ended, as they are on record.
//!
//! Must not know: who shows them.

use super::record::recorded_sums;
use crate::Error;
use crate::checksum::Checksums;
use crate::control_value::{integer, text};
use crate::database::{Connection, control};

/// A full comparison that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The side that was to be read: `new` or `old`.
    pub side: String,
    /// When it ended.
    pub finished_at: i64,
    /// Rows that were compared.
    pub rows: i64,
    /// Rows that were not consistent.
    pub mismatches: i64,
    /// Values in quarantine.
    pub skipped: i64,
    /// What the sides held; none where no checksums were made.
    pub checksums: Option<Checksums>,
}

/// The last one, of whichever side.
pub async fn last(connection: &mut Connection, migration: &str) -> Result<Option<Ended>, Error> {
    let sums = control::checksums(connection).await?;
    let sql = format!(
        "SELECT side, finished_at, rows_seen, mismatches, skipped, {sums} FROM {{zdm}}verification
         WHERE migration = $1 AND state <> 'running' ORDER BY verification DESC LIMIT 1"
    );
    let rows = connection.query(&sql, &[migration.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Ended {
        side: text(row, 0)?,
        finished_at: integer(row, 1)?,
        rows: integer(row, 2)?,
        mismatches: integer(row, 3)?,
        skipped: integer(row, 4)?,
        checksums: recorded_sums(row)?,
    }))
}
