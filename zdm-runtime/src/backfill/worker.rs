//! One worker on one table: takes chunks, runs batches, goes slower where it is in somebody's way.
//!
//! Must not know: what a batch does inside its transaction.

use std::time::{Duration, Instant};

use super::batch::{Batch, Tried};
use super::leave::Leave;
use super::ledger::{Chunk, Claim, Ledger, Totals};
use super::pace::Pace;
use super::rest::Rest;
use super::{BackfillError, BackfillOptions, End, Outcome, Way, estimate};
use crate::audit;
use crate::database::{Connection, DatabaseError, blockers};
use crate::manifest::Backfill;
use crate::migration::Migration;
use crate::pauses::Pauses;
use crate::progress::{Meter, OnProgress, Progress};
use crate::ranges::Ranges;

/// Longest pause after a refused lock, as a multiple of the first.
const LONGEST_PAUSE: u32 = 100;

/// A worker on a table.
#[derive(Debug)]
pub(super) struct Worker<'a> {
    pub(super) migration: &'a Migration,
    pub(super) backfill: &'a Backfill,
    pub(super) ledger: Ledger<'a>,
    pub(super) options: &'a BackfillOptions,
    batch: Batch<'a>,
    pub(super) pace: Pace,
    pub(super) rest: Rest,
    /// Passes that had ended when it took its chunk.
    pub(super) passes: u64,
    /// Why it is slower than it could be.
    pub(super) slower: Option<String>,
    /// What of that the chunk's row says to others.
    pub(super) published: Option<String>,
}

/// Why a chunk was left.
pub(super) enum Left {
    ForTheNext,
    Stopped(String),
}

impl<'a> Worker<'a> {
    pub(super) fn of(
        migration: &'a Migration,
        backfill: &'a Backfill,
        file: &'a str,
        ledger: Ledger<'a>,
        options: &'a BackfillOptions,
    ) -> Self {
        Self {
            migration,
            backfill,
            ledger,
            options,
            batch: Batch {
                migration: migration.id(),
                ranges: Ranges::of(migration, backfill),
                way: options.way,
                function: options.function.as_ref(),
                file,
                lease: options.lease,
                lock_timeout: options.lock_timeout,
                looks_around: options.throttle,
            },
            pace: Pace::start(
                options.first_batch,
                options.most_rows,
                options.target,
                options.target_beside,
            ),
            rest: Rest::default(),
            passes: 0,
            slower: None,
            published: None,
        }
    }

    /// Takes chunk after chunk until none is free, adds to the outcome and logs.
    pub(super) async fn run(
        mut self,
        connection: &mut Connection,
        before: Totals,
        outcome: &mut Outcome,
        on_progress: OnProgress<'_>,
    ) -> Result<(), BackfillError> {
        let started = Instant::now();
        let mut part = Outcome::default();
        let worked = self
            .chunks(connection, before, &mut part, on_progress)
            .await;
        let is_idle = part.batches == 0 && matches!(part.end, End::Elsewhere { .. });
        if !is_idle || worked.is_err() {
            self.log(connection, &part, started.elapsed(), worked.as_ref().err())
                .await;
        }
        outcome.rows += part.rows;
        outcome.changed += part.changed;
        outcome.batches += part.batches;
        outcome.quarantined += part.quarantined;
        if part.end != End::Done {
            outcome.end = part.end;
        }
        worked
    }

