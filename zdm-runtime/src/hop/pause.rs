//! Holding a migration where it stands. Anybody may, also while a command is at work: its next move finds the gate shut,
//! and a backfill stops before its next batch.

use std::time::Duration;

use super::HopError;
use crate::audit::{self, Entry};
use crate::database::{Connection, DatabaseError};

/// Holds the migration: no hop forward, no backfill until [`resume`]. A rollback is not held, nor the backfill that is
/// part of one.
pub async fn pause(
    connection: &mut Connection,
    migration: &str,
    actor: &str,
    reason: &str,
) -> Result<(), HopError> {
    let sql = ["UPDATE {zdm}stage SET paused_at = coalesce(paused_at, {now}) WHERE migration = $1"];
    set(connection, &sql, migration, actor, ("pause", reason)).await
}

/// Ends the backfill from old to new for good: whoever works at it loses its chunk, the migration is held as by [`pause`], and the
/// next backfill begins at the beginning. What was filled stays, and is right as long as both sides are written.
pub async fn cancel(
    connection: &mut Connection,
    migration: &str,
    actor: &str,
    reason: &str,
) -> Result<(), HopError> {
    let sql = [
        "UPDATE {zdm}stage SET paused_at = coalesce(paused_at, {now}) WHERE migration = $1",
        "DELETE FROM {zdm}chunk WHERE migration = $1 AND direction = 'up'",
    ];
    set(connection, &sql, migration, actor, ("cancel", reason)).await
}

/// Lets the migration go on after a pause or a way back.
pub async fn resume(
    connection: &mut Connection,
    migration: &str,
    actor: &str,
    reason: &str,
) -> Result<(), HopError> {
    // What was taken back altogether has no stage.
    let sql = [
        "UPDATE {zdm}stage SET paused_at = NULL WHERE migration = $1",
        "UPDATE {zdm}migration SET rolled_back_at = NULL, rolled_back_to = NULL WHERE migration = $1",
    ];
    set(connection, &sql, migration, actor, ("resume", reason)).await
}

/// Puts on record that a way back has begun, and where it leads: nothing automatic goes forward until [`resume`] or a step
/// forward by hand, and what interrupts it leaves its goal to whoever ends it.
pub async fn hold(
    connection: &mut Connection,
    migration: &str,
    to: &str,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE {zdm}migration SET rolled_back_at = {now}, taken_back_at = {now}, rolled_back_to = $2 \
               WHERE migration = $1";
    connection
        .execute(sql, &[migration.into(), to.into()])
        .await?;
    Ok(())
}

/// Whether the migration is held. One that has no stage is not.
pub async fn is_paused(
    connection: &mut Connection,
    migration: &str,
) -> Result<bool, DatabaseError> {
    let sql = "SELECT 1 FROM {zdm}stage WHERE migration = $1 AND paused_at IS NOT NULL";
    Ok(!connection.query(sql, &[migration.into()]).await?.is_empty())
}

async fn set(
    connection: &mut Connection,
    sql: &[&str],
    migration: &str,
    actor: &str,
    (action, reason): (&str, &str),
) -> Result<(), HopError> {
    connection.begin().await?;
    let changed = set_within(connection, sql, migration, actor, (action, reason)).await;
    connection.end(changed).await
}

async fn set_within(
    connection: &mut Connection,
    sql: &[&str],
    migration: &str,
    actor: &str,
    (action, reason): (&str, &str),
) -> Result<(), HopError> {
    let mut changed = 0;
    for sql in sql {
        changed += connection.execute(sql, &[migration.into()]).await?;
    }
    if changed == 0 {
        return Err(HopError::NoStage {
            migration: migration.to_owned(),
        });
    }
    let entry = Entry {
        actor,
        migration,
        content_hash: None,
        action,
        statement: None,
        outcome: "done",
        duration: Duration::ZERO,
        detail: reason,
    };
    Ok(audit::append(connection, entry).await?)
}
