//! The statements of a table whose columns come out of another one, while both hold them: writes go to main up to
//! `ramp_down` and to part from `complete` on, and triggers keep the other table; reads look at both up to `live`.
//!
//! Comes in: what moves, the statements of part alone. Goes out: SQL text.
//! Must not know: Rust, how the triggers do it.

use serde::Serialize;
use zdm_model::Column;
use zdm_runtime::Writes;

use super::RenderError;
use super::statements::{Statements, numbered, parameter};
use super::words::Words;
use crate::plan::Move;

/// What `moved.sql.j2` is given.
#[derive(Serialize)]
struct OfMain<'a> {
    table: &'a str,
    assignments: String,
    conditions: Vec<String>,
    fence: &'a str,
    epoch: String,
}

/// Whether main's row has one in part.
#[derive(Clone, Copy)]
enum Rows {
    Present,
    Absent,
    Any,
}

/// Statements of part by way of main.
pub(super) struct ThroughMain<'a> {
    pub(super) what: &'a Move,
    /// The statements of part alone.
    part: &'a Statements<'a>,
    words: Words<'a>,
    main: String,
    prefix: String,
    fence: String,
}

impl<'a> ThroughMain<'a> {
    pub(super) fn of(what: &'a Move, part: &'a Statements<'a>) -> Self {
        let words = part.sides.words;
        let main = words.relation(&what.main);
        Self {
            what,
            part,
            words,
            prefix: format!("{main}."),
            main,
            fence: words.fence(&what.part),
        }
    }

