//! Vacuums a table while it is filled, so that the new versions of its rows take the place of the old ones instead of doubling it.
//!
//! Comes in: a connection of its own to `PostgreSQL`, a migration. Goes out: dead rows removed after every stretch of the ledger.
//! Must not know: workers. What it does is spare room alone, so a role that may not vacuum goes on without it, and is told.

use std::time::Duration;

use tokio::sync::watch;

use super::rest::Rest;
use super::{Way, estimate};
use crate::database::catalogue::relation;
use crate::database::{Connection, DatabaseError, Dialect, Value, blockers};
use crate::migration::Migration;

/// A table is vacuumed each time that one row in so many has been changed.
const STRETCHES: u64 = 20;
/// A vacuum lags where so many stretches were filled since the one before began: while it runs, fewer workers fill, or the table would grow
/// by what it does not get to.
const LAGS: u64 = 2;
/// Not worth a vacuum.
const FEW_ROWS: u64 = 20_000;
/// Between two looks at the ledger.
const EVERY: Duration = Duration::from_millis(20);
/// What a vacuum takes of a table.
const LOCK: &str = "SHARE UPDATE EXCLUSIVE";
/// Beside others it goes as slowly as autovacuum does: the default of `autovacuum_vacuum_cost_delay`.
const GENTLY: &str = "SET vacuum_cost_delay = 2";
const AT_ONCE: &str = "SET vacuum_cost_delay = 0";

/// A table that is vacuumed as it is filled.
struct Table {
    name: String,
    stretch: u64,
    /// Rows that had been changed when it was vacuumed last.
    vacuumed: u64,
}

/// The tables of the migration that this role may not vacuum, for whoever tells people.
pub async fn refused(
    connection: &mut Connection,
    migration: &Migration,
    way: Way,
) -> Result<Vec<String>, DatabaseError> {
    let mut refused = Vec::new();
    if connection.dialect() == Dialect::Sqlite {
        return Ok(refused);
    }
    for backfill in way.tables(migration.manifest()) {
        if !may_vacuum(connection, &backfill.table).await? {
            refused.push(backfill.table.clone());
        }
    }
    Ok(refused)
}

/// Vacuums until nobody listens any more, and tells the listeners whether it lags.
pub async fn run(
    connection: &mut Connection,
    migration: &Migration,
    way: Way,
    listeners: &watch::Sender<bool>,
) -> Result<(), DatabaseError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let mut tables = Vec::new();
    for backfill in way.tables(migration.manifest()) {
        if !may_vacuum(connection, &backfill.table).await? {
            continue;
        }
        let rows = estimate(connection, &backfill.table).await?;
        tables.push(Table {
            name: backfill.table.clone(),
            stretch: (rows / STRETCHES).max(FEW_ROWS),
            vacuumed: changed(connection, migration, way, &backfill.table).await?,
        });
    }
    let mut rest = Rest::default();
    while !tables.is_empty() && !listeners.is_closed() {
        rest.look(blockers::around(connection).await?.at_work > 0);
        for table in &mut tables {
            let changed = changed(connection, migration, way, &table.name).await?;
            // Who waits for an autovacuum's lock ends it, so one that is at the table is let be, and ours follows it.
            if changed >= table.vacuumed + table.stretch
                && blockers::of_table(connection, &table.name, LOCK)
                    .await?
                    .is_empty()
            {
                let lags = changed >= table.vacuumed + LAGS * table.stretch;
                table.vacuumed = changed;
                let pace = if rest.is_beside() { GENTLY } else { AT_ONCE };
                connection.run_file(pace).await?;
                // Cutting the file would lock it. The indexes are left to autovacuum, once for all: each of them would be read as a
                // whole each time.
                let vacuum = format!(
                    "VACUUM (TRUNCATE false, INDEX_CLEANUP false, SKIP_LOCKED) {}",
                    relation(&table.name)
                );
                listeners.send_replace(lags);
                let vacuumed = connection.run_file(&vacuum).await;
                listeners.send_replace(false);
                vacuumed?;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = listeners.closed() => {}
        }
    }
    Ok(())
}

async fn changed(
    connection: &mut Connection,
    migration: &Migration,
    way: Way,
    table: &str,
) -> Result<u64, DatabaseError> {
    let rows = connection
        .query(
            "SELECT CAST(coalesce(sum(rows_changed), 0) AS bigint) FROM {zdm}chunk
             WHERE migration = $1 AND table_name = $2 AND direction = $3",
            &[migration.id().into(), table.into(), way.name().into()],
        )
        .await?;
    match rows.first().map(Vec::as_slice).unwrap_or_default() {
        [Value::Int(Some(changed))] => Ok(u64::try_from(*changed).unwrap_or_default()),
        row => Err(DatabaseError::unexpected("how many rows were changed", row)),
    }
}

/// Its owner may, the database's too, and from `PostgreSQL` 17 on whoever has `MAINTAIN`.
async fn may_vacuum(connection: &mut Connection, table: &str) -> Result<bool, DatabaseError> {
    let rows = connection
        .query(
            "SELECT CAST(pg_catalog.pg_has_role(class.relowner, 'USAGE') OR pg_catalog.pg_has_role(base.datdba, 'USAGE') AS int)
             FROM pg_class AS class, pg_database AS base
             WHERE class.oid = CAST(pg_catalog.to_regclass($1) AS oid) AND base.datname = pg_catalog.current_database()",
            &[relation(table).as_str().into()],
        )
        .await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Int(Some(may))]) if *may != 0 => return Ok(true),
        Some([Value::Int(Some(_))]) => {}
        row => {
            return Err(DatabaseError::unexpected(
                "who may vacuum a table",
                row.unwrap_or_default(),
            ));
        }
    }
    let version = crate::database::catalogue::server_version(connection).await?;
    if version.is_none_or(|version| version < 170_000) {
        return Ok(false);
    }
    let rows = connection
        .query(
            "SELECT 1 WHERE pg_catalog.has_table_privilege(pg_catalog.to_regclass($1), 'MAINTAIN')",
            &[relation(table).as_str().into()],
        )
        .await?;
    Ok(!rows.is_empty())
}