    async fn chunks(
        &mut self,
        connection: &mut Connection,
        before: Totals,
        outcome: &mut Outcome,
        on_progress: OnProgress<'_>,
    ) -> Result<(), BackfillError> {
        let total = estimate(connection, &self.backfill.table)
            .await
            .map_err(|error| self.failure(error))?;
        let mut position = Position::start(before.rows, total);
        let claim = Claim {
            worker: &self.options.worker,
            lease: self.options.lease,
        };
        while let Some(mut chunk) = self.next(connection, claim).await? {
            if self.backfill.address.is_some() {
                self.in_pass(connection, &mut position).await?;
            }
            let left = if chunk.proves() {
                self.prove(connection, &chunk, &position, on_progress).await
            } else {
                self.work(connection, &mut chunk, &mut position, outcome, on_progress)
                    .await
            };
            if let Err(
                BackfillError::Unconvertible { .. }
                | BackfillError::Function { .. }
                | BackfillError::Blocked { .. },
            ) = &left
            {
                self.release(connection, &chunk).await?;
            }
            if let Left::Stopped(reason) = left? {
                self.release(connection, &chunk).await?;
                outcome.end = End::Stopped { reason };
                return Ok(());
            }
        }
        let totals = self
            .ledger
            .totals(connection)
            .await
            .map_err(|error| self.failure(error))?;
        outcome.end = match totals {
            Totals { chunks: 0, .. } => End::Cancelled,
            Totals { open: 0, .. } => End::Done,
            Totals { open, .. } => End::Elsewhere { chunks: open },
        };
        Ok(())
    }

    /// A chunk that nobody holds, or else the rest of somebody's.
    async fn next(
        &self,
        connection: &mut Connection,
        claim: Claim<'_>,
    ) -> Result<Option<Chunk>, BackfillError> {
        loop {
            if let Some(chunk) = self.ledger.claim(connection, claim).await? {
                return Ok(Some(chunk));
            }
            let stolen = self
                .ledger
                .steal(connection, self.backfill, self.options.least_stolen)
                .await
                .map_err(|error| self.failure(error))?;
            if !stolen {
                return Ok(None);
            }
        }
    }

    async fn release(
        &self,
        connection: &mut Connection,
        chunk: &Chunk,
    ) -> Result<(), BackfillError> {
        chunk
            .release(connection)
            .await
            .map_err(|error| self.failure(error))
    }

    /// Batch after batch, to the cursor's end: "no row changed" says nothing about the rows that follow.
    async fn work(
        &mut self,
        connection: &mut Connection,
        chunk: &mut Chunk,
        position: &mut Position,
        outcome: &mut Outcome,
        on_progress: OnProgress<'_>,
    ) -> Result<Left, BackfillError> {
        let mut refused = Refused::none(self.options);
        self.published = None;
        loop {
            match self.leave(connection, chunk, position, on_progress).await? {
                Leave::Given => {}
                Leave::LeaseLost => return Ok(Left::ForTheNext),
                Leave::Stopped(reason) => return Ok(Left::Stopped(reason)),
            }
            let rows = self.pace.rows();
            let began = Instant::now();
            let tried = self.batch.run(connection, chunk, u64::from(rows)).await;
            self.slower = match tried {
                Ok(Tried::Advanced(advance)) => {
                    refused = Refused::none(self.options);
                    position.rows += advance.done.rows;
                    outcome.rows += advance.done.rows;
                    outcome.changed += advance.done.changed;
                    outcome.batches += 1;
                    outcome.quarantined += advance.quarantined;
                    let slower = self.adapt(&advance);
                    chunk.cursor = Some(advance.cursor);
                    chunk.hi = advance.hi;
                    self.pause(began.elapsed()).await;
                    slower
                }
                Ok(Tried::Shortened(hi)) => {
                    chunk.hi = hi;
                    continue;
                }
                Ok(Tried::End) => {
                    let finished = chunk.finish(connection).await;
                    // A lease lost at the last moment leaves the last step to its new owner.
                    return match finished {
                        Ok(_) => Ok(Left::ForTheNext),
                        Err(error) => Err(self.failure(error)),
                    };
                }
                Ok(Tried::LeaseLost) => return Ok(Left::ForTheNext),
                Ok(Tried::Failed { key, reason }) => return Err(self.failed(key, reason)),
                Ok(Tried::Unconvertible { keys, reason }) => {
                    return Err(self.unconvertible(keys, reason));
                }
                Err(source @ DatabaseError::Busy(_)) => {
                    self.pace.halve();
                    refused.count += 1;
                    if refused.count >= self.options.attempts {
                        return Err(self.blocked(connection, rows, source).await?);
                    }
                    tokio::time::sleep(refused.pauses.next()).await;
                    let rows = self.pace.rows();
                    Some(format!("a row lock was not to be had: {rows} rows next"))
                }
                Err(error) => return Err(self.failure(error)),
            };
            on_progress(&self.progress(position, self.slower.clone()));
        }
    }

