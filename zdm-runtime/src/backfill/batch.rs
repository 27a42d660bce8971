//! One batch: data, quarantine and cursor in one transaction.
//!
//! Comes in: a chunk and a size. Goes out: the cursor moved, or the reason why not. Must not know: how fast to go.

use std::time::{Duration, Instant};

use super::Way;
use super::ledger::{Chunk, Done};
use crate::computed::{self, Filled, Function};
use crate::database::blockers::{self, Around};
use crate::database::{Connection, DatabaseError, Dialect};
use crate::key::Key;
use crate::quarantine::{self, Found};
use crate::ranges::{Ranges, Split};

/// A batch with a failing row is repeated with at most so many rows: the search keeps savepoints.
const SEARCHED_ROWS: u64 = 1_000;
/// So many failing rows are named before the backfill stops.
const NAMED_ROWS: usize = 20;

/// What batches of one table have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) migration: &'a str,
    pub(super) ranges: Ranges<'a>,
    pub(super) way: Way,
    /// What fills in the place of the file.
    pub(super) function: Option<&'a Function>,
    /// The file that is executed.
    pub(super) file: &'a str,
    pub(super) lease: Duration,
    pub(super) lock_timeout: Duration,
    /// Ask whether somebody waits for the batch's rows.
    pub(super) looks_around: bool,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Tried {
    /// There is no row behind the cursor.
    End,
    /// Committed.
    Advanced(Advance),
    /// Another worker has taken the chunk over; nothing was changed.
    LeaseLost,
    /// Another worker has taken over a part of the chunk that the batch reached into; nothing was changed.
    Shortened(Key),
    /// The function cannot be called for a row; nothing was changed.
    Failed { key: Key, reason: String },
    /// Rows that cannot be converted and may not wait in quarantine; nothing was changed.
    Unconvertible { keys: Vec<Key>, reason: String },
}

/// A committed batch.
#[derive(Debug)]
pub(super) struct Advance {
    pub(super) cursor: Key,
    /// Where the chunk ends by now.
    pub(super) hi: Key,
    pub(super) done: Done,
    pub(super) quarantined: u64,
    /// How long the statement took.
    pub(super) took: Duration,
    /// Who was there besides, if that was looked at.
    pub(super) around: Around,
}

/// A range's conversion.
#[derive(Debug, Default)]
struct Converted {
    changed: u64,
    found: Vec<Found>,
    /// The row for which the function cannot be called.
    failed: Option<(Key, String)>,
}

