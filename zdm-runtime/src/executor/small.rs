//! Tables whose rows a step goes through while nobody can use them: only as long as they are small, on PostgreSQL, looked at under the
//! step's own lock, so that nothing is written between the look and the step.
//!
//! Comes in: a connection inside the step's transaction. Goes out: nothing, or the failure that ends it.

use super::{Failure, Task};
use crate::database::catalogue::relation;
use crate::database::{Connection, DatabaseError, Value};
use crate::manifest::SmallTable;

/// Takes the tables' locks and refuses where one has outgrown its limits. From here on the step holds up readers too, for no
/// longer than anybody may wait for a lock.
pub(super) async fn refuse(task: &Task<'_>, connection: &mut Connection) -> Result<(), Failure> {
    let small = &task.step.small;
    if small.is_empty() {
        return Ok(());
    }
    let limit = task.options.lock_timeout.as_millis().max(1);
    let tables: Vec<String> = small.iter().map(|small| relation(&small.table)).collect();
    // Rows that a policy hides from this role would count as absent; without it they are an error.
    connection
        .run_file(&format!(
            "SET LOCAL lock_timeout = {limit}; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE; SET LOCAL row_security = off; \
             SET LOCAL statement_timeout = {limit}",
            tables.join(", ")
        ))
        .await?;
    for recorded in small {
        let mut found = SmallTable {
            rows: 0,
            bytes: bytes(connection, recorded).await?,
            ..recorded.clone()
        };
        // Dead rows are read to be counted: the bytes come first and bound them.
        if found.is_small() {
            found.rows = rows(connection, recorded)
                .await
                .map_err(|error| of(task, error))?;
        }
        if !found.is_small() {
            return Err(Failure::Outgrown(found, recorded.clone()));
        }
    }
    Ok(())
}

/// The step's own end: what follows in its transaction is not meant to be quick.
pub(super) async fn release(task: &Task<'_>, connection: &mut Connection) -> Result<(), Failure> {
    if !task.step.small.is_empty() {
        connection
            .run_file("SET LOCAL statement_timeout TO DEFAULT")
            .await?;
    }
    Ok(())
}

/// A step that was stopped because it took too long was not as quick as its tables are small.
pub(super) fn of(task: &Task<'_>, error: DatabaseError) -> Failure {
    if !task.step.small.is_empty() && error.is_cancelled() {
        Failure::Slow(error)
    } else {
        error.into()
    }
}

async fn rows(connection: &mut Connection, small: &SmallTable) -> Result<u64, DatabaseError> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {}) AS counted",
        relation(&small.table),
        small.most_rows.saturating_add(1)
    );
    number(&connection.query_file(&sql, &[]).await?)
}

/// With its indexes, which are built anew as well.
async fn bytes(connection: &mut Connection, small: &SmallTable) -> Result<u64, DatabaseError> {
    let sql = "SELECT pg_catalog.pg_total_relation_size(pg_catalog.to_regclass($1))";
    number(
        &connection
            .query(sql, &[relation(&small.table).as_str().into()])
            .await?,
    )
}

fn number(rows: &[Vec<Value>]) -> Result<u64, DatabaseError> {
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    match row {
        [Value::Int(Some(number))] => u64::try_from(*number)
            .map_err(|_| DatabaseError::unexpected("how large a table is", row)),
        _ => Err(DatabaseError::unexpected("how large a table is", row)),
    }
}
