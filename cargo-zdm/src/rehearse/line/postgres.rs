//! Statements that are prepared by name, with the types that generated code binds, and executed with literals.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, PgConnection, Row as _, ValueRef as _, raw_sql,
};
use zdm_runtime::database::DatabaseError;

use super::Named;
use crate::rehearse::value::Value;

pub(super) async fn execute(
    connection: &mut PgConnection,
    prepared: &mut HashMap<String, usize>,
    statement: (&str, &[&str]),
    values: &[Value],
) -> Result<u64, DatabaseError> {
    let text = executable(connection, prepared, statement, values).await?;
    let done = connection.execute(raw_sql(AssertSqlSafe(text))).await;
    Ok(done.map_err(DatabaseError::Other)?.rows_affected())
}

pub(super) async fn rows(
    connection: &mut PgConnection,
    prepared: &mut HashMap<String, usize>,
    statement: (&str, &[&str]),
    values: &[Value],
) -> Result<Vec<Named>, DatabaseError> {
    let text = executable(connection, prepared, statement, values).await?;
    let rows = connection.fetch_all(raw_sql(AssertSqlSafe(text))).await;
    let rows = rows.map_err(DatabaseError::Other)?;
    let rows: Result<_, sqlx::Error> = rows.iter().map(named).collect();
    rows.map_err(DatabaseError::Other)
}

/// `EXECUTE` of what is prepared now, with the values as literals.
async fn executable(
    connection: &mut PgConnection,
    prepared: &mut HashMap<String, usize>,
    (sql, types): (&str, &[&str]),
    values: &[Value],
) -> Result<String, DatabaseError> {
    let list = |parts: Vec<String>| match parts.as_slice() {
        [] => String::new(),
        parts => format!("({})", parts.join(", ")),
    };
    let number = if let Some(number) = prepared.get(sql) {
        *number
    } else {
        let number = prepared.len();
        let types = list(types.iter().map(|name| (*name).to_owned()).collect());
        let text = format!("PREPARE r{number}{types} AS {sql}");
        let done = connection.execute(raw_sql(AssertSqlSafe(text))).await;
        done.map_err(DatabaseError::Other)?;
        prepared.insert(sql.to_owned(), number);
        number
    };
    let values = list(values.iter().map(Value::literal).collect());
    Ok(format!("EXECUTE r{number}{values}"))
}

fn named(row: &PgRow) -> Result<Named, sqlx::Error> {
    let columns = row.columns().iter();
    columns
        .map(|column| {
            let raw = row.try_get_raw(column.ordinal())?;
            let value = if raw.is_null() {
                Value::Null
            } else {
                Value::text(raw.as_str().map_err(sqlx::Error::Decode)?)
            };
            Ok((column.name().to_owned(), value))
        })
        .collect()
}
