//! What the control tables tell of the migration: a backfill that is watched, one that is killed in the middle, rows that
//! differed.
//!
//! Comes in: the commands, a connection to look with. Goes out: what became of them. Must not know: the load.

use std::future::Future;
use std::time::Duration;

use zdm_runtime::database::{Connection, Value};

use super::command::Commands;
use super::error::DemoError;
use super::message::Version;

/// Between two looks at the ledger.
const LOOK: Duration = Duration::from_millis(20);

const DONE: &str =
    "SELECT CAST(coalesce(sum(rows_seen), 0) AS bigint) FROM {zdm}chunk WHERE migration = $1";

const INCONSISTENT: &str =
    "SELECT CAST(coalesce(sum(mismatches), 0) AS bigint) FROM {zdm}mismatch WHERE migration = $1";

/// Starts a backfill of one row per batch and kills it with SIGKILL once rows are behind its cursor. Says how far it came.
pub(super) async fn kill_backfill(
    commands: &Commands,
    connection: &mut Connection,
    migration: &str,
) -> Result<String, DemoError> {
    let slowly = ["backfill", "--most-rows", "1"];
    let mut child = commands.start(Version::V2, &slowly)?;
    loop {
        let ended = child.try_wait().map_err(DemoError::Start)?.is_some();
        let done = rows_done(connection, migration).await?;
        if ended {
            return Ok(format!("came to row {done}"));
        }
        if done > 0 {
            child.kill().await.map_err(DemoError::Start)?;
            return Ok(format!("was killed at row {done}"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits for work while telling how many rows the ledger says are done.
pub(super) async fn watched<T>(
    work: impl Future<Output = Result<T, DemoError>>,
    connection: &mut Connection,
    migration: &str,
    mut tell: impl FnMut(u64),
) -> Result<T, DemoError> {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return result,
            () = tokio::time::sleep(LOOK * 10) => tell(rows_done(connection, migration).await?),
        }
    }
}

/// How often a read of the application found the sides of a row not to be consistent.
pub(super) async fn inconsistent(
    connection: &mut Connection,
    migration: &str,
) -> Result<u64, DemoError> {
    number(connection, INCONSISTENT, migration).await
}

async fn rows_done(connection: &mut Connection, migration: &str) -> Result<u64, DemoError> {
    number(connection, DONE, migration).await
}

async fn number(connection: &mut Connection, sql: &str, migration: &str) -> Result<u64, DemoError> {
    let answer = connection.query(sql, &[migration.into()]).await?;
    match answer.first().map(Vec::as_slice) {
        Some([Value::Int(Some(number))]) => Ok(number.unsigned_abs()),
        other => Err(DemoError::Answer(format!("{sql}: {other:?}"))),
    }
}
