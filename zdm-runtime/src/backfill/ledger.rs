//! The chunks of a table's backfill: who works on which range and how far it is, fenced by a lease's epoch.
//!
//! A chunk from nothing to nothing is the proof of a pass, where batches alone prove nothing: it comes last, and how many rows it finds, which
//! is its cursor, decides whether another pass begins. Must not know: what a batch does.

use std::time::Duration;

use super::{BackfillError, Way};
use crate::database::{Connection, DatabaseError, Dialect, Row, Value};
use crate::key::Key;

/// Which backfill is meant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ledger<'a> {
    pub(super) migration: &'a str,
    pub(super) table: &'a str,
    pub(super) way: Way,
}

/// A range that this worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) id: i64,
    pub(super) lo: Key,
    pub(super) hi: Key,
    pub(super) cursor: Option<Key>,
    pub(super) lease_epoch: i64,
}

/// A range to be entered. A cursor means that the row at the start belongs to the chunk before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) lo: Key,
    pub(super) hi: Key,
    pub(super) cursor: Option<Key>,
}

impl Range {
    /// What no row is in.
    fn nothing() -> Self {
        let nothing = Key::of(Vec::<String>::new());
        Self {
            lo: nothing.clone(),
            hi: nothing,
            cursor: None,
        }
    }
}

/// What all chunks of the backfill add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) chunks: u64,
    pub(super) open: u64,
    /// Of the pass that is under way.
    pub(super) rows: u64,
    /// Passes that have left rows: as many come before the one that is under way.
    pub(super) passes: u64,
}

/// Who asks for a chunk and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) worker: &'a str,
    pub(super) lease: Duration,
}

/// What a batch adds to its chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) rows: u64,
    pub(super) changed: u64,
}

impl Ledger<'_> {
    pub(super) fn names(&self) -> Row {
        vec![
            self.migration.into(),
            self.table.into(),
            self.way.name().into(),
        ]
    }

    pub(super) async fn totals(
        &self,
        connection: &mut Connection,
    ) -> Result<Totals, DatabaseError> {
        let rows = connection
            .query(
                "SELECT count(*), count(CASE WHEN state <> 'done' THEN 1 END),
                        CAST(coalesce(sum(CASE WHEN chunk > coalesce((SELECT max(chunk) FROM {zdm}chunk AS proof
                             WHERE migration = $1 AND table_name = $2 AND direction = $3 AND lo = '[]' AND cursor_key <> '0'), 0)
                             THEN rows_seen END), 0) AS bigint),
                        count(CASE WHEN lo = '[]' AND cursor_key <> '0' THEN 1 END)
                 FROM {zdm}chunk WHERE migration = $1 AND table_name = $2 AND direction = $3",
                &self.names(),
            )
            .await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let [
            Value::Int(Some(chunks)),
            Value::Int(Some(open)),
            Value::Int(Some(rows)),
            Value::Int(Some(passes)),
        ] = row
        else {
            return Err(DatabaseError::unexpected("how far the ledger is", row));
        };
        Ok(Totals {
            chunks: count(*chunks),
            open: count(*open),
            rows: count(*rows),
            passes: count(*passes),
        })
    }

    /// Enters the ranges, and a proof where there is to be one, unless somebody else has entered theirs; no range: the table is empty, and
    /// that is done.
    pub(super) async fn enter(
        &self,
        connection: &mut Connection,
        ranges: &[Range],
        proves: bool,
    ) -> Result<(), DatabaseError> {
        connection.begin().await?;
        let entered = self.enter_in_transaction(connection, ranges, proves).await;
        connection.end(entered).await
    }

    async fn enter_in_transaction(
        &self,
        connection: &mut Connection,
        ranges: &[Range],
        proves: bool,
    ) -> Result<(), DatabaseError> {
        alone(connection).await?;
        if self.totals(connection).await?.chunks > 0 {
            return Ok(());
        }
        if proves {
            return self.enter_pass(connection, ranges).await;
        }
        if ranges.is_empty() {
            return self.insert(connection, &Range::nothing(), "done").await;
        }
        for range in ranges {
            self.insert(connection, range, "open").await?;
        }
        Ok(())
    }

    /// The ranges with what proves them.
    pub(super) async fn enter_pass(
        &self,
        connection: &mut Connection,
        ranges: &[Range],
    ) -> Result<(), DatabaseError> {
        for range in ranges.iter().chain([&Range::nothing()]) {
            self.insert(connection, range, "open").await?;
        }
        Ok(())
    }

    pub(super) async fn insert(
        &self,
        connection: &mut Connection,
        range: &Range,
        state: &str,
    ) -> Result<(), DatabaseError> {
        let mut values = self.names();
        values.extend([
            Value::from(range.lo.encode()),
            Value::from(range.hi.encode()),
            Value::Text(range.cursor.as_ref().map(Key::encode)),
            Value::from(state),
        ]);
        connection
            .execute(
                "INSERT INTO {zdm}chunk (migration, table_name, direction, lo, hi, cursor_key, state,
                     lease_epoch, lease_until, rows_seen, rows_changed, batches, attempts)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 0)",
                &values,
            )
            .await?;
        Ok(())
    }

    /// Takes an open chunk that nobody holds. `None`: there is none.
    pub(super) async fn claim(
        &self,
        connection: &mut Connection,
        claim: Claim<'_>,
    ) -> Result<Option<Chunk>, BackfillError> {
        loop {
            let Some((mut chunk, row)) = self.free(connection, claim).await? else {
                return Ok(None);
            };
            let claimed = connection
                .execute(
                    "UPDATE {zdm}chunk
                     SET lease_owner = $1, lease_epoch = lease_epoch + 1, lease_until = {now} + $2,
                         attempts = attempts + 1
                     WHERE chunk = $3 AND lease_epoch = $4 AND state <> 'done'",
                    &[
                        claim.worker.into(),
                        millis(claim.lease).into(),
                        chunk.id.into(),
                        row.into(),
                    ],
                )
                .await
                .map_err(|error| BackfillError::of(self.table, error))?;
            if claimed == 1 {
                chunk.lease_epoch += 1;
                return Ok(Some(chunk));
            }
        }
    }

    /// The first chunk that may be taken, with the epoch that it was seen with.
    async fn free(
        &self,
        connection: &mut Connection,
        claim: Claim<'_>,
    ) -> Result<Option<(Chunk, i64)>, BackfillError> {
        let mut values = self.names();
        values.push(Value::from(claim.worker));
        let rows = connection
            .query(
                "SELECT chunk, lo, hi, cursor_key, lease_epoch FROM {zdm}chunk
                 WHERE migration = $1 AND table_name = $2 AND direction = $3 AND state <> 'done'
                   AND (lease_owner IS NULL OR lease_owner = $4 OR lease_until < {now})
                   AND (lo <> '[]' OR NOT EXISTS (SELECT 1 FROM {zdm}chunk AS other WHERE other.migration = $1
                        AND other.table_name = $2 AND other.direction = $3 AND other.state <> 'done' AND other.lo <> '[]'))
                 ORDER BY chunk LIMIT 1",
                &values,
            )
            .await
            .map_err(|error| BackfillError::of(self.table, error))?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let [
            Value::Int(Some(id)),
            Value::Text(Some(lo)),
            Value::Text(Some(hi)),
            Value::Text(cursor),
            Value::Int(Some(lease_epoch)),
        ] = row.as_slice()
        else {
            let error = DatabaseError::unexpected("which chunk is free", row);
            return Err(BackfillError::of(self.table, error));
        };
        let decode = |text: &str| {
            Key::decode(text).map_err(|source| BackfillError::Ledger { chunk: *id, source })
        };
        let chunk = Chunk {
            id: *id,
            lo: decode(lo)?,
            hi: decode(hi)?,
            cursor: cursor.as_deref().map(decode).transpose()?,
            lease_epoch: *lease_epoch,
        };
        Ok(Some((chunk, *lease_epoch)))
    }
}

