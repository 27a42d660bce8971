//! `SQLite` keeps no dependencies: it is asked by a change that is rolled back.

use super::Named;
use crate::database::{Connection, DatabaseError, Value, catalogue};

/// `SQLite` keeps no dependencies, but rewrites whatever names a column that is renamed (manual, "ALTER TABLE RENAME"): what it
/// would rewrite is seen in a transaction that is rolled back.
pub(super) async fn on(
    connection: &mut Connection,
    table: &str,
    column: Option<&str>,
) -> Result<Vec<Named>, DatabaseError> {
    const TEXTS: &str = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') ORDER BY type, name";
    const PROBE: &str = "zdm_probe_of_dependents";
    let there = catalogue::columns(connection, table).await?;
    if there.is_empty() || column.is_some_and(|column| !there.iter().any(|known| known == column)) {
        return Ok(Vec::new());
    }
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let rename = match column {
        Some(column) => format!(
            "ALTER TABLE {} RENAME COLUMN {} TO {PROBE}",
            quoted(table),
            quoted(column)
        ),
        None => format!("ALTER TABLE {} RENAME TO {PROBE}", quoted(table)),
    };
    let before = connection.query(TEXTS, &[]).await?;
    connection.begin().await?;
    let renamed = connection.run_file(&rename).await;
    let after = match renamed {
        Ok(()) => connection.query(TEXTS, &[]).await,
        Err(error) => Err(error),
    };
    connection.rollback().await?;
    let after = after?;
    let mut found = Vec::new();
    for row in &before {
        let [
            Value::Text(Some(kind)),
            Value::Text(Some(name)),
            Value::Text(Some(of)),
            sql,
        ] = row.as_slice()
        else {
            return Err(DatabaseError::unexpected(
                "which views and triggers there are",
                row,
            ));
        };
        let same = after
            .iter()
            .any(|other| other[0] == row[0] && other[1] == row[1] && other[3] == *sql);
        let goes_along = column.is_none() && kind == "trigger" && of == table;
        if !same && !goes_along {
            found.push(Named {
                kind: kind.clone(),
                schema: None,
                name: name.clone(),
                of: None,
            });
        }
    }
    Ok(found)
}
