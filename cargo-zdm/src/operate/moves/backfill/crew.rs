//! The workers of one process, with what goes on beside them: signals, and vacuum.
//!
//! Comes in: a ledger that has been cut. Goes out: what all workers did together.
//! Must not know: gates, claims.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use zdm_runtime::backfill::{self, BackfillError, BackfillOptions, End, Outcome, Way, reclaim};
use zdm_runtime::database::{Connection, DatabaseError, Dialect, catalogue};
use zdm_runtime::migration::Migration;
use zdm_runtime::progress::Progress;

use super::Effort;
use crate::error::Failure;
use crate::operate::moves::verify;
use crate::operate::session::{Session, connect};
use crate::operate::throttle;

/// Between two looks for a chunk while others work at all of them.
const WAIT: Duration = Duration::from_millis(500);

/// What stopped a backfill whose cursors are gone.
const CANCELLED: &str = "the backfill was cancelled or taken back meanwhile";

/// All workers together.
#[derive(Debug, Default)]
pub(super) struct Total {
    pub(super) outcome: Outcome,
    pub(super) stopped: Option<String>,
    /// Its cursors are there no more: what stopped it has ended it for good.
    pub(super) forgotten: bool,
    pub(super) took: Duration,
}

impl Total {
    fn add(&mut self, outcome: &Outcome) {
        self.outcome.rows += outcome.rows;
        self.outcome.changed += outcome.changed;
        self.outcome.batches += outcome.batches;
        self.outcome.quarantined += outcome.quarantined;
        match &outcome.end {
            End::Stopped { reason } => self.stopped = Some(reason.clone()),
            End::Cancelled => self.stopped = Some(CANCELLED.to_owned()),
            End::Done | End::Elsewhere { .. } => {}
        }
    }
}

/// Works until every chunk is done, also those that other processes work at.
pub(super) async fn work(
    session: &mut Session,
    place: usize,
    effort: &Effort,
    mut options: BackfillOptions,
) -> Result<Total, Failure> {
    let migration = session.migrations[place].clone();
    let way = options.way;
    if !effort.no_throttle {
        let backfills = migration.manifest().backfills.iter();
        let tables: Vec<String> = backfills.map(|backfill| backfill.table.clone()).collect();
        let policy = session.policy.throttle.clone();
        options.verdicts = Some(throttle::watched(session.url(), &policy, &tables).await?);
    }
    let bar = session.terminal.progress("backfill", 0);
    let started = Instant::now();
    let mut workers = JoinSet::new();
    let (ended, _) = watch::channel(());
    for number in 0..effort.workers {
        let connection = connect(session.url()).await?;
        workers.spawn(worker(
            connection,
            migration.clone(),
            of_worker(&options, number),
            bar.clone(),
            ended.clone(),
        ));
    }
    let mut total = Total::default();
    let mut failure = None;
    while let Some(joined) = workers.join_next().await {
        match joined {
            Ok((outcomes, ended)) => {
                for outcome in &outcomes {
                    total.add(outcome);
                }
                failure = failure.or(ended.err().map(Failure::from));
            }
            Err(error) => {
                failure = Some(Failure::environment(
                    format!("a worker of the backfill ended early: {error}"),
                    "run the same command again: it continues at the cursors",
                ));
            }
        }
    }
    bar.finish_and_clear();
    total.took = started.elapsed();
    if let Some(failure) = failure {
        return Err(failure);
    }
    // Whoever cancels it pauses it in the same transaction, and a worker may have seen the pause alone.
    if total.stopped.is_some()
        && !backfill::is_begun(&mut session.connection, migration.id(), way).await?
    {
        total.stopped = Some(CANCELLED.to_owned());
        total.forgotten = true;
    }
    Ok(total)
}

/// The first goes on beside a vacuum that lags, so that the backfill does not stand still.
fn of_worker(options: &BackfillOptions, number: u32) -> BackfillOptions {
    let lags = options.vacuum_lags.clone();
    BackfillOptions {
        worker: format!("{} worker {number}", options.worker),
        vacuum_lags: lags.filter(|_| number > 0),
        ..options.clone()
    }
}

