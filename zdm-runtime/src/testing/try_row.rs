//! One row with both sides of a pair, in a table of its own, to which values and expressions are given.
//!
//! Comes in: a connection, a pair. Goes out: what the database makes of them. Must not know: what is right.

use super::TestError;
use super::pair::{Column, Pair};
use crate::database::{Connection, DatabaseError, Dialect, Value};
use crate::losses::quoted;

const TABLE: &str = "zdm_tried";

/// The row.
pub(super) struct TryRow<'a> {
    connection: &'a mut Connection,
}

/// A column for what comes back of another one.
pub(super) fn back(column: &Column) -> String {
    format!("zdm_back_{}", column.name)
}

impl<'a> TryRow<'a> {
    pub(super) async fn of(
        connection: &'a mut Connection,
        pair: &Pair,
    ) -> Result<Self, DatabaseError> {
        let columns = pair.old.iter().chain(pair.new).flat_map(|column| {
            [column.name.to_owned(), back(column)]
                .map(|name| format!("{} {}", quoted(&name), column.sql_type))
        });
        let columns: Vec<_> = columns.collect();
        let drop = format!("DROP TABLE IF EXISTS {TABLE}");
        connection.run_file(&drop).await?;
        let create = format!("CREATE TEMP TABLE {TABLE} ({})", columns.join(", "));
        connection.run_file(&create).await?;
        Ok(Self { connection })
    }

    /// A row with these values alone.
    pub(super) async fn put(
        &mut self,
        columns: &[Column],
        literals: &[String],
    ) -> Result<(), DatabaseError> {
        let names: Vec<_> = columns.iter().map(|column| quoted(column.name)).collect();
        let empty = format!("DELETE FROM {TABLE}");
        self.connection.run_file(&empty).await?;
        let insert = format!(
            "INSERT INTO {TABLE} ({}) VALUES ({})",
            names.join(", "),
            literals.join(", ")
        );
        self.connection.run_file(&insert).await
    }

    /// Gives columns the values of expressions over the row as it is.
    pub(super) async fn set(
        &mut self,
        columns: &[String],
        expressions: &[String],
    ) -> Result<(), DatabaseError> {
        let sets = columns.iter().zip(expressions);
        let sets = sets.map(|(column, expression)| format!("{} = {expression}", quoted(column)));
        let sets: Vec<_> = sets.collect();
        let update = format!("UPDATE {TABLE} SET {}", sets.join(", "));
        self.connection.run_file(&update).await
    }

    /// Whether a condition holds.
    pub(super) async fn holds(&mut self, condition: &str) -> Result<bool, TestError> {
        let sql =
            format!("SELECT CAST(CASE WHEN {condition} THEN 1 ELSE 0 END AS bigint) FROM {TABLE}");
        let rows = self.connection.query_file(&sql, &[]).await?;
        match rows.first().map(Vec::as_slice) {
            Some([Value::Int(Some(held))]) => Ok(*held == 1),
            _ => Err(unexpected(&rows).into()),
        }
    }

    /// Whether an expression has a value at all.
    pub(super) async fn computes(&mut self, expression: &str) -> bool {
        let sql = format!("SELECT CAST(({expression}) IS NULL AS text) FROM {TABLE}");
        let asked = self.connection.query_file(&sql, &[]).await;
        asked.is_ok()
    }

    /// The values of columns, as statements spell them.
    pub(super) async fn shown(&mut self, columns: &[String]) -> Result<String, TestError> {
        let dialect = self.connection.dialect();
        let shown = columns.iter().map(|column| {
            let column = quoted(column);
            match dialect {
                Dialect::Postgres => {
                    format!("pg_catalog.quote_nullable(CAST({column} AS text))")
                }
                Dialect::Sqlite => format!("quote({column})"),
            }
        });
        let shown = shown.collect::<Vec<_>>().join(" || ', ' || ");
        let sql = format!("SELECT {shown} FROM {TABLE}");
        let rows = self.connection.query_file(&sql, &[]).await?;
        match rows.first().map(Vec::as_slice) {
            Some([Value::Text(Some(text))]) => Ok(short(text)),
            _ => Err(unexpected(&rows).into()),
        }
    }

    /// The condition under which two columns are the same bytes.
    fn same(&self, one: &str, other: &str) -> String {
        match self.connection.dialect() {
            Dialect::Postgres => {
                format!("(CAST({one} AS text) IS NOT DISTINCT FROM CAST({other} AS text))")
            }
            Dialect::Sqlite => format!("(quote({one}) IS quote({other}))"),
        }
    }

    /// The condition under which every column is what stands in its double.
    pub(super) fn came_back(&self, columns: &[Column]) -> String {
        let same = columns
            .iter()
            .map(|column| self.same(&quoted(column.name), &quoted(&back(column))));
        same.collect::<Vec<_>>().join(" AND ")
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.connection.dialect()
    }
}

fn unexpected(rows: &[Vec<Value>]) -> DatabaseError {
    let answer = rows.first().map(Vec::as_slice).unwrap_or_default();
    DatabaseError::unexpected("what a conversion gives", answer)
}

pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start}…")
}
