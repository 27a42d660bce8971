//! Which rows a constraint refuses that a step puts on a table: `PostgreSQL` names none for a check, and one value of duplicates.
//!
//! Comes in: a step that has failed, outside its transaction. Goes out: the failure, with the rows where they can be told in time.
//! Must not know: why the constraint comes.

use super::index::{self, ToldApart};
use super::{Failure, Task};
use crate::database::catalogue::relation;
use crate::database::{Connection, DatabaseError, Dialect, Value};
use crate::losses::quoted;

/// How many rows are named.
const NAMED: usize = 5;

/// How long anybody waits for it, in milliseconds.
const LIMIT: u32 = 10_000;

/// The failure, with what can be said of its rows; what stands in the way of that is not reported in its place.
pub(super) async fn named(
    task: &Task<'_>,
    connection: &mut Connection,
    failure: Failure,
) -> Failure {
    let Failure::Database(source) = failure else {
        return failure;
    };
    if connection.dialect() != Dialect::Postgres || !source.is_unfit() {
        return Failure::Database(source);
    }
    match rows(task, connection, &source).await {
        Ok(Some(rows)) => Failure::Unfit { source, rows },
        Ok(None) => Failure::Database(source),
        Err(error) => {
            tracing::debug!(%error, "the rows that a constraint refuses are not named");
            Failure::Database(source)
        }
    }
}

async fn rows(
    task: &Task<'_>,
    connection: &mut Connection,
    source: &DatabaseError,
) -> Result<Option<String>, DatabaseError> {
    connection.begin().await?;
    let found = asked(task, connection, source).await;
    let ended = connection.rollback().await;
    let found = found?;
    ended?;
    Ok(found)
}

async fn asked(
    task: &Task<'_>,
    connection: &mut Connection,
    source: &DatabaseError,
) -> Result<Option<String>, DatabaseError> {
    connection
        .run_file(&format!(
            "SET LOCAL statement_timeout = {LIMIT}; SET LOCAL lock_timeout = {LIMIT}"
        ))
        .await?;
    let table = &task.step.table;
    let Some(unfit) = unfit(task, connection, source).await? else {
        return Ok(None);
    };
    let key = key(connection, table).await?;
    let shown = if key.is_empty() {
        "''".to_owned()
    } else {
        format!("pg_catalog.concat_ws(', ', {})", key.join(", "))
    };
    let order = if key.is_empty() {
        "1".to_owned()
    } else {
        key.join(", ")
    };
    let sql =
        format!("SELECT {shown}, count(*) OVER () FROM {unfit} ORDER BY {order} LIMIT {NAMED}");
    let mut names = Vec::new();
    let mut all = 0;
    for row in connection.query_file(&sql, &[]).await? {
        let [Value::Text(Some(name)), Value::Int(Some(count))] = row.as_slice() else {
            return Err(DatabaseError::unexpected("which rows do not fit", &row));
        };
        all = *count;
        names.push(format!("({name})"));
    }
    Ok(told(table, all, &names, !key.is_empty()))
}

fn told(table: &str, all: i64, names: &[String], has_key: bool) -> Option<String> {
    let rows = if all == 1 { "row" } else { "rows" };
    let more = match i64::try_from(names.len()) {
        Ok(told) if told < all => format!(" and {} more", all - told),
        _ => String::new(),
    };
    match (all, has_key) {
        (0, _) => None,
        (_, true) => Some(format!(
            "{all} {rows} of {table}: {}{more}",
            names.join(", ")
        )),
        (_, false) => Some(format!("{all} {rows} of {table}")),
    }
}

/// The rows, as something to select from.
async fn unfit(
    task: &Task<'_>,
    connection: &mut Connection,
    source: &DatabaseError,
) -> Result<Option<String>, DatabaseError> {
    let table = relation(&task.step.table);
    if let Some(index) = &task.step.index {
        let told = if index.over.is_some() {
            index::told_apart(connection, task.step, index).await?
        } else {
            ToldApart {
                by: index.columns.iter().map(|name| quoted(name)).collect(),
                nulls: false,
                predicate: index.predicate.clone(),
            }
        };
        return Ok(repeated(&table, &told));
    }
    let Some(constraint) = source.constraint() else {
        return Ok(None);
    };
    let found = connection
        .query(
            "SELECT pg_catalog.pg_get_expr(conbin, conrelid) FROM pg_constraint
             WHERE contype = 'c' AND conrelid = CAST(pg_catalog.to_regclass($1) AS oid) AND conname = CAST(CAST($2 AS text) AS name)",
            &[table.as_str().into(), constraint.into()],
        )
        .await?;
    Ok(match found.first().map(Vec::as_slice) {
        Some([Value::Text(Some(check))]) => Some(format!("{table} WHERE NOT ({check})")),
        _ => None,
    })
}

/// The rows that an index does not tell apart.
fn repeated(table: &str, told: &ToldApart) -> Option<String> {
    let there = told.by.iter().filter(|_| !told.nulls);
    let there = there.map(|by| format!("({by}) IS NOT NULL"));
    let predicate = told.predicate.iter();
    let mut conditions: Vec<String> = there
        .chain(predicate.map(|predicate| format!("({predicate})")))
        .collect();
    if conditions.is_empty() {
        conditions.push("true".to_owned());
    }
    (!told.by.is_empty()).then(|| {
        format!(
            "(SELECT *, count(*) OVER (PARTITION BY {}) AS zdm_times FROM {table} WHERE {}) AS zdm_rows WHERE zdm_times > 1",
            told.by.join(", "),
            conditions.join(" AND ")
        )
    })
}

/// The primary key's columns, as SQL names them.
async fn key(connection: &mut Connection, table: &str) -> Result<Vec<String>, DatabaseError> {
    let rows = connection
        .query(
            "SELECT pg_catalog.quote_ident(CAST(attname AS text)) FROM pg_index AS index
             JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
             WHERE indisprimary AND indrelid = CAST(pg_catalog.to_regclass($1) AS oid) ORDER BY pg_catalog.array_position(CAST(indkey AS smallint[]), attnum)",
            &[relation(table).as_str().into()],
        )
        .await?;
    let name = |row: Vec<Value>| match row.into_iter().next() {
        Some(Value::Text(Some(name))) => Ok(name),
        other => Err(DatabaseError::unexpected(
            "which columns a key has",
            &Vec::from_iter(other),
        )),
    };
    rows.into_iter().map(name).collect()
}
