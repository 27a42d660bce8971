//! The statements of a table that columns of another one come into, while that has them as well: writes are those of the table, at
//! every stage, because triggers keep the other one; reads look at both up to `live`.
//!
//! Comes in: what moves, the statements of the table. Goes out: SQL text.
//! Must not know: Rust, how the triggers do it.

use zdm_model::Column;

use super::RenderError;
use super::statements::{Statements, numbered};
use super::words::Words;
use crate::plan::Move;

/// Statements of main with what part has of its rows.
pub(super) struct WithPart<'a> {
    pub(super) what: &'a Move,
    main: &'a Statements<'a>,
    words: Words<'a>,
    prefix: String,
}

impl<'a> WithPart<'a> {
    pub(super) fn of(what: &'a Move, main: &'a Statements<'a>) -> Self {
        let words = main.sides.words;
        let (prefix, _) = what.prefixes(words.dialect());
        Self {
            what,
            main,
            words,
            prefix,
        }
    }

    /// The statements of main alone.
    pub(super) fn main(&self) -> &Statements<'a> {
        self.main
    }

    /// A row from before gets what part has of it: part's row is written as it is, and the trigger on it does the rest. No other
    /// statement could, because it would bring what its snapshot saw of part.
    pub(super) fn fill(&self) -> String {
        let dialect = self.words.dialect();
        let (main, part) = self.what.prefixes(dialect);
        let keys = numbered(self.what.key.iter().map(|(_, key)| key), 1);
        let key: Vec<String> = keys
            .iter()
            .map(|(key, parameter)| {
                let value = self.words.assigned_parameter(key, parameter);
                format!("{} = {value}", self.words.ident(&key.name))
            })
            .collect();
        let first = self.what.columns.first();
        let first = first.map_or(String::new(), |(_, first)| self.words.ident(&first.name));
        format!(
            "UPDATE {} SET {first} = {first}\nWHERE {}\n  AND EXISTS (SELECT 1 FROM {} WHERE {} AND NOT ({}))",
            self.words.relation(&self.what.part),
            key.join(" AND "),
            self.words.relation(&self.what.main),
            self.what.joined(dialect, &main, &part),
            self.what.same(dialect, &main, &part)
        )
    }

    pub(super) fn get(&self) -> Result<String, RenderError> {
        let keys = numbered(self.what.key.iter().map(|(key, _)| key), 1);
        let key: Vec<String> = keys
            .iter()
            .map(|(key, parameter)| {
                let value = self.words.assigned_parameter(key, parameter);
                format!("{}{} = {value}", self.prefix, self.words.ident(&key.name))
            })
            .collect();
        self.read(Some(key.join(" AND ")), None, None)
    }

    pub(super) fn get_many(&self) -> Result<String, RenderError> {
        let names = self.key_names();
        let predicate = self.main.is_among(&names);
        self.read(Some(predicate), Some(names.join(", ")), None)
    }

    pub(super) fn list_first(&self) -> Result<String, RenderError> {
        self.read(None, Some(self.key_names().join(", ")), Some("$1"))
    }

    pub(super) fn list_after(&self) -> Result<String, RenderError> {
        let names = self.key_names();
        let predicate = self.main.is_after(&names);
        self.read(Some(predicate), Some(names.join(", ")), Some("$1"))
    }

    fn read(
        &self,
        predicate: Option<String>,
        order: Option<String>,
        limit: Option<&'static str>,
    ) -> Result<String, RenderError> {
        let join = self.what.join(self.words.dialect());
        self.main
            .select_from(&self.selected(), &join, predicate, order, limit)
    }

    fn selected(&self) -> Vec<String> {
        let (words, sides) = (self.words, &self.main.sides);
        let dialect = words.dialect();
        let (main, part) = self.what.prefixes(dialect);
        let listed = |column: &Column, prefix: &str, of: &Column, alias: &str| {
            let stored = words.listed_as(column, &format!("{prefix}{}", words.ident(&of.name)));
            format!("{stored} AS {}", words.ident(alias))
        };
        let mut list = Vec::new();
        for column in &sides.table.columns {
            let mut moved = self.what.columns.iter();
            match moved.find(|(new, _)| new.name == column.name) {
                Some((_, old)) => {
                    let (old_alias, new_alias) = sides.aliases(column);
                    list.push(listed(column, &part, old, &old_alias));
                    list.push(listed(column, &main, column, &new_alias));
                }
                None => list.push(listed(column, &main, column, &column.name)),
            }
        }
        if let Some(migration) = sides.migration {
            list.push(format!(
                "CASE WHEN {} THEN {} END AS zdm_consistent",
                words.compares(migration),
                self.what.consistent(dialect)
            ));
        }
        list.push(format!("{} AS zdm_epoch", words.fence(&self.what.main)));
        list
    }

    /// How many rows of main do not agree with part yet.
    pub(super) fn pending(&self) -> String {
        let dialect = self.words.dialect();
        let (join, consistent) = (self.what.join(dialect), self.what.consistent(dialect));
        format!("SELECT count(*)\nFROM {join}\nWHERE NOT {consistent}")
    }

    fn key_names(&self) -> Vec<String> {
        let key = self.what.key.iter();
        key.map(|(main, _)| format!("{}{}", self.prefix, self.words.ident(&main.name)))
            .collect()
    }
}

/// What a write of main reads first: part's row, locked, if there is one. Whoever writes part has that lock before the trigger takes
/// main's; two writers would wait for each other.
pub(super) fn lock_of_part(
    words: Words<'_>,
    moved: &Move,
    columns: &[(&Column, String)],
) -> Option<String> {
    if !words.typed {
        return None;
    }
    let key: Option<Vec<String>> = moved
        .key
        .iter()
        .map(|(main, part)| {
            let (_, given) = columns
                .iter()
                .find(|(column, _)| column.name == main.name)?;
            let value = words.assigned_parameter(part, given);
            Some(format!("{} = {value}", words.ident(&part.name)))
        })
        .collect();
    Some(format!(
        "(SELECT count(*) FROM (SELECT 1 FROM {} WHERE {} FOR NO KEY UPDATE) AS zdm_part) AS zdm_locked",
        words.relation(&moved.part),
        key?.join(" AND ")
    ))
}
