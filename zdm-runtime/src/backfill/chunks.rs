//! Cuts a table into ranges, one per worker.
//!
//! Must not know: leases, batches.

use super::ledger::Range;
use super::sample::Sample;
use crate::database::catalogue::relation;
use crate::database::{Connection, DatabaseError, Dialect, Value};
use crate::key::Key;
use crate::ranges::Ranges;

/// Ranges over the table's present rows; rows that come later are written on both sides by their writers. Neighbours
/// share one row, which counts for the first of them.
pub(super) async fn cut(
    connection: &mut Connection,
    ranges: Ranges<'_>,
    workers: u32,
) -> Result<Vec<Range>, DatabaseError> {
    let Some((lo, hi)) = ranges.bounds(connection).await? else {
        return Ok(Vec::new());
    };
    if workers > 1 && connection.dialect() == Dialect::Postgres {
        let sample = Sample::between(connection, ranges.backfill, &lo, &hi).await?;
        return Ok(at_quantiles(&sample, lo, hi, workers));
    }
    let mut cut = Vec::new();
    let mut start = (lo, None);
    if workers > 1 {
        let rows = estimate(connection, &ranges.backfill.table).await?;
        let share = rows.div_ceil(u64::from(workers)).max(1);
        for _ in 1..workers {
            let end = ranges
                .boundary(connection, &start.0, &hi, share + 1)
                .await?;
            let Some(end) = end.filter(|end| *end != hi && *end != start.0) else {
                break;
            };
            cut.push(Range {
                lo: start.0,
                hi: end.clone(),
                cursor: start.1,
            });
            start = (end.clone(), Some(end));
        }
    }
    cut.push(Range {
        lo: start.0,
        hi,
        cursor: start.1,
    });
    Ok(cut)
}

/// Ranges of about the same number of rows.
fn at_quantiles(sample: &Sample, lo: Key, hi: Key, workers: u32) -> Vec<Range> {
    let parts = usize::try_from(workers).unwrap_or(1);
    let mut cuts: Vec<Key> = (1..parts)
        .filter_map(|part| sample.quantile(part, parts).cloned())
        .collect();
    cuts.dedup();
    let mut ranges = Vec::new();
    let mut start = (lo, None);
    for end in cuts {
        ranges.push(Range {
            lo: start.0,
            hi: end.clone(),
            cursor: start.1,
        });
        start = (end.clone(), Some(end));
    }
    ranges.push(Range {
        lo: start.0,
        hi,
        cursor: start.1,
    });
    ranges
}

/// How many rows the table has: counted on `SQLite`, where that is cheap; on `PostgreSQL` as its planner reckons from
/// the table's size, which needs no earlier ANALYZE.
pub async fn estimate(connection: &mut Connection, table: &str) -> Result<u64, DatabaseError> {
    let quoted = relation(table);
    if connection.dialect() == Dialect::Sqlite {
        let rows = connection
            .query_file(&format!("SELECT count(*) FROM {quoted}"), &[])
            .await?;
        return match rows.first().map(Vec::as_slice).unwrap_or_default() {
            [Value::Int(Some(count))] => Ok(u64::try_from(*count).unwrap_or_default()),
            row => Err(DatabaseError::unexpected("how many rows a table has", row)),
        };
    }
    let rows = connection
        .query_file(&format!("EXPLAIN SELECT FROM {quoted}"), &[])
        .await?;
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let [Value::Text(Some(line))] = row else {
        return Err(DatabaseError::unexpected("how many rows a table has", row));
    };
    line.split_once("rows=")
        .and_then(|(_, rest)| rest.split_ascii_whitespace().next())
        .and_then(|rows| rows.parse().ok())
        .ok_or_else(|| DatabaseError::unexpected("how many rows a table has", row))
}
