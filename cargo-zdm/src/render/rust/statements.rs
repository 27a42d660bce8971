//! The statements of a table's repository.
//!
//! Comes in: a table's sides. Goes out: SQL text by the name of its template in `templates/rust/common/statement/`.
//! Must not know: Rust.

mod bulk;
mod fragments;
mod reads;

pub(super) use bulk::Rows;

use serde::Serialize;
use zdm_model::{Column, Counted};
use zdm_runtime::Writes;

use super::RenderError;
use super::sides::{Sides, Written};
use super::templates::Templates;
use super::{merged, moved};
use crate::plan::{Ends, Move, Pair};

/// Renders statements of one table.
pub(super) struct Statements<'a> {
    pub(super) templates: &'a Templates,
    pub(super) sides: Sides<'a>,
    /// The table's name and fence, as every statement names them.
    table: String,
    fence: String,
    /// The select list.
    pub(super) selected: Vec<String>,
    /// A write of one row with [`ASSIGNED`] in the place of what it assigns.
    setter: String,
    /// Where the table's columns come out of another one that stays or goes: what moves.
    moved: Option<&'a Move>,
}

/// Stands for assignments until they are known.
const ASSIGNED: &str = "\u{1}";

/// What `insert.sql.j2` is given.
#[derive(Serialize)]
struct Insert<'a> {
    table: &'a str,
    columns: Vec<String>,
    /// It gives a number that the database always counts itself.
    overriding: bool,
    values: Vec<String>,
    fence: &'a str,
    epoch: String,
    demanded: Vec<String>,
    /// What is read first, so that its row is locked.
    locked: Option<String>,
    /// What has several rows, whose columns are the values.
    rows: Option<String>,
    conflict: Vec<String>,
    assignments: String,
    returning: Option<String>,
}

/// What `update.sql.j2` is given.
#[derive(Serialize)]
struct Update<'a> {
    table: &'a str,
    assignments: &'a str,
    key: Vec<String>,
    fence: &'a str,
    epoch: String,
    demanded: Vec<String>,
    locked: Option<String>,
}

/// What `delete.sql.j2` is given.
#[derive(Serialize)]
struct Delete<'a> {
    table: &'a str,
    key: Vec<String>,
    fence: &'a str,
    epoch: String,
    locked: Option<String>,
}

impl<'a> Statements<'a> {
    pub(super) fn of(
        templates: &'a Templates,
        sides: Sides<'a>,
        moved: Option<&'a Move>,
    ) -> Result<Self, RenderError> {
        let name = &sides.table.name;
        let mut statements = Self {
            templates,
            sides,
            table: sides.words.rows(name, sides.view()),
            fence: sides.words.fence(name),
            selected: sides.selected(),
            setter: String::new(),
            moved,
        };
        let epoch = parameter(sides.table.primary_key.len() + 2);
        let locked = statements.locked(&numbered(sides.table.key_columns(), 1));
        let key = statements.key_equals(1);
        statements.setter = statements.assigning(ASSIGNED, key, epoch, Vec::new(), locked)?;
        Ok(statements)
    }

