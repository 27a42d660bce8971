//! What a rebuilt table needs on `SQLite` around its transaction: its manual, "ALTER TABLE", "Making Other Kinds Of
//! Table Schema Changes", steps 1, 10 and 12.

use std::collections::BTreeMap;

use crate::database::{Connection, DatabaseError, Value};

/// References without their row: `(child, parent)` → how many.
pub(super) type Violations = BTreeMap<(String, String), u64>;

/// Switches the check of references off, outside a transaction, because the table is gone for a moment; says whether it was on.
pub(super) async fn suspend_checks(connection: &mut Connection) -> Result<bool, DatabaseError> {
    let checked = is_on(connection, "PRAGMA foreign_keys").await?;
    connection.run_file("PRAGMA foreign_keys = OFF").await?;
    Ok(checked)
}

/// Leaves the connection as it was; the file that switches `legacy_alter_table` on may have failed before it switched it off.
pub(super) async fn restore_checks(
    connection: &mut Connection,
    checked: bool,
) -> Result<(), DatabaseError> {
    connection
        .run_file("PRAGMA legacy_alter_table = OFF")
        .await?;
    if checked {
        connection.run_file("PRAGMA foreign_keys = ON").await?;
    }
    Ok(())
}

async fn is_on(connection: &mut Connection, pragma: &str) -> Result<bool, DatabaseError> {
    let rows = connection.query(pragma, &[]).await?;
    Ok(rows.first().and_then(|row| row.first()) == Some(&Value::Int(Some(1))))
}

/// Counted per pair of tables: a rebuilt table may number its rows and references anew.
pub(super) async fn violations(connection: &mut Connection) -> Result<Violations, DatabaseError> {
    let mut violations = Violations::new();
    for row in connection.query("PRAGMA foreign_key_check", &[]).await? {
        let [Value::Text(Some(child)), _, Value::Text(Some(parent)), ..] = row.as_slice() else {
            return Err(DatabaseError::unexpected("which references dangle", &row));
        };
        *violations
            .entry((child.clone(), parent.clone()))
            .or_default() += 1;
    }
    Ok(violations)
}

/// What was not there before, in words.
pub(super) fn added(before: &Violations, after: &Violations) -> Vec<String> {
    after
        .iter()
        .filter_map(|(tables, count)| {
            let new = count.saturating_sub(before.get(tables).copied().unwrap_or_default());
            let (child, parent) = tables;
            (new > 0).then(|| format!("{child} → {parent}: {new} rows"))
        })
        .collect()
}
