//! How far an index is that another connection builds, as `PostgreSQL` tells it (manual, "CREATE INDEX Progress Reporting").
//!
//! Must not know: who asks.

use std::fmt;

use crate::database::{Connection, DatabaseError, Value};

/// A moment of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Building {
    /// The phase in the server's words.
    pub phase: String,
    /// In percent of the phase, where it has a measure.
    pub percent: Option<i64>,
    /// Whose transaction it waits out.
    pub waits_for: Option<i64>,
}

impl fmt::Display for Building {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.phase)?;
        if let Some(percent) = self.percent {
            write!(f, ", {percent} %")?;
        }
        match self.waits_for {
            Some(pid) => write!(f, ", waits for the transaction of pid {pid}"),
            None => Ok(()),
        }
    }
}

/// What the server's process `pid` builds; `None` where it builds nothing.
pub async fn building(
    connection: &mut Connection,
    pid: i64,
) -> Result<Option<Building>, DatabaseError> {
    let rows = connection
        .query(
            "SELECT phase,
                    CASE WHEN blocks_total > 0 THEN 100 * blocks_done / blocks_total
                         WHEN tuples_total > 0 THEN 100 * tuples_done / tuples_total END,
                    nullif(current_locker_pid, 0)
             FROM pg_stat_progress_create_index WHERE pid = $1",
            &[pid.into()],
        )
        .await?;
    match rows.first().map(Vec::as_slice) {
        None => Ok(None),
        Some(
            [
                Value::Text(Some(phase)),
                Value::Int(percent),
                Value::Int(waits_for),
            ],
        ) => Ok(Some(Building {
            phase: phase.clone(),
            percent: *percent,
            waits_for: *waits_for,
        })),
        Some(row) => Err(DatabaseError::unexpected("how far an index is", row)),
    }
}
