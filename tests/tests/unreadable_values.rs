//! What a dialect calls unreadable, the client does refuse; what it lets pass, the client reads. `SQLite` keeps any value in
//! any column, so a conversion that overflows would otherwise fail a read of the application.

use cargo_zdm::dialect::Dialect;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use zdm_model::LogicalType;

/// Whether a value of that type is read from the row's first column.
type Reads = fn(&SqliteRow) -> bool;

fn reads<T>(row: &SqliteRow) -> bool
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get::<Option<T>, _>(0).is_ok()
}

/// A type, how the client reads it, values of it, and values that are none.
const TYPES: [(LogicalType, Reads, &[&str], &[&str]); 10] = [
    (LogicalType::Bool, reads::<bool>, &["0", "1"], &["2", "'x'"]),
    (
        LogicalType::Int2,
        reads::<i16>,
        &["32767", "-32768"],
        &["32768", "CAST('99999' AS INTEGER)", "'x'"],
    ),
    (
        LogicalType::Int4,
        reads::<i32>,
        &["2147483647", "-2147483648"],
        &["2147483648", "CAST('99999999999' AS INTEGER)", "'7'"],
    ),
    (
        LogicalType::Int8,
        reads::<i64>,
        &["9223372036854775806"],
        &["CAST('99999999999999999999' AS INTEGER)"],
    ),
    (
        LogicalType::Date,
        reads::<chrono::NaiveDate>,
        &["'2024-02-29'"],
        &["'2024-02-30'", "'2024-13-01'", "'soon'"],
    ),
    (
        LogicalType::Time,
        reads::<chrono::NaiveTime>,
        &["'23:59:59.999999'", "'12:00'"],
        &["'25:00:00'", "'noon'"],
    ),
    (
        LogicalType::Timestamp,
        reads::<chrono::NaiveDateTime>,
        &["'2024-02-29 23:59:59.5'", "'2024-02-29T23:59:59'"],
        &[
            "'2024-02-30 10:00:00'",
            "'soon'",
            "'36'",
            "'2024-02-29 25:00:00'",
        ],
    ),
    (
        LogicalType::TimestampTz,
        reads::<chrono::DateTime<chrono::Utc>>,
        &[
            "'2024-02-29T23:59:59.5+00:00'",
            "'2024-02-29 23:59:59+02:00'",
        ],
        &["'2024-02-30T10:00:00+00:00'", "'soon'"],
    ),
    (
        LogicalType::Uuid,
        reads::<uuid::Uuid>,
        &["x'00000000000000000000000000000000'"],
        &["'not a blob'", "x'00'"],
    ),
    (
        LogicalType::Json,
        reads::<serde_json::Value>,
        &["'null'", "'{\"a\":[1]}'"],
        &["'{'", "'soon'"],
    ),
];

#[tokio::test]
async fn what_passes_is_read_and_what_does_not_would_have_failed() {
    let dialect = Dialect::named("sqlite").unwrap();
    let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for (logical, reads, values, others) in TYPES {
        for (value, readable) in values
            .iter()
            .map(|value| (value, true))
            .chain(others.iter().map(|value| (value, false)))
            .chain([(&"NULL", true)])
        {
            let condition = dialect.invalid(None, value, logical).unwrap();
            let query = format!("SELECT {value}, ({condition}) IS TRUE");
            let row = sqlx::query(AssertSqlSafe(query.clone()))
                .fetch_one(&mut conn)
                .await
                .unwrap();
            assert_eq!(row.get::<bool, _>(1), !readable, "{query}");
            // The end of the range of `i64` and a number for a bool are read, as something else than what was meant.
            let misread = matches!(logical, LogicalType::Int8 | LogicalType::Bool) && !readable;
            if !misread {
                assert_eq!(reads(&row), readable, "{logical:?}: {query}");
            }
        }
    }
}
