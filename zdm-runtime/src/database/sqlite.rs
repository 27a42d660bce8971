//! `SQLite`: connecting, binding, telling errors apart.

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Executor as _, Row as _, SqlSafeStr as _,
    SqliteConnection, TypeInfo as _,
};

use super::{DatabaseError, Row, Value};

/// How long a statement waits for the write lock, which one writer holds at a time.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// A file that is there keeps its journal, which is its owner's choice and stays with the file; a new one gets WAL, so that
/// readers go on beside the one writer.
pub(super) async fn open(url: &str) -> Result<SqliteConnection, DatabaseError> {
    let mut options: SqliteConnectOptions = url.parse().map_err(DatabaseError::Other)?;
    if !options.get_filename().exists() {
        options = options.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    }
    options
        .create_if_missing(true)
        .busy_timeout(BUSY_TIMEOUT)
        .connect()
        .await
        .map_err(classify)
}

#[cfg(feature = "operate")]
pub(super) async fn open_to_read(url: &str) -> Result<SqliteConnection, DatabaseError> {
    let options: SqliteConnectOptions = url.parse().map_err(DatabaseError::Other)?;
    options
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .connect()
        .await
        .map_err(classify)
}

/// `SQLite` has no deadline of its own; it asks between instructions whether to go on (manual,
/// "`sqlite3_progress_handler`").
#[cfg(feature = "operate")]
pub(super) async fn query_only(
    connection: &mut SqliteConnection,
    preparation: &str,
    query: &str,
    values: &[Value],
    deadline: std::time::Duration,
) -> Result<Vec<Row>, DatabaseError> {
    const INSTRUCTIONS: i32 = 1_000;
    let started = std::time::Instant::now();
    let mut handle = connection.lock_handle().await.map_err(classify)?;
    handle.set_progress_handler(INSTRUCTIONS, move || started.elapsed() < deadline);
    drop(handle);
    let answer = match run_file(connection, &format!("BEGIN; {preparation}")).await {
        Ok(()) => self::query(connection, query.to_owned(), values).await,
        Err(error) => Err(error),
    };
    let mut handle = connection.lock_handle().await.map_err(classify)?;
    handle.remove_progress_handler();
    drop(handle);
    let ended = run_file(connection, "ROLLBACK").await;
    answer.and_then(|rows| ended.map(|()| rows))
}

pub(super) async fn execute(
    connection: &mut SqliteConnection,
    sql: String,
    values: &[Value],
) -> Result<u64, DatabaseError> {
    let done = bind(sql, values)
        .execute(connection)
        .await
        .map_err(classify)?;
    Ok(done.rows_affected())
}

pub(super) async fn query(
    connection: &mut SqliteConnection,
    sql: String,
    values: &[Value],
) -> Result<Vec<Row>, DatabaseError> {
    let rows = bind(sql, values)
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
    connection: &mut SqliteConnection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<SqliteRow>, DatabaseError> {
    match bind(sql.to_owned(), values)
        .fetch_all(&mut *connection)
        .await
    {
        Ok(rows) => Ok(rows),
        Err(error) => Err(blame(connection, sql, classify(error)).await),
    }
}

/// [`execute_on_rows`] with arguments of any type.
#[cfg(feature = "operate")]
pub(super) async fn change(
    connection: &mut SqliteConnection,
    sql: &str,
    arguments: sqlx::sqlite::SqliteArguments,
) -> Result<u64, DatabaseError> {
    match sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments)
        .execute(&mut *connection)
        .await
    {
        Ok(done) => Ok(done.rows_affected()),
        Err(error) => Err(blame(connection, sql, classify(error)).await),
    }
}

pub(super) async fn prepare(
    connection: &mut SqliteConnection,
    sql: String,
) -> Result<(), DatabaseError> {
    let prepared = connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
    prepared.map(|_| ()).map_err(classify)
}

/// [`execute`] for a statement on rows of a table.
pub(super) async fn execute_on_rows(
    connection: &mut SqliteConnection,
    sql: &str,
    values: &[Value],
) -> Result<u64, DatabaseError> {
    match execute(connection, sql.to_owned(), values).await {
        Err(error) => Err(blame(connection, sql, error).await),
        done => done,
    }
}

/// [`query`] for a statement on rows of a table.
pub(super) async fn query_on_rows(
    connection: &mut SqliteConnection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, DatabaseError> {
    match query(connection, sql.to_owned(), values).await {
        Err(error) => Err(blame(connection, sql, error).await),
        rows => rows,
    }
}

pub(super) async fn run_file(
    connection: &mut SqliteConnection,
    sql: &str,
) -> Result<(), DatabaseError> {
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
        .await
        .map_err(classify)?;
    Ok(())
}

fn bind(
    sql: String,
    values: &[Value],
) -> sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments> {
    values.iter().fold(
        sqlx::query(AssertSqlSafe(sql)),
        |query, value| match value {
            Value::Int(value) => query.bind(*value),
            Value::Text(value) => query.bind(value.clone()),
        },
    )
}

fn row(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    row.columns()
        .iter()
        .map(|column| {
            let at = column.ordinal();
            // A result column has the storage class of its value, not of its declaration.
            let class = sqlx::ValueRef::type_info(&row.try_get_raw(at)?)
                .name()
                .to_owned();
            Ok(match class.as_str() {
                "INTEGER" | "BOOLEAN" => Value::Int(row.try_get_unchecked(at)?),
                _ => Value::Text(row.try_get_unchecked(at)?),
            })
        })
        .collect()
}

/// What a function says that is used wrongly, whatever the row: `SQLite` counts the arguments of some only when it calls them.
const MISUSES: [&str; 2] = ["number of arguments", "unable to use function"];

/// A function that fails on a value has the same code as a statement that does not compile (`SQLITE_ERROR`), and a value that
/// grows too long the same as a text of SQL that is. So the statement is compiled again: where it compiles, a row made it fail.
async fn blame(
    connection: &mut SqliteConnection,
    sql: &str,
    error: DatabaseError,
) -> DatabaseError {
    let DatabaseError::Other(sqlx::Error::Database(said)) = &error else {
        return error;
    };
    let of_value = matches!(said.code().as_deref(), Some("1" | "18"));
    let misused = MISUSES.iter().any(|words| said.message().contains(words));
    if !of_value
        || misused
        || run_file(connection, &format!("EXPLAIN {sql}"))
            .await
            .is_err()
    {
        return error;
    }
    match error {
        DatabaseError::Other(error) => DatabaseError::Data(error),
        error => error,
    }
}

/// Result codes: `SQLite`'s manual, "Result and Error Codes"; extended codes carry the primary one in their low byte.
pub(crate) fn classify(error: sqlx::Error) -> DatabaseError {
    let code = match &error {
        sqlx::Error::Database(database) => database
            .code()
            .and_then(|code| code.parse::<u32>().ok())
            .map(|code| code & 0xff),
        _ => None,
    };
    match code {
        Some(5 | 6) => DatabaseError::Busy(error),
        Some(8 | 23) => DatabaseError::Forbidden(error),
        Some(19 | 20) => DatabaseError::Data(error),
        Some(10 | 14) => DatabaseError::Lost(error),
        _ => DatabaseError::Other(error),
    }
}
