//! A step in a transaction of its own, together with its record.

use std::time::{Duration, Instant};

use super::{Failure, Task, dependents, rebuild, unasked};
use crate::database::{Connection, DatabaseError, Dialect};

pub(super) async fn attempt(
    task: &Task<'_>,
    connection: &mut Connection,
    started: Instant,
    lock_wait: Duration,
) -> Result<(), Failure> {
    if connection.dialect() == Dialect::Sqlite && task.step.rewrites {
        let checked = rebuild::suspend_checks(connection).await?;
        let done = in_transaction(task, connection, started, lock_wait).await;
        let restored = rebuild::restore_checks(connection, checked).await;
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
        let violations = rebuild::violations(connection).await?;
        Some((violations, dependents::triggers(connection).await?))
    } else {
        None
    };
    if unasked::concerns(task) {
        unasked::refuse(task, connection).await?;
    }
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
    connection.run_file(task.sql).await.map_err(refused)?;
    if let Some((violations, broken)) = before {
        let added = rebuild::added(&violations, &rebuild::violations(connection).await?);
        if !added.is_empty() {
            return Err(Failure::ForeignKeys(added));
        }
        let added = dependents::added(connection, &broken).await?;
        if !added.is_empty() {
            return Err(Failure::Dependents(added));
        }
    }
    task.record(connection, started, lock_wait).await?;
    Ok(())
}

fn refused(error: DatabaseError) -> Failure {
    match dependents::named_by(&error) {
        Some(dependent) => Failure::Dependents(vec![dependent]),
        None => error.into(),
    }
}
