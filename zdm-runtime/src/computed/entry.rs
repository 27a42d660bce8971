//! The application's own binary as one more process at a backfill: it joins the ledger that `cargo zdm backfill` has cut.
//!
//! Comes in: [`Version`], the function, [`Options`]. Goes out: what all workers did. Must not know: gates, stages.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{ComputedError, Function};
use crate::backfill::throttle::{self, Monitor, Throttle};
use crate::backfill::{self, BackfillOptions, End, Outcome, Way};
use crate::database::Connection;
use crate::history;
use crate::migration::Migration;
use crate::progress::Progress;
use crate::{Pool, quarantine};

/// Between two looks for a chunk while others work at all of them.
const WAIT: Duration = Duration::from_millis(500);

/// A version as the binary was built with it: the text of `plan.toml`, and of the files that the backfill executes.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    /// `plan.toml`
    pub plan: &'static str,
    /// By their paths below the version's folder.
    pub files: &'static [(&'static str, &'static str)],
}

/// How the application goes about it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that work at the same time, beside those of the pool.
    pub workers: u32,
    /// The signals that slow it down, with `cargo zdm`'s defaults; `None` asks none.
    pub signals: Option<Throttle>,
    /// All else. `enters`, `way` and `function` are what they are here, whatever is given.
    pub backfill: BackfillOptions,
}

impl Options {
    /// The defaults, in somebody's name: one worker that gives way to others.
    pub fn of(actor: impl Into<String>) -> Self {
        let actor = actor.into();
        let worker = format!("{actor} (pid {})", std::process::id());
        Self {
            workers: 1,
            signals: Some(Throttle::default()),
            backfill: BackfillOptions::of(actor, worker),
        }
    }
}

/// Fills the function's column, until every row of the ledger has its value or something stops it. Rows in quarantine are tried
/// again. Whatever interrupts it, running again goes on at the cursors.
pub async fn backfill(
    pool: impl Into<Pool>,
    version: &Version,
    function: Function,
    options: &Options,
) -> Result<Outcome, ComputedError> {
    let pool = pool.into();
    let migration = Migration::embedded(version.plan, version.files)?;
    let mut connection = pool.open().await?;
    is_of_this_version(&mut connection, &migration).await?;
    let id = migration.id();
    if !backfill::is_prepared(&mut connection, id, function.table, Way::Up).await? {
        return Err(ComputedError::NotPrepared {
            migration: migration.manifest().folder(),
        });
    }
    let mut each = BackfillOptions {
        enters: false,
        way: Way::Up,
        function: Some(function),
        ..options.backfill.clone()
    };
    each.verdicts = watched(&pool, options, &function).await?;
    let mut total = work(&pool, &migration, &each, options.workers).await?;
    if total.end == End::Done {
        let released = quarantine::release_computed(&mut connection, &migration, &function).await?;
        total.changed += released;
    }
    Ok(total)
}

async fn is_of_this_version(
    connection: &mut Connection,
    migration: &Migration,
) -> Result<(), ComputedError> {
    let recorded = history::list(connection).await?;
    let found = recorded
        .into_iter()
        .find(|recorded| recorded.migration == migration.id() && recorded.expanded);
    match found {
        None => Err(ComputedError::NotPrepared {
            migration: migration.manifest().folder(),
        }),
        Some(found) if found.content_hash == migration.content_hash() => Ok(()),
        Some(found) => Err(ComputedError::AnotherVersion {
            migration: migration.manifest().folder(),
            ours: migration.content_hash().to_owned(),
            found: found.content_hash,
        }),
    }
}

async fn watched(
    pool: &Pool,
    options: &Options,
    function: &Function,
) -> Result<Option<watch::Receiver<throttle::Published>>, ComputedError> {
    let Some(signals) = &options.signals else {
        return Ok(None);
    };
    let mut connection = pool.open().await?;
    let tables = [function.table.to_owned()];
    let mut monitor = Monitor::probe(&mut connection, signals, &tables)
        .await
        .map_err(ComputedError::Signals)?;
    let first = monitor.verdict(&mut connection).await;
    let (sender, receiver) = watch::channel(throttle::Published::now(first));
    tokio::spawn(throttle::watch(connection, pool.url(), monitor, sender));
    Ok(Some(receiver))
}

async fn work(
    pool: &Pool,
    migration: &Migration,
    options: &BackfillOptions,
    workers: u32,
) -> Result<Outcome, ComputedError> {
    let mut running = JoinSet::new();
    for number in 0..workers.max(1) {
        let connection = pool.open().await?;
        let worker = format!("{} worker {number}", options.worker);
        let options = BackfillOptions {
            worker,
            ..options.clone()
        };
        running.spawn(one(connection, migration.clone(), options));
    }
    let mut total = Outcome::default();
    let mut failed = None;
    while let Some(joined) = running.join_next().await {
        match joined? {
            Ok(outcome) => {
                total.rows += outcome.rows;
                total.changed += outcome.changed;
                total.batches += outcome.batches;
                total.quarantined += outcome.quarantined;
                total.duration = total.duration.max(outcome.duration);
                if outcome.end != End::Done {
                    total.end = outcome.end;
                }
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(total), |error| Err(error.into()))
}

/// One worker, until there is nothing left to do for anybody.
async fn one(
    mut connection: Connection,
    migration: Migration,
    options: BackfillOptions,
) -> Result<Outcome, backfill::BackfillError> {
    let mut total = Outcome::default();
    let mut unseen = |_: &Progress| {};
    loop {
        let outcome = backfill::run(&mut connection, &migration, &options, &mut unseen).await?;
        total.rows += outcome.rows;
        total.changed += outcome.changed;
        total.batches += outcome.batches;
        total.quarantined += outcome.quarantined;
        total.duration += outcome.duration;
        total.end = outcome.end;
        if !matches!(total.end, End::Elsewhere { .. }) {
            return Ok(total);
        }
        tokio::time::sleep(WAIT).await;
    }
}
