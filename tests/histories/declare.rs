//! The models of the next version, with what a person would declare about the way to it.

use std::collections::{BTreeMap, BTreeSet};

use cargo_zdm::import::{self, Layout};
use zdm_model::{Column, LogicalType, Schema, Table};

use super::convert::Conversion;
use super::enums;
use super::history::Step;
use super::rows::ident;
use super::values::zero;

/// What is declared, and what follows from it for rows that exist.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    /// Attributes by table and field.
    on_fields: BTreeMap<(String, String), Vec<String>>,
    /// Attributes by table.
    on_structs: BTreeMap<String, Vec<String>>,
    /// Attributes by enum and value.
    on_variants: BTreeMap<(String, String), String>,
    /// Tables that go.
    pub(crate) dropped: Vec<String>,
    /// By table and column of after: its value over the columns of before; `None` where nothing is known.
    expected: BTreeMap<(String, String), Option<String>>,
    renamed_tables: BTreeMap<String, String>,
    /// Tables and columns of which no two rows may have the same value in the end.
    distinct: BTreeSet<(String, String)>,
}

impl Declared {
    /// What is declared between two versions on the way to a last one; `narrows`: a refusal that names columns whose
    /// other bounds cannot come in place, for which nobody declares anything who has not been told.
    pub(crate) fn of(
        (before, after): (&Schema, &Schema),
        last: &Schema,
        step: &Step,
        narrows: &str,
    ) -> Self {
        let mut declared = Self {
            distinct: distinct(last),
            ..Self::default()
        };
        for table in &after.tables {
            let old = step.old_table(&table.name);
            let Some(old) = before.table(old) else {
                continue;
            };
            if old.name != table.name {
                let word = format!("renamed_from = {:?}", old.name);
                declared
                    .on_structs
                    .entry(table.name.clone())
                    .or_default()
                    .push(word);
                declared
                    .renamed_tables
                    .insert(table.name.clone(), old.name.clone());
            }
            declared.table((old, table), after, step, narrows);
            declared.enums((before, old), (after, table));
        }
        for (old, new) in enums::changed(before, after) {
            declared.on_variants.extend(enums::words(old, new));
        }
        let stays = |table: &&Table| {
            let mut tables = after.tables.iter();
            tables.any(|now| step.old_table(&now.name) == table.name)
        };
        let gone = before.tables.iter().filter(|table| !stays(table));
        declared.dropped = gone.map(|table| table.name.clone()).collect();
        declared
    }

    fn table(&mut self, (old, new): (&Table, &Table), after: &Schema, step: &Step, narrows: &str) {
        let zero_of = |column: &Column| zero_of(after, new, column);
        for column in &new.columns {
            let was = step.old_column(&new.name, &column.name);
            let now = old.column(&column.name);
            let source = old.column(was);
            let is_rename = |source: &&Column| {
                types(source) == types(column) && source.nullable == column.nullable
            };
            let converted = source.filter(|source| now.is_some() || !is_rename(source));
            if let Some(conversion) = converted.and_then(|source| {
                let refused = format!("the type of {}.{}, from", new.name, column.name);
                let narrows = narrows.contains(&refused);
                Conversion::of((after, new), source, column, narrows)
            }) {
                self.expect(new, column, conversion.up);
                let place = (new.name.clone(), column.field.clone());
                self.on_fields.insert(place, conversion.words);
                continue;
            }
            let words = match (old.column(was), now) {
                (Some(before), None) => {
                    self.expect(new, column, Some(ident(was)));
                    if is_rename(&before) {
                        vec![format!("renamed_from = {was:?}")]
                    } else {
                        vec![format!("from({was:?})")]
                    }
                }
                (_, Some(before)) if before.nullable && !column.nullable => {
                    let up = self
                        .distinct_of(old, new, column)
                        .unwrap_or_else(|| zero_of(column));
                    let filled = format!("coalesce({}, {up})", ident(&column.name));
                    self.expect(new, column, Some(filled));
                    match &column.default {
                        Some(default) if !moves(default) => vec![],
                        _ => vec![format!("up = {up:?}")],
                    }
                }
                (_, None) if needs_a_value(column) => {
                    let up = self.distinct_of(old, new, column);
                    let up = up.unwrap_or_else(|| zero_of(column));
                    let mut words = vec![format!("up = {up:?}")];
                    // Nobody but the server knows that such a cast never fails.
                    let text = |key: &Column| key.logical_type == LogicalType::Text;
                    if up.ends_with("::uuid") && old.key_columns().any(text) {
                        words.push("on_invalid = \"reject\"".to_owned());
                    }
                    self.expect(new, column, Some(up));
                    words
                }
                (_, None) => {
                    self.expect(new, column, None);
                    vec![]
                }
                (_, Some(_)) => vec![],
            };
            if !words.is_empty() {
                let place = (new.name.clone(), column.field.clone());
                self.on_fields.insert(place, words);
            }
        }
        for column in &old.columns {
            let mut stays = new.columns.iter();
            if stays.any(|now| step.old_column(&new.name, &now.name) == column.name) {
                continue;
            }
            let needs_value = !column.nullable && column.default.is_none() && !column.auto;
            let default = needs_value.then(|| format!(", default = {:?}", zero_of(column)));
            let word = format!("drops({:?}{})", column.name, default.unwrap_or_default());
            let words = self.on_structs.entry(new.name.clone()).or_default();
            words.push(word);
        }
    }