impl Batch<'_> {
    pub(super) async fn run(
        &self,
        connection: &mut Connection,
        chunk: &Chunk,
        rows: u64,
    ) -> Result<Tried, DatabaseError> {
        match self.transaction(connection, chunk, rows, false).await {
            Err(DatabaseError::Data(_)) => {
                let rows = rows.min(SEARCHED_ROWS);
                self.transaction(connection, chunk, rows, true).await
            }
            tried => tried,
        }
    }

    async fn transaction(
        &self,
        connection: &mut Connection,
        chunk: &Chunk,
        rows: u64,
        searches: bool,
    ) -> Result<Tried, DatabaseError> {
        // A crash takes the last batches away with their cursors; whatever commits later and waits, what says that a chunk is
        // done first of all, has them on disk.
        let lock_timeout = format!("lock_timeout = {}", self.lock_timeout.as_millis());
        let settings = [lock_timeout.as_str(), "synchronous_commit = off"];
        connection.begin_with(&settings).await?;
        let tried = match self.body(connection, chunk, rows, searches).await {
            Ok(tried @ Tried::Advanced(_)) => connection.commit().await.map(|()| tried),
            Ok(tried) => connection.rollback().await.map(|()| tried),
            Err(error) => Err(error),
        };
        if tried.is_err() {
            // The failure is what is reported; a connection that is gone has rolled back by itself.
            let _ = connection.rollback().await;
        }
        tried
    }

    async fn body(
        &self,
        connection: &mut Connection,
        chunk: &Chunk,
        rows: u64,
        searches: bool,
    ) -> Result<Tried, DatabaseError> {
        if searches && connection.dialect() == Dialect::Postgres {
            // What waits for the commit would fail there, where nothing tells which row it was.
            connection.run_file("SET CONSTRAINTS ALL IMMEDIATE").await?;
        }
        // The cursor's own row is part of the range once more.
        let (start, limit) = match &chunk.cursor {
            Some(cursor) => (cursor, rows + 1),
            None => (&chunk.lo, rows),
        };
        let end = self
            .ranges
            .step(connection, start, &chunk.hi, limit)
            .await?;
        let Some(end) = end.filter(|end| Some(end) != chunk.cursor.as_ref()) else {
            return Ok(Tried::End);
        };
        // Rows that a batch changes may stand elsewhere afterwards, and it ends where about so many rows do.
        let counted = if self.ranges.backfill.address.is_some() {
            Some(self.ranges.count(connection, start, &end).await?)
        } else {
            None
        };
        let started = Instant::now();
        let converted = if searches {
            let rows = counted.unwrap_or(limit);
            self.search(connection, start, &end, rows).await?
        } else {
            self.convert(connection, start, &end).await?
        };
        let took = started.elapsed();
        if let Some((key, reason)) = converted.failed {
            return Ok(Tried::Failed { key, reason });
        }
        if !converted.found.is_empty() && !self.may_quarantine() {
            return Ok(refused(converted.found));
        }
        let table = &self.ranges.backfill.table;
        quarantine::add(connection, self.migration, table, &converted.found).await?;
        let changed = converted.changed;
        let rows = match counted {
            Some(counted) => counted.max(changed),
            None => self.rows(connection, chunk, &end, rows, changed).await?,
        };
        let done = Done { rows, changed };
        let around = if self.looks_around {
            blockers::around(connection).await?
        } else {
            Around::default()
        };
        let Some(hi) = chunk.advance(connection, &end, done, self.lease).await? else {
            return Ok(Tried::LeaseLost);
        };
        if hi != chunk.hi && self.ranges.reaches_beyond(connection, &hi, &end).await? {
            return Ok(Tried::Shortened(hi));
        }
        Ok(Tried::Advanced(Advance {
            cursor: end,
            hi,
            done,
            quarantined: converted.found.len() as u64,
            took,
            around,
        }))
    }

    /// A batch that changed all the rows that were asked for is full; another is counted.
    async fn rows(
        &self,
        connection: &mut Connection,
        chunk: &Chunk,
        end: &Key,
        rows: u64,
        changed: u64,
    ) -> Result<u64, DatabaseError> {
        if *end != chunk.hi && changed == rows {
            return Ok(rows);
        }
        let start = chunk.cursor.as_ref().unwrap_or(&chunk.lo);
        let before = u64::from(chunk.cursor.is_some());
        let counted = self.ranges.count(connection, start, end).await?;
        Ok(counted.saturating_sub(before))
    }

    /// Converts a range and finds the values in it that have no conversion.
    async fn convert(
        &self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
    ) -> Result<Converted, DatabaseError> {
        if let Some(function) = self.function {
            let filled = computed::fill(function, self.ranges, connection, start, end).await?;
            return Ok(self.computed(filled));
        }
        let changed = self
            .ranges
            .convert(connection, self.file, start, end)
            .await?;
        let mut found = Vec::new();
        if self.way == Way::Up && self.judges() {
            let invalid = self.ranges.invalid(connection, start, end).await?;
            found.extend(invalid.into_iter().map(Found::of));
        }
        Ok(Converted {
            changed,
            found,
            failed: None,
        })
    }

    fn computed(&self, filled: Filled) -> Converted {
        let columns = &self.ranges.backfill.columns;
        let refused = filled.refused.iter();
        let found = refused.flat_map(|(key, reason)| Found::failing(key, columns, reason));
        Converted {
            changed: filled.changed,
            found: found.collect(),
            failed: filled.stopped,
        }
    }

    /// Converts a range in which a row fails: halves it behind savepoints until only the failing rows are left.
    async fn search(
        &self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
        rows: u64,
    ) -> Result<Converted, DatabaseError> {
        let mut converted = Converted::default();
        let mut open = vec![(start.clone(), end.clone(), rows)];
        while let Some((start, end, rows)) = open.pop() {
            connection.run_file("SAVEPOINT zdm_range").await?;
            let error = match self.convert(connection, &start, &end).await {
                Ok(part) => {
                    connection.run_file("RELEASE SAVEPOINT zdm_range").await?;
                    converted.changed += part.changed;
                    converted.found.extend(part.found);
                    if part.failed.is_some() {
                        converted.failed = part.failed;
                        return Ok(converted);
                    }
                    continue;
                }
                Err(error @ DatabaseError::Data(_)) => error,
                Err(error) => return Err(error),
            };
            connection
                .run_file("ROLLBACK TO SAVEPOINT zdm_range; RELEASE SAVEPOINT zdm_range")
                .await?;
            match self.ranges.split(connection, &start, &end, rows).await? {
                Split::Empty => {}
                Split::Row(key) => {
                    let columns = &self.ranges.backfill.columns;
                    let found = Found::failing(&key, columns, &error.to_string());
                    converted.found.extend(found);
                    if !self.may_quarantine() && converted.found.len() >= NAMED_ROWS {
                        break;
                    }
                }
                Split::Halves([left, right]) => open.extend([right, left]),
            }
        }
        Ok(converted)
    }

    /// Whether the plan's test of validity decides something: with `null` and `default` the conversion has an answer.
    fn judges(&self) -> bool {
        matches!(
            self.ranges.backfill.on_invalid.as_str(),
            "quarantine" | "reject"
        )
    }

    fn may_quarantine(&self) -> bool {
        self.way == Way::Up && self.ranges.backfill.on_invalid == "quarantine"
    }
}

fn refused(found: Vec<Found>) -> Tried {
    let reason = found
        .first()
        .map(|found| found.error.clone())
        .unwrap_or_default();
    let mut keys: Vec<Key> = found.into_iter().map(|found| found.key).collect();
    keys.dedup();
    keys.truncate(NAMED_ROWS);
    Tried::Unconvertible { keys, reason }
}
