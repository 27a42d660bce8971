//! The checksums of a table's two sides: what each row counts as on the old side and on the new one.
//!
//! Must not know: how a dialect makes a number of them.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::Column;

use super::backfill::{View, parameters};
use super::{Identity, header};
use crate::dialect::{Dialect, DialectError};
use crate::plan::{Ends, Move, Pair, Plan};

/// What the template sees.
#[derive(Serialize)]
pub(super) struct ChecksumView {
    /// Part of every row's hash, so that rows of two tables do not stand for each other.
    table: String,
    rows: String,
    range: String,
    consistent: String,
    /// The key, in key order; none where a row has no name of its own.
    key: Vec<String>,
    /// How many parameters an end of the range has.
    #[serde(skip)]
    ends: usize,
    sides: Vec<Values>,
}

/// The values of a new column on both sides, as expressions over the row.
#[derive(Serialize)]
struct Values {
    /// What `up` makes of old; for a column without an old side, the column.
    old: String,
    new: String,
}

/// Of the pairs of a table.
pub(super) fn of_pairs(
    dialect: &Dialect,
    table: &str,
    pairs: &[&Pair],
    view: &View,
) -> ChecksumView {
    let sides = pairs.iter().map(|pair| {
        if let Some(seal) = &pair.seal {
            // No SQL computes new: a side counts as what both were when both were written, the other as what they are.
            let seal = dialect.ident(seal);
            return Values {
                old: format!(
                    "CASE WHEN {seal} IS NOT NULL THEN {} END",
                    pair.seal_of_row(dialect)
                ),
                new: seal,
            };
        }
        let new = dialect.ident(&pair.new.name);
        let old = if pair.is_fill() { &new } else { &pair.up };
        Values {
            old: old.clone(),
            new,
        }
    });
    let key = pairs.first().map_or(&[][..], |pair| &pair.key);
    let has_name = pairs.iter().all(|pair| pair.addresses.is_none());
    ChecksumView {
        ends: key.len(),
        table: table.to_owned(),
        rows: view.rows.clone(),
        range: view.range.clone(),
        consistent: view.consistent.clone(),
        key: if has_name {
            behind(dialect, "", key)
        } else {
            Vec::new()
        },
        sides: sides.collect(),
    }
}

/// Of columns that move between two tables: nothing is converted, so each side is what its table holds.
pub(super) fn of_move(dialect: &Dialect, moved: &Move) -> ChecksumView {
    let (main, part) = moved.prefixes(dialect);
    let sides = moved.columns.iter().map(|(of_main, of_part)| {
        let of_main = format!("{main}{}", dialect.ident(&of_main.name));
        let of_part = format!("{part}{}", dialect.ident(&of_part.name));
        let (old, new) = match moved.to {
            Ends::Part => (of_main, of_part),
            Ends::Main => (of_part, of_main),
        };
        Values { old, new }
    });
    let key = moved.main_key();
    ChecksumView {
        table: moved.main.clone(),
        rows: moved.join(dialect),
        range: super::backfill::range(dialect, &key, &main),
        consistent: moved.consistent(dialect),
        ends: key.len(),
        key: behind(dialect, &main, &key),
        sides: sides.collect(),
    }
}

impl ChecksumView {
    /// Adds the statement to the backfill's files and returns its path.
    pub(super) fn write(
        &self,
        plan: &Plan,
        dialect: &Dialect,
        identity: &Identity,
        folder: &str,
        texts: &mut BTreeMap<String, String>,
    ) -> Result<String, DialectError> {
        let k = self.ends;
        let about = format!(
            "Verification: rows of {} from {} to {}, how many of them do not agree, and what each side counts as.",
            self.table,
            parameters(1, k),
            parameters(k + 1, k)
        );
        let sql = dialect.render("backfill/checksums", self)?;
        let path = format!("{folder}/checksums.sql");
        let header = header(plan, identity, &about);
        texts.insert(path.clone(), format!("{header}\n{}\n", sql.trim()));
        Ok(path)
    }
}

fn behind(dialect: &Dialect, prefix: &str, columns: &[Column]) -> Vec<String> {
    let named = |column: &Column| format!("{prefix}{}", dialect.ident(&column.name));
    columns.iter().map(named).collect()
}
