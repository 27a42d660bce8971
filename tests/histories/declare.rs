//! The models of the next version, with what a person would declare about the way to it.

use std::collections::BTreeMap;

use cargo_zdm::import::{self, Layout};
use zdm_model::{Column, LogicalType, Schema, Table};

use super::convert::Conversion;
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
    /// Tables that go.
    pub(crate) dropped: Vec<String>,
    /// By table and column of after: its value over the columns of before; `None` where nothing is known.
    expected: BTreeMap<(String, String), Option<String>>,
    renamed_tables: BTreeMap<String, String>,
}

impl Declared {
    /// What is declared between two versions.
    pub(crate) fn of(before: &Schema, after: &Schema, step: &Step) -> Self {
        let mut declared = Self::default();
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
            declared.table(old, table, step);
        }
        let stays = |table: &&Table| {
            let mut tables = after.tables.iter();
            tables.any(|now| step.old_table(&now.name) == table.name)
        };
        let gone = before.tables.iter().filter(|table| !stays(table));
        declared.dropped = gone.map(|table| table.name.clone()).collect();
        declared
    }

    fn table(&mut self, old: &Table, new: &Table, step: &Step) {
        for column in &new.columns {
            let was = step.old_column(&new.name, &column.name);
            let now = old.column(&column.name);
            let source = old.column(was);
            let is_rename = |source: &&Column| {
                types(source) == types(column) && source.nullable == column.nullable
            };
            let converted = source.filter(|source| now.is_some() || !is_rename(source));
            if let Some(conversion) =
                converted.and_then(|source| Conversion::of(new, source, column))
            {
                self.expect(new, column, Some(conversion.up));
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
                    let up = zero_of(new, column);
                    let filled = format!("coalesce({}, {up})", ident(&column.name));
                    self.expect(new, column, Some(filled));
                    match column.default {
                        Some(_) => vec![],
                        None => vec![format!("up = {up:?}")],
                    }
                }
                (_, None) if !column.nullable && column.default.is_none() && !column.auto => {
                    let up = zero_of(new, column);
                    self.expect(new, column, Some(up.clone()));
                    vec![format!("up = {up:?}")]
                }
                (_, None)
                    if !column.nullable && column.default.as_deref().is_some_and(is_random) =>
                {
                    let key: Vec<String> = old.primary_key.iter().map(|key| ident(key)).collect();
                    let sql_type = if column.logical_type == LogicalType::Uuid {
                        "uuid"
                    } else {
                        "text"
                    };
                    let up = format!("md5(concat_ws(',', {}))::{sql_type}", key.join(", "));
                    self.expect(new, column, Some(up.clone()));
                    vec![format!("up = {up:?}")]
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
        let comes = new
            .columns
            .iter()
            .any(|column| old.column(&column.name).is_none());
        for column in &old.columns {
            let mut stays = new.columns.iter();
            if stays.any(|now| step.old_column(&new.name, &now.name) == column.name) {
                continue;
            }
            let needs_value = !column.nullable && column.default.is_none() && !column.auto;
            let default = needs_value.then(|| format!(", default = {:?}", zero_of(new, column)));
            if comes || needs_value {
                let word = format!("drops({:?}{})", column.name, default.unwrap_or_default());
                self.on_structs
                    .entry(new.name.clone())
                    .or_default()
                    .push(word);
            }
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

/// Rows that exist get a value that stays the same, however often it is asked for.
fn is_random(default: &str) -> bool {
    default.contains("random") || default.contains("uuid_generate_v4")
}

fn types(column: &Column) -> (&Option<String>, LogicalType) {
    (&column.sql_type, column.logical_type)
}

/// A value for rows that exist: one that a check of the column names, else the type's plainest.
pub(crate) fn zero_of(table: &Table, column: &Column) -> String {
    let of_column = |text: &&str| text.contains(&column.name) && text.contains('\'');
    let mut checks = table.checks.iter().map(|check| check.expr.as_str());
    if column.default.is_none()
        && let Some(named) = checks
            .find(of_column)
            .and_then(|text| text.split('\'').nth(1))
    {
        return super::values::quoted(named);
    }
    // The first row of the table that it refers to.
    let mut keys = table.foreign_keys.iter();
    let is_integer = matches!(column.logical_type, LogicalType::Int4 | LogicalType::Int8);
    if is_integer && column.default.is_none() && keys.any(|key| key.columns.contains(&column.name))
    {
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

/// The default, or the plainest value.
fn zero_of_type(column: &Column) -> String {
    match (&column.default, &column.sql_type) {
        (Some(default), _) => default.clone(),
        (None, Some(sql_type)) => zero(sql_type),
        (None, None) => zero(match column.logical_type {
            LogicalType::TimestampTz => "timestamptz",
            logical => logical.name(),
        }),
    }
}
