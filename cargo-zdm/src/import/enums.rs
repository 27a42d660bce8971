//! Enums of the database as enums of Rust.
//!
//! Comes in: the catalogue's enums. Goes out: their names in Rust, their text.
//! Must not know: which columns have them.

use std::fmt::Write as _;

use heck::{ToPascalCase as _, ToSnakeCase as _};
use zdm_model::names::{bare, schema_of};
use zdm_model::{EnumModel, Enumeration, RustType, Schema, option_of, spelled, vec_of};

use super::names::{self, Given};
use super::words::literal;
use crate::catalogue::Enum;

/// The enums that fields can have.
#[derive(Debug, Default)]
pub(super) struct Enums(Vec<(String, Enum)>);

impl Enums {
    /// Every enum with its name in Rust.
    pub(super) fn of(found: &[Enum]) -> Self {
        let mut given = Given::default();
        let all: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
        let named = found.iter().map(|found| {
            let called = called(&found.name, &all).to_pascal_case();
            let ident = names::type_name(&called, "Enum", &mut given);
            (ident, found.clone())
        });
        Self(
            named
                .filter(|(ident, found)| says_the_same(ident, found))
                .collect(),
        )
    }

    /// The names in Rust and in the database of the enum that types of columns name like this.
    pub(super) fn named(&self, sql_type: &str) -> Option<(&str, &str)> {
        let mut enums = self.0.iter();
        let (ident, found) = enums.find(|(_, found)| found.sql_type == sql_type)?;
        Some((ident, &found.name))
    }

    /// What a field's type is beside them.
    pub(super) fn resolve(&self, ty: &syn::Type) -> RustType {
        if let Some(inner) = option_of(ty) {
            return RustType {
                nullable: Some(true),
                ..self.resolve(inner)
            };
        }
        let text = spelled(ty);
        if let Some((_, found)) = self.0.iter().find(|(ident, _)| *ident == text) {
            return RustType::of_enum(text, &found.name);
        }
        let element = vec_of(ty).map(|element| self.resolve(element));
        let array = element.and_then(|element| element.vec_of_enum(text));
        array.unwrap_or_else(|| RustType::of(ty))
    }

    /// All of them as they are declared.
    pub(super) fn declared(&self) -> Vec<Enumeration> {
        self.0.iter().map(|(_, found)| as_declared(found)).collect()
    }
}

/// What an enum is called after: with its schema only where another one has its name.
fn called<'a>(name: &'a str, all: &[&str]) -> &'a str {
    let mut others = all.iter().filter(|other| **other != name);
    if others.any(|other| bare(other) == bare(name)) {
        name
    } else {
        bare(name)
    }
}

fn as_declared(found: &Enum) -> Enumeration {
    Enumeration {
        name: found.name.clone(),
        values: found.values.clone(),
        taken: Vec::new(),
        source: String::new(),
    }
}

/// The enum is read back: what would be understood otherwise stays a type that columns name, with texts as values.
fn says_the_same(ident: &str, found: &Enum) -> bool {
    let declared = as_declared(found);
    let parsed = syn::parse_str(&enumeration(&declared, ident));
    let read = parsed
        .ok()
        .and_then(|parsed| EnumModel::parse(&parsed).ok());
    read.is_some_and(|model| model.enumeration == declared)
}

/// Each enum with its name in Rust: what the structs of the schema call it, else one that no other type has.
pub(super) fn named<'a>(schema: &'a Schema, types: &mut Given) -> Vec<(&'a Enumeration, String)> {
    let in_structs: Vec<Option<&str>> = schema
        .enums
        .iter()
        .map(|found| in_structs(schema, found))
        .collect();
    for ident in in_structs.iter().flatten() {
        types.free(ident);
    }
    let all: Vec<&str> = schema
        .enums
        .iter()
        .map(|found| found.name.as_str())
        .collect();
    let enums = schema.enums.iter().zip(in_structs);
    enums
        .map(|(found, ident)| {
            let called = called(&found.name, &all).to_pascal_case();
            let free = |types| names::type_name(&called, "Enum", types);
            let ident = ident.map_or_else(|| free(types), str::to_owned);
            (found, ident)
        })
        .collect()
}

fn in_structs<'a>(schema: &'a Schema, found: &Enumeration) -> Option<&'a str> {
    let mut columns = schema.tables.iter().flat_map(|table| &table.columns);
    let rust_type = columns
        .find(|column| found.is_type_of(column))?
        .rust_type
        .as_str();
    let element = rust_type
        .strip_prefix("Vec<")
        .and_then(|rest| rest.strip_suffix('>'));
    Some(element.unwrap_or(rust_type))
}

/// The enum as somebody would have written it.
pub(super) fn enumeration(found: &Enumeration, ident: &str) -> String {
    let mut text =
        String::from("#[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq, Hash)]\n");
    let schema = schema_of(&found.name).map(|schema| format!("schema = {}", literal(schema)));
    let name = bare(&found.name);
    let name = (ident.to_snake_case() != name).then(|| format!("name = {}", literal(name)));
    let place: Vec<String> = schema.into_iter().chain(name).collect();
    if !place.is_empty() {
        let _ = writeln!(text, "#[zdm({})]", place.join(", "));
    }
    let _ = writeln!(text, "pub enum {ident} {{");
    let mut given = Given::default();
    for value in &found.values {
        let variant = names::variant(value, &mut given);
        if variant.to_snake_case() != *value {
            let _ = writeln!(text, "    #[zdm(rename = {})]", literal(value));
        }
        let _ = writeln!(text, "    {variant},");
    }
    text.push_str("}\n");
    text
}
