//! Gives rows from before the dual write their new side, or after `complete` their old side back, in batches.
//!
//! Comes in: a connection per worker, a checked [`Migration`]. Goes out: filled columns, a ledger, a quarantine. It
//! needs maintained sides, which the gates see to. Must not know: stages, what the statements say.

mod batch;
mod chunks;
mod error;
mod leave;
mod ledger;
mod pace;
mod pass;
pub mod reclaim;
mod rest;
mod sample;
mod steal;
pub mod throttle;
mod whole;
mod worker;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::watch;

pub use error::BackfillError;
pub use pace::{FIRST_BATCH, MOST_ROWS, TARGET, TARGET_BESIDE};

pub use chunks::estimate;
pub use whole::{is_begun, is_cut, is_left, is_open, is_prepared, owners, reset, take_over};

use crate::computed::Function;
use crate::database::{Connection, DatabaseError};
use crate::manifest::{Backfill, Manifest};
use crate::migration::Migration;
use crate::progress::OnProgress;
use crate::ranges::Ranges;
use ledger::Ledger;

/// From which side to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From old to new.
    Up,
    /// From new to old, on the way back from `complete`.
    Reverse,
}

impl Way {
    /// The word in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Reverse => "reverse",
        }
    }

    /// The tables that there is something to fill in.
    pub(crate) fn tables(self, plan: &Manifest) -> impl Iterator<Item = &Backfill> {
        plan.backfills
            .iter()
            .filter(move |backfill| self.statement(backfill).is_some())
    }

    fn statement(self, backfill: &Backfill) -> Option<&String> {
        match self {
            Self::Up => Some(&backfill.batch),
            Self::Reverse => backfill.reverse.as_ref(),
        }
    }
}

/// How a worker goes about it.
#[derive(Debug, Clone)]
pub struct BackfillOptions {
    /// Who acts, for the audit log.
    pub actor: String,
    /// The worker's name, unlike every other's: it holds the lease.
    pub worker: String,
    /// How many workers will run, each on a connection of its own: a table is cut into as many chunks.
    pub workers: u32,
    /// Cut the tables where nobody has; a worker that joins others does not, so that what was cancelled stays so.
    pub enters: bool,
    /// Old to new, or back.
    pub way: Way,
    /// The function of the application that fills a column: its table is all that is worked at. Without one, tables that such a
    /// function fills are left out.
    pub function: Option<Function>,
    /// Rows of the first batch; later ones grow or shrink towards `target`.
    pub first_batch: u32,
    /// How long one batch's statement should take.
    pub target: Duration,
    /// The same while others are at work in the database.
    pub target_beside: Duration,
    /// No batch is larger.
    pub most_rows: u32,
    /// Go slower while other sessions wait for the backfill, or work beside it. The time per statement always counts.
    pub throttle: bool,
    /// What the signals say, of whoever asks them.
    pub verdicts: Option<watch::Receiver<throttle::Published>>,
    /// Wait while the vacuum beside the backfill says that it lags behind ([`reclaim`]). All workers of a process but one listen: that one
    /// and the vacuum go on.
    pub vacuum_lags: Option<watch::Receiver<bool>>,
    /// The rest of another worker's chunk is taken over from so many rows on.
    pub least_stolen: u64,
    /// Stop as soon as this file is there.
    pub kill_switch: Option<PathBuf>,
    /// How long a worker that says nothing keeps its chunk.
    pub lease: Duration,
    /// How long a batch waits for a row lock.
    pub lock_timeout: Duration,
    /// How often in a row a batch is tried that does not get its locks.
    pub attempts: u32,
    /// The pause after the first of these tries; it doubles up to a hundredfold.
    pub first_pause: Duration,
}

impl BackfillOptions {
    /// The defaults for one worker, in somebody's name.
    pub fn of(actor: impl Into<String>, worker: impl Into<String>) -> Self {
        Self {
            actor: actor.into(),
            worker: worker.into(),
            workers: 1,
            enters: true,
            way: Way::Up,
            function: None,
            first_batch: FIRST_BATCH,
            target: TARGET,
            target_beside: TARGET_BESIDE,
            most_rows: MOST_ROWS,
            throttle: true,
            verdicts: None,
            vacuum_lags: None,
            least_stolen: 20_000,
            kill_switch: None,
            lease: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(1),
            attempts: 20,
            first_pause: Duration::from_millis(100),
        }
    }
}

