//! The fingerprint of a table: what generated code depends on, and nothing else.
//!
//! Comes in: a table. Goes out: a number that changes with its name, columns, key, indexes and constraints; not with
//! transitions, the order of the fields, or how Rust spells them.
//! Must not know: the database. zdm-runtime has [`of_parts`] as well, because the derive computes through constants.

use std::borrow::Cow;

use crate::{Column, Enumeration, LogicalType, Table};

/// A piece of the canonical description. The derive leaves the holes to the compiler, which sees through aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Fixed text.
    Text(String),
    /// The name of the logical type of the column at this position in [`Table::columns`].
    Logical(usize),
    /// Whether that column may be NULL, as [`nullability`] spells it.
    Nullability(usize),
}

/// The fingerprint of a table whose types are all resolved, with the values of the enums among them.
pub fn fingerprint(table: &Table, enums: &[Enumeration]) -> u64 {
    let parts = description(table);
    let texts: Vec<Cow<'_, str>> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => Cow::from(text),
            Part::Logical(column) => logical(&table.columns[*column], enums),
            Part::Nullability(column) => Cow::from(nullability(table.columns[*column].nullable)),
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    of_parts(&texts)
}

/// What the constant of a column's Rust type is.
fn logical(column: &Column, enums: &[Enumeration]) -> Cow<'static, str> {
    let mut enums = enums.iter();
    match &column.sql_type {
        Some(name) if column.logical_type == LogicalType::Enum => {
            let found = enums.find(|found| found.is_type_of(column));
            let [one, array] = found.map(of_enum).unwrap_or_default();
            Cow::from(if name.ends_with("[]") { array } else { one })
        }
        _ => Cow::from(column.logical_type.name()),
    }
}

/// What the constants of an enum and of its arrays are: its name and its values.
pub fn of_enum(enumeration: &Enumeration) -> [String; 2] {
    let mut text = String::from("enum");
    for part in std::iter::once(&enumeration.name).chain(&enumeration.values) {
        push(&mut text, part);
    }
    let array = format!("array of {text}");
    [text, array]
}

fn push(text: &mut String, value: &str) {
    text.push(' ');
    text.push_str(&value.len().to_string());
    text.push(':');
    text.push_str(value);
}

/// The canonical description, in pieces. Every name and text carries its length, so no two tables share one.
pub fn description(table: &Table) -> Vec<Part> {
    let mut text = Description::default();
    text.line("table", [&table.name]);
    let mut columns: Vec<(usize, &Column)> = table.columns.iter().enumerate().collect();
    columns.sort_by_key(|(_, column)| &column.name);
    for (position, column) in columns {
        text.column(position, column);
    }
    text.line("key", &table.primary_key);
    if table.no_primary_key {
        text.line("no primary key", []);
    }
    if table.primary_key_name.is_some() {
        text.line("named", &table.primary_key_name);
    }
    for index in &table.indexes {
        text.line("index", [&index.name]);
        text.line(if index.unique { "unique" } else { "on" }, &index.columns);
        for (word, texts) in [("elements", &index.elements), ("include", &index.include)] {
            if !texts.is_empty() {
                text.line(word, texts);
            }
        }
        for (word, given) in [("using", &index.method), ("with", &index.storage)] {
            if given.is_some() {
                text.line(word, given);
            }
        }
        text.flags([("nulls_not_distinct", index.nulls_not_distinct)]);
        text.line("where", &index.predicate);
    }
    for unique in &table.uniques {
        text.line("unique_constraint", [&unique.name]);
        text.line("on", &unique.columns);
        if !unique.include.is_empty() {
            text.line("include", &unique.include);
        }
        text.flags([
            ("nulls_not_distinct", unique.nulls_not_distinct),
            ("deferrable", unique.deferrable),
            ("initially_deferred", unique.initially_deferred),
        ]);
    }
    for check in &table.checks {
        text.line("check", [&check.name, &check.expr]);
        text.flags([
            ("not_valid", check.not_valid),
            ("no_inherit", check.no_inherit),
        ]);
    }
    for exclusion in &table.exclusions {
        text.line("exclude", [&exclusion.name]);
        text.line("elements", &exclusion.elements);
        text.line("using", &exclusion.method);
        text.line("where", &exclusion.predicate);
        text.flags([
            ("deferrable", exclusion.deferrable),
            ("initially_deferred", exclusion.initially_deferred),
        ]);
    }
    for key in &table.foreign_keys {
        text.line("foreign_key", [&key.name]);
        text.line("on", &key.columns);
        text.line("references", [&key.references]);
        text.line("on", &key.referenced_columns);
        text.line("delete", &key.on_delete);
        if !key.on_delete_columns.is_empty() {
            text.line("of", &key.on_delete_columns);
        }
        if key.on_update.is_some() {
            text.line("update", &key.on_update);
        }
        text.flags([
            ("match_full", key.match_full),
            ("deferrable", key.deferrable),
            ("initially_deferred", key.initially_deferred),
            ("not_valid", key.not_valid),
        ]);
    }
    text.finish()
}

/// FNV-1a, 64 bits, over the concatenation of the parts.
pub fn of_parts(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// How the description spells whether a column may be NULL.
pub const fn nullability(nullable: bool) -> &'static str {
    if nullable { "null" } else { "not null" }
}

#[derive(Default)]
struct Description {
    done: Vec<Part>,
    text: String,
}

