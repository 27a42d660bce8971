//! A migration's backfill as a whole: whether it is begun, open or done, who is at it, and how it is forgotten.
//!
//! Comes in: a migration and a way. Goes out: what the ledger says of all its chunks. Must not know: batches, workers.

use super::Way;
use super::ledger::{Ledger, Totals};
use crate::database::{Connection, DatabaseError, Value};
use crate::migration::Migration;

/// The names of the workers that hold chunks, gone or not.
pub async fn owners(
    connection: &mut Connection,
    migration: &str,
    way: Way,
) -> Result<Vec<String>, DatabaseError> {
    let rows = connection
        .query(
            "SELECT DISTINCT lease_owner FROM {zdm}chunk
             WHERE migration = $1 AND direction = $2 AND state <> 'done' AND lease_owner IS NOT NULL",
            &[migration.into(), way.name().into()],
        )
        .await?;
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [Value::Text(Some(owner))] => Ok(owner.clone()),
            _ => Err(DatabaseError::unexpected("who holds a chunk", &row)),
        })
        .collect()
}

/// Frees the chunks of a worker that is known to be gone, so that nobody waits for its lease to end. One that is alive
/// after all loses its batch and takes a chunk again. How many chunks that were.
pub async fn take_over(
    connection: &mut Connection,
    migration: &str,
    way: Way,
    owner: &str,
) -> Result<u64, DatabaseError> {
    connection
        .execute(
            "UPDATE {zdm}chunk SET lease_owner = NULL, lease_until = 0, lease_epoch = lease_epoch + 1
             WHERE migration = $1 AND direction = $2 AND state <> 'done' AND lease_owner = $3",
            &[migration.into(), way.name().into(), owner.into()],
        )
        .await
}

/// Whether the migration's backfill has been cut into chunks of which some are not done: whoever may join it.
pub async fn is_open(
    connection: &mut Connection,
    migration: &str,
    way: Way,
) -> Result<bool, DatabaseError> {
    let open = connection
        .query(
            "SELECT 1 FROM {zdm}chunk WHERE migration = $1 AND direction = $2 AND state <> 'done' LIMIT 1",
            &[migration.into(), way.name().into()],
        )
        .await?;
    Ok(!open.is_empty())
}

/// Whether anything of the migration's backfill is on record: what a cancelled one has left is not.
pub async fn is_begun(
    connection: &mut Connection,
    migration: &str,
    way: Way,
) -> Result<bool, DatabaseError> {
    let begun = connection
        .query(
            "SELECT 1 FROM {zdm}chunk WHERE migration = $1 AND direction = $2 LIMIT 1",
            &[migration.into(), way.name().into()],
        )
        .await?;
    Ok(!begun.is_empty())
}

/// Whether all tables of the migration have been cut into chunks, done or not: nobody needs to hold the migration for what is left.
pub async fn is_cut(
    connection: &mut Connection,
    migration: &Migration,
    way: Way,
) -> Result<bool, DatabaseError> {
    for backfill in way.tables(migration.manifest()) {
        if !is_prepared(connection, migration.id(), &backfill.table, way).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a table of the migration has been cut into chunks, done or not.
pub async fn is_prepared(
    connection: &mut Connection,
    migration: &str,
    table: &str,
    way: Way,
) -> Result<bool, DatabaseError> {
    let totals = totals(connection, migration, table, way).await?;
    Ok(totals.chunks > 0)
}

/// Whether chunks of a table are not done.
pub async fn is_left(
    connection: &mut Connection,
    migration: &str,
    table: &str,
    way: Way,
) -> Result<bool, DatabaseError> {
    let totals = totals(connection, migration, table, way).await?;
    Ok(totals.chunks == 0 || totals.open > 0)
}

async fn totals(
    connection: &mut Connection,
    migration: &str,
    table: &str,
    way: Way,
) -> Result<Totals, DatabaseError> {
    let ledger = Ledger {
        migration,
        table,
        way,
    };
    ledger.totals(connection).await
}

/// Forgets how far the migration's backfills are: after `dual_write → off` new is maintained by nobody, and after
/// another `complete` old is not.
pub async fn reset(
    connection: &mut Connection,
    migration: &str,
    way: Way,
) -> Result<(), DatabaseError> {
    connection
        .execute(
            "DELETE FROM {zdm}chunk WHERE migration = $1 AND direction = $2",
            &[migration.into(), way.name().into()],
        )
        .await?;
    Ok(())
}
