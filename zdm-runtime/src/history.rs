//! What this database has seen: versions on record, their stages and fences.
//!
//! Comes in: a manifest and the hash of its content. Goes out: rows of `migration`, `stage`, `stage_table`, `fence`.
//! Must not know: whether the statements were executed; the caller does.

use std::time::Duration;

use crate::audit::{self, Entry};
use crate::control_value::{integer, optional_integer, text};
use crate::database::{Connection, Value, control};
use crate::manifest::{Manifest, Route};
use crate::{Error, Stage};

/// A version on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Stable id.
    pub migration: String,
    /// Its place in the order.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Hash of what was executed.
    pub content_hash: String,
    /// Expand is in effect.
    pub expanded: bool,
    /// Old is dropped: neither there nor kept under another name.
    pub contracted: bool,
    /// Until when old is kept under another name, in milliseconds since 1970; `None`: nothing is kept.
    pub kept_until: Option<i64>,
    /// The last move was a way back, which nothing automatic may undo.
    pub rolled_back: bool,
}

/// Every version on record, in order.
pub async fn list(connection: &mut Connection) -> Result<Vec<Recorded>, Error> {
    let (rolled_back_at, _) = control::rolled_back(connection).await?;
    let kept_until = control::kept_until(connection).await?;
    let sql = format!(
        "SELECT migration, version, name, content_hash, expanded_at IS NOT NULL, coalesce(contracted_at, 0) > 0 \
         AND {kept_until} IS NULL, {kept_until}, {rolled_back_at} IS NOT NULL FROM {{zdm}}migration ORDER BY version"
    );
    let rows = connection.query(&sql, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Recorded {
                migration: text(row, 0)?,
                version: integer(row, 1)?,
                name: text(row, 2)?,
                content_hash: text(row, 3)?,
                expanded: integer(row, 4)? != 0,
                contracted: integer(row, 5)? != 0,
                kept_until: optional_integer(row, 6)?,
                rolled_back: integer(row, 7)? != 0,
            })
        })
        .collect()
}

/// Records that a version is expanded: from now on its code finds a stage (`off`) and a fence on each of its tables. Doing it
/// again changes nothing.
pub async fn expanded(
    connection: &mut Connection,
    manifest: &Manifest,
    content_hash: &str,
    actor: &str,
) -> Result<(), Error> {
    record(connection, manifest, content_hash, actor, Stage::Off).await
}

/// Records a version as past: the tables were created as they are after it (a fresh database, a baseline).
pub async fn adopted(
    connection: &mut Connection,
    manifest: &Manifest,
    content_hash: &str,
    actor: &str,
) -> Result<(), Error> {
    record(connection, manifest, content_hash, actor, Stage::Complete).await
}

async fn record(
    connection: &mut Connection,
    manifest: &Manifest,
    content_hash: &str,
    actor: &str,
    stage: Stage,
) -> Result<(), Error> {
    connection.begin().await?;
    let recorded = record_within(connection, manifest, content_hash, actor, stage).await;
    connection.end(recorded).await
}