/// One worker, until there is nothing left to do for anybody.
async fn worker(
    mut connection: Connection,
    migration: Migration,
    options: BackfillOptions,
    bar: ProgressBar,
    ended: watch::Sender<()>,
) -> (Vec<Outcome>, Result<(), BackfillError>) {
    let mut outcomes = Vec::new();
    let mut another_ended = ended.subscribe();
    loop {
        let mut last = None;
        let mut on_progress = |progress: &Progress| verify::show(&bar, progress, &mut last);
        match backfill::run(&mut connection, &migration, &options, &mut on_progress).await {
            Ok(outcome) => {
                let elsewhere = matches!(outcome.end, End::Elsewhere { .. });
                outcomes.push(outcome);
                if !elsewhere {
                    ended.send_replace(());
                    return (outcomes, Ok(()));
                }
                tokio::select! {
                    () = tokio::time::sleep(WAIT) => {}
                    _ = another_ended.changed() => {}
                }
            }
            Err(error) => {
                ended.send_replace(());
                return (outcomes, Err(error));
            }
        }
    }
}

/// The vacuum that follows the workers.
#[derive(Debug)]
pub(super) struct Vacuum(Option<Running>);

#[derive(Debug)]
struct Running {
    pid: i64,
    task: JoinHandle<Result<(), DatabaseError>>,
    listener: watch::Receiver<bool>,
}

impl Vacuum {
    /// Says so where this role may not.
    pub(super) async fn start(
        session: &mut Session,
        place: usize,
        way: Way,
    ) -> Result<Self, Failure> {
        if session.connection.dialect() == Dialect::Sqlite {
            return Ok(Self(None));
        }
        if session.connection.is_pooled() {
            session.terminal.say(
                "through a pooler nothing is vacuumed: until autovacuum comes, the tables grow by every row that is filled",
            );
            return Ok(Self(None));
        }
        let migration = session.migrations[place].clone();
        let refused = reclaim::refused(&mut session.connection, &migration, way).await?;
        if !refused.is_empty() {
            session.terminal.say(&format!(
                "this role may not vacuum {}: until autovacuum comes, the table grows by every row that is filled",
                refused.join(", ")
            ));
        }
        let mut connection = connect(session.url()).await?;
        let pid = catalogue::backend_pid(&mut connection).await?;
        let (listeners, listener) = watch::channel(false);
        let task = tokio::spawn(async move {
            reclaim::run(&mut connection, &migration, way, &listeners).await
        });
        Ok(Self(Some(Running {
            pid,
            task,
            listener,
        })))
    }

    /// Whether it lags behind the workers.
    pub(super) fn lags(&self) -> Option<watch::Receiver<bool>> {
        let Self(running) = self;
        running.as_ref().map(|running| running.listener.clone())
    }

    /// Ends a vacuum that is at work: what comes next may need the lock that it has.
    pub(super) async fn end(self, session: &mut Session) {
        let Some(running) = self.0 else {
            return;
        };
        drop(running.listener);
        let cancelled = session
            .connection
            .query(
                "SELECT pg_catalog.pg_cancel_backend($1::int)",
                &[running.pid.into()],
            )
            .await;
        match running.task.await {
            Ok(Err(error)) if !error.is_cancelled() => session
                .terminal
                .say(&format!("the vacuum beside the backfill ended: {error}")),
            _ => {}
        }
        // A connection that is gone took the vacuum along.
        drop(cancelled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_workers_but_one_wait_for_the_vacuum() {
        let (_vacuum, lags) = watch::channel(true);
        let options = BackfillOptions {
            vacuum_lags: Some(lags),
            ..BackfillOptions::of("test", "test")
        };
        let waits = (0..4).map(|number| of_worker(&options, number).vacuum_lags.is_some());
        assert_eq!(waits.collect::<Vec<_>>(), [false, true, true, true]);
    }
}
