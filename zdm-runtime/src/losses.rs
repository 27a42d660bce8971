//! What the undo of an expand takes away for good: the rows of tables that the version created, the values of columns that it
//! added.
//!
//! Comes in: a connection, a manifest. Goes out: [`Loss`]es.
//! Must not know: whether somebody agreed to them.

use std::fmt::{self, Write as _};

use crate::database::catalogue::{self, ColumnDefault};
use crate::database::{Connection, DatabaseError, Dialect, Value};
use crate::manifest::Manifest;

/// What is nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// A table that holds rows.
    Rows {
        /// The table.
        table: String,
    },
    /// A column that holds values of its own: neither NULL, nor its default, nor what its row tells anyway.
    Values {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// In how many rows.
        count: i64,
    },
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows { table } => write!(f, "the table {table}, which holds rows"),
            Self::Values {
                table,
                column,
                count,
            } => {
                let values = if *count == 1 { "value" } else { "values" };
                write!(
                    f,
                    "the column {table}.{column}, which holds {count} {values}"
                )
            }
        }
    }
}

/// Losses as a part of a sentence.
pub fn listed(losses: &[Loss]) -> String {
    let losses: Vec<String> = losses.iter().map(ToString::to_string).collect();
    losses.join(" and ")
}

/// What the undo of expand would take away now, in all tables.
pub async fn of_undo(
    connection: &mut Connection,
    manifest: &Manifest,
) -> Result<Vec<Loss>, DatabaseError> {
    let mut losses = Vec::new();
    for table in manifest.creates.keys() {
        losses.extend(in_table(connection, manifest, table).await?);
    }
    Ok(losses)
}

/// The same in one table.
pub(crate) async fn in_table(
    connection: &mut Connection,
    manifest: &Manifest,
    table: &str,
) -> Result<Vec<Loss>, DatabaseError> {
    let Some(names) = manifest.creates.get(table) else {
        return Ok(Vec::new());
    };
    if names.table {
        let is_there = !catalogue::columns(connection, table).await?.is_empty();
        let full = is_there && catalogue::holds_rows(connection, table).await?;
        return Ok(full
            .then(|| Loss::Rows {
                table: table.to_owned(),
            })
            .into_iter()
            .collect());
    }
    let alone: Vec<&str> = manifest.alone(table).collect();
    values(connection, manifest, table, &alone).await
}

/// Counts in one scan.
async fn values(
    connection: &mut Connection,
    manifest: &Manifest,
    table: &str,
    columns: &[&str],
) -> Result<Vec<Loss>, DatabaseError> {
    let found = catalogue::defaults(connection, table).await?;
    let there: Vec<&ColumnDefault> = found
        .iter()
        .filter(|found| columns.iter().any(|name| found.is_of(name)))
        .collect();
    if there.is_empty() {
        return Ok(Vec::new());
    }
    let counts: Vec<String> = there
        .iter()
        .map(|column| {
            let filled = manifest.filled_by(table, &column.column);
            let told = filled.or(column.expression.as_deref());
            format!(
                "count(CASE WHEN {} THEN 1 END)",
                own_value(connection.dialect(), column, told)
            )
        })
        .collect();
    let sql = format!(
        "SELECT {} FROM {}",
        counts.join(", "),
        catalogue::relation(table)
    );
    let row = connection.query_file(&sql, &[]).await?;
    let counted = row.first().map(Vec::as_slice).unwrap_or_default();
    let mut losses = Vec::new();
    for (column, count) in there.into_iter().zip(counted) {
        match count {
            Value::Int(Some(0)) => {}
            Value::Int(Some(count)) => losses.push(Loss::Values {
                table: table.to_owned(),
                column: column.column.clone(),
                count: *count,
            }),
            _ => {
                return Err(DatabaseError::unexpected(
                    "how many values there are",
                    counted,
                ));
            }
        }
    }
    Ok(losses)
}

/// Whether a row's value is neither NULL nor what `told` gives or once gave. As text, because not every type has an
/// equality; in a subquery, so that a default is evaluated once.
fn own_value(dialect: Dialect, column: &ColumnDefault, told: Option<&str>) -> String {
    let name = quoted(&column.column);
    let mut own = format!("{name} IS NOT NULL");
    let value = match dialect {
        Dialect::Postgres => format!("CAST({name} AS text)"),
        Dialect::Sqlite => format!("({name} COLLATE BINARY)"),
    };
    let given = match dialect {
        Dialect::Postgres => {
            told.map(|told| format!("CAST(CAST(({told}) AS {}) AS text)", column.sql_type))
        }
        Dialect::Sqlite => told.map(|told| format!("({told})")),
    };
    let older = column.of_older_rows.as_ref();
    let older = older.map(|value| format!("'{}'", value.replace('\'', "''")));
    for given in given.into_iter().chain(older) {
        let _ = write!(own, " AND {value} IS DISTINCT FROM (SELECT {given})");
    }
    own
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