    /// Other values of enums are other texts.
    fn enums(&mut self, (before, old): (&Schema, &Table), (after, new): (&Schema, &Table)) {
        for (was, now) in enums::changed(before, after) {
            let of_both = new.columns.iter().filter(|column| {
                let there = old.column(&column.name);
                now.is_type_of(column) && there.is_some_and(|there| was.is_type_of(there))
            });
            for column in of_both {
                let value = enums::expected(was, now, &ident(&column.name));
                self.expect(new, column, Some(value));
            }
        }
    }

    /// A value that differs from row to row, over the old key; `None` where that is not wanted, or nobody would know one.
    fn distinct_of(&self, old: &Table, new: &Table, column: &Column) -> Option<String> {
        let place = (new.name.clone(), column.name.clone());
        if !self.distinct.contains(&place) && !column.default.as_deref().is_some_and(moves) {
            return None;
        }
        let key: Vec<String> = old.primary_key.iter().map(|key| ident(key)).collect();
        if key.is_empty()
            || !old
                .primary_key
                .iter()
                .all(|name| new.column(name).is_some())
        {
            return None;
        }
        let number =
            |column: &Column| matches!(column.logical_type, LogicalType::Int4 | LogicalType::Int8);
        let digest = format!("md5(concat_ws(',', {}))", key.join(", "));
        match (column.logical_type, column.sql_type.as_deref()) {
            (LogicalType::Uuid, _) => Some(format!("{digest}::uuid")),
            (LogicalType::Text, None | Some("text" | "citext")) => Some(digest),
            (LogicalType::Text, Some(bounded)) if bounded.contains("char") => {
                Some(format!("CAST({digest} AS {bounded})"))
            }
            (LogicalType::Int4 | LogicalType::Int8, None)
                if key.len() == 1 && old.key_columns().all(number) =>
            {
                Some(key[0].clone())
            }
            _ => None,
        }
    }

    fn expect(&mut self, table: &Table, column: &Column, value: Option<String>) {
        let place = (table.name.clone(), column.name.clone());
        self.expected.insert(place, value);
    }

    /// What a table was called before.
    pub(crate) fn old_table<'a>(&'a self, table: &'a str) -> &'a str {
        self.renamed_tables.get(table).map_or(table, String::as_str)
    }

    /// What a column should hold, over a row `b` of before; `None` where that is not known.
    pub(crate) fn expected(&self, new: &Table, old: &Table, column: &str) -> Option<String> {
        let place = (new.name.clone(), column.to_owned());
        let value = match self.expected.get(&place) {
            Some(value) => value.clone()?,
            None => ident(&old.column(column)?.name),
        };
        Some(format!("SELECT {value} FROM (SELECT b.*) AS of_before"))
    }

    /// The files of the models below their folder.
    pub(crate) fn files(&self, after: &Schema) -> Vec<(String, String)> {
        let mut files = import::files(after, Layout::PerTable);
        let of_enums = files.iter_mut().find(|(path, _)| path == "enums.rs");
        if let Some((_, text)) = of_enums {
            let word = |found: &str, value: &str| {
                let place = (found.to_owned(), value.to_owned());
                self.on_variants.get(&place).cloned()
            };
            *text = enums::declared(text, after, &word);
        }
        let of_tables = files.iter_mut().filter(|(path, _)| path != "enums.rs");
        for (table, (_, text)) in after.tables.iter().zip(of_tables) {
            let mut lines: Vec<String> = Vec::new();
            for line in text.lines() {
                let words = if line.starts_with("pub struct ") {
                    self.on_structs.get(&table.name)
                } else {
                    let field = line
                        .strip_prefix("    pub ")
                        .and_then(|rest| rest.split_once(':'));
                    let place = field.map(|(field, _)| (table.name.clone(), field.to_owned()));
                    place.and_then(|place| self.on_fields.get(&place))
                };
                lines.extend(
                    words
                        .into_iter()
                        .flatten()
                        .map(|word| format!("#[zdm({word})]")),
                );
                lines.push(line.to_owned());
            }
            *text = lines.join("\n");
        }
        files
    }
}

