//! The statements that read.

use serde::Serialize;
use zdm_model::Column;

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
        let order = self.order();
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
        self.select(None, Some(self.order()), Some("$1"))
    }

    /// The rows after a key.
    pub(in crate::render::rust) fn list_after(&self) -> Result<String, RenderError> {
        let keys = self.key_names();
        self.select(Some(self.is_after(&keys)), Some(self.order()), Some("$1"))
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

    /// The key that an insert returns.
    pub(super) fn returning(&self, key: &Column) -> String {
        let (name, listed) = (self.sides.words.ident(&key.name), self.sides.listed(key));
        if listed == name {
            name
        } else {
            format!("{listed} AS {name}")
        }
    }

    /// The key as what is ordered by. An order by the name alone would be one by what the list makes of it, which no index knows.
    fn order(&self) -> String {
        let keys = self.sides.table.key_columns().map(|key| {
            let name = self.sides.words.ident(&key.name);
            if self.sides.growing == Some(&key.name) {
                format!("{}.{name}", self.sides.words.within(&self.sides.table.name))
            } else {
                name
            }
        });
        keys.collect::<Vec<_>>().join(", ")
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
