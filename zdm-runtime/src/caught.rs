//! How often triggers had to complete what somebody has written to one side alone.
//!
//! Comes in: a connection and a manifest. Goes out: a number per table.
//! Must not know: how a trigger tells such a write.

use serde::Serialize;

use crate::Error;
use crate::control_value::optional_integer;
use crate::database::Connection;
use crate::database::catalogue::relation;
use crate::manifest::Manifest;

/// What the trigger on a table has counted since it came. A write that was rolled back counts, and a crash of the server may let the
/// number jump ahead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caught {
    /// The table.
    pub table: String,
    /// The writes of one side alone.
    pub writes: i64,
    /// The trigger is there and fires for everybody; else somebody has dropped or disabled it, and the number says nothing.
    pub fires: bool,
}

/// The tables on which the migration has such triggers at the moment, in their order.
pub async fn of(connection: &mut Connection, manifest: &Manifest) -> Result<Vec<Caught>, Error> {
    // The trigger's function has the name of its counter.
    const COUNTER: &str = "SELECT last_value, CAST(EXISTS (
             SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
             WHERE tgrelid = CAST(pg_catalog.to_regclass($2) AS oid) AND tgenabled = 'A' AND proname = sequencename
                 AND pronamespace = CAST(pg_catalog.to_regnamespace('zdm') AS oid)) AS int)
         FROM pg_sequences WHERE schemaname = 'zdm' AND sequencename = $1";
    let mut found = Vec::new();
    for (table, counter) in &manifest.nets {
        let rows = connection
            .query(
                COUNTER,
                &[counter.as_str().into(), relation(table).as_str().into()],
            )
            .await?;
        if let Some(row) = rows.first() {
            found.push(Caught {
                table: table.clone(),
                writes: optional_integer(row, 0)?.unwrap_or(0),
                fires: optional_integer(row, 1)? == Some(1),
            });
        }
    }
    Ok(found)
}
