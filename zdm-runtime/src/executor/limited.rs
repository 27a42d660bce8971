//! Why a step may take many tries: of what a writer waits for before it looks for a deadlock, each lock gets a part alone.
//!
//! Comes in: a step that did not get its lock, several times. Goes out: how long each try waits, and what makes that longer.
//! Must not know: who was in the way.

use std::fmt;
use std::time::Duration;

use super::Task;
use crate::database::{Connection, DatabaseError, Dialect, Value};

/// So many tries need no explanation.
const A_FEW: u32 = 3;

/// What the server has where nobody has set it.
const USUAL: Duration = Duration::from_secs(1);

/// How long each try waits for a lock, where that is shorter than `lock_timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// The most that one lock is waited for.
    pub each: Duration,
    /// The server's setting that decides it.
    pub deadlock_timeout: Duration,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longer = (self.deadlock_timeout * 3).max(USUAL);
        write!(
            f,
            "a lock is waited for at most {} ms, a part of deadlock_timeout ({} ms): whoever waits behind it looks for a deadlock after \
             that, and would be the one that fails. Where that is never enough, try at a quieter time, or let the server wait longer: \
             `ALTER SYSTEM SET deadlock_timeout = '{} ms'`, then `SELECT pg_catalog.pg_reload_conf()`",
            self.each.as_millis(),
            self.deadlock_timeout.as_millis(),
            longer.as_millis()
        )
    }
}

impl Task<'_> {
    /// What is said after a few tries, and at the last. What cannot be asked is not said.
    pub(super) async fn limited(
        &self,
        connection: &mut Connection,
        attempt: u32,
        is_last: bool,
    ) -> Option<Limited> {
        let step = self.step;
        let is_said = attempt == A_FEW || (is_last && attempt > A_FEW);
        if !is_said || !step.blocks_writers || connection.dialect() != Dialect::Postgres {
            return None;
        }
        let deadlock_timeout = deadlock_timeout(connection).await.ok()?;
        // As the statement has it that locks several tables, and `transaction` for all.
        let several = u32::try_from(step.also_locks.len()).unwrap_or(u32::MAX);
        let each = if several > 0 {
            deadlock_timeout / several.saturating_add(2)
        } else {
            deadlock_timeout * 2 / 5
        };
        let is_short = several > 0 || deadlock_timeout < USUAL;
        (is_short && each < self.options.lock_timeout).then_some(Limited {
            each,
            deadlock_timeout,
        })
    }
}

async fn deadlock_timeout(connection: &mut Connection) -> Result<Duration, DatabaseError> {
    let sql = "SELECT CAST(setting AS bigint) FROM pg_settings WHERE name = 'deadlock_timeout'";
    let rows = connection.query(sql, &[]).await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Int(Some(millis))]) => Ok(Duration::from_millis(
            u64::try_from(*millis).unwrap_or_default(),
        )),
        row => Err(DatabaseError::unexpected(
            "how long deadlocks are waited for",
            row.unwrap_or_default(),
        )),
    }
}
