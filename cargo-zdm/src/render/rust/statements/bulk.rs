//! Many new rows in one statement.

use zdm_model::Column;

use super::{Insert, Statements, parameter};
use crate::render::rust::RenderError;
use crate::render::rust::sides::Written;
use crate::render::rust::words::Words;

/// What the rows that are given are called in a statement.
const GIVEN: &str = "zdm_given";
/// Where the epoch stands beside them.
const SEEN: &str = "(SELECT epoch FROM zdm_seen)";

/// How a statement is given many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render::rust) enum Rows {
    /// One array per column.
    Arrays,
    /// As `VALUES`, put before the statement with the epoch: see [`Statements::values_head`].
    Values,
}

impl Statements<'_> {
    /// New rows; auto keys are left to the database and returned in the order of the rows.
    pub(in crate::render::rust) fn insert_many(
        &self,
        written: impl Into<Written>,
        rows: Rows,
    ) -> Result<String, RenderError> {
        let words = self.sides.words;
        let columns: Vec<&Column> = self.inserted_columns().collect();
        let places: Vec<_> = { columns.iter().copied() }
            .map(|column| (column, format!("{GIVEN}.{}", words.ident(&column.name))))
            .collect();
        let values = self.bound(self.sides.inserted(written.into(), &places, &[]))?;
        let (names, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        let (rows, epoch) = match rows {
            Rows::Arrays => (arrays(words, &columns), parameter(columns.len() + 1)),
            Rows::Values => (GIVEN.to_owned(), SEEN.to_owned()),
        };
        self.templates.statement(
            "insert",
            Insert {
                table: &self.table,
                overriding: self.overrides(&names),
                columns: names,
                values,
                fence: &self.fence,
                epoch,
                demanded: Vec::new(),
                locked: None,
                rows: Some(rows),
                conflict: Vec::new(),
                assignments: String::new(),
                returning: self.returned_key().map(|key| self.returning(key)),
            },
        )
    }

    /// What stands before the rows of [`Rows::Values`].
    pub(in crate::render::rust) fn values_head(&self) -> String {
        let words = self.sides.words;
        let names = self.inserted_columns();
        let names: Vec<_> = names.map(|column| words.ident(&column.name)).collect();
        format!("WITH {GIVEN} ({}) AS (", names.join(", "))
    }
}

/// The rows that arrays make, one per column.
fn arrays(words: Words<'_>, columns: &[&Column]) -> String {
    let numbered = columns.iter().enumerate();
    let arrays: Vec<_> = numbered
        .map(|(at, column)| {
            let element = words.encoded_type(column);
            format!("CAST({} AS {element}[])", parameter(at + 1))
        })
        .collect();
    let names: Vec<_> = { columns.iter() }
        .map(|column| words.ident(&column.name))
        .collect();
    format!(
        "UNNEST(\n    {}\n) AS {GIVEN} ({})",
        arrays.join(",\n    "),
        names.join(", ")
    )
}