async fn record_within(
    connection: &mut Connection,
    manifest: &Manifest,
    content_hash: &str,
    actor: &str,
    stage: Stage,
) -> Result<(), Error> {
    let id = || Value::from(manifest.id.as_str());
    connection
        .execute(
            "INSERT INTO {zdm}migration AS known (migration, version, name, content_hash, route, expanded_at) \
             VALUES ($1, $2, $3, $4, $5, {now}) \
             ON CONFLICT (migration) DO UPDATE SET version = excluded.version, name = excluded.name, \
             content_hash = excluded.content_hash, route = excluded.route, \
             expanded_at = coalesce(known.expanded_at, excluded.expanded_at), rolled_back_at = NULL, \
             rolled_back_to = NULL",
            &[
                id(),
                i64::from(manifest.version).into(),
                manifest.name.as_str().into(),
                content_hash.into(),
                route_name(manifest.route).into(),
            ],
        )
        .await?;
    for table in &manifest.tables {
        connection
            .execute(
                "INSERT INTO {zdm}fence (table_name, epoch) VALUES ($1, 1) ON CONFLICT DO NOTHING",
                &[table.as_str().into()],
            )
            .await?;
        connection
            .execute(
                "INSERT INTO {zdm}stage_table (migration, table_name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                &[id(), table.as_str().into()],
            )
            .await?;
    }
    if manifest.route != Route::Direct {
        connection
            .execute(
                "INSERT INTO {zdm}stage (migration, stage, read_basis_points, salt, epoch, drained_epoch, entered_at, \
                 old_since, new_since) VALUES ($1, $2, 0, $1, 1, 1, {now}, $3, $4) ON CONFLICT DO NOTHING",
                &[
                    id(),
                    stage.name().into(),
                    Value::Int((stage == Stage::Off).then_some(0)),
                    Value::Int((stage == Stage::Complete).then_some(0)),
                ],
            )
            .await?;
    }
    if stage == Stage::Complete {
        mark_contracted(connection, &manifest.id).await?;
    }
    let entry = Entry {
        actor,
        migration: &manifest.id,
        content_hash: None,
        action: "expand",
        statement: None,
        outcome: "done",
        duration: Duration::ZERO,
        detail: &format!("on record at {stage}"),
    };
    Ok(audit::append(connection, entry).await?)
}

/// Says, before the first statement of contract, that no code starts any more that names old: the time stands there as a negative
/// number. The fences stay where they are, so that whoever serves goes on. Gates that are asked after this see everybody who has
/// started before it.
pub async fn contracting(connection: &mut Connection, migration: &str) -> Result<(), Error> {
    connection
        .execute(
            "UPDATE {zdm}migration SET contracted_at = 0 - {now} WHERE migration = $1 AND contracted_at IS NULL",
            &[migration.into()],
        )
        .await?;
    Ok(())
}

/// Lets such code start again, where contract has dropped nothing.
pub async fn not_contracting(connection: &mut Connection, migration: &str) -> Result<(), Error> {
    connection
        .execute(
            "UPDATE {zdm}migration SET contracted_at = NULL WHERE migration = $1 AND contracted_at < 0",
            &[migration.into()],
        )
        .await?;
    Ok(())
}

/// Records that old is dropped. The fences move, so that an instance whose code still names old finds out and says so.
pub async fn contracted(connection: &mut Connection, migration: &str) -> Result<(), Error> {
    connection.begin().await?;
    let ended = contracted_within(connection, migration, None).await;
    connection.end(ended).await
}

/// The same where old is kept under another name for so long: no code may name it from now on.
pub async fn kept(
    connection: &mut Connection,
    migration: &str,
    window: Duration,
) -> Result<(), Error> {
    connection.begin().await?;
    let ended = contracted_within(connection, migration, Some(window)).await;
    connection.end(ended).await
}

async fn contracted_within(
    connection: &mut Connection,
    migration: &str,
    window: Option<Duration>,
) -> Result<(), Error> {
    connection
        .execute(
            "UPDATE {zdm}fence SET epoch = epoch + 1 WHERE table_name IN \
             (SELECT t.table_name FROM {zdm}stage_table t JOIN {zdm}migration m ON m.migration = t.migration \
             WHERE t.migration = $1 AND coalesce(m.contracted_at, 0) <= 0)",
            &[migration.into()],
        )
        .await?;
    mark_contracted(connection, migration).await?;
    if let Some(window) = window {
        let milliseconds = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        connection
            .execute(
                "UPDATE {zdm}migration SET kept_until = contracted_at + $2, rolled_back_at = NULL, rolled_back_to = NULL \
                 WHERE migration = $1 AND kept_until IS NULL",
                &[migration.into(), milliseconds.into()],
            )
            .await?;
    }
    Ok(())
}

/// Records that what was kept is dropped.
pub async fn kept_no_more(connection: &mut Connection, migration: &str) -> Result<(), Error> {
    connection
        .execute(
            "UPDATE {zdm}migration SET kept_until = NULL WHERE migration = $1",
            &[migration.into()],
        )
        .await?;
    Ok(())
}

