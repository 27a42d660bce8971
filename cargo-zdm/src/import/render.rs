//! Structs as somebody would have written them.
//!
//! Comes in: a schema. Goes out: Rust files, not formatted yet. An attribute is written only where the struct says something
//! else without it.
//! Must not know: where the schema is from.

use std::fmt::Write as _;

use zdm_model::names::{bare, schema_of, table_of};
use zdm_model::{Enumeration, Schema, Table};

use super::enums;
use super::names::{self, Given};
use super::words::{self, OnField, fields, key_on_struct, literal};

/// How structs are spread over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Layout {
    /// All structs in one file
    One,
    /// A file per table, and a module that names them all
    #[default]
    PerTable,
}

/// A table's columns are as many and are called as they are.
const HEAD: &str = "#![allow(
    clippy::duplicated_attributes,
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = \"the tables were there first\"
)]\n\n";
const USE: &str = "use zdm_runtime::Migratable;\n\n";
/// The module of the enums beside those of the tables.
const ENUMS: &str = "enums";

/// The files by their path below the folder of the models, and the names of the structs' tables in their order.
pub fn files(schema: &Schema, layout: Layout) -> Vec<(String, String)> {
    let mut types = Given::default();
    let enums = enums::named(schema, &mut types);
    let named: Vec<(&Table, String)> = schema
        .tables
        .iter()
        .map(|table| {
            let mut others = schema
                .tables
                .iter()
                .filter(|other| other.name != table.name);
            let is_taken = others.any(|other| bare(&other.name) == bare(&table.name));
            let called = if is_taken {
                &table.name
            } else {
                bare(&table.name)
            };
            (table, names::structure(called, &mut types))
        })
        .collect();
    if layout == Layout::One {
        let structs: Vec<String> = named
            .iter()
            .map(|(table, ident)| structure(table, ident))
            .collect();
        let items: Vec<String> = enums.iter().map(enumeration).chain(structs).collect();
        let uses = if enums.is_empty() {
            USE.to_owned()
        } else {
            USE.replace("Migratable", "{Migratable, MigratableEnum}")
        };
        return vec![(
            "mod.rs".to_owned(),
            format!("{HEAD}{uses}{}", items.join("\n")),
        )];
    }
    let mut modules = Given::default();
    modules.free(super::LEFT_OUT);
    let (mut declared, mut exported) = (String::new(), String::new());
    let mut files = Vec::new();
    if !enums.is_empty() {
        modules.free(ENUMS);
        let idents: Vec<&str> = enums.iter().map(|(_, ident)| ident.as_str()).collect();
        let _ = writeln!(declared, "mod {ENUMS};");
        let _ = writeln!(
            exported,
            "pub use self::{ENUMS}::{{{}}};",
            idents.join(", ")
        );
        let items: Vec<String> = enums.iter().map(enumeration).collect();
        let text = format!("use zdm_runtime::MigratableEnum;\n\n{}", items.join("\n"));
        files.push((format!("{ENUMS}.rs"), text));
    }
    for (table, ident) in named {
        let module = names::module(&table.name, &mut modules);
        let _ = writeln!(declared, "mod {module};");
        let _ = writeln!(exported, "pub use self::{module}::{ident};");
        let has = |found: &Enumeration| table.columns.iter().any(|column| found.is_type_of(column));
        let of_table = enums.iter().filter(|(found, _)| has(found));
        let idents: Vec<&str> = of_table.map(|(_, ident)| ident.as_str()).collect();
        let uses = match idents.as_slice() {
            [] => String::new(),
            idents => format!("use super::{{{}}};\n\n", idents.join(", ")),
        };
        let text = format!("{USE}{uses}{}", structure(table, &ident));
        files.push((format!("{module}.rs"), text));
    }
    files.push(("mod.rs".to_owned(), format!("{HEAD}{declared}\n{exported}")));
    files
}

fn enumeration((found, ident): &(&Enumeration, String)) -> String {
    enums::enumeration(found, ident)
}

/// The struct of a table.
pub(super) fn structure(table: &Table, ident: &str) -> String {
    let mut text = String::from("#[derive(Migratable, Debug, Clone, PartialEq)]\n");
    let schema = schema_of(&table.name).map(|schema| format!("schema = {}", literal(schema)));
    let name = bare(&table.name);
    let name = (table_of(ident) != name).then(|| format!("table = {}", literal(name)));
    let place: Vec<String> = schema.into_iter().chain(name).collect();
    if !place.is_empty() {
        let _ = writeln!(text, "#[zdm({})]", place.join(", "));
    }
    if let Some(comment) = &table.comment {
        let _ = writeln!(text, "#[zdm(comment = {})]", literal(comment));
    }
    if table.no_primary_key {
        let key = match fields(table, &table.primary_key).as_str() {
            "" => String::new(),
            key => format!(", row_key({key})"),
        };
        let _ = writeln!(text, "#[zdm(no_primary_key{key})]");
    } else if key_on_struct(table) {
        let name = table.primary_key_name.as_deref().map(literal);
        let name = name.map(|name| format!(", name = {name}"));
        let _ = writeln!(
            text,
            "#[zdm(primary_key({}{}))]",
            fields(table, &table.primary_key),
            name.unwrap_or_default()
        );
    }
    let on_fields: Vec<OnField<'_>> = table
        .columns
        .iter()
        .map(|column| OnField::of(table, column))
        .collect();
    for index in &table.indexes {
        if !on_fields.iter().any(|on| on.index == Some(index)) {
            let _ = writeln!(text, "#[zdm(index({}))]", words::index(table, index));
        }
    }
    for unique in &table.uniques {
        let _ = writeln!(text, "#[zdm(unique({}))]", words::unique(table, unique));
    }
    for check in &table.checks {
        let _ = writeln!(text, "#[zdm(check({}))]", words::check(check));
    }
    for exclusion in &table.exclusions {
        let _ = writeln!(text, "#[zdm(exclude({}))]", words::exclusion(exclusion));
    }
    for key in &table.foreign_keys {
        if !on_fields.iter().any(|on| on.key == Some(key)) {
            let _ = writeln!(text, "#[zdm(foreign_key({}))]", words::key(table, key));
        }
    }
    let _ = writeln!(text, "pub struct {ident} {{");
    for (column, on) in table.columns.iter().zip(&on_fields) {
        let words = on.words(table, column);
        if !words.is_empty() {
            let _ = writeln!(text, "    #[zdm({})]", words.join(", "));
        }
        let rust_type = &column.rust_type;
        let _ = if column.nullable {
            writeln!(text, "    pub {}: Option<{rust_type}>,", column.field)
        } else {
            writeln!(text, "    pub {}: {rust_type},", column.field)
        };
    }
    text.push_str("}\n");
    text
}
