//! The end of a pass where nothing tells rows apart: a row that somebody moved behind a cursor was in no batch, so one look at the whole table
//! says whether any is left, and another pass begins where one is.
//!
//! Comes in: a proof that this worker holds. Goes out: the backfill's end, or ranges to begin with anew. Must not know: what a batch does.

use super::leave::Leave;
use super::ledger::{self, Chunk, Ledger, Range};
use super::worker::{Left, Position, Worker};
use super::{BackfillError, Way, chunks};
use crate::database::{Connection, DatabaseError, Value};
use crate::key::Key;
use crate::progress::OnProgress;
use crate::ranges::Ranges;

/// So many rows are named that no pass makes consistent.
const NAMED_ROWS: usize = 20;

impl Worker<'_> {
    /// Which pass it is, in front of whoever looks; a new one counts its rows from the beginning.
    pub(super) async fn in_pass(
        &mut self,
        connection: &mut Connection,
        position: &mut Position,
    ) -> Result<(), BackfillError> {
        let totals = self.ledger.totals(connection).await;
        let totals = totals.map_err(|error| self.failure(error))?;
        if self.passes != totals.passes {
            self.passes = totals.passes;
            position.restart(totals.rows);
        }
        Ok(())
    }

    /// Looks at the whole table, and ends the backfill or begins another pass. What it saw holds whoever has the lease by now: a row whose
    /// sides agree goes on to do so.
    pub(super) async fn prove(
        &mut self,
        connection: &mut Connection,
        chunk: &Chunk,
        position: &Position,
        on_progress: OnProgress<'_>,
    ) -> Result<Left, BackfillError> {
        match self.leave(connection, chunk, position, on_progress).await? {
            Leave::Given => {}
            Leave::LeaseLost => return Ok(Left::ForTheNext),
            Leave::Stopped(reason) => return Ok(Left::Stopped(reason)),
        }
        let ended = self.end_pass(connection, chunk).await;
        let stalled = ended.map_err(|error| self.failure(error))?;
        match stalled {
            Some(stalled) => Err(stalled),
            None => Ok(Left::ForTheNext),
        }
    }

    /// What is wrong, where passes find no fewer rows than those before.
    async fn end_pass(
        &self,
        connection: &mut Connection,
        chunk: &Chunk,
    ) -> Result<Option<BackfillError>, DatabaseError> {
        let ranges = Ranges::of(self.migration, self.backfill);
        let left = match ranges
            .left(connection, self.options.way == Way::Reverse)
            .await
        {
            Ok(left) => left.unwrap_or_default(),
            // The batch that meets the row says which one it is.
            Err(DatabaseError::Data(_)) => 1,
            Err(error) => return Err(error),
        };
        let cut = if left > 0 {
            chunks::cut(connection, ranges, self.options.workers).await?
        } else {
            Vec::new()
        };
        let before = self.ledger.left(connection).await?;
        let ended = self.ledger.end(connection, chunk, left, &cut).await?;
        if !ended || !is_stalled(&before, left) {
            return Ok(None);
        }
        Ok(Some(BackfillError::Stalled {
            table: self.backfill.table.clone(),
            rows: left,
            passes: before.len() + 1,
            found: self.differing(connection, ranges).await?,
        }))
    }

    /// The first rows that differ, where they stand now.
    async fn differing(
        &self,
        connection: &mut Connection,
        ranges: Ranges<'_>,
    ) -> Result<Vec<Key>, DatabaseError> {
        let Some(address) = &self.backfill.address else {
            return Ok(Vec::new());
        };
        let whole = [&address.first, &address.last].map(|end| Key::of([end]));
        match ranges.mismatches(connection, &whole[0], &whole[1]).await {
            Ok(found) => Ok(found.into_keys().take(NAMED_ROWS).collect()),
            Err(DatabaseError::Data(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// Each pass leaves only rows that were moved under it, of those that were left before: the same number twice in a row means that nothing
/// becomes of them.
fn is_stalled(before: &[u64], left: u64) -> bool {
    match before {
        [.., one, two] => left > 0 && left >= *two && two >= one,
        _ => false,
    }
}

impl Ledger<'_> {
    /// How many rows each pass that has ended left.
    async fn left(&self, connection: &mut Connection) -> Result<Vec<u64>, DatabaseError> {
        let rows = connection
            .query(
                "SELECT cursor_key FROM {zdm}chunk
                 WHERE migration = $1 AND table_name = $2 AND direction = $3 AND lo = '[]' AND cursor_key <> '0' ORDER BY chunk",
                &self.names(),
            )
            .await?;
        rows.iter()
            .map(|row| {
                let [Value::Text(Some(left))] = row.as_slice() else {
                    return Err(DatabaseError::unexpected("what a pass left", row));
                };
                left.parse()
                    .map_err(|_| DatabaseError::unexpected("what a pass left", row))
            })
            .collect()
    }

    /// Puts on record how many rows a pass left, and enters the next one's ranges where there are any. `false`: somebody else has done so,
    /// or the backfill was cancelled.
    async fn end(
        &self,
        connection: &mut Connection,
        proof: &Chunk,
        left: u64,
        ranges: &[Range],
    ) -> Result<bool, DatabaseError> {
        connection.begin().await?;
        let ended = self
            .end_in_transaction(connection, proof, left, ranges)
            .await;
        connection.end(ended).await
    }

    async fn end_in_transaction(
        &self,
        connection: &mut Connection,
        proof: &Chunk,
        left: u64,
        ranges: &[Range],
    ) -> Result<bool, DatabaseError> {
        ledger::alone(connection).await?;
        let mut values = self.names();
        values.extend([Value::from(left.to_string()), proof.id.into()]);
        let ended = connection
            .execute(
                "UPDATE {zdm}chunk
                 SET state = 'done', cursor_key = $4, lease_owner = NULL, lease_until = 0, throttle = NULL
                 WHERE chunk = $5 AND lo = '[]' AND state <> 'done' AND NOT EXISTS (SELECT 1 FROM {zdm}chunk AS other
                     WHERE other.migration = $1 AND other.table_name = $2 AND other.direction = $3 AND other.state <> 'done'
                       AND other.lo <> '[]')",
                &values,
            )
            .await?;
        if ended == 1 && left > 0 {
            self.enter_pass(connection, ranges).await?;
        }
        Ok(ended == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_stall_when_twice_in_a_row_no_fewer_rows_are_left() {
        for (before, left, stalled) in [
            (&[][..], 5, false),
            (&[5], 5, false),
            (&[5, 5], 5, true),
            (&[5, 7], 9, true),
            (&[5, 5], 4, false),
            (&[9, 5], 5, false),
            (&[9, 5, 5], 5, true),
            (&[5, 5], 0, false),
        ] {
            assert_eq!(is_stalled(before, left), stalled, "{before:?}, {left}");
        }
    }
}