/// Records that old has its names again: code that names it may start. The fences move, as they did when it was renamed away.
pub async fn brought_back(connection: &mut Connection, migration: &str) -> Result<(), Error> {
    connection.begin().await?;
    let ended = brought_back_within(connection, migration).await;
    connection.end(ended).await
}

async fn brought_back_within(connection: &mut Connection, migration: &str) -> Result<(), Error> {
    for sql in [
        "UPDATE {zdm}fence SET epoch = epoch + 1 WHERE table_name IN \
         (SELECT table_name FROM {zdm}stage_table WHERE migration = $1)",
        "UPDATE {zdm}migration SET contracted_at = NULL, kept_until = NULL WHERE migration = $1",
    ] {
        connection.execute(sql, &[migration.into()]).await?;
    }
    Ok(())
}

async fn mark_contracted(connection: &mut Connection, migration: &str) -> Result<(), Error> {
    connection
        .execute(
            "UPDATE {zdm}migration SET contracted_at = {now} WHERE migration = $1 AND coalesce(contracted_at, 0) <= 0",
            &[migration.into()],
        )
        .await?;
    Ok(())
}

/// Says, before the first statement of expand is taken back, that expand is no longer whole: `expand` goes on from what is left,
/// and nothing takes it for done. Whether it was whole.
pub async fn unexpanding(connection: &mut Connection, migration: &str) -> Result<bool, Error> {
    let changed = connection
        .execute(
            "UPDATE {zdm}migration SET expanded_at = NULL WHERE migration = $1 AND expanded_at IS NOT NULL",
            &[migration.into()],
        )
        .await?;
    Ok(changed > 0)
}

/// Takes that back, where nothing of expand was.
pub async fn not_unexpanding(connection: &mut Connection, migration: &str) -> Result<(), Error> {
    connection
        .execute(
            "UPDATE {zdm}migration SET expanded_at = {now} WHERE migration = $1 AND expanded_at IS NULL",
            &[migration.into()],
        )
        .await?;
    Ok(())
}

/// Takes a version off the record after its expand was undone, as a way back; also where that expand was never ended. The
/// fences stay: other code carries their epochs.
pub async fn unexpanded(
    connection: &mut Connection,
    manifest: &Manifest,
    content_hash: &str,
) -> Result<(), Error> {
    connection.begin().await?;
    let taken_off = unexpanded_within(connection, manifest, content_hash).await;
    connection.end(taken_off).await
}

async fn unexpanded_within(
    connection: &mut Connection,
    manifest: &Manifest,
    content_hash: &str,
) -> Result<(), Error> {
    let id = || Value::from(manifest.id.as_str());
    for sql in [
        "DELETE FROM {zdm}stage WHERE migration = $1",
        "DELETE FROM {zdm}chunk WHERE migration = $1",
        "DELETE FROM {zdm}verification WHERE migration = $1",
        "DELETE FROM {zdm}quarantine WHERE migration = $1",
        "DELETE FROM {zdm}mismatch WHERE migration = $1",
    ] {
        connection.execute(sql, &[id()]).await?;
    }
    connection
        .execute(
            "INSERT INTO {zdm}migration (migration, version, name, content_hash, route, rolled_back_at, taken_back_at) \
             VALUES ($1, $2, $3, $4, $5, {now}, {now}) ON CONFLICT (migration) DO UPDATE SET expanded_at = NULL, \
             rolled_back_at = excluded.rolled_back_at, taken_back_at = excluded.taken_back_at",
            &[
                id(),
                i64::from(manifest.version).into(),
                manifest.name.as_str().into(),
                content_hash.into(),
                route_name(manifest.route).into(),
            ],
        )
        .await?;
    Ok(())
}

/// The name of a route in the control tables, as `plan.toml` spells it.
pub(crate) const fn route_name(route: Route) -> &'static str {
    match route {
        Route::Direct => "direct",
        Route::ExpandContract => "expand_contract",
        Route::Rename => "rename",
        Route::FivePhases => "five_phases",
    }
}
