//! How often triggers had to complete what somebody has written to one side alone.
//!
//! Comes in: a connection and a manifest. Goes out: a number per table.
//! Must not know: how a trigger tells such a write.

use serde::Serialize;

use crate::Error;
use crate::control_value::optional_integer;
use crate::database::{Connection, Value};
use crate::manifest::Manifest;

/// What the trigger on a table has counted since it came. A write that was rolled back counts, and a crash of the server may let the
/// number jump ahead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caught {
    /// The table.
    pub table: String,
    /// The writes of one side alone.
    pub writes: i64,
}

/// The tables on which the migration has such triggers at the moment, in their order.
pub async fn of(connection: &mut Connection, manifest: &Manifest) -> Result<Vec<Caught>, Error> {
    const COUNTER: &str =
        "SELECT last_value FROM pg_sequences WHERE schemaname = 'zdm' AND sequencename = $1";
    let mut found = Vec::new();
    for (table, counter) in &manifest.nets {
        let rows = connection
            .query(COUNTER, &[Value::from(counter.as_str())])
            .await?;
        if let Some(row) = rows.first() {
            found.push(Caught {
                table: table.clone(),
                writes: optional_integer(row, 0)?.unwrap_or(0),
            });
        }
    }
    Ok(found)
}
