//! Long transactions are waited for before a statement that blocks writers is tried: it would queue behind them in vain, and every
//! writer behind it. So is shown, before anything waits for a lock, what is in the way.
//!
//! Comes in: a step. Goes out: nothing, or who is still in the way when the patience ends. Must not know: how a step is executed.

use std::time::{Duration, Instant};

use super::{Event, ExecutorError, OnEvent, Task};
use crate::database::blockers::{self, Blocker};
use crate::database::{Connection, DatabaseError};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(500);

impl Task<'_> {
    /// Waits until no transaction that is long by now holds what the step needs.
    pub(super) async fn wait_for_long_transactions(
        &self,
        connection: &mut Connection,
        on_event: OnEvent<'_>,
    ) -> Result<(), ExecutorError> {
        let patience = self.options.patience;
        if !self.step.blocks_writers || patience.is_zero() {
            return Ok(());
        }
        let started = Instant::now();
        let mut shown = Vec::new();
        loop {
            let long = self.long_transactions(connection).await?;
            if long.is_empty() {
                return Ok(());
            }
            if started.elapsed() >= patience {
                return Err(ExecutorError::LongTransactions {
                    step: self.step.into(),
                    lock: self.step.lock.clone(),
                    tables: self.step.locked_tables(),
                    patience,
                    blockers: long,
                });
            }
            let pids: Vec<i64> = long.iter().map(|blocker| blocker.pid).collect();
            if pids != shown {
                on_event(Event::Waiting {
                    step: self.step,
                    patience,
                    blockers: &long,
                });
                shown = pids;
            }
            tokio::time::sleep(EVERY.min(patience)).await;
        }
    }

    async fn long_transactions(
        &self,
        connection: &mut Connection,
    ) -> Result<Vec<Blocker>, ExecutorError> {
        let mut blockers =
            self.blockers(connection)
                .await
                .map_err(|source| ExecutorError::Refused {
                    step: self.step.into(),
                    source,
                })?;
        // A role that is not told the age finds out by a try.
        blockers.retain(|blocker| blocker.age.is_some_and(|age| age >= self.options.long));
        Ok(blockers)
    }

    /// Who holds what the step needs, each once.
    pub(super) async fn blockers(
        &self,
        connection: &mut Connection,
    ) -> Result<Vec<Blocker>, DatabaseError> {
        let step = self.step;
        let mut found = blockers::of_table(connection, &step.table, &step.lock).await?;
        for table in &step.also_locks {
            for blocker in blockers::of_table(connection, table, &step.lock).await? {
                if found.iter().all(|known| known.pid != blocker.pid) {
                    found.push(blocker);
                }
            }
        }
        Ok(found)
    }
}
