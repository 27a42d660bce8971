//! The statements that read.

use serde::Serialize;

use super::{Statements, numbered};
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
        let words = self.sides.words;
        let arrays: Vec<_> = self
            .sides
            .table
            .key_columns()
            .enumerate()
            .map(|(at, key)| format!("CAST(${} AS {}[])", at + 1, words.written_type(key)))
            .collect();
        let predicate = match (self.key_names().as_slice(), arrays.as_slice()) {
            ([key], [array]) => format!("{key} = ANY({array})"),
            (keys, arrays) => format!(
                "({}) IN (SELECT * FROM unnest({}))",
                keys.join(", "),
                arrays.join(", ")
            ),
        };
        let order = self.key_names().join(", ");
        self.select(Some(predicate), Some(order), None)
    }

    /// The first rows in the order of the key.
    pub(in crate::render::rust) fn list_first(&self) -> Result<String, RenderError> {
        self.select(None, Some(self.key_names().join(", ")), Some("$1"))
    }

    /// The rows after a key.
    pub(in crate::render::rust) fn list_after(&self) -> Result<String, RenderError> {
        let keys = self.key_names();
        let after: Vec<_> = numbered(self.sides.table.key_columns(), 2)
            .iter()
            .map(|(column, parameter)| self.sides.words.assigned_parameter(column, parameter))
            .collect();
        let predicate = match (keys.as_slice(), after.as_slice()) {
            ([key], [after]) => format!("{key} > {after}"),
            (keys, after) => format!("({}) > ({})", keys.join(", "), after.join(", ")),
        };
        self.select(Some(predicate), Some(keys.join(", ")), Some("$1"))
    }

    /// How many rows do not agree yet.
    pub(in crate::render::rust) fn pending(&self) -> Result<String, RenderError> {
        let consistent: Vec<_> = self
            .sides
            .pairs
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
        self.templates.statement(
            "select",
            Select {
                items: &self.selected,
                table: &self.table,
                predicate,
                order,
                limit,
            },
        )
    }
}
