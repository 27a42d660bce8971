//! The statements of a table's repository.
//!
//! Comes in: a table's sides. Goes out: SQL text by the name of its template in `templates/rust/sqlx/statement/`.
//! Must not know: Rust.

use minijinja::{Value, context};
use zdm_model::Column;
use zdm_runtime::Writes;

use super::RenderError;
use super::sides::Sides;
use super::templates::Templates;

/// Renders statements of one table.
pub(super) struct Statements<'a> {
    pub(super) templates: &'a Templates,
    pub(super) sides: Sides<'a>,
}

impl<'a> Statements<'a> {
    /// A new row; an auto key is left to the database and returned.
    pub(super) fn insert(&self, writes: Writes) -> Result<String, RenderError> {
        let columns = numbered(self.inserted_columns(), 1);
        let values = self.bound(self.sides.inserted(writes, &columns))?;
        let (columns, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        self.render(
            "insert",
            context! {
                columns, values,
                epoch => parameter(self.inserted_columns().count() + 1),
                returning => self.returned_key().map(|key| self.sides.words.ident(&key.name)),
            },
        )
    }

    /// A row with its key; where it is there, its other columns.
    pub(super) fn upsert(&self, writes: Writes) -> Result<String, RenderError> {
        let columns = numbered(self.sides.table.columns.iter(), 1);
        let changed = self.changed(&columns);
        let assignments = self.bound(self.sides.assigned(writes, &changed, true))?;
        let values = self.bound(self.sides.inserted(writes, &columns))?;
        let (names, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        self.render(
            "insert",
            context! {
                columns => names, values, assignments,
                epoch => parameter(columns.len() + 1),
                conflict => self.key_names(),
            },
        )
    }

    /// Every column but the key; `None` for a table that has no other.
    pub(super) fn update(&self, writes: Writes) -> Result<Option<String>, RenderError> {
        let columns = numbered(self.sides.table.columns.iter(), 1);
        let changed = self.changed(&columns);
        if changed.is_empty() {
            return Ok(None);
        }
        let key: Vec<_> = self
            .sides
            .table
            .key_columns()
            .filter_map(|key| columns.iter().find(|(column, _)| column.name == key.name))
            .map(|(column, parameter)| self.equals(column, parameter))
            .collect();
        let assignments = self.bound(self.sides.assigned(writes, &changed, false))?;
        let epoch = parameter(columns.len() + 1);
        self.render("update", context! { assignments, key, epoch })
            .map(Some)
    }

    /// One column.
    pub(super) fn set(&self, writes: Writes, column: &Column) -> Result<String, RenderError> {
        let keys = self.sides.table.primary_key.len();
        let value = vec![(column, parameter(keys + 1))];
        let assignments = self.bound(self.sides.assigned(writes, &value, false))?;
        let epoch = parameter(keys + 2);
        self.render(
            "update",
            context! { assignments, key => self.key_equals(1), epoch },
        )
    }

    /// The assignments of one column, for handwritten statements with a parameter of any name.
    pub(super) fn fragment(
        &self,
        writes: Writes,
        column: &Column,
        value: &str,
    ) -> Result<String, RenderError> {
        let value = vec![(column, value.to_owned())];
        let assignments = self.bound(self.sides.assigned(writes, &value, false))?;
        let assignments: Vec<_> = assignments
            .into_iter()
            .map(|(column, value)| format!("{column} = {value}"))
            .collect();
        Ok(assignments.join(", "))
    }

    /// One row goes.
    pub(super) fn delete(&self) -> Result<String, RenderError> {
        let epoch = parameter(self.sides.table.primary_key.len() + 1);
        self.render("delete", context! { key => self.key_equals(1), epoch })
    }

    /// One row by its key.
    pub(super) fn get(&self) -> Result<String, RenderError> {
        self.select(context! { predicate => self.key_equals(1).join(" AND ") })
    }

    /// Rows by arrays of their keys.
    pub(super) fn get_many(&self) -> Result<String, RenderError> {
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
        self.select(context! { predicate, order })
    }

    /// The first rows in the order of the key.
    pub(super) fn list_first(&self) -> Result<String, RenderError> {
        self.select(context! { order => self.key_names().join(", "), limit => "$1" })
    }

    /// The rows after a key.
    pub(super) fn list_after(&self) -> Result<String, RenderError> {
        let keys = self.key_names();
        let after: Vec<_> = numbered(self.sides.table.key_columns(), 2)
            .iter()
            .map(|(column, parameter)| self.sides.words.assigned_parameter(column, parameter))
            .collect();
        let predicate = match (keys.as_slice(), after.as_slice()) {
            ([key], [after]) => format!("{key} > {after}"),
            (keys, after) => format!("({}) > ({})", keys.join(", "), after.join(", ")),
        };
        self.select(context! { predicate, order => keys.join(", "), limit => "$1" })
    }

    /// How many rows do not agree yet.
    pub(super) fn pending(&self) -> Result<String, RenderError> {
        let consistent: Vec<_> = self
            .sides
            .pairs
            .iter()
            .map(|pair| format!("({})", pair.consistent))
            .collect();
        self.render(
            "pending",
            context! { consistent => consistent.join(" AND ") },
        )
    }

    /// The columns that an insert names, in their order.
    pub(super) fn inserted_columns(&self) -> impl Iterator<Item = &'a Column> {
        let columns = &self.sides.table.columns;
        columns.iter().filter(|column| !column.auto)
    }

    /// The key that the database assigns.
    pub(super) fn returned_key(&self) -> Option<&'a Column> {
        let table = self.sides.table;
        let mut keys = table.key_columns();
        match (keys.next(), keys.next()) {
            (Some(key), None) if key.auto => Some(key),
            _ => None,
        }
    }