    fn unconvertible(&self, keys: Vec<crate::key::Key>, reason: String) -> BackfillError {
        let rule = match self.backfill.on_invalid.as_str() {
            _ if self.options.way == Way::Reverse => {
                "On the way back `down` has to convert every value".to_owned()
            }
            "reject" => "`on_invalid = \"reject\"` asks to stop here".to_owned(),
            "total" if self.backfill.computed.is_some() => {
                "the table refuses the value that the function gives".to_owned()
            }
            "total" if self.backfill.address.is_some() => {
                "`up` was declared to convert every value. Nothing tells the rows of the table apart: what is named is where they stand \
                 now, `SELECT * FROM … WHERE ctid = '(…)'` on PostgreSQL"
                    .to_owned()
            }
            "total" => "`up` was declared to convert every value".to_owned(),
            rule => format!("`on_invalid = \"{rule}\"` covers values, not the table's constraints"),
        };
        BackfillError::Unconvertible {
            table: self.backfill.table.clone(),
            columns: self.backfill.columns.join(", "),
            keys,
            reason,
            rule,
        }
    }

    fn failed(&self, key: crate::key::Key, reason: String) -> BackfillError {
        BackfillError::Function {
            table: self.backfill.table.clone(),
            key,
            reason,
        }
    }

    async fn blocked(
        &self,
        connection: &mut Connection,
        rows: u32,
        source: DatabaseError,
    ) -> Result<BackfillError, BackfillError> {
        let blockers = blockers::of_rows(connection, &self.backfill.table)
            .await
            .map_err(|error| self.failure(error))?;
        Ok(BackfillError::Blocked {
            table: self.backfill.table.clone(),
            attempts: self.options.attempts,
            rows,
            blockers,
            source,
        })
    }

    /// What happened is reported to the caller, so a log that cannot be written then must not take its place.
    async fn log(
        &self,
        connection: &mut Connection,
        part: &Outcome,
        duration: Duration,
        error: Option<&BackfillError>,
    ) {
        let mut detail = format!(
            "{} {}: {} rows, {} changed, {} batches, {} quarantined",
            self.backfill.table,
            self.options.way.name(),
            part.rows,
            part.changed,
            part.batches,
            part.quarantined
        );
        if let Some(error) = error {
            detail = format!("{detail}; {error}");
        }
        let entry = audit::Entry {
            actor: &self.options.actor,
            migration: self.migration.id(),
            content_hash: None,
            action: "backfill",
            statement: Some(self.migration.file(self.batch.file)),
            outcome: if error.is_none() { "done" } else { "failed" },
            duration,
            detail: &detail,
        };
        if let Err(error) = audit::record(connection, entry).await {
            tracing::warn!(%error, detail, "the audit log could not be written");
        }
    }

    pub(super) fn progress(&self, position: &Position, throttle: Option<String>) -> Progress {
        let (table, rows) = (&self.backfill.table, self.pace.rows());
        let about = match self.passes {
            0 => table.clone(),
            ended => format!("{table}, pass {}", ended + 1),
        };
        position.meter.read(&about, position.rows, rows, throttle)
    }

    pub(super) fn failure(&self, error: DatabaseError) -> BackfillError {
        BackfillError::of(&self.backfill.table, error)
    }
}

/// How far the table is.
pub(super) struct Position {
    meter: Meter,
    rows: u64,
    /// Rows of the table.
    total: u64,
}

impl Position {
    fn start(rows: u64, total: u64) -> Self {
        Self {
            meter: Meter::start(rows, Some(total.max(rows))),
            rows,
            total,
        }
    }

    /// From the beginning of the table.
    pub(super) fn restart(&mut self, rows: u64) {
        *self = Self::start(rows, self.total);
    }
}

/// Tries in a row that did not get their locks.
struct Refused {
    count: u32,
    pauses: Pauses,
}

impl Refused {
    fn none(options: &BackfillOptions) -> Self {
        Self {
            count: 0,
            pauses: Pauses::new(options.first_pause, options.first_pause * LONGEST_PAUSE),
        }
    }
}
