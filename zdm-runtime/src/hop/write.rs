//! What a hop writes, all of it inside the hop's transaction.

use super::Target;
use crate::database::{Connection, DatabaseError, Value};
use crate::facts::Standing;
use crate::{By, Stage};

/// The stage itself, and from when on each side is maintained.
pub(super) async fn stage(
    connection: &mut Connection,
    migration: &str,
    present: &Standing,
    target: Target,
) -> Result<(), DatabaseError> {
    let epoch = present.epoch + 1;
    let since = |before: Option<i64>, maintained: bool| {
        Value::Int(maintained.then_some(before.unwrap_or(epoch)))
    };
    let points = i64::from(target.share.basis_points());
    let (keys, instances) = match target.share.by() {
        By::Key => (points, None),
        // A runtime from before looks at the keys alone, and reads old.
        By::Instance => (0, Some(points)),
    };
    connection
        .execute(
            "UPDATE {zdm}stage SET stage = $2, read_basis_points = $3, epoch = $4, entered_at = {now}, old_since = $5, \
             new_since = $6, read_instances = $7 WHERE migration = $1",
            &[
                migration.into(),
                target.stage.name().into(),
                keys.into(),
                epoch.into(),
                since(present.old_since, target.stage != Stage::Complete),
                since(present.new_since, target.stage != Stage::Off),
                Value::Int(instances),
            ],
        )
        .await?;
    Ok(())
}

/// A way back is not to be undone by whatever runs on a schedule; a step forward is somebody's decision and ends that. A contract
/// that has begun and dropped nothing keeps nobody from starting any more.
pub(super) async fn rolled_back(
    connection: &mut Connection,
    migration: &str,
    rolled_back: bool,
) -> Result<(), DatabaseError> {
    let sql = if rolled_back {
        "UPDATE {zdm}migration SET rolled_back_at = {now}, taken_back_at = {now}, \
         contracted_at = CASE WHEN contracted_at > 0 THEN contracted_at END WHERE migration = $1"
    } else {
        "UPDATE {zdm}migration SET rolled_back_at = NULL, rolled_back_to = NULL WHERE migration = $1"
    };
    connection.execute(sql, &[migration.into()]).await?;
    Ok(())
}

/// Moves the fences by `hops`; 0 only keeps others away. In the tables' order, so that two migrations with several common tables do not wait for each other in a circle.
pub(super) async fn fences(
    connection: &mut Connection,
    migration: &str,
    hops: i64,
) -> Result<(), DatabaseError> {
    let tables = connection
        .query(
            "SELECT table_name FROM {zdm}stage_table WHERE migration = $1 ORDER BY table_name",
            &[migration.into()],
        )
        .await?;
    for table in tables.into_iter().flatten() {
        connection
            .execute(
                "UPDATE {zdm}fence SET epoch = epoch + $2 WHERE table_name = $1",
                &[table, hops.into()],
            )
            .await?;
    }
    Ok(())
}

/// What no longer counts after a hop (invariants 5 and 7).
pub(super) async fn reset(
    connection: &mut Connection,
    migration: &str,
    from: Stage,
    to: Stage,
) -> Result<(), DatabaseError> {
    let void: &[&str] = match (from, to) {
        (_, Stage::Off) => &[
            "DELETE FROM {zdm}chunk WHERE migration = $1",
            "DELETE FROM {zdm}quarantine WHERE migration = $1",
            "DELETE FROM {zdm}mismatch WHERE migration = $1",
            "DELETE FROM {zdm}verification WHERE migration = $1 AND state = 'running'",
        ],
        (Stage::Complete, _) => {
            &["DELETE FROM {zdm}chunk WHERE migration = $1 AND direction = 'reverse'"]
        }
        // A backfill whose claim had run out may have gone on meanwhile: old code has written behind it.
        (Stage::Off, Stage::DualWrite) => {
            &["DELETE FROM {zdm}chunk WHERE migration = $1 AND direction = 'up'"]
        }
        // What instances saw to differ is filled and compared again before anybody reads new.
        (_, Stage::DualWrite) => &[
            "DELETE FROM {zdm}chunk WHERE migration = $1 AND direction = 'up' AND EXISTS \
             (SELECT 1 FROM {zdm}mismatch AS seen WHERE seen.migration = $1 AND seen.mismatches > 0)",
            "DELETE FROM {zdm}verification WHERE migration = $1 AND side = 'new' AND EXISTS \
             (SELECT 1 FROM {zdm}mismatch AS seen WHERE seen.migration = $1 AND seen.mismatches > 0)",
            "DELETE FROM {zdm}mismatch WHERE migration = $1",
        ],
        (Stage::DualWrite, Stage::Shadow) => &["DELETE FROM {zdm}mismatch WHERE migration = $1"],
        _ => &[],
    };
    for sql in void {
        connection.execute(sql, &[migration.into()]).await?;
    }
    Ok(())
}