/// Nobody else enters ranges until the transaction ends.
pub(super) async fn alone(connection: &mut Connection) -> Result<(), DatabaseError> {
    if connection.dialect() == Dialect::Postgres {
        connection
            .execute("LOCK TABLE {zdm}chunk IN SHARE ROW EXCLUSIVE MODE", &[])
            .await?;
    }
    Ok(())
}

impl Chunk {
    /// It is the proof of a pass.
    pub(super) fn proves(&self) -> bool {
        self.lo == Range::nothing().lo
    }

    /// Moves the cursor and prolongs the lease, in the batch's transaction. Where the chunk ends by now: another worker may have
    /// taken its rest over. `None`: the lease is somebody else's, and the batch has to be rolled back.
    pub(super) async fn advance(
        &self,
        connection: &mut Connection,
        cursor: &Key,
        done: Done,
        lease: Duration,
    ) -> Result<Option<Key>, DatabaseError> {
        let rows = connection
            .query(
                "UPDATE {zdm}chunk
                 SET cursor_key = $1, rows_seen = rows_seen + $2, rows_changed = rows_changed + $3,
                     batches = batches + 1, lease_until = {now} + $4
                 WHERE chunk = $5 AND lease_epoch = $6
                 RETURNING hi",
                &[
                    cursor.encode().into(),
                    whole(done.rows).into(),
                    whole(done.changed).into(),
                    millis(lease).into(),
                    self.id.into(),
                    self.lease_epoch.into(),
                ],
            )
            .await?;
        match rows.first().map(Vec::as_slice) {
            None => Ok(None),
            Some([Value::Text(Some(hi))]) if *hi == self.hi.encode() => Ok(Some(self.hi.clone())),
            Some(row @ [Value::Text(Some(hi))]) => Key::decode(hi)
                .map(Some)
                .map_err(|_| DatabaseError::unexpected("where a chunk ends", row)),
            Some(row) => Err(DatabaseError::unexpected("where a chunk ends", row)),
        }
    }

    /// Prolongs the lease while the worker waits, and says why it does. `false`: the lease is somebody else's by now.
    pub(super) async fn wait(
        &self,
        connection: &mut Connection,
        lease: Duration,
        reason: Option<&str>,
    ) -> Result<bool, DatabaseError> {
        let changed = connection
            .execute(
                "UPDATE {zdm}chunk SET lease_until = {now} + $1, throttle = $2
                 WHERE chunk = $3 AND lease_epoch = $4",
                &[
                    millis(lease).into(),
                    Value::Text(reason.map(str::to_owned)),
                    self.id.into(),
                    self.lease_epoch.into(),
                ],
            )
            .await?;
        Ok(changed == 1)
    }

    /// The cursor is at its end. `false`: the lease is somebody else's by now.
    pub(super) async fn finish(&self, connection: &mut Connection) -> Result<bool, DatabaseError> {
        let changed = connection
            .execute(
                "UPDATE {zdm}chunk SET state = 'done', lease_owner = NULL, lease_until = 0, throttle = NULL
                 WHERE chunk = $1 AND lease_epoch = $2",
                &[self.id.into(), self.lease_epoch.into()],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Gives the chunk back where it stands.
    pub(super) async fn release(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        connection
            .execute(
                "UPDATE {zdm}chunk SET lease_owner = NULL, lease_until = 0, throttle = NULL
                 WHERE chunk = $1 AND lease_epoch = $2",
                &[self.id.into(), self.lease_epoch.into()],
            )
            .await?;
        Ok(())
    }
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