impl Description {
    fn line<'a>(&mut self, word: &str, values: impl IntoIterator<Item = &'a String>) {
        self.text.push_str(word);
        for value in values {
            self.value(value);
        }
        self.text.push('\n');
    }

    /// The words of those that are set.
    fn flags<const N: usize>(&mut self, flags: [(&str, bool); N]) {
        for (word, _) in flags.into_iter().filter(|(_, is_set)| *is_set) {
            self.line(word, None);
        }
    }

    fn column(&mut self, position: usize, column: &Column) {
        self.text.push_str("column");
        self.value(&column.name);
        // Of a field's own enum the type itself tells the name.
        let named = column.sql_type.as_ref();
        if let Some(sql_type) = named.filter(|_| column.logical_type != LogicalType::Enum) {
            self.text.push_str(" sql");
            self.value(sql_type);
        } else {
            self.text.push(' ');
            self.hole(Part::Logical(position));
        }
        if let Some(collation) = &column.collation {
            self.text.push_str(" collation");
            self.value(collation);
        }
        self.text.push(' ');
        self.hole(Part::Nullability(position));
        if column.auto {
            self.text.push_str(" auto");
        }
        if let Some(counted) = column.counted {
            self.text.push(' ');
            self.text.push_str(counted.name());
        }
        if let Some(generated) = &column.generated {
            let word = if column.is_virtual {
                " virtual"
            } else {
                " generated"
            };
            self.text.push_str(word);
            self.value(generated);
        }
        self.line(" default", &column.default);
    }

    fn value(&mut self, value: &str) {
        push(&mut self.text, value);
    }

    fn hole(&mut self, hole: Part) {
        self.done.push(Part::Text(std::mem::take(&mut self.text)));
        self.done.push(hole);
    }

    fn finish(mut self) -> Vec<Part> {
        self.done.push(Part::Text(self.text));
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Declared, RustType};

    fn table(source: &str) -> Table {
        let input = syn::parse_str(source).expect("a struct");
        match Declared::parse(&input, &RustType::of) {
            Ok(Declared::Model(model)) => model.table,
            Ok(Declared::Newtype(_)) => panic!("a newtype"),
            Err(errors) => panic!("{errors:?}"),
        }
    }

    const USER: &str = "struct User { #[zdm(primary_key, auto)] id: i64, name: String }";

    #[test]
    fn the_order_and_rust_names_of_fields_do_not_count() {
        let other = "#[zdm(table = \"users\")] struct Account {
            #[zdm(column = \"name\", renamed_from = \"nick\")] full_name: std::string::String,
            #[zdm(primary_key, auto)] id: i64,
        }";
        assert_eq!(
            fingerprint(&table(USER), &[]),
            fingerprint(&table(other), &[])
        );
    }

    #[test]
    fn everything_that_the_database_sees_counts() {
        let variants = [
            USER,
            "#[zdm(table = \"people\")] struct User { #[zdm(primary_key, auto)] id: i64, name: String }",
            "struct User { #[zdm(primary_key)] id: i64, name: String }",
            "struct User { #[zdm(primary_key, auto = \"always\")] id: i64, name: String }",
            "struct User { #[zdm(primary_key, auto = \"serial\")] id: i64, name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i32, name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, name: Option<String> }",
            "struct User { #[zdm(primary_key, auto)] id: i64, label: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, #[zdm(default = \"''\")] name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, #[zdm(sql_type = \"text\")] name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, #[zdm(generated = \"''\")] name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, #[zdm(generated = \"''\", virtual)] name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, #[zdm(collation = \"C\")] name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, #[zdm(index)] name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, #[zdm(unique)] name: String }",
            "#[zdm(check(name = \"c\", expr = \"id > 0\", not_valid))] struct User { #[zdm(primary_key, auto)] id: i64, name: String }",
            "#[zdm(exclude(name = \"c\", elements(\"id WITH =\")))] struct User { #[zdm(primary_key, auto)] id: i64, name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, #[zdm(references = \"t(x)\", on_update = \"cascade\")] name: String }",
            "#[zdm(unique(columns(name)))] struct User { #[zdm(primary_key, auto)] id: i64, name: String }",
            "#[zdm(unique(columns(name), deferrable))] struct User { #[zdm(primary_key, auto)] id: i64, name: String }",
            "#[zdm(primary_key(id, name = \"k\"))] struct User { #[zdm(auto)] id: i64, name: String }",
            "#[zdm(check(name = \"c\", expr = \"id > 0\"))] struct User { #[zdm(primary_key, auto)] id: i64, name: String }",
            "struct User { #[zdm(primary_key, auto)] id: i64, #[zdm(references = \"t(x)\")] name: String }",
        ];
        let distinct: std::collections::BTreeSet<u64> = variants
            .iter()
            .map(|source| fingerprint(&table(source), &[]))
            .collect();
        assert_eq!(distinct.len(), variants.len());
    }

    #[test]
    fn the_fingerprint_of_a_table_never_changes_between_releases() {
        let description: Vec<Part> = description(&table(USER));
        assert_eq!(
            description,
            [
                Part::Text("table 5:users\ncolumn 2:id ".into()),
                Part::Logical(0),
                Part::Text(" ".into()),
                Part::Nullability(0),
                Part::Text(" auto default\ncolumn 4:name ".into()),
                Part::Logical(1),
                Part::Text(" ".into()),
                Part::Nullability(1),
                Part::Text(" default\nkey 2:id\n".into()),
            ]
        );
    }
}