/// A new column whose rows that exist get no value by themselves, or another one at every call.
fn needs_a_value(column: &Column) -> bool {
    let is_given = column.auto || column.generated.is_some();
    !is_given && !column.nullable && column.default.as_deref().is_none_or(moves)
}

/// Whether a default calls something that is not known to give the same value to all rows.
fn moves(default: &str) -> bool {
    let steady = [
        "now",
        "timezone",
        "date_trunc",
        "varying",
        "numeric",
        "timestamp",
        "character",
        "",
    ];
    let mut calls = default.match_indices('(').map(|(at, _)| {
        let head = default[..at].trim_end_matches(' ');
        let word = head.rfind(|c: char| !c.is_alphanumeric() && c != '_');
        &head[word.map_or(0, |at| at + 1)..]
    });
    calls.any(|called| !steady.contains(&called))
}

/// The columns in which no two rows may have the same value.
fn distinct(schema: &Schema) -> BTreeSet<(String, String)> {
    let of_table = |table: &Table| {
        let columns = table
            .columns
            .iter()
            .filter(|column| is_unique(table, column));
        let places = columns.map(|column| (table.name.clone(), column.name.clone()));
        places.collect::<Vec<_>>()
    };
    schema.tables.iter().flat_map(of_table).collect()
}

/// Whether no two rows may have the same value in the column.
fn is_unique(table: &Table, column: &Column) -> bool {
    let alone = |columns: &[String]| columns.len() == 1 && columns[0] == column.name;
    let names = |elements: &[String]| elements.len() == 1 && elements[0].contains(&column.name);
    let mut indexes = table.indexes.iter().filter(|index| index.unique);
    table.is_unique(std::slice::from_ref(&column.name))
        || indexes.any(|index| alone(&index.columns) || names(&index.elements))
}

fn types(column: &Column) -> (&Option<String>, LogicalType) {
    (&column.sql_type, column.logical_type)
}

/// A value for rows that exist: one that a check of the column names, else the type's plainest.
pub(crate) fn zero_of(schema: &Schema, table: &Table, column: &Column) -> String {
    // A default that gives another value at every call is none for rows that exist.
    let default = column.default.as_ref().filter(|default| !moves(default));
    if let Some(default) = default {
        return default.clone();
    }
    let mut enums = schema.enums.iter();
    if let Some(found) = enums.find(|found| found.is_type_of(column))
        && !column
            .sql_type
            .as_deref()
            .unwrap_or_default()
            .ends_with("[]")
    {
        return super::values::quoted(&found.values[0]);
    }
    let of_column = |text: &&str| text.contains(&column.name) && text.contains('\'');
    let mut checks = table.checks.iter().map(|check| check.expr.as_str());
    if let Some(named) = checks
        .find(of_column)
        .and_then(|text| text.split('\'').nth(1))
    {
        return super::values::quoted(named);
    }
    // The first row of the table that it refers to.
    let mut keys = table.foreign_keys.iter();
    let is_integer = matches!(column.logical_type, LogicalType::Int4 | LogicalType::Int8);
    if is_integer && keys.any(|key| key.columns.contains(&column.name)) {
        return "1".to_owned();
    }
    let length = table.checks.iter().find_map(|check| {
        let (_, bound) = check
            .expr
            .split_once(&format!("length({}) = ", column.name))?;
        let digits: String = bound.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    });
    if let (Some(length), LogicalType::Bytes) = (length, column.logical_type) {
        return super::values::quoted(&format!("\\x{}", "00".repeat(length)));
    }
    zero_of_type(column)
}

/// The plainest value.
fn zero_of_type(column: &Column) -> String {
    match &column.sql_type {
        Some(sql_type) => zero(sql_type),
        None => zero(match column.logical_type {
            LogicalType::TimestampTz => "timestamptz",
            logical => logical.name(),
        }),
    }
}
