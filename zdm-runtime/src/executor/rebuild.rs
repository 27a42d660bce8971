//! What a rebuilt table needs on `SQLite` around its transaction: its manual, "ALTER TABLE", "Making Other Kinds Of
//! Table Schema Changes", steps 1, 10 and 12.

use std::collections::BTreeMap;

use crate::database::{Connection, DatabaseError, Value};

/// References without their row: `(child, parent)` → how many.
pub(super) type Violations = BTreeMap<(String, String), u64>;

/// Switches enforcement off, which is only heeded outside a transaction, and tells whether it was on.
pub(super) async fn suspend_foreign_keys(
    connection: &mut Connection,
) -> Result<bool, DatabaseError> {
    let rows = connection.query("PRAGMA foreign_keys", &[]).await?;
    connection.run_file("PRAGMA foreign_keys = OFF").await?;
    Ok(rows.first().and_then(|row| row.first()) == Some(&Value::Int(Some(1))))
}

/// Switches it back on where it was on.
pub(super) async fn restore_foreign_keys(
    connection: &mut Connection,
    enforced: bool,
) -> Result<(), DatabaseError> {
    if enforced {
        connection.run_file("PRAGMA foreign_keys = ON").await?;
    }
    Ok(())
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
