//! Keys out of a sample of a table's blocks: where to cut a range in two without going along it.
//!
//! Comes in: a connection to `PostgreSQL`, a table's backfill, a range. Goes out: [`Sample`]. What it costs does not depend on the
//! table's size. Must not know: ledgers.

use crate::database::catalogue::relation;
use crate::database::{Connection, DatabaseError, Row, Value};
use crate::key::Key;
use crate::losses::quoted;
use crate::manifest::Backfill;

use super::estimate;

/// So many rows are looked at, in whole blocks.
const LOOKED_AT: u64 = 20_000;

/// Some of the keys between two others, in their order.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) keys: Vec<Key>,
    /// How many rows lie between, as the sample has it.
    pub(super) rows: u64,
}

impl Sample {
    /// The key that leaves the share `part / parts` of the rows before it.
    pub(super) fn quantile(&self, part: usize, parts: usize) -> Option<&Key> {
        self.keys.get(self.keys.len() * part / parts.max(1))
    }

    /// Looks at rows behind `after` and before `before`.
    pub(super) async fn between(
        connection: &mut Connection,
        backfill: &Backfill,
        after: &Key,
        before: &Key,
    ) -> Result<Self, DatabaseError> {
        let rows = estimate(connection, &backfill.table).await?.max(1);
        let share = share_of(rows);
        let range = between(&types(connection, backfill).await?);
        let key = backfill.key.iter();
        // With its table's name, for ORDER BY would take a bare one for the text.
        let key: Vec<String> = key
            .map(|column| format!("sampled.{}", quoted(column)))
            .collect();
        let texts: Vec<String> = key.iter().map(|column| format!("{column}::text")).collect();
        let sql = format!(
            "SELECT {} FROM {} AS sampled TABLESAMPLE SYSTEM ({share}) WHERE {range} ORDER BY {}",
            texts.join(", "),
            relation(&backfill.table),
            key.join(", ")
        );
        let found = connection
            .query_file(&sql, &Key::range(after, before))
            .await?;
        let keys: Vec<Key> = found
            .iter()
            .map(|row| Key::read(row, key.len()))
            .collect::<Result<_, _>>()?;
        // An estimate needs no exactness.
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let rows = (keys.len() as f64 * 100.0 / share) as u64;
        Ok(Self { keys, rows })
    }
}

/// In percent, as `TABLESAMPLE` takes it.
fn share_of(rows: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let share = 100.0 * LOOKED_AT as f64 / rows as f64;
    share.clamp(0.000_001, 100.0)
}

/// The key's columns with their types, in key order.
async fn types(
    connection: &mut Connection,
    backfill: &Backfill,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let mut types = Vec::new();
    for column in &backfill.key {
        let rows = connection
            .query(
                "SELECT pg_catalog.format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = CAST(pg_catalog.to_regclass($1) AS oid) AND attname = $2",
                &[
                    relation(&backfill.table).as_str().into(),
                    column.as_str().into(),
                ],
            )
            .await?;
        match rows.first().map(Vec::as_slice) {
            Some([Value::Text(Some(found))]) => types.push((quoted(column), found.clone())),
            row => {
                let row: Row = row.unwrap_or_default().to_vec();
                return Err(DatabaseError::unexpected("which type a key has", &row));
            }
        }
    }
    Ok(types)
}

/// The condition of a range without its ends.
fn between(key: &[(String, String)]) -> String {
    let columns: Vec<&str> = key.iter().map(|(column, _)| column.as_str()).collect();
    let values = |first: usize| {
        let texts = key.iter().enumerate();
        let texts = texts.map(|(n, (_, of))| format!("${}::text::{of}", first + n));
        texts.collect::<Vec<_>>().join(", ")
    };
    let columns = columns.join(", ");
    format!(
        "({columns}) > ({}) AND ({columns}) < ({})",
        values(1),
        values(key.len() + 1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_compares_whole_keys() {
        let column = |name: &str, of: &str| (format!("\"{name}\""), of.to_owned());
        assert_eq!(
            between(&[column("id", "bigint")]),
            "(\"id\") > ($1::text::bigint) AND (\"id\") < ($2::text::bigint)"
        );
        assert_eq!(
            between(&[column("a", "text"), column("b", "uuid")]),
            "(\"a\", \"b\") > ($1::text::text, $2::text::uuid) AND (\"a\", \"b\") < ($3::text::text, $4::text::uuid)"
        );
    }

    #[test]
    fn a_small_table_is_looked_at_as_a_whole_and_a_large_one_in_part() {
        assert!((share_of(1) - 100.0).abs() < f64::EPSILON);
        assert!((share_of(2_000_000) - 1.0).abs() < 1e-9);
        assert!(share_of(u64::MAX) > 0.0);
    }
}
