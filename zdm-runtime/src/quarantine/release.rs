//! Lets rows out: those that somebody mended, and those that a later write made right.

use super::table::{self, Found};
use super::{Fixed, QuarantineError};
use crate::computed::{self, Function};
use crate::database::{Connection, DatabaseError};
use crate::key::Key;
use crate::manifest::Backfill;
use crate::migration::Migration;
use crate::ranges::Ranges;

/// Tries every row of a table that waits or is waived again; how many were released.
pub(crate) async fn valid(
    connection: &mut Connection,
    migration: &Migration,
    backfill: &Backfill,
) -> Result<u64, QuarantineError> {
    each(connection, migration, backfill, None).await
}

/// The same of the table that a function of the application fills, by the function.
pub(crate) async fn by_function(
    connection: &mut Connection,
    migration: &Migration,
    function: &Function,
) -> Result<u64, QuarantineError> {
    match migration.backfill(function.table) {
        Some(backfill) => each(connection, migration, backfill, Some(function)).await,
        None => Ok(0),
    }
}

async fn each(
    connection: &mut Connection,
    migration: &Migration,
    backfill: &Backfill,
    function: Option<&Function>,
) -> Result<u64, QuarantineError> {
    let mut released = 0;
    let kept = table::kept(connection, migration.id(), &backfill.table).await?;
    for key in kept.into_keys() {
        if !matches!(
            fix(
                connection,
                migration,
                backfill,
                (&key, function),
                async |_, _| Ok(())
            )
            .await?,
            Fixed::Still { .. }
        ) {
            released += 1;
        }
    }
    Ok(released)
}

/// Converts one row in a transaction of its own and releases it where that succeeds; `log` tells of it inside.
pub(super) async fn fix(
    connection: &mut Connection,
    migration: &Migration,
    backfill: &Backfill,
    row: (&Key, Option<&Function>),
    log: impl AsyncFn(&mut Connection, &Fixed) -> Result<(), DatabaseError>,
) -> Result<Fixed, QuarantineError> {
    connection.begin().await?;
    let mut fixed = convert(connection, migration, backfill, row).await;
    if let Ok(done @ (Fixed::Converted | Fixed::Gone)) = &fixed
        && let Err(error) = log(connection, done).await
    {
        fixed = Err(error);
    }
    match fixed {
        Ok(fixed @ (Fixed::Converted | Fixed::Gone)) => {
            connection.commit().await?;
            Ok(fixed)
        }
        Ok(fixed) => {
            connection.rollback().await?;
            Ok(fixed)
        }
        Err(error) => {
            // The failure is what is reported; a connection that is gone has rolled back by itself.
            let _ = connection.rollback().await;
            match error {
                DatabaseError::Data(_) => Ok(Fixed::Still {
                    error: error.to_string(),
                }),
                error => Err(error.into()),
            }
        }
    }
}

async fn convert(
    connection: &mut Connection,
    migration: &Migration,
    backfill: &Backfill,
    (key, function): (&Key, Option<&Function>),
) -> Result<Fixed, DatabaseError> {
    if !old_is_trusted(connection, migration.id()).await? {
        return Ok(Fixed::Still {
            error:
                "old is not maintained or not verified at present, so nothing is converted from it"
                    .to_owned(),
        });
    }
    let ranges = Ranges::of(migration, backfill);
    let there = ranges.has(connection, key).await?;
    if there && backfill.computed.is_some() {
        if let Some(error) = uncomputed(connection, ranges, key, function).await? {
            return Ok(Fixed::Still { error });
        }
    } else if there {
        ranges
            .convert(connection, &backfill.batch, key, key)
            .await?;
        let invalid = ranges.invalid(connection, key, key).await?;
        if let Some(found) = invalid.into_iter().next().map(Found::of) {
            return Ok(Fixed::Still { error: found.error });
        }
    }
    table::release(connection, migration.id(), &backfill.table, key).await?;
    Ok(if there { Fixed::Converted } else { Fixed::Gone })
}

/// Why a row has no value of the application's function still.
async fn uncomputed(
    connection: &mut Connection,
    ranges: Ranges<'_>,
    key: &Key,
    function: Option<&Function>,
) -> Result<Option<String>, DatabaseError> {
    if let Some(function) = function {
        let filled = computed::fill(function, ranges, connection, key, key).await?;
        if let Some((_, reason)) = filled.refused.into_iter().next().or(filled.stopped) {
            return Ok(Some(reason));
        }
    }
    let compared = ranges.compare(connection, key, key, None).await?;
    Ok((compared.mismatches > 0).then(|| {
        "a function of the application fills it: mend what that takes and run the application's part of the backfill again, or write \
         the value"
            .to_owned()
    }))
}

/// Whether new may be derived from old: both are written, and old has been maintained from the beginning or was verified
/// since. The update keeps the stage where it is until the transaction ends; it names the column that decides least, on which whoever
/// backfills has the right.
async fn old_is_trusted(
    connection: &mut Connection,
    migration: &str,
) -> Result<bool, DatabaseError> {
    let held = connection
        .execute(
            "UPDATE {zdm}stage SET salt = salt
             WHERE migration = $1 AND stage IN ('dual_write', 'shadow', 'live', 'ramp_down')
               AND (coalesce(old_since, 0) = 0 OR EXISTS (
                   SELECT 1 FROM {zdm}verification AS old
                   WHERE old.migration = $1 AND old.side = 'old' AND old.state = 'passed' AND old.epoch >= old_since))",
            &[migration.into()],
        )
        .await?;
    Ok(held == 1)
}
