//! Numbers that new holds and old has no room for: where one is, nothing fills old from new.
//!
//! Comes in: a connection, a manifest. Goes out: each such number with its place. Nothing is changed.
//! Must not know: when it is asked.

use std::fmt;

use crate::database::{Connection, DatabaseError, Dialect, Value, catalogue};
use crate::losses::quoted;
use crate::manifest::{Manifest, Pair};

/// A number without room in old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beyond {
    /// The column by the name that it has now: `accounts.id`.
    pub column: String,
    /// The sequence that has counted to it, where no row need have it.
    pub sequence: Option<String>,
    /// The number.
    pub number: i64,
    /// Old's type.
    pub old_type: String,
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            column,
            sequence,
            number,
            old_type,
        } = self;
        match sequence {
            None => write!(f, "{column} holds {number}, which is no {old_type}"),
            Some(sequence) => write!(
                f,
                "the sequence {sequence} of {column} has counted to {number}, which is no {old_type}"
            ),
        }
    }
}

/// The numbers furthest out, of each column whose old side is a narrower integer, and of what counts a key. `SQLite` stores all
/// integers alike.
pub async fn beyond(
    connection: &mut Connection,
    manifest: &Manifest,
) -> Result<Vec<Beyond>, DatabaseError> {
    let mut found = Vec::new();
    if connection.dialect() == Dialect::Sqlite {
        return Ok(found);
    }
    for pair in &manifest.pairs {
        let Some((least, greatest)) = narrowed(pair) else {
            continue;
        };
        let column = new_name(connection, pair).await?;
        let mut told = ends(connection, &pair.table, &column).await?;
        if is_of_key(manifest, pair) {
            told.extend(counted(connection, &pair.table, &column).await?);
        }
        let out = told
            .into_iter()
            .find(|(_, number)| !(least..=greatest).contains(number));
        found.extend(out.map(|(sequence, number)| Beyond {
            column: format!("{}.{column}", pair.table),
            sequence,
            number,
            old_type: pair.old[0].sql_type.clone(),
        }));
    }
    Ok(found)
}

/// The limits of the old side, where the built-in way back refuses what is beyond.
fn narrowed(pair: &Pair) -> Option<(i64, i64)> {
    let [old] = pair.old.as_slice() else {
        return None;
    };
    let refuses = pair.built_in.as_ref().is_some_and(|way| way.refuses);
    match (old.sql_type.as_str(), pair.new.sql_type.as_str()) {
        ("smallint", "integer" | "bigint") if refuses => Some((i16::MIN.into(), i16::MAX.into())),
        ("integer", "bigint") if refuses => Some((i32::MIN.into(), i32::MAX.into())),
        _ => None,
    }
}

/// Whether rows are found by the column, so that the database may count it.
fn is_of_key(manifest: &Manifest, pair: &Pair) -> bool {
    let Some(released) = &pair.released else {
        return false;
    };
    let mut backfills = manifest.backfills.iter();
    backfills
        .any(|backfill| backfill.table == pair.table && backfill.key.contains(&released.column))
}

/// What new is called: it may have taken over old's name.
async fn new_name(connection: &mut Connection, pair: &Pair) -> Result<String, DatabaseError> {
    let Some(released) = &pair.released else {
        return Ok(pair.new.column.clone());
    };
    let there = catalogue::columns(connection, &pair.table).await?;
    let has_taken = there.contains(&released.name);
    let name = if has_taken {
        &released.column
    } else {
        &pair.new.column
    };
    Ok(name.clone())
}

/// The least and the greatest number in the rows.
async fn ends(
    connection: &mut Connection,
    table: &str,
    column: &str,
) -> Result<Vec<(Option<String>, i64)>, DatabaseError> {
    let (table, column) = (catalogue::relation(table), quoted(column));
    let sql =
        format!("SELECT CAST(max({column}) AS bigint), CAST(min({column}) AS bigint) FROM {table}");
    let rows = connection.query_file(&sql, &[]).await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Int(greatest), Value::Int(least)]) => {
            let ends = [greatest, least].into_iter().flatten();
            Ok(ends.map(|number| (None, *number)).collect())
        }
        other => Err(DatabaseError::unexpected(
            "which numbers a column holds",
            other.unwrap_or_default(),
        )),
    }
}

/// How far the sequence has counted that belongs to the column.
async fn counted(
    connection: &mut Connection,
    table: &str,
    column: &str,
) -> Result<Option<(Option<String>, i64)>, DatabaseError> {
    let parameters = [Value::from(catalogue::relation(table)), Value::from(column)];
    let sql = "SELECT pg_catalog.pg_get_serial_sequence($1, $2)";
    let rows = connection.query(sql, &parameters).await?;
    let Some([Value::Text(sequence)]) = rows.first().map(Vec::as_slice) else {
        return Err(DatabaseError::unexpected(
            "what counts a column",
            rows.first().map(Vec::as_slice).unwrap_or_default(),
        ));
    };
    let Some(sequence) = sequence.clone() else {
        return Ok(None);
    };
    let rows = connection
        .query_file(&format!("SELECT last_value FROM {sequence}"), &[])
        .await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Int(Some(number))]) => Ok(Some((Some(sequence), *number))),
        other => Err(DatabaseError::unexpected(
            "how far a sequence has counted",
            other.unwrap_or_default(),
        )),
    }
}
