//! What a step would take away for good, looked at in its own transaction: nothing can be written between the look and the
//! step.
//!
//! Comes in: a connection inside the step's transaction. Goes out: nothing, or the failure that ends it.

use super::{Failure, Task};
use crate::database::{Connection, Dialect, catalogue};
use crate::losses::{self, Loss};
use crate::manifest::Direction;
use crate::phase::Section;

/// Whether the step may take something away that nobody has agreed to lose.
pub(super) fn concerns(task: &Task<'_>) -> bool {
    let step = task.step;
    step.section == Section::Expand
        && step.direction == Direction::Down
        && !task.options.drop_rows
        && task.migration.manifest().creates.contains_key(&step.table)
}

/// Keeps writers out until the transaction ends, readers not yet, and looks. On `SQLite` the transaction has the only write
/// lock already.
pub(super) async fn refuse(task: &Task<'_>, connection: &mut Connection) -> Result<(), Failure> {
    let table = &task.step.table;
    if catalogue::columns(connection, table).await?.is_empty() {
        return Ok(());
    }
    if connection.dialect() == Dialect::Postgres {
        let limit = task.options.lock_timeout.as_millis();
        let quoted = catalogue::relation(table);
        // Rows that a policy hides from this role would count as absent; without it they are an error.
        connection
            .run_file(&format!(
                "SET LOCAL lock_timeout = {limit}; LOCK TABLE {quoted} IN SHARE MODE; SET LOCAL row_security = off; \
                 SET LOCAL statement_timeout = {limit}"
            ))
            .await?;
    }
    let lost = look(task, connection).await?;
    if connection.dialect() == Dialect::Postgres {
        connection
            .run_file("SET LOCAL statement_timeout TO DEFAULT")
            .await?;
    }
    if lost.is_empty() {
        return Ok(());
    }
    Err(Failure::Losses(lost))
}

async fn look(task: &Task<'_>, connection: &mut Connection) -> Result<Vec<Loss>, Failure> {
    let (manifest, table) = (task.migration.manifest(), &task.step.table);
    match losses::in_table(connection, manifest, table).await {
        Err(error) if error.is_cancelled() => Err(Failure::Unseen(error)),
        looked => Ok(looked?),
    }
}
