//! Structs as somebody would have written them.
//!
//! Comes in: a schema. Goes out: Rust files, not formatted yet. An attribute is written only where the struct says something
//! else without it.
//! Must not know: where the schema is from.

use std::fmt::Write as _;

use zdm_model::{
    Column, Enumeration, Exclusion, ForeignKey, Index, LogicalType, Schema, Table, Unique,
};

use super::enums;
use super::names::{self, Given};

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
    let enums: Vec<(&Enumeration, String)> = schema
        .enums
        .iter()
        .map(|found| (found, enums::ident_of(schema, found)))
        .collect();
    for (_, ident) in &enums {
        types.free(ident);
    }
    let named: Vec<(&Table, String)> = schema
        .tables
        .iter()
        .map(|table| (table, names::structure(&table.name, &mut types)))
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
    if zdm_model::names::table_of(ident) != table.name {
        let _ = writeln!(text, "#[zdm(table = {})]", literal(&table.name));
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
            let _ = writeln!(text, "#[zdm(index({}))]", index_words(table, index));
        }
    }
    for unique in &table.uniques {
        let _ = writeln!(text, "#[zdm(unique({}))]", unique_words(table, unique));
    }
    for check in &table.checks {
        let (name, expr) = (literal(&check.name), literal(&check.expr));
        let not_valid = if check.not_valid { ", not_valid" } else { "" };
        let no_inherit = if check.no_inherit { ", no_inherit" } else { "" };
        let _ = writeln!(
            text,
            "#[zdm(check(name = {name}, expr = {expr}{not_valid}{no_inherit}))]"
        );
    }
    for exclusion in &table.exclusions {
        let _ = writeln!(text, "#[zdm(exclude({}))]", exclusion_words(exclusion));
    }
    for key in &table.foreign_keys {
        if !on_fields.iter().any(|on| on.key == Some(key)) {
            let _ = writeln!(text, "#[zdm(foreign_key({}))]", key_words(table, key));
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

/// What is said on a field rather than on the struct.
struct OnField<'a> {
    index: Option<&'a Index>,
    key: Option<&'a ForeignKey>,
}

impl<'a> OnField<'a> {
    /// One index of the column alone, a unique one first, and one foreign key that has the name that it gets unasked.
    fn of(table: &'a Table, column: &Column) -> Self {
        let alone = |columns: &[String]| columns.len() == 1 && columns[0] == column.name;
        let indexes = table
            .indexes
            .iter()
            .filter(|index| alone(&index.columns) && index.is_plain() && index.predicate.is_none());
        let mut keys = table.foreign_keys.iter();
        Self {
            index: indexes.min_by_key(|index| !index.unique),
            key: keys.find(|key| {
                alone(&key.columns)
                    && key.name == default_name("fk", table, &key.columns)
                    && key_flags(key).is_empty()
                    && key.on_delete_columns.is_empty()
            }),
        }
    }

    fn words(&self, table: &Table, column: &Column) -> Vec<String> {
        let mut words = Vec::new();
        let is_key = !table.no_primary_key && table.primary_key == [column.name.as_str()];
        if is_key && !key_on_struct(table) {
            words.push("primary_key".to_owned());
        }
        match column.counted {
            Some(counted) => words.push(format!("auto = {}", literal(counted.name()))),
            None if column.auto => words.push("auto".to_owned()),
            None => {}
        }
        if bare(&column.field) != column.name {
            words.push(format!("column = {}", literal(&column.name)));
        }
        let own = column.logical_type == LogicalType::Enum;
        if let Some(sql_type) = column.sql_type.as_ref().filter(|_| !own) {
            words.push(format!("sql_type = {}", literal(sql_type)));
        }
        if let Some(collation) = &column.collation {
            words.push(format!("collation = {}", literal(collation)));
        }
        if let Some(default) = &column.default {
            words.push(format!("default = {}", literal(default)));
        }
        if let Some(generated) = &column.generated {
            words.push(format!("generated = {}", literal(generated)));
        }
        if column.is_virtual {
            words.push("virtual".to_owned());
        }
        if let Some(comment) = &column.comment {
            words.push(format!("comment = {}", literal(comment)));
        }
        if let Some(index) = self.index {
            let prefix = if index.unique { "uq" } else { "idx" };
            if index.unique {
                words.push("unique".to_owned());
            }
            if index.name != default_name(prefix, table, &index.columns) {
                words.push(format!("index = {}", literal(&index.name)));
            } else if !index.unique {
                words.push("index".to_owned());
            }
        }
        if let Some(key) = self.key {
            words.push(format!("references = {}", reference(key)));
            if let Some(action) = &key.on_delete {
                words.push(format!("on_delete = {}", literal(action)));
            }
            if let Some(action) = &key.on_update {
                words.push(format!("on_update = {}", literal(action)));
            }
        }
        words
    }
}

fn index_words(table: &Table, index: &Index) -> String {
    let mut words = Vec::new();
    if index.elements.is_empty() {
        words.push(format!("columns({})", fields(table, &index.columns)));
    } else {
        let elements: Vec<String> = index.elements.iter().map(|text| literal(text)).collect();
        words.push(format!("on({})", elements.join(", ")));
    }
    if let Some(method) = &index.method {
        words.push(format!("using = {}", literal(method)));
    }
    if !index.include.is_empty() {
        words.push(format!("include({})", fields(table, &index.include)));
    }
    if index.unique {
        words.push("unique".to_owned());
    }
    if index.nulls_not_distinct {
        words.push("nulls_not_distinct".to_owned());
    }
    if let Some(storage) = &index.storage {
        words.push(format!("with = {}", literal(storage)));
    }
    if let Some(predicate) = &index.predicate {
        words.push(format!("where = {}", literal(predicate)));
    }
    let prefix = if index.unique { "uq" } else { "idx" };
    if !index.elements.is_empty() || index.name != default_name(prefix, table, &index.columns) {
        words.push(format!("name = {}", literal(&index.name)));
    }
    words.join(", ")
}

fn unique_words(table: &Table, unique: &Unique) -> String {
    let mut words = vec![format!("columns({})", fields(table, &unique.columns))];
    if !unique.include.is_empty() {
        words.push(format!("include({})", fields(table, &unique.include)));
    }
    if unique.nulls_not_distinct {
        words.push("nulls_not_distinct".to_owned());
    }
    words.extend(deferral(unique.deferrable, unique.initially_deferred));
    if unique.name != default_name("uq", table, &unique.columns) {
        words.push(format!("name = {}", literal(&unique.name)));
    }
    words.join(", ")
}

fn deferral(deferrable: bool, initially_deferred: bool) -> Option<String> {
    match (deferrable, initially_deferred) {
        (_, true) => Some("initially_deferred".to_owned()),
        (true, false) => Some("deferrable".to_owned()),
        (false, false) => None,
    }
}

/// A key of several columns, or of another name than its own.
fn key_on_struct(table: &Table) -> bool {
    table.primary_key.len() > 1 || table.primary_key_name.is_some()
}

fn key_words(table: &Table, key: &ForeignKey) -> String {
    let mut words = vec![
        format!("columns({})", fields(table, &key.columns)),
        format!("references = {}", reference(key)),
    ];
    if let Some(action) = &key.on_delete {
        let of = match key.on_delete_columns.as_slice() {
            [] => String::new(),
            columns => format!(" ({})", fields(table, columns)),
        };
        words.push(format!("on_delete = {}", literal(&format!("{action}{of}"))));
    }
    if let Some(action) = &key.on_update {
        words.push(format!("on_update = {}", literal(action)));
    }
    words.extend(key_flags(key));
    if key.name != default_name("fk", table, &key.columns) {
        words.push(format!("name = {}", literal(&key.name)));
    }
    words.join(", ")
}

fn key_flags(key: &ForeignKey) -> Vec<String> {
    let match_full = key.match_full.then(|| "match_full".to_owned());
    let not_valid = key.not_valid.then(|| "not_valid".to_owned());
    let deferral = deferral(key.deferrable, key.initially_deferred);
    [match_full, deferral, not_valid]
        .into_iter()
        .flatten()
        .collect()
}

fn exclusion_words(exclusion: &Exclusion) -> String {
    let elements: Vec<String> = exclusion
        .elements
        .iter()
        .map(|text| literal(text))
        .collect();
    let mut words = vec![format!("name = {}", literal(&exclusion.name))];
    if let Some(method) = &exclusion.method {
        words.push(format!("using = {}", literal(method)));
    }
    words.push(format!("elements({})", elements.join(", ")));
    if let Some(predicate) = &exclusion.predicate {
        words.push(format!("where = {}", literal(predicate)));
    }
    words.extend(deferral(exclusion.deferrable, exclusion.initially_deferred));
    words.join(", ")
}

fn reference(key: &ForeignKey) -> String {
    literal(&format!(
        "{}({})",
        key.references,
        key.referenced_columns.join(", ")
    ))
}

fn default_name(prefix: &str, table: &Table, columns: &[String]) -> String {
    zdm_model::names::constraint_name(prefix, &table.name, columns)
}

/// The fields of columns, as a list in an attribute has them: a field's name counts before a column's.
fn fields(table: &Table, columns: &[String]) -> String {
    let fields = columns.iter().filter_map(|name| table.column(name));
    let fields: Vec<&str> = fields.map(|column| bare(&column.field)).collect();
    fields.join(", ")
}

fn bare(field: &str) -> &str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// A string literal: raw where that is easier to read.
pub(super) fn literal(text: &str) -> String {
    let escapes = text.contains(['"', '\\']);
    if !escapes || text.chars().any(char::is_control) {
        return format!("{text:?}");
    }
    let hashes = if text.contains('"') { "#" } else { "" };
    if text.contains("\"#") {
        return format!("{text:?}");
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
