//! A step that the database refuses inside a transaction (`CREATE INDEX CONCURRENTLY`), made safe to repeat.
//!
//! It waits out every older snapshot, so a short lock timeout would fail it every time: it gets a deadline instead. That it
//! begins is on record before it does, so that the way back takes along what was built and never recorded.

use std::time::{Duration, Instant};

use super::index::{self, Found};
use super::{Failure, Task, record};
use crate::database::{Connection, DatabaseError, Dialect};
use crate::manifest::{Direction, Step};

pub(super) async fn attempt(
    task: &Task<'_>,
    connection: &mut Connection,
    started: Instant,
    lock_wait: Duration,
) -> Result<(), Failure> {
    task.hold(connection).await?;
    limit(connection, task.options.deadline).await?;
    let done = execute(task, connection).await;
    let reset = unlimit(connection).await;
    done?;
    reset?;
    connection.begin().await?;
    let recorded = task.record(connection, started, lock_wait).await;
    Ok(connection.end(recorded).await?)
}

async fn execute(task: &Task<'_>, connection: &mut Connection) -> Result<(), Failure> {
    if connection.dialect() != Dialect::Postgres {
        begin(task, connection).await?;
        return Ok(connection.run_file(task.sql).await?);
    }
    if let Some(name) = &task.step.builds_index {
        return build(task, connection, name).await;
    }
    if let Some((step, name)) = undone_build(task).or_else(|| build_of_undo(task)) {
        match index::look(connection, step, name, true).await? {
            // By the name alone another schema's might go.
            Found::Nothing if task.step.direction == Direction::Up => return Ok(()),
            Found::Other(found) => return Err(other(name, found)),
            Found::Nothing | Found::Planned { .. } => {}
        }
    }
    begin(task, connection).await?;
    Ok(connection.run_file(task.sql).await?)
}

/// Says on record that the step begins, while the claim is held.
async fn begin(task: &Task<'_>, connection: &mut Connection) -> Result<(), Failure> {
    connection.begin().await?;
    let begun = match task.hold(connection).await {
        Ok(()) => record::begin(connection, task.migration, task.step.section, &task.effect)
            .await
            .map_err(Failure::from),
        Err(lost) => Err(lost),
    };
    connection.end(begun).await
}

/// The step that built the index which this one drops.
fn undone_build<'a>(task: &Task<'a>) -> Option<(&'a Step, &'a str)> {
    let undoes = task.step.undoes?;
    let mut steps = task
        .migration
        .manifest()
        .steps_of(task.step.section, Direction::Up);
    let built = steps.find(|step| step.number == undoes)?;
    Some((built, built.builds_index.as_deref()?))
}

/// The entry of an undo that has begun and not ended, which builds the index that this step drops.
fn build_of_undo<'a>(task: &Task<'a>) -> Option<(&'a Step, &'a str)> {
    if task.step.direction == Direction::Down || !(task.begun && task.step.repeatable) {
        return None;
    }
    let manifest = task.migration.manifest();
    let mut steps = manifest.steps_of(task.step.section, Direction::Down);
    let builds = steps.find(|step| step.undoes == Some(task.step.number))?;
    Some((builds, builds.builds_index.as_deref()?))
}

async fn build(task: &Task<'_>, connection: &mut Connection, name: &str) -> Result<(), Failure> {
    // What is there already, as it is planned, somebody has built by hand, or an attempt whose end is not on record.
    if clear(task, connection, name, task.begun).await? {
        return Ok(());
    }
    let statements = index::by_partition(connection, task.step, name).await?;
    if !statements.is_empty() {
        return Err(Failure::Partitioned(statements));
    }
    begin(task, connection).await?;
    if let Err(error) = connection.run_file(task.sql).await {
        // An invalid unique index goes on refusing writes, so it does not wait for the next try. The statement's own
        // failure is what is reported.
        if let Err(error) = abandon(task, connection, name).await {
            tracing::warn!(%error, "what is left of an index could not be dropped");
        }
        return Err(error.into());
    }
    match index::look(connection, task.step, name, true).await? {
        Found::Planned { valid: true, .. } => Ok(()),
        Found::Planned { .. } => Err(other(name, "an invalid one".to_owned())),
        Found::Nothing => Err(other(name, "none".to_owned())),
        Found::Other(found) => Err(other(name, found)),
    }
}

/// Nothing is left of a failed attempt, in the database and on record.
async fn abandon(task: &Task<'_>, connection: &mut Connection, name: &str) -> Result<(), Failure> {
    clear(task, connection, name, true).await?;
    record::abandon(connection, task.migration, task.step.section, &task.effect).await?;
    Ok(())
}

/// Refuses where something else has the name, and removes what a failed or killed attempt left behind. Whether the index is there.
async fn clear(
    task: &Task<'_>,
    connection: &mut Connection,
    name: &str,
    begun: bool,
) -> Result<bool, Failure> {
    match index::look(connection, task.step, name, begun).await? {
        Found::Nothing => Ok(false),
        Found::Planned { valid: true, .. } => Ok(true),
        Found::Planned { name, valid: false } => {
            tracing::info!(name, "drops an invalid index of an earlier attempt");
            let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {name}");
            connection.run_file(&sql).await?;
            Ok(false)
        }
        Found::Other(found) => Err(other(name, found)),
    }
}

fn other(name: &str, found: String) -> Failure {
    Failure::OtherIndex {
        name: name.to_owned(),
        found,
    }
}

async fn limit(connection: &mut Connection, deadline: Duration) -> Result<(), DatabaseError> {
    if connection.dialect() == Dialect::Postgres {
        let deadline = deadline.as_millis();
        connection.run_file("SET lock_timeout = 0").await?;
        connection
            .run_file(&format!("SET statement_timeout = {deadline}"))
            .await?;
    }
    Ok(())
}

async fn unlimit(connection: &mut Connection) -> Result<(), DatabaseError> {
    if connection.dialect() == Dialect::Postgres {
        connection.run_file("RESET statement_timeout").await?;
        connection.run_file("RESET lock_timeout").await?;
    }
    Ok(())
}
