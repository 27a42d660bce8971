//! The statements that read.

use serde::Serialize;

use super::{Statements, numbered};
use crate::plan::Pair;
use crate::render::rust::RenderError;

/// What `select.sql.j2` is given.
#[derive(Serialize)]
struct Select<'a> {
    items: &'a [String],
    table: &'a str,
    predicate: Option<String>,
    order: Option<String>,
    limit: Option<&'static str>,
}

/// What `pending.sql.j2` is given.
#[derive(Serialize)]
struct Pending<'a> {
    table: &'a str,
    consistent: String,
}

impl Statements<'_> {
    /// One row by its key.
    pub(in crate::render::rust) fn get(&self) -> Result<String, RenderError> {
        let predicate = Some(self.key_equals(1).join(" AND "));
        self.select(predicate, None, None)
    }

    /// Rows by arrays of their keys.
    pub(in crate::render::rust) fn get_many(&self) -> Result<String, RenderError> {
        let predicate = self.is_among(&self.key_names());
        let order = self.key_names().join(", ");
        self.select(Some(predicate), Some(order), None)
    }

    /// A key of these names is one of those in the arrays.
    pub(in crate::render::rust) fn is_among(&self, names: &[String]) -> String {
        let words = self.sides.words;
        let arrays: Vec<_> = self
            .sides
            .table
            .key_columns()
            .enumerate()
            .map(|(at, key)| format!("CAST(${} AS {}[])", at + 1, words.written_type(key)))
            .collect();
        match (names, arrays.as_slice()) {
            ([key], [array]) => format!("{key} = ANY({array})"),
            (keys, arrays) => format!(
                "({}) IN (SELECT * FROM unnest({}))",
                keys.join(", "),
                arrays.join(", ")
            ),
        }
    }

    /// The first rows in the order of the key.
    pub(in crate::render::rust) fn list_first(&self) -> Result<String, RenderError> {
        self.select(None, Some(self.key_names().join(", ")), Some("$1"))
    }

    /// The rows after a key.
    pub(in crate::render::rust) fn list_after(&self) -> Result<String, RenderError> {
        let keys = self.key_names();
        self.select(
            Some(self.is_after(&keys)),
            Some(keys.join(", ")),
            Some("$1"),
        )
    }

    /// A key of these names comes after the one of the parameters from `$2` on.
    pub(in crate::render::rust) fn is_after(&self, names: &[String]) -> String {
        let after: Vec<_> = numbered(self.sides.table.key_columns(), 2)
            .iter()
            .map(|(column, parameter)| self.sides.words.assigned_parameter(column, parameter))
            .collect();
        match (names, after.as_slice()) {
            ([key], [after]) => format!("{key} > {after}"),
            (keys, after) => format!("({}) > ({})", keys.join(", "), after.join(", ")),
        }
    }

    /// How many rows of a migration do not agree yet.
    pub(in crate::render::rust) fn pending(&self, pairs: &[Pair]) -> Result<String, RenderError> {
        let consistent: Vec<_> = pairs
            .iter()
            .map(|pair| format!("({})", pair.consistent))
            .collect();
        self.templates.statement(
            "pending",
            Pending {
                table: &self.table,
                consistent: consistent.join(" AND "),
            },
        )
    }

    fn select(
        &self,
        predicate: Option<String>,
        order: Option<String>,
        limit: Option<&'static str>,
    ) -> Result<String, RenderError> {
        self.select_from(&self.selected, &self.table, predicate, order, limit)
    }

    /// A read of another list than the table's own, or of more tables.
    pub(in crate::render::rust) fn select_from(
        &self,
        items: &[String],
        table: &str,
        predicate: Option<String>,
        order: Option<String>,
        limit: Option<&'static str>,
    ) -> Result<String, RenderError> {
        self.templates.statement(
            "select",
            Select {
                items,
                table,
                predicate,
                order,
                limit,
            },
        )
    }
}