    fn select(&self, more: Value) -> Result<String, RenderError> {
        self.render(
            "select",
            context! { items => self.sides.selected(), ..more },
        )
    }

    fn render(&self, template: &str, more: Value) -> Result<String, RenderError> {
        let words = self.sides.words;
        let name = &self.sides.table.name;
        let absent = context! {
            predicate => (), order => (), limit => (),
            conflict => (), assignments => (), returning => (),
        };
        self.templates.statement(
            template,
            context! {
                table => words.ident(name),
                fence => words.fence(name),
                ..minijinja::value::merge_maps([absent, more])
            },
        )
    }

    fn changed(&self, columns: &[(&'a Column, String)]) -> Vec<(&'a Column, String)> {
        let key = &self.sides.table.primary_key;
        columns
            .iter()
            .filter(|(column, _)| !key.contains(&column.name))
            .cloned()
            .collect()
    }

    fn key_names(&self) -> Vec<String> {
        let keys = &self.sides.table.primary_key;
        keys.iter().map(|key| self.sides.words.ident(key)).collect()
    }

    fn key_equals(&self, first: usize) -> Vec<String> {
        numbered(self.sides.table.key_columns(), first)
            .iter()
            .map(|(column, parameter)| self.equals(column, parameter))
            .collect()
    }

    fn equals(&self, column: &Column, parameter: &str) -> String {
        let words = self.sides.words;
        let name = words.ident(&column.name);
        format!("{name} = {}", words.assigned_parameter(column, parameter))
    }

    fn bound<T>(
        &self,
        result: Result<T, crate::dialect::ExpressionError>,
    ) -> Result<T, RenderError> {
        result.map_err(|source| RenderError::Expression {
            table: self.sides.table.name.clone(),
            source,
        })
    }
}

fn numbered<'a>(
    columns: impl Iterator<Item = &'a Column>,
    first: usize,
) -> Vec<(&'a Column, String)> {
    columns
        .enumerate()
        .map(|(at, column)| (column, parameter(at + first)))
        .collect()
}

fn parameter(number: usize) -> String {
    format!("${number}")
}
