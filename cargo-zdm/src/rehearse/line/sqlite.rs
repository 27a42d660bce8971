//! Statements whose values are bound by their storage classes.

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column as _, Row as _, Sqlite, SqliteConnection, TypeInfo as _, ValueRef as _,
};
use zdm_runtime::database::DatabaseError;

use super::Named;
use crate::rehearse::value::Value;

pub(super) async fn execute(
    connection: &mut SqliteConnection,
    sql: &str,
    values: &[Value],
) -> Result<u64, DatabaseError> {
    let done = bound(sql, values).execute(connection).await;
    Ok(done.map_err(DatabaseError::Other)?.rows_affected())
}

pub(super) async fn rows(
    connection: &mut SqliteConnection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Named>, DatabaseError> {
    let rows = bound(sql, values).fetch_all(connection).await;
    let rows = rows.map_err(DatabaseError::Other)?;
    let rows: Result<_, sqlx::Error> = rows.iter().map(named).collect();
    rows.map_err(DatabaseError::Other)
}

fn bound(sql: &str, values: &[Value]) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    values.iter().fold(query, |query, value| match value {
        Value::Null => query.bind(None::<String>),
        Value::Int(number) => query.bind(*number),
        Value::Real(number) => query.bind(*number),
        Value::Text(text) => query.bind(text.clone()),
        Value::Blob(bytes) => query.bind(bytes.clone()),
    })
}

fn named(row: &SqliteRow) -> Result<Named, sqlx::Error> {
    let columns = row.columns().iter();
    columns
        .map(|column| {
            let at = column.ordinal();
            let raw = row.try_get_raw(at)?;
            let (null, class) = (raw.is_null(), raw.type_info().name().to_owned());
            let value = match class.as_str() {
                _ if null => Value::Null,
                "INTEGER" | "BOOLEAN" => Value::Int(row.try_get_unchecked(at)?),
                "REAL" => Value::Real(row.try_get_unchecked(at)?),
                "BLOB" => Value::Blob(row.try_get_unchecked(at)?),
                _ => Value::Text(row.try_get_unchecked(at)?),
            };
            Ok((column.name().to_owned(), value))
        })
        .collect()
}