impl BackfillOptions {
    fn fills(&self, backfill: &Backfill) -> bool {
        match (self.way, &self.function) {
            (Way::Reverse, _) => true,
            (Way::Up, None) => backfill.computed.is_none(),
            (Way::Up, Some(function)) => {
                backfill.computed.is_some() && backfill.table == function.table
            }
        }
    }
}

/// What one worker's run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows that this run went over.
    pub rows: u64,
    /// Rows that it changed: the others were right already.
    pub changed: u64,
    /// Committed batches.
    pub batches: u64,
    /// Values that it put into quarantine.
    pub quarantined: u64,
    /// How long it took.
    pub duration: Duration,
    /// Where it ended.
    pub end: End,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum End {
    /// Every chunk of every table is at its end.
    #[default]
    Done,
    /// Nothing is left to take, but other workers are not done: their leases end if they are gone.
    Elsewhere {
        /// Chunks that others hold.
        chunks: u64,
    },
    /// The ledger was taken away: by a way back, or by somebody who cancelled it.
    Cancelled,
    /// Something asked it to stop; running again goes on from there.
    Stopped {
        /// What.
        reason: String,
    },
}

/// Cuts every table of the migration into chunks, unless that was done before, and reports how many are open. Calling
/// it before the workers start is not needed, only tidy.
pub async fn plan_chunks(
    connection: &mut Connection,
    migration: &Migration,
    options: &BackfillOptions,
) -> Result<u64, BackfillError> {
    let mut open = 0;
    for backfill in options.way.tables(migration.manifest()) {
        let ledger = ledger(migration, backfill, options.way);
        open += enter(connection, migration, backfill, ledger, options.workers)
            .await
            .map_err(|error| BackfillError::of(&backfill.table, error))?
            .open;
    }
    Ok(open)
}

/// Works until nothing is left to take. Whatever interrupts it, running again goes on and repeats one batch at most.
pub async fn run(
    connection: &mut Connection,
    migration: &Migration,
    options: &BackfillOptions,
    on_progress: OnProgress<'_>,
) -> Result<Outcome, BackfillError> {
    let plan = migration.manifest();
    if plan.dialect != connection.dialect().name() {
        return Err(BackfillError::WrongDialect {
            migration: plan.id.clone(),
            plan: plan.dialect.clone(),
            connection: connection.dialect(),
        });
    }
    let started = Instant::now();
    let mut outcome = Outcome::default();
    if options.way == Way::Reverse && !plan.reversible {
        return Err(BackfillError::OneWay {
            tables: plan.tables.join(", "),
        });
    }
    for backfill in &plan.backfills {
        let Some(file) = options.way.statement(backfill) else {
            continue;
        };
        if !options.fills(backfill) {
            continue;
        }
        let ledger = ledger(migration, backfill, options.way);
        let totals = if options.enters {
            enter(connection, migration, backfill, ledger, options.workers).await
        } else {
            ledger.totals(connection).await
        };
        let totals = totals.map_err(|error| BackfillError::of(&backfill.table, error))?;
        // Also where nothing is open: a run that was killed after its last chunk has left no word in the audit log.
        worker::Worker::of(migration, backfill, file, ledger, options)
            .run(connection, totals, &mut outcome, on_progress)
            .await?;
        if matches!(outcome.end, End::Stopped { .. } | End::Cancelled) {
            break;
        }
    }
    outcome.duration = started.elapsed();
    Ok(outcome)
}

fn ledger<'a>(migration: &'a Migration, backfill: &'a Backfill, way: Way) -> Ledger<'a> {
    Ledger {
        migration: migration.id(),
        table: &backfill.table,
        way,
    }
}

async fn enter(
    connection: &mut Connection,
    migration: &Migration,
    backfill: &Backfill,
    ledger: Ledger<'_>,
    workers: u32,
) -> Result<ledger::Totals, DatabaseError> {
    let totals = ledger.totals(connection).await?;
    if totals.chunks > 0 {
        return Ok(totals);
    }
    let ranges = chunks::cut(connection, Ranges::of(migration, backfill), workers).await?;
    let proves = backfill.address.is_some();
    ledger.enter(connection, &ranges, proves).await?;
    ledger.totals(connection).await
}
