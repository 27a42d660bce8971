//! A step in a transaction of its own, together with its record.

use std::time::{Duration, Instant};

use super::{Failure, Task, rebuild};
use crate::database::{Connection, Dialect};

pub(super) async fn attempt(
    task: &Task<'_>,
    connection: &mut Connection,
    started: Instant,
    lock_wait: Duration,
) -> Result<(), Failure> {
    if connection.dialect() == Dialect::Sqlite && task.step.rewrites {
        let checks = rebuild::suspend_checks(connection).await?;
        let done = in_transaction(task, connection, started, lock_wait).await;
        let restored = rebuild::restore_checks(connection, &checks).await;
        done?;
        return Ok(restored?);
    }
    in_transaction(task, connection, started, lock_wait).await
}

async fn in_transaction(
    task: &Task<'_>,
    connection: &mut Connection,
    started: Instant,
    lock_wait: Duration,
) -> Result<(), Failure> {
    connection.begin().await?;
    let done = match body(task, connection, started, lock_wait).await {
        Ok(()) => connection.commit().await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    if done.is_err() {
        // The failure is what is reported; a connection that is gone has rolled back by itself.
        let _ = connection.rollback().await;
    }
    done
}

async fn body(
    task: &Task<'_>,
    connection: &mut Connection,
    started: Instant,
    lock_wait: Duration,
) -> Result<(), Failure> {
    task.hold(connection).await?;
    let rebuilds = connection.dialect() == Dialect::Sqlite && task.step.rewrites;
    let before = if rebuilds {
        rebuild::violations(connection).await?
    } else {
        rebuild::Violations::new()
    };
    if connection.dialect() == Dialect::Postgres {
        let (name, limit) = if task.step.blocks_writers {
            ("lock_timeout", task.options.lock_timeout)
        } else {
            ("statement_timeout", task.options.deadline)
        };
        connection
            .run_file(&format!("SET LOCAL {name} = {}", limit.as_millis()))
            .await?;
    }
    connection.run_file(task.sql).await?;
    if rebuilds {
        let broken = rebuild::added(&before, &rebuild::violations(connection).await?);
        if !broken.is_empty() {
            return Err(Failure::ForeignKeys(broken));
        }
    }
    task.record(connection, started, lock_wait).await?;
    Ok(())
}