    /// A new row; an auto key is left to the database and returned.
    pub(super) fn insert(&self, written: impl Into<Written>) -> Result<String, RenderError> {
        let written = written.into();
        let columns = numbered(self.inserted_columns(), 1);
        let given = numbered(self.sides.given_and_computed(), columns.len() + 2);
        let epoch = parameter(columns.len() + 1);
        let demanded = self.bound(self.sides.demanded(written, &columns, &given))?;
        let values = self.bound(self.sides.inserted(written, &columns, &given))?;
        // What is new has nothing in a table that goes.
        let locked = self.comes_out().and_then(|_| self.locked(&columns));
        let (mut columns, mut values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        let returned = self.returned_key();
        if let (Some(key), []) = (returned, columns.as_slice()) {
            columns.push(self.sides.words.ident(&key.name));
            let table = &self.sides.table.name;
            values.push(self.sides.words.next_number(table, &key.name));
        }
        let overriding = self.overrides(&columns);
        self.templates.statement(
            "insert",
            Insert {
                table: &self.table,
                columns,
                overriding,
                values,
                fence: &self.fence,
                epoch,
                demanded,
                locked,
                rows: None,
                conflict: Vec::new(),
                assignments: String::new(),
                returning: returned.map(|key| self.returning(key)),
            },
        )
    }

    /// A row with its key; where it is there, its other columns.
    pub(super) fn upsert(&self, written: impl Into<Written>) -> Result<String, RenderError> {
        let written = written.into();
        let columns = numbered(self.sides.table.written_columns(), 1);
        let changed = self.changed(&columns);
        let given = numbered(self.sides.given_and_computed(), columns.len() + 2);
        let assignments = self.assignments(written, &changed, &given, true)?;
        let demanded = self.bound(self.sides.demanded(written, &columns, &given))?;
        let values = self.bound(self.sides.inserted(written, &columns, &given))?;
        let (names, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        self.templates.statement(
            "insert",
            Insert {
                table: &self.table,
                overriding: self.overrides(&names),
                columns: names,
                values,
                fence: &self.fence,
                epoch: parameter(columns.len() + 1),
                demanded,
                locked: self.locked(&columns),
                rows: None,
                conflict: self.key_names(),
                assignments,
                returning: None,
            },
        )
    }

    /// Every column that is written but the key; `None` for a table that has no other.
    pub(super) fn update(
        &self,
        written: impl Into<Written>,
    ) -> Result<Option<String>, RenderError> {
        let written = written.into();
        let columns = numbered(self.sides.table.written_columns(), 1);
        let changed = self.changed(&columns);
        if changed.is_empty() {
            return Ok(None);
        }
        let found_by = { self.sides.table.key_columns() }.map(|key| key.name.as_str());
        let key: Vec<_> = found_by
            .chain(self.sides.version)
            .filter_map(|name| columns.iter().find(|(column, _)| column.name == name))
            .map(|(column, parameter)| self.equals(column, parameter))
            .collect();
        let given = numbered(self.sides.given_and_computed(), columns.len() + 2);
        let assignments = self.assignments(written, &changed, &given, false)?;
        let demanded = self.bound(self.sides.demanded(written, &columns, &given))?;
        let epoch = parameter(columns.len() + 1);
        let locked = self.locked(&columns);
        self.assigning(&assignments, key, epoch, demanded, locked)
            .map(Some)
    }

    /// One column. A table has many columns, whose statements are the same but for what they assign.
    pub(super) fn set(&self, writes: Writes, column: &'a Column) -> Result<String, RenderError> {
        let keys = self.sides.table.primary_key.len();
        let value = vec![(column, parameter(keys + 1))];
        let given = self.given_for(column, keys + 3);
        let mut assignments = self.assigned(writes.into(), &value, &given, false)?;
        assignments.extend(self.next_version());
        let assignments = lines(&assignments);
        if given.is_empty() {
            return Ok(self.setter.replace(ASSIGNED, &assignments));
        }
        let demanded = self.bound(self.sides.demanded(writes.into(), &value, &given))?;
        let epoch = parameter(keys + 2);
        self.assigning(&assignments, self.key_equals(1), epoch, demanded, None)
    }

    /// The old columns that a write of this column takes too, with their parameters, and what a function makes of them.
    fn given_for(&self, column: &Column, first: usize) -> Vec<(&'a Column, String)> {
        let pair = self.sides.pair(column).filter(|pair| pair.is_one_way());
        numbered(pair.into_iter().flat_map(given_of), first)
    }

    /// One row goes.
    pub(super) fn delete(&self) -> Result<String, RenderError> {
        let keys = self.sides.table.primary_key.len();
        self.templates.statement(
            "delete",
            Delete {
                table: &self.table,
                key: self.key_equals(1),
                fence: &self.fence,
                epoch: parameter(keys + 1),
                locked: self.locked(&numbered(self.sides.table.key_columns(), 1)),
            },
        )
    }

    /// The columns that an insert names, in their order.
    pub(super) fn inserted_columns(&self) -> impl Iterator<Item = &'a Column> {
        let columns = self.sides.table.written_columns();
        columns.filter(|column| !column.auto)
    }

    /// Whether one of these columns is always counted, so that the database takes no number unasked.
    fn overrides(&self, columns: &[String]) -> bool {
        let always = |column: &Column| column.counted == Some(Counted::Always);
        let mut keys = self.sides.table.key_columns().filter(|key| always(key));
        self.sides.words.typed
            && keys.any(|key| columns.contains(&self.sides.words.ident(&key.name)))
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

    fn assigning(
        &self,
        assignments: &str,
        key: Vec<String>,
        epoch: String,
        demanded: Vec<String>,
        locked: Option<String>,
    ) -> Result<String, RenderError> {
        self.templates.statement(
            "update",
            Update {
                table: &self.table,
                assignments,
                key,
                fence: &self.fence,
                epoch,
                demanded,
                locked,
            },
        )
    }

    /// What moves, where the table is a new one that columns of another come to.
    pub(super) fn comes_out(&self) -> Option<&'a Move> {
        self.moved.filter(|moved| moved.to == Ends::Part)
    }

    /// Whether columns move between the table and another one.
    pub(super) fn moves(&self) -> bool {
        self.moved.is_some()
    }

    /// Whether the column comes out of a table that goes.
    pub(super) fn merges(&self, column: &Column) -> bool {
        let merged = self.moved.filter(|moved| moved.to == Ends::Main);
        merged.is_some_and(|moved| moved.columns.iter().any(|(new, _)| new.name == column.name))
    }

    /// What locks the row of the other table of a move that these columns' key finds.
    fn locked(&self, columns: &[(&Column, String)]) -> Option<String> {
        let moved = self.moved?;
        if moved.to == Ends::Main {
            return merged::lock_of_part(self.sides.words, moved, columns);
        }
        let key = moved.key.iter().filter_map(|(_, key)| {
            let found = columns.iter().find(|(column, _)| column.name == key.name);
            found.map(|(_, parameter)| parameter.clone())
        });
        moved::lock_of_main(self.sides.words, moved, &key.collect::<Vec<_>>())
    }

    /// What an update assigns, or an upsert's conflict branch, line by line.
    fn assignments(
        &self,
        written: Written,
        columns: &[(&'a Column, String)],
        given: &[(&'a Column, String)],
        qualified: bool,
    ) -> Result<String, RenderError> {
        let assigned = self.assigned(written, columns, given, qualified)?;
        Ok(lines(&assigned))
    }

    /// `column = value`
    fn assigned(
        &self,
        written: Written,
        columns: &[(&'a Column, String)],
        given: &[(&'a Column, String)],
        qualified: bool,
    ) -> Result<Vec<String>, RenderError> {
        let assigned = self.bound(self.sides.assigned(written, columns, given, qualified))?;
        let assigned = assigned.into_iter();
        Ok(assigned
            .map(|(column, value)| format!("{column} = {value}"))
            .collect())
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

    /// The condition that a column has the value of a parameter.
    pub(super) fn equals(&self, column: &Column, parameter: &str) -> String {
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

/// The old columns of a one-way pair, and new once more where a function computes it of them.
pub(super) fn given_of(pair: &Pair) -> impl Iterator<Item = &Column> {
    let computed = pair.seal.as_ref().map(|_| &pair.new);
    pair.old.iter().chain(computed)
}

/// Assignments, each on a line of its own.
fn lines(assignments: &[String]) -> String {
    assignments.join(",\n    ")
}

pub(super) fn numbered<'a>(
    columns: impl Iterator<Item = &'a Column>,
    first: usize,
) -> Vec<(&'a Column, String)> {
    columns
        .enumerate()
        .map(|(at, column)| (column, parameter(at + first)))
        .collect()
}

pub(super) fn parameter(number: usize) -> String {
    format!("${number}")
}
