//! Views and triggers that name what a step takes away. On `SQLite` nothing fails then but the application's next statement.
//!
//! Comes in: a connection inside the step's transaction. Goes out: what does not hold any more, in words.
//! Must not know: what the step does.

use std::collections::BTreeSet;

use crate::database::{Connection, DatabaseError, Row, Value};

/// Triggers that cannot be compiled: `the triggers of doors (entered): no such column: name`.
pub(super) type Broken = BTreeSet<String>;

/// Renaming a column to its own name changes nothing and lets `SQLite` read every view and trigger (manual, "ALTER TABLE
/// RENAME COLUMN").
const READ_ALL: &str = "ALTER TABLE {zdm}meta RENAME COLUMN version TO version";

/// Every table's triggers and the columns that an update can set.
const TRIGGERED: &str = "SELECT t.tbl_name, group_concat(DISTINCT t.name), \
    (SELECT group_concat('\"' || replace(name, '\"', '\"\"') || '\" = NULL') FROM pragma_table_info(t.tbl_name)) \
    FROM sqlite_schema t WHERE t.type = 'trigger' GROUP BY t.tbl_name";

/// What does not hold, beyond the triggers that did not `before` either. As `SQLite` does when it drops a column, any view that
/// does not hold counts: the first hides the others.
pub(super) async fn added(
    connection: &mut Connection,
    before: &Broken,
) -> Result<Vec<String>, DatabaseError> {
    if let Some(problem) = refusal(connection.execute(READ_ALL, &[]).await)? {
        return Ok(vec![problem]);
    }
    let after = triggers(connection).await?;
    Ok(after.difference(before).cloned().collect())
}

/// The triggers that cannot be compiled. [`READ_ALL`] does not read the columns that they set: those are read when a statement
/// that fires them is compiled.
pub(super) async fn triggers(connection: &mut Connection) -> Result<Broken, DatabaseError> {
    let mut broken = Broken::new();
    for row in connection.query(TRIGGERED, &[]).await? {
        let (table, triggers, columns) = triggered(&row)?;
        let quoted = table.replace('"', "\"\"");
        for statement in [
            format!("INSERT INTO \"{quoted}\" DEFAULT VALUES"),
            format!("UPDATE \"{quoted}\" SET {columns}"),
            format!("DELETE FROM \"{quoted}\""),
        ] {
            // Compiled anew each time: a cached one is explained as it was before the step.
            let explained = connection.run_file(&format!("EXPLAIN {statement}")).await;
            if let Some(problem) = refusal(explained)? {
                broken.insert(format!("the triggers of {table} ({triggers}): {problem}"));
            }
        }
    }
    Ok(broken)
}

fn triggered(row: &Row) -> Result<(&str, &str, &str), DatabaseError> {
    match row.as_slice() {
        [
            Value::Text(Some(table)),
            Value::Text(Some(triggers)),
            Value::Text(Some(columns)),
        ] => Ok((table, triggers, columns)),
        _ => Err(DatabaseError::unexpected("which tables have triggers", row)),
    }
}

/// `SQLite`'s words where the statement does not compile.
fn refusal<T>(answer: Result<T, DatabaseError>) -> Result<Option<String>, DatabaseError> {
    match answer {
        Ok(_) => Ok(None),
        Err(DatabaseError::Other(sqlx::Error::Database(error))) => {
            Ok(Some(error.message().to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// What the database itself says where it refuses to drop what others name. `PostgreSQL`'s hint is left out: CASCADE would
/// take them along.
pub(super) fn named_by(error: &DatabaseError) -> Option<Vec<String>> {
    if let Some(dependents) = error.dependents() {
        return Some(dependents.lines().map(str::to_owned).collect());
    }
    let DatabaseError::Other(sqlx::Error::Database(error)) = error else {
        return None;
    };
    let message = error.message();
    ["error in view ", "error in trigger "]
        .iter()
        .any(|beginning| message.starts_with(beginning))
        .then(|| vec![message.to_owned()])
}
