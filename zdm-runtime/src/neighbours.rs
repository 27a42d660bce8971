//! The other migrations of a migration's tables: whose columns it takes its values from, and whose take theirs from it.
//!
//! Comes in: a connection, a manifest. Goes out: where the others stand.
//! Must not know: what follows from it.

use crate::control_value::{integer, optional_integer, text};
use crate::database::{Connection, control};
use crate::manifest::Manifest;
use crate::{Error, Stage};

/// Another migration that writes one of the same tables and whose old columns are still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// `0002_users_full_name`
    pub folder: String,
    /// Its name, for commands.
    pub name: String,
    /// It was made before.
    pub earlier: bool,
    /// Its new columns are filled on the way, or names change: it has stages that others have to keep out of.
    pub fills: bool,
    /// The later of the two takes values from what the earlier one fills, or drops that; where that cannot be told, it may.
    pub needed: bool,
    /// Nothing leads back from it to `off`, once it has left that.
    pub for_good: bool,
    /// Where it stands.
    pub stage: Stage,
    /// Until when old is kept under another name, in milliseconds since 1970; `None`: it has its own.
    pub kept_until: Option<i64>,
}

/// The neighbours in this database of which old is still there, be it under another name, in their order.
pub(crate) async fn of(
    connection: &mut Connection,
    manifest: &Manifest,
) -> Result<Vec<Neighbour>, Error> {
    let kept_until = control::kept_until(connection).await?;
    let sql = format!(
        "SELECT DISTINCT other.version, other.name, CASE WHEN other.version < own.version THEN 1 ELSE 0 END, \
             CASE WHEN other.route IN ('five_phases', 'rename') THEN 1 ELSE 0 END, s.stage, other.migration, other.kept \
             FROM {{zdm}}migration own \
             JOIN {{zdm}}stage_table t ON t.migration = own.migration \
             JOIN {{zdm}}stage_table o ON o.table_name = t.table_name AND o.migration <> t.migration \
             JOIN (SELECT *, {kept_until} AS kept FROM {{zdm}}migration) other ON other.migration = o.migration \
                  AND other.expanded_at IS NOT NULL AND (coalesce(other.contracted_at, 0) <= 0 OR other.kept IS NOT NULL) \
             JOIN {{zdm}}stage s ON s.migration = other.migration \
             WHERE own.migration = $1 ORDER BY other.version"
    );
    let rows = connection
        .query(&sql, &[manifest.id.as_str().into()])
        .await?;
    rows.iter()
        .map(|row| {
            let (version, name, stage) = (integer(row, 0)?, text(row, 1)?, text(row, 4)?);
            let id = text(row, 5)?;
            let (earlier, fills) = (integer(row, 2)? != 0, integer(row, 3)? != 0);
            let for_good = manifest.for_good.contains(&id);
            let needed = if earlier {
                manifest.route.has_final_code() || manifest.after.contains(&id)
            } else {
                fills || manifest.needed_by.contains(&id)
            };
            Ok(Neighbour {
                folder: format!("{version:04}_{name}"),
                name,
                earlier,
                fills,
                needed,
                for_good,
                stage: stage.parse().map_err(|_| Error::Unreadable {
                    what: format!("the stage `{stage}`"),
                })?,
                kept_until: optional_integer(row, 6)?,
            })
        })
        .collect()
}
