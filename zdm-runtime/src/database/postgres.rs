//! `PostgreSQL`: connecting, binding, telling errors apart.

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, PgConnection, Row as _, SqlSafeStr as _,
    TypeInfo as _,
};

use super::pooled::Pooled;
use super::pooler::{self, Reached};
use super::{Connection, DatabaseError, Row, Value};

/// Whether the server keeps a statement by a name for as long as the connection lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Yes,
    No,
}

pub(super) async fn open(url: &str) -> Result<Connection, DatabaseError> {
    open_by(url.parse().map_err(DatabaseError::Other)?).await
}

pub(super) async fn open_by(options: PgConnectOptions) -> Result<Connection, DatabaseError> {
    let reached = pooler::connect(options.application_name("zdm")).await;
    Ok(match reached.map_err(classify)? {
        Reached::Server(connection) => Connection::Postgres(connection),
        Reached::Pooler(connection) => Connection::Pooled(Pooled::new(connection)),
    })
}

pub(super) async fn execute(
    connection: &mut PgConnection,
    sql: String,
    values: &[Value],
    kept: Kept,
) -> Result<u64, DatabaseError> {
    let done = bind(sql, values, kept)
        .execute(connection)
        .await
        .map_err(classify)?;
    Ok(done.rows_affected())
}

pub(super) async fn query(
    connection: &mut PgConnection,
    sql: String,
    values: &[Value],
    kept: Kept,
) -> Result<Vec<Row>, DatabaseError> {
    let rows = bind(sql, values, kept)
        .fetch_all(connection)
        .await
        .map_err(classify)?;
    rows.iter()
        .map(row)
        .collect::<Result<_, _>>()
        .map_err(DatabaseError::Other)
}

/// The rows as they come.
#[cfg(feature = "operate")]
pub(super) async fn rows(
    connection: &mut PgConnection,
    sql: &str,
    values: &[Value],
    kept: Kept,
) -> Result<Vec<PgRow>, DatabaseError> {
    let rows = bind(sql.to_owned(), values, kept).fetch_all(connection);
    rows.await.map_err(classify)
}

/// [`execute`] with arguments of any type.
#[cfg(feature = "operate")]
pub(super) async fn change(
    connection: &mut PgConnection,
    sql: &str,
    arguments: sqlx::postgres::PgArguments,
    kept: Kept,
) -> Result<u64, DatabaseError> {
    let done = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments)
        .persistent(kept == Kept::Yes)
        .execute(connection)
        .await
        .map_err(classify)?;
    Ok(done.rows_affected())
}

pub(super) async fn prepare(
    connection: &mut PgConnection,
    sql: String,
) -> Result<(), DatabaseError> {
    let prepared = connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
    prepared.map(|_| ()).map_err(classify)
}

pub(super) async fn run_file(
    connection: &mut PgConnection,
    sql: &str,
) -> Result<(), DatabaseError> {
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
        .await
        .map_err(classify)?;
    Ok(())
}

/// A function can be created in a transaction that may write alone, even one of `pg_temp`; the query comes after the
/// transaction was made read-only (manual, SET TRANSACTION: allowed at any time), and nothing outlives the rollback.
#[cfg(feature = "operate")]
pub(super) async fn query_only(
    connection: &mut PgConnection,
    preparation: &str,
    query: &str,
    values: &[Value],
    deadline: std::time::Duration,
    kept: Kept,
) -> Result<Vec<Row>, DatabaseError> {
    let limit = deadline.as_millis().max(1);
    let begin = format!(
        "BEGIN READ WRITE; SET LOCAL statement_timeout = {limit};\n{preparation}\nSET TRANSACTION READ ONLY"
    );
    let answer = match run_file(connection, &begin).await {
        Ok(()) => self::query(connection, query.to_owned(), values, kept).await,
        Err(error) => Err(error),
    };
    let ended = run_file(connection, "ROLLBACK").await;
    answer.and_then(|rows| ended.map(|()| rows))
}

fn bind(
    sql: String,
    values: &[Value],
    kept: Kept,
) -> sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments> {
    values.iter().fold(
        sqlx::query(AssertSqlSafe(sql)).persistent(kept == Kept::Yes),
        |query, value| match value {
            Value::Int(value) => query.bind(*value),
            Value::Text(value) => query.bind(value.clone()),
        },
    )
}

fn row(row: &PgRow) -> Result<Row, sqlx::Error> {
    row.columns()
        .iter()
        .map(|column| {
            let at = column.ordinal();
            Ok(match column.type_info().name() {
                "INT2" => Value::Int(row.try_get::<Option<i16>, _>(at)?.map(i64::from)),
                "INT4" => Value::Int(row.try_get::<Option<i32>, _>(at)?.map(i64::from)),
                "INT8" => Value::Int(row.try_get(at)?),
                "BOOL" => Value::Int(row.try_get::<Option<bool>, _>(at)?.map(i64::from)),
                _ => Value::Text(row.try_get(at)?),
            })
        })
        .collect()
}

/// Classes of SQLSTATE: `PostgreSQL`'s manual, appendix "`PostgreSQL` Error Codes".
pub(crate) fn classify(error: sqlx::Error) -> DatabaseError {
    let code = match &error {
        sqlx::Error::Database(database) => database.code().map(std::borrow::Cow::into_owned),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => return DatabaseError::Lost(error),
        _ => None,
    };
    match code.as_deref() {
        Some("42501") => DatabaseError::Forbidden(error),
        Some("55P03" | "40P01" | "40001") => DatabaseError::Busy(error),
        Some("57P01" | "57P02" | "57P03" | "25P03") => DatabaseError::Lost(error),
        Some(code) if code.starts_with("08") => DatabaseError::Lost(error),
        Some(code) if is_of_a_row(code) => DatabaseError::Data(error),
        _ => DatabaseError::Other(error),
    }
}

/// Values and constraints (classes 22 and 23), and what functions and triggers say of a row: a subquery with several rows, a
/// CASE without an answer, a function without RETURN, RAISE and its like in PL/pgSQL, an exception in another language, and a
/// value too long for an index (54000, `program_limit_exceeded`).
fn is_of_a_row(code: &str) -> bool {
    code.starts_with("22")
        || code.starts_with("23")
        || matches!(
            code,
            "20000"
                | "21000"
                | "2F005"
                | "38000"
                | "39004"
                | "54000"
                | "P0001"
                | "P0002"
                | "P0003"
                | "P0004"
        )
}
