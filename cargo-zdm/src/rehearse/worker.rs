//! A writer or a reader of an instance, as a task that goes on until it is told to stop.
//!
//! Comes in: what is shared, an instance, orders. Goes out: counts in the tally, how much was done.
//! Must not know: the migration's steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use zdm_runtime::database::{Connection, DatabaseError, Dialect};

use super::error::WorkError;
use super::instance::Instance;
use super::line::Line;
use super::work::Shared;
use crate::load::random::Random;

/// Between two transactions, so that `SQLite`'s write lock is free for others: it is not handed over in order.
const BREATH: Duration = Duration::from_millis(2);
/// After so many failures without a success a worker gives up.
const GIVE_UP_AFTER: u32 = 20;

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
}

/// What a worker and who started it share.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub(super) stop: AtomicBool,
    /// Write, and neither commit nor roll back.
    pub(super) hang: AtomicBool,
    /// Lose the connection in the middle of a transaction.
    pub(super) cut: AtomicBool,
    pub(super) hangs: AtomicBool,
    /// Transactions up to now.
    pub(super) done: AtomicU64,
}

/// Works until it is told to stop.
pub(super) async fn work(
    shared: Arc<Shared>,
    instance: Instance,
    role: Role,
    orders: Arc<Orders>,
    seed: u64,
) -> Result<(), WorkError> {
    let mut line = Line::open(&shared.url).await?;
    let mut random = Random::new(seed);
    let mut failures = 0;
    while !orders.stop.load(Ordering::Relaxed) {
        let cut = role == Role::Writer && orders.cut.load(Ordering::Relaxed);
        let done = match role {
            Role::Reader => shared.read(&mut line, &instance, &mut random).await,
            Role::Writer => write(&shared, &mut line, &instance, &mut random, (&orders, cut)).await,
        };
        match done {
            Ok(()) => failures = 0,
            Err(error) if cut && error.is_cut() => {
                shared.tally().killed.connections += 1;
                line.reopen().await?;
                orders.cut.store(false, Ordering::Relaxed);
            }
            Err(error) => {
                failures += 1;
                shared.tally().fail(shared.part(), &error.to_string());
                if failures == GIVE_UP_AFTER {
                    return Err(error);
                }
                if error.is_cut() {
                    line.reopen().await?;
                }
            }
        }
        orders.done.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

async fn write(
    shared: &Shared,
    line: &mut Line,
    instance: &Instance,
    random: &mut Random,
    (orders, cut): (&Orders, bool),
) -> Result<(), WorkError> {
    let Some(at) = shared.some_tab(instance, random) else {
        // Nothing is driven: the instance is there all the same, and may die. There is no transaction to lose a connection in.
        orders.cut.store(false, Ordering::Relaxed);
        if orders.hang.load(Ordering::Relaxed) {
            orders.hangs.store(true, Ordering::Relaxed);
            std::future::pending::<()>().await;
        }
        return Ok(());
    };
    let Some(repository) = shared.repository(instance, at) else {
        return Ok(());
    };
    let Some(write) = shared.next(line, instance, at, random).await? else {
        return Ok(());
    };
    if !cut && !orders.hang.load(Ordering::Relaxed) {
        if let Some((row, count)) = shared
            .commit(line, &repository, at, instance, &write)
            .await?
        {
            shared.acknowledge(at, &row, count);
        }
        return Ok(());
    }
    if !shared
        .leave_open(line, &repository, at, instance, &write)
        .await?
    {
        // It may be refused: another one is the last.
        return Ok(());
    }
    if cut {
        return lose(line).await;
    }
    orders.hangs.store(true, Ordering::Relaxed);
    std::future::pending().await
}

/// The connection goes with its transaction open: the server ends it, or, where there is none, it is dropped.
async fn lose(line: &mut Line) -> Result<(), WorkError> {
    if line.connection.dialect() == Dialect::Sqlite {
        return Err(WorkError::Database(DatabaseError::Lost(
            sqlx::Error::WorkerCrashed,
        )));
    }
    let pid = line
        .connection
        .query("SELECT pg_catalog.pg_backend_pid()", &[])
        .await?;
    let mut other = Connection::open(line.url()).await?;
    let pid = pid.first().and_then(|row| row.first()).cloned();
    other
        .query(
            "SELECT pg_catalog.pg_terminate_backend($1::int)",
            &pid.map_or_else(Vec::new, |pid| vec![pid]),
        )
        .await?;
    match line.connection.commit().await {
        Ok(()) => Err(WorkError::Answer(
            "a connection that was ended has committed".to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}
