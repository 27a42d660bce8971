//! A step that the database refuses inside a transaction (`CREATE INDEX CONCURRENTLY`), made safe to repeat.
//!
//! It waits out every older snapshot, so a short lock timeout would fail it every time: it gets a deadline instead.

use std::time::{Duration, Instant};

use super::{Failure, Task};
use crate::database::{Connection, DatabaseError, Dialect, Value};

pub(super) async fn attempt(
    task: &Task<'_>,
    connection: &mut Connection,
    started: Instant,
    lock_wait: Duration,
) -> Result<(), Failure> {
    task.hold(connection).await?;
    limit(connection, task.options.deadline).await?;
    let done = build(task, connection).await;
    let reset = unlimit(connection).await;
    done?;
    reset?;
    connection.begin().await?;
    let recorded = match task.record(connection, started, lock_wait).await {
        Ok(()) => connection.commit().await,
        Err(error) => Err(error),
    };
    if recorded.is_err() {
        // The failure is what is reported; a connection that is gone has rolled back by itself.
        let _ = connection.rollback().await;
    }
    Ok(recorded?)
}

async fn build(task: &Task<'_>, connection: &mut Connection) -> Result<(), DatabaseError> {
    drop_invalid(task, connection).await?;
    let done = connection.run_file(task.sql).await;
    if done.is_err() {
        // An invalid unique index goes on refusing writes, so it does not wait for the next try. The statement's own
        // failure is what is reported.
        if let Err(error) = drop_invalid(task, connection).await {
            tracing::warn!(%error, "an invalid index could not be dropped");
        }
    }
    done
}

/// Removes what a failed or killed attempt left behind.
async fn drop_invalid(task: &Task<'_>, connection: &mut Connection) -> Result<(), DatabaseError> {
    let Some(index) = &task.step.builds_index else {
        return Ok(());
    };
    if connection.dialect() != Dialect::Postgres {
        return Ok(());
    }
    let rows = connection
        .query(
            "SELECT quote_ident(space.nspname) || '.' || quote_ident(class.relname)
             FROM pg_index AS index
             JOIN pg_class AS class ON class.oid = index.indexrelid
             JOIN pg_namespace AS space ON space.oid = class.relnamespace
             WHERE class.relname = $1 AND pg_table_is_visible(class.oid) AND NOT index.indisvalid",
            &[index.as_str().into()],
        )
        .await?;
    if let Some(Value::Text(Some(name))) = rows.first().and_then(|row| row.first()) {
        tracing::info!(index, "drops an invalid index of an earlier attempt");
        connection
            .run_file(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"))
            .await?;
    }
    Ok(())
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
