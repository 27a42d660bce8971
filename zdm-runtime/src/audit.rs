//! The append-only log in the database: who did what, when, how long it took, how it went.
//!
//! Must not know: what the actions mean.

use std::time::Duration;

use crate::database::{Connection, DatabaseError, Value};

/// How much of a statement is kept.
const STATEMENT_HEAD: usize = 2_000;

/// One line of the log.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Who: a person or a pipeline.
    pub actor: &'a str,
    /// The migration's id.
    pub migration: &'a str,
    /// What: `step`, `backfill`, `verify`, `hop` …
    pub action: &'a str,
    /// The statement, where there was one.
    pub statement: Option<&'a str>,
    /// `done`, `refused` or `failed`.
    pub outcome: &'a str,
    /// How long it took, waiting included.
    pub duration: Duration,
    /// For people: lock waits, reasons, counts.
    pub detail: &'a str,
}

/// Appends an entry; inside a transaction it is kept or lost with it.
pub async fn record(connection: &mut Connection, entry: Entry<'_>) -> Result<(), DatabaseError> {
    let head: Option<String> = entry
        .statement
        .map(|statement| statement.chars().take(STATEMENT_HEAD).collect());
    let duration = i64::try_from(entry.duration.as_millis()).unwrap_or(i64::MAX);
    connection
        .execute(
            "INSERT INTO {zdm}audit
                 (recorded_at, actor, migration, action, statement, outcome, duration_ms, detail)
             VALUES ({now}, $1, $2, $3, $4, $5, $6, $7)",
            &[
                entry.actor.into(),
                entry.migration.into(),
                entry.action.into(),
                Value::Text(head),
                entry.outcome.into(),
                duration.into(),
                entry.detail.into(),
            ],
        )
        .await?;
    Ok(())
}
