//! The table of quarantined values.

use std::collections::{BTreeMap, BTreeSet};

use super::QuarantineError;
use crate::database::{Connection, DatabaseError, Row, Value};
use crate::key::Key;
use crate::ranges::Invalid;

/// What became of a quarantined value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Somebody has to mend or waive it.
    Waiting,
    /// Somebody decided to go on without it.
    Waived,
    /// It is right by now.
    Released,
}

impl State {
    /// The word in the control table and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Waived => "waived",
            Self::Released => "released",
        }
    }
}

/// A quarantined value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its table.
    pub table: String,
    /// Its row.
    pub key: Key,
    /// Its column.
    pub column: String,
    /// Why it is here.
    pub error: String,
    /// What kind of value it is: never the value itself, which may be private.
    pub value_type: String,
    /// What became of it.
    pub state: State,
}

/// A value that was found to have no conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) key: Key,
    pub(crate) column: String,
    pub(crate) error: String,
    pub(crate) value_type: String,
}

impl Found {
    /// By the plan's test of validity.
    pub(crate) fn of(invalid: Invalid) -> Self {
        Self {
            error: format!(
                "old has a value, and {} cannot be computed from it",
                invalid.column
            ),
            key: invalid.key,
            column: invalid.column,
            value_type: invalid.value_type,
        }
    }

    /// By the database's answer to the conversion, which does not tell which of the columns it could not fill.
    pub(crate) fn failing(key: &Key, columns: &[String], error: &str) -> Vec<Self> {
        let of_column = |column: &String| Self {
            key: key.clone(),
            column: column.clone(),
            error: error.to_owned(),
            value_type: "unknown".to_owned(),
        };
        columns.iter().map(of_column).collect()
    }
}

/// Everything that was ever quarantined for a migration, what waits first.
pub async fn list(
    connection: &mut Connection,
    migration: &str,
) -> Result<Vec<Entry>, QuarantineError> {
    let rows = connection
        .query(
            "SELECT table_name, row_key, column_name, error, value_type, state FROM {zdm}quarantine
             WHERE migration = $1
             ORDER BY CASE state WHEN 'waiting' THEN 0 WHEN 'waived' THEN 1 ELSE 2 END, recorded_at, table_name,
                 row_key, column_name",
            &[migration.into()],
        )
        .await?;
    rows.iter().map(|row| entry(row)).collect()
}

fn entry(row: &[Value]) -> Result<Entry, QuarantineError> {
    let unexpected = || DatabaseError::unexpected("what is in quarantine", row);
    let [
        Value::Text(Some(table)),
        Value::Text(Some(key)),
        Value::Text(Some(column)),
        Value::Text(Some(error)),
        Value::Text(Some(value_type)),
        Value::Text(Some(state)),
    ] = row
    else {
        return Err(unexpected().into());
    };
    let state = [State::Waiting, State::Waived, State::Released]
        .into_iter()
        .find(|known| known.name() == state)
        .ok_or_else(unexpected)?;
    Ok(Entry {
        table: table.clone(),
        key: Key::decode(key)?,
        column: column.clone(),
        error: error.clone(),
        value_type: value_type.clone(),
        state,
    })
}

/// Enters what was found; a waiver stands, a released value waits again.
pub(crate) async fn add(
    connection: &mut Connection,
    migration: &str,
    table: &str,
    found: &[Found],
) -> Result<(), DatabaseError> {
    for found in found {
        connection
            .execute(
                "INSERT INTO {zdm}quarantine AS known
                     (migration, table_name, row_key, column_name, error, value_type, state, recorded_at)
                 VALUES ($1, $2, $3, $4, $5, $6, 'waiting', {now})
                 ON CONFLICT (migration, table_name, row_key, column_name) DO UPDATE
                 SET error = excluded.error, value_type = excluded.value_type,
                     state = CASE WHEN known.state = 'released' THEN 'waiting' ELSE known.state END",
                &[
                    migration.into(),
                    table.into(),
                    found.key.encode().into(),
                    found.column.as_str().into(),
                    found.error.as_str().into(),
                    found.value_type.as_str().into(),
                ],
            )
            .await?;
    }
    Ok(())
}

/// Whether a row waits or is waived; `None` where it was never here.
pub(crate) async fn holds(
    connection: &mut Connection,
    migration: &str,
    table: &str,
    key: &Key,
) -> Result<Option<bool>, DatabaseError> {
    let rows = connection
        .query(
            "SELECT state <> 'released' FROM {zdm}quarantine
             WHERE migration = $1 AND table_name = $2 AND row_key = $3 ORDER BY 1 DESC LIMIT 1",
            &row_names(migration, table, key),
        )
        .await?;
    Ok(rows.first().map(|row| *row == [Value::from(1)]))
}

/// The rows of a table that wait or are waived, with the columns for which they do.
pub(crate) async fn kept(
    connection: &mut Connection,
    migration: &str,
    table: &str,
) -> Result<BTreeMap<Key, BTreeSet<String>>, QuarantineError> {
    let rows = connection
        .query(
            "SELECT row_key, column_name FROM {zdm}quarantine
             WHERE migration = $1 AND table_name = $2 AND state <> 'released'",
            &[migration.into(), table.into()],
        )
        .await?;
    let mut kept: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
    for row in &rows {
        let [Value::Text(Some(key)), Value::Text(Some(column))] = row.as_slice() else {
            return Err(DatabaseError::unexpected("which rows are in quarantine", row).into());
        };
        kept.entry(Key::decode(key)?)
            .or_default()
            .insert(column.clone());
    }
    Ok(kept)
}

/// The row is right by now, in all its columns.
pub(super) async fn release(
    connection: &mut Connection,
    migration: &str,
    table: &str,
    key: &Key,
) -> Result<(), DatabaseError> {
    connection
        .execute(
            "UPDATE {zdm}quarantine SET state = 'released'
             WHERE migration = $1 AND table_name = $2 AND row_key = $3",
            &row_names(migration, table, key),
        )
        .await?;
    Ok(())
}

/// Waives what waits: one row, or all.
pub(super) async fn waive(
    connection: &mut Connection,
    migration: &str,
    row: Option<(&str, &Key)>,
) -> Result<u64, DatabaseError> {
    const WAIVE: &str =
        "UPDATE {zdm}quarantine SET state = 'waived' WHERE migration = $1 AND state = 'waiting'";
    match row {
        None => connection.execute(WAIVE, &[migration.into()]).await,
        Some((table, key)) => {
            let one_row = format!("{WAIVE} AND table_name = $2 AND row_key = $3");
            connection
                .execute(&one_row, &row_names(migration, table, key))
                .await
        }
    }
}

fn row_names(migration: &str, table: &str, key: &Key) -> Row {
    vec![migration.into(), table.into(), key.encode().into()]
}
