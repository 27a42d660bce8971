//! The statements of a backfill, as `plan.toml` names them.
//!
//! Must not know: what they say.

use serde::{Deserialize, Serialize};

/// The statements of one table's backfill, all below `3_backfill/`. With `k` key columns, keys are bound and returned
/// as text, `k` values each, in key order; the SQL casts them. Every statement is a file of its own, named by its path
/// below the version's directory and listed in `files`: `3_backfill/batch.sql`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backfill {
    /// The table.
    pub table: String,
    /// Key columns in key order: the cursor.
    pub key: Vec<String>,
    /// The columns that are filled.
    pub columns: Vec<String>,
    /// No parameters; one row: the least key, then the greatest (`2k` values), or no row for an empty table.
    pub bounds: String,
    /// `$1..$k` start (inclusive), `$k+1..$2k` end (inclusive), `$2k+1` row limit; one row: the greatest key among the
    /// first `limit` rows of the range, or no row for an empty range.
    pub boundary: String,
    /// The range as in `batch`; one row: how many rows it holds. It reads keys alone, so no value can make it fail.
    pub count: String,
    /// `$1..$k` start, `$k+1..$2k` end, both inclusive: makes every row of the range consistent from old to new.
    pub batch: String,
    /// The same, from new to old, for the way back from `complete`; `None` where the table has no old side, because new
    /// columns are only filled, and where the migration is one-way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse: Option<String>,
    /// The range as in `batch`; one row: rows seen, rows that are not consistent.
    pub verify: String,
    /// The range as in `batch`; per pair that is not consistent: the row's key, the new column.
    pub mismatches: String,
    /// The range as in `batch`; one row: what `verify` counts, how many of the rows that agree do so by `down` alone, and a checksum
    /// per side, or what makes them up. None in a version that was written before there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksums: Option<String>,
    /// The range as in `batch`; per value that cannot be converted: the key, the column, the value's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// A Rust function of the application fills the column, there is one: `batch` takes its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed: Option<ComputedColumn>,
    /// Nothing tells the table's rows apart, there is this: `key` is where they stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// `quarantine`, `null`, `default`, `reject`, or `total` where `up` converts everything.
    pub on_invalid: String,
    /// The columns among them that may be NULL, so that rows can be read while they wait in quarantine.
    pub optional: Vec<String>,
}

impl Backfill {
    /// The paths of its statements.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        [
            &self.bounds,
            &self.boundary,
            &self.count,
            &self.batch,
            &self.verify,
            &self.mismatches,
        ]
        .into_iter()
        .chain(&self.reverse)
        .chain(&self.checksums)
        .chain(&self.invalid)
        .chain(self.computed.as_ref().map(|computed| &computed.inputs))
        .chain(self.address.iter().flat_map(Address::paths))
        .chain(
            self.computed
                .iter()
                .filter_map(|computed| computed.refused.as_ref()),
        )
        .map(String::as_str)
    }
}

/// How the rows of a table are reached that nothing tells apart: by where they stand, which is theirs only until somebody moves them.
/// So a pass over all ranges proves nothing, and one statement over the whole table ends the backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// No row stands before.
    pub first: String,
    /// No row stands behind.
    pub last: String,
    /// Parameters as of `boundary`; one row: where about so many rows end, or the range does. `None`: `boundary` says it as quickly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// No parameters; one row: how many rows are not consistent.
    pub left: String,
    /// The same on the way back from `complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_back: Option<String>,
}

impl Address {
    fn paths(&self) -> impl Iterator<Item = &String> {
        self.step.iter().chain([&self.left]).chain(&self.left_back)
    }
}

/// A column that a Rust function of the application fills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputedColumn {
    /// `crate::phone::normalize`
    pub function: String,
    /// The columns that it takes, in its order.
    pub taken: Vec<String>,
    /// The module of the table's code below the migration's, where several tables share that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The range as in `batch`; per row without a value: the key and what the function takes as text, then what it takes by name.
    /// `batch` has behind its range on PostgreSQL an array of each key column, of each text of what was taken, and of the values;
    /// on `SQLite`, where the range is one row, the value.
    pub inputs: String,
    /// Parameters as `batch` without the values, on `SQLite` the range alone: takes the values away of rows that the function refused,
    /// where these may have ones that it gave for others. `None` where a row without a value has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
