//! A step in a transaction of its own, together with its record.

use std::time::{Duration, Instant};

use super::{Failure, Task, dependents, rebuild, small, unasked, undescribed};
use crate::database::{Connection, DatabaseError, Dialect, catalogue};

pub(super) async fn attempt(
    task: &Task<'_>,
    connection: &mut Connection,
    started: Instant,
    lock_wait: Duration,
) -> Result<(), Failure> {
    if acts_on_others(task, connection) {
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
    small::refuse(task, connection).await?;
    if !task.step.expects.is_empty() {
        let lost = undescribed::of(connection, &task.step.table, &task.step.expects).await?;
        if !lost.is_empty() {
            return Err(Failure::Undescribed(lost));
        }
    }
    let before = if acts_on_others(task, connection) {
        let violations = rebuild::violations(connection).await?;
        Some((violations, dependents::triggers(connection).await?))
    } else {
        None
    };
    let dropped = dropped_with(task);
    if !dropped.is_empty() {
        let mut references = catalogue::references(connection, &task.step.table).await?;
        references.retain(|reference| !reference.is_of(&dropped));
        if !references.is_empty() {
            return Err(Failure::References(references));
        }
    }
    if unasked::concerns(task) {
        unasked::refuse(task, connection).await?;
    }
    if connection.dialect() == Dialect::Postgres {
        connection.run_file(&limits(task)).await?;
    }
    let done = connection.run_file(task.sql).await;
    done.map_err(|error| refused(task, error))?;
    small::release(task, connection).await?;
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

/// How long the step may wait, or run. A writer that waits behind it for one table while it holds another looks for a deadlock after
/// `deadlock_timeout`, and would be the one that fails: the two locks of a foreign key are given up before.
fn limits(task: &Task<'_>) -> String {
    if task.step.blocks_writers {
        format!(
            "SELECT pg_catalog.set_config('lock_timeout', CAST(least({}, greatest(CAST(setting AS bigint) * 2 / 5, 1)) AS text), true)
             FROM pg_settings WHERE name = 'deadlock_timeout'",
            task.options.lock_timeout.as_millis()
        )
    } else {
        let deadline = task.options.deadline.as_millis();
        format!("SET LOCAL statement_timeout = {deadline}")
    }
}

/// The tables that go with the step's, if that one goes: by this step, or a later one of the file.
fn dropped_with<'a>(task: &Task<'a>) -> Vec<&'a str> {
    let step = task.step;
    let manifest = task.migration.manifest();
    let dropped = manifest.dropped_tables(step.section, step.direction);
    if dropped.contains(&step.table.as_str()) {
        dropped
    } else {
        Vec::new()
    }
}

/// `SQLite` deletes the rows of a table that is dropped, and with foreign keys on, what these do then (manual, "Foreign Key
/// Support", "CREATE, ALTER and DROP TABLE commands"); views and triggers it leaves as they are.
fn acts_on_others(task: &Task<'_>, connection: &Connection) -> bool {
    connection.dialect() == Dialect::Sqlite
        && (task.step.rewrites || !dropped_with(task).is_empty())
}

fn refused(task: &Task<'_>, error: DatabaseError) -> Failure {
    match dependents::named_by(&error) {
        Some(dependents) => Failure::Dependents(dependents),
        None => small::of(task, error),
    }
}