    /// The statements of part alone.
    pub(super) fn part(&self) -> &Statements<'a> {
        self.part
    }

    pub(super) fn insert(&self, writes: Writes) -> Result<String, RenderError> {
        if writes == Writes::New {
            return self.part.insert(writes);
        }
        self.whole(Rows::Absent)
    }

    pub(super) fn upsert(&self, writes: Writes) -> Result<String, RenderError> {
        if writes == Writes::New {
            return self.part.upsert(writes);
        }
        self.whole(Rows::Any)
    }

    pub(super) fn update(&self, writes: Writes) -> Result<String, RenderError> {
        if writes == Writes::New {
            return Ok(self.part.update(writes)?.unwrap_or_default());
        }
        self.whole(Rows::Present)
    }

    pub(super) fn set(&self, writes: Writes, column: &'a Column) -> Result<String, RenderError> {
        if writes == Writes::New {
            return self.part.set(writes, column);
        }
        let keys = self.what.key.len();
        let columns = self
            .what
            .columns
            .iter()
            .filter(|(_, new)| new.name == column.name);
        let assigned = columns.map(|pair| self.assigned(pair, &parameter(keys + 1)));
        self.write(
            &assigned.collect::<Vec<_>>(),
            self.key_equals("", 1),
            Rows::Present,
            keys + 2,
        )
    }

    pub(super) fn delete(&self, writes: Writes) -> Result<String, RenderError> {
        if writes == Writes::New {
            return self.part.delete();
        }
        let columns = self.what.columns.iter();
        let emptied = columns.map(|(old, _)| format!("{} = NULL", self.words.ident(&old.name)));
        let keys = self.what.key.len();
        self.write(
            &emptied.collect::<Vec<_>>(),
            self.key_equals("", 1),
            Rows::Present,
            keys + 1,
        )
    }

    /// Every column, in the order of the struct.
    fn whole(&self, rows: Rows) -> Result<String, RenderError> {
        let columns = numbered(self.part.sides.table.written_columns(), 1);
        let mut assigned = Vec::new();
        let mut key = Vec::new();
        for (column, parameter) in &columns {
            let is = |pair: &&(Column, Column)| pair.1.name == column.name;
            if let Some(pair) = self.what.columns.iter().find(is) {
                assigned.push(self.assigned(pair, parameter));
            }
            if let Some((main, _)) = self.what.key.iter().find(is) {
                key.push(self.equals("", main, parameter));
            }
        }
        self.write(&assigned, key, rows, columns.len() + 1)
    }

    fn write(
        &self,
        assigned: &[String],
        mut conditions: Vec<String>,
        rows: Rows,
        epoch: usize,
    ) -> Result<String, RenderError> {
        let present = self.what.present(self.words.dialect(), "");
        match rows {
            Rows::Present => conditions.push(present),
            Rows::Absent => conditions.push(format!("NOT ({present})")),
            Rows::Any => {}
        }
        let write = OfMain {
            table: &self.main,
            assignments: assigned.join(",\n    "),
            conditions,
            fence: &self.fence,
            epoch: parameter(epoch),
        };
        self.part.templates.statement("moved", write)
    }

    pub(super) fn get(&self) -> Result<String, RenderError> {
        self.read(self.key_equals(&self.prefix, 1), None, None)
    }

    pub(super) fn get_many(&self) -> Result<String, RenderError> {
        let names = self.key_names();
        let predicate = self.part.is_among(&names);
        self.read(vec![predicate], Some(names.join(", ")), None)
    }

    pub(super) fn list_first(&self) -> Result<String, RenderError> {
        self.read(Vec::new(), Some(self.key_names().join(", ")), Some("$1"))
    }

    pub(super) fn list_after(&self) -> Result<String, RenderError> {
        let names = self.key_names();
        let predicate = self.part.is_after(&names);
        self.read(vec![predicate], Some(names.join(", ")), Some("$1"))
    }

    /// Rows that main has, with what part has of them. Up to `live` that is all rows: triggers keep the two together, and before
    /// them part has none that is read.
    fn read(
        &self,
        mut conditions: Vec<String>,
        order: Option<String>,
        limit: Option<&'static str>,
    ) -> Result<String, RenderError> {
        let dialect = self.words.dialect();
        conditions.push(self.what.present(dialect, &self.prefix));
        let join = self.what.join(dialect);
        let items = self.selected();
        self.part
            .select_from(&items, &join, Some(conditions.join(" AND ")), order, limit)
    }

    fn selected(&self) -> Vec<String> {
        let (words, sides) = (self.words, &self.part.sides);
        let (main, part) = self.what.prefixes(words.dialect());
        let mut list = Vec::new();
        for (old, new) in &self.what.key {
            let stored = words.listed_as(new, &format!("{main}{}", words.ident(&old.name)));
            list.push(format!("{stored} AS {}", words.ident(&new.name)));
        }
        for (old, new) in &self.what.columns {
            let (old_alias, new_alias) = sides.aliases(new);
            let stored = |prefix: &str, column: &Column| {
                words.listed_as(new, &format!("{prefix}{}", words.ident(&column.name)))
            };
            list.push(format!(
                "{} AS {}",
                stored(&main, old),
                words.ident(&old_alias)
            ));
            list.push(format!(
                "{} AS {}",
                stored(&part, new),
                words.ident(&new_alias)
            ));
        }
        let found = self.what.key.first().map(|(_, key)| words.ident(&key.name));
        list.push(format!(
            "{part}{} IS NOT NULL AS zdm_found",
            found.unwrap_or_default()
        ));
        if let Some(migration) = sides.migration {
            list.push(format!(
                "CASE WHEN {} THEN {} END AS zdm_consistent",
                words.compares(migration),
                self.what.consistent(words.dialect())
            ));
        }
        list.push(format!("{} AS zdm_epoch", self.fence));
        list
    }

    /// How many rows of main do not agree with part yet.
    pub(super) fn pending(&self) -> String {
        let dialect = self.words.dialect();
        let (join, consistent) = (self.what.join(dialect), self.what.consistent(dialect));
        format!("SELECT count(*)\nFROM {join}\nWHERE NOT {consistent}")
    }

    fn assigned(&self, (old, new): &(Column, Column), parameter: &str) -> String {
        let value = self.words.assigned_parameter(new, parameter);
        format!("{} = {value}", self.words.ident(&old.name))
    }

    fn key_names(&self) -> Vec<String> {
        let key = self.what.key.iter();
        key.map(|(main, _)| format!("{}{}", self.prefix, self.words.ident(&main.name)))
            .collect()
    }

    fn key_equals(&self, prefix: &str, first: usize) -> Vec<String> {
        numbered(self.what.key.iter().map(|(main, _)| main), first)
            .iter()
            .map(|(main, parameter)| self.equals(prefix, main, parameter))
            .collect()
    }

    fn equals(&self, prefix: &str, column: &Column, parameter: &str) -> String {
        let value = self.words.assigned_parameter(column, parameter);
        format!("{prefix}{} = {value}", self.words.ident(&column.name))
    }
}

/// What a write of part at `complete` reads first: main's row, locked. Up to `ramp_down` writers take that lock first, and the
/// triggers take it after part's row; two writers would wait for each other.
pub(super) fn lock_of_main(words: Words<'_>, moved: &Move, key: &[String]) -> Option<String> {
    if !words.typed {
        return None;
    }
    let columns: Vec<String> = moved
        .key
        .iter()
        .zip(key)
        .map(|((main, _), parameter)| {
            let value = words.assigned_parameter(main, parameter);
            format!("{} = {value}", words.ident(&main.name))
        })
        .collect();
    Some(format!(
        "(SELECT 1 FROM {} WHERE {} FOR NO KEY UPDATE) AS zdm_main",
        words.relation(&moved.main),
        columns.join(" AND ")
    ))
}
