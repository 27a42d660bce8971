//! How much another database holds and what its values look like: read only, a sample of each table.
//!
//! Comes in: its URL, the tables as old code has them. Goes out: rows by table, scaled down, and what was seen of each column.
//! Values themselves are taken over only where a column has a few different ones.
//! Must not know: how rows are made, the migration.

use std::time::Duration;

use zdm_model::{Column, LogicalType};
use zdm_runtime::database::{Connection, DatabaseError, Dialect, Row, Value};

use super::shape::Seen;
use super::subject::Subject;
use super::table::Side;
use crate::error::Failure;
use crate::operate::session::connect_to_read;

/// Rows of a sample.
const SAMPLE: u32 = 2_000;
/// How long one question may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// So many different values are a list of words.
const FEW: i64 = 20;
/// In a sample of fewer rows few different values mean nothing.
const ENOUGH: i64 = 100;

/// What was seen of the tables, by their places.
#[derive(Debug)]
pub(super) struct Likeness {
    /// Rows of each table, so that the largest has as many as are wanted at most.
    pub(super) rows: Vec<u64>,
    /// Of the columns of each table, in the order of the old side's.
    pub(super) seen: Vec<Vec<Option<Seen>>>,
    /// Tables that it lacks, or does not tell of in time.
    pub(super) missing: Vec<String>,
}

/// Looks at another database.
pub(super) async fn look(subject: &Subject, url: &str, rows: u64) -> Result<Likeness, Failure> {
    let dialect = &subject.rehearsed.dialect;
    let mut connection = connect_to_read(url, dialect.name()).await?;
    let (mut counts, mut seen, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for tab in &subject.tabs {
        let Some(side) = &tab.old else {
            counts.push(0);
            seen.push(Vec::new());
            continue;
        };
        match table(&mut connection, dialect, side).await {
            Ok((count, columns)) => {
                counts.push(count);
                seen.push(columns);
            }
            Err(error) if is_missing(&error) || error.is_cancelled() => {
                missing.push(format!("{}: {error}", tab.name));
                counts.push(rows);
                seen.push(Vec::new());
            }
            Err(error) => return Err(error.into()),
        }
    }
    let greatest = counts.iter().copied().max().unwrap_or(0).max(rows);
    let scaled = |count: u64| (u128::from(count) * u128::from(rows)).div_ceil(u128::from(greatest));
    let rows = counts
        .into_iter()
        .map(|count| u64::try_from(scaled(count)).unwrap_or(rows));
    Ok(Likeness {
        rows: rows.collect(),
        seen,
        missing,
    })
}

/// One question, which writes nothing and does not go on for long.
async fn ask(
    connection: &mut Connection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, DatabaseError> {
    connection.query_only("", sql, values, DEADLINE).await
}

async fn table(
    connection: &mut Connection,
    dialect: &crate::dialect::Dialect,
    side: &Side,
) -> Result<(u64, Vec<Option<Seen>>), DatabaseError> {
    let name = &side.table.name;
    let relation = dialect.relation(name);
    let idents: Vec<_> = side
        .columns
        .iter()
        .map(|column| dialect.ident(&column.name))
        .collect();
    let sample = format!(
        "(SELECT {} FROM {relation} LIMIT {SAMPLE}) AS sample",
        idents.join(", ")
    );
    let count = count(connection, &relation).await?;
    let mut seen = Vec::new();
    for (column, ident) in side.columns.iter().zip(&idents) {
        seen.push(of_column(connection, &sample, ident, column).await?);
    }
    Ok((count, seen))
}

/// Rows of a table: on `PostgreSQL` as its statistics say, where there are any.
async fn count(connection: &mut Connection, relation: &str) -> Result<u64, DatabaseError> {
    if connection.dialect() == Dialect::Postgres {
        let sql = "SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = CAST(pg_catalog.to_regclass($1) AS oid)";
        let rows = ask(connection, sql, &[relation.into()]).await?;
        if let Some([Value::Int(Some(count @ 1..))]) = rows.first().map(Vec::as_slice) {
            return Ok(count.unsigned_abs());
        }
    }
    let sql = format!("SELECT count(*) FROM {relation}");
    let rows = ask(connection, &sql, &[]).await?;
    Ok(match rows.first().map(Vec::as_slice) {
        Some([Value::Int(Some(count))]) => count.unsigned_abs(),
        _ => 0,
    })
}

async fn of_column(
    connection: &mut Connection,
    sample: &str,
    ident: &str,
    column: &Column,
) -> Result<Option<Seen>, DatabaseError> {
    use LogicalType as T;
    let whole = matches!(column.logical_type, T::Int2 | T::Int4 | T::Int8);
    let text = column.logical_type == T::Text;
    let bounds = if whole {
        format!("CAST(min({ident}) AS bigint), CAST(max({ident}) AS bigint)")
    } else if text {
        format!("CAST(min(length({ident})) AS bigint), CAST(max(length({ident})) AS bigint)")
    } else {
        "CAST(NULL AS bigint), CAST(NULL AS bigint)".to_owned()
    };
    let different = if whole || text {
        format!("count(DISTINCT {ident})")
    } else {
        "CAST(NULL AS bigint)".to_owned()
    };
    let sql = format!("SELECT count(*), count({ident}), {bounds}, {different} FROM {sample}");
    let rows = ask(connection, &sql, &[]).await?;
    let number = |at: usize| match rows.first().and_then(|row| row.get(at)) {
        Some(Value::Int(number)) => *number,
        _ => None,
    };
    let (Some(all @ 1..), Some(present)) = (number(0), number(1)) else {
        return Ok(None);
    };
    let few = all >= ENOUGH && number(4).is_some_and(|different| different <= FEW);
    let both = number(2).zip(number(3));
    Ok(Some(Seen {
        nulls: ((all - present) * 1000 / all).unsigned_abs(),
        numbers: both.filter(|_| whole),
        lengths: both
            .filter(|_| text)
            .map(|(least, greatest)| (least.unsigned_abs(), greatest.unsigned_abs())),
        values: if few {
            values(connection, sample, ident).await?
        } else {
            Vec::new()
        },
    }))
}

async fn values(
    connection: &mut Connection,
    sample: &str,
    ident: &str,
) -> Result<Vec<String>, DatabaseError> {
    let sql = format!(
        "SELECT DISTINCT CAST({ident} AS text) FROM {sample} WHERE {ident} IS NOT NULL ORDER BY 1"
    );
    let rows = ask(connection, &sql, &[]).await?;
    let texts = rows.into_iter().flatten().filter_map(|value| match value {
        Value::Text(text) => text,
        Value::Int(number) => number.map(|number| number.to_string()),
    });
    Ok(texts.collect())
}

/// The table or a column is not there: it is made as if nothing were known of it.
fn is_missing(error: &DatabaseError) -> bool {
    let DatabaseError::Other(sqlx::Error::Database(error)) = error else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    ["42P01", "42703"].contains(&&*code)
        || error.message().starts_with("no such table")
        || error.message().starts_with("no such column")
}
