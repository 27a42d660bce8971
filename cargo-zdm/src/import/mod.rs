//! An existing database as models.
//!
//! Comes in: a [`Catalogue`]. Goes out: the schema that structs can declare of it, what they cannot say, and the structs'
//! text. Pure: no connection, no disk.
//! Must not know: how a catalogue is read, what becomes of the text.

mod columns;
mod enums;
mod foreign;
mod keys;
mod left_out;
mod names;
pub(crate) mod needed;
mod parts;
pub(crate) mod path;
mod render;
mod same;
mod types;
mod words;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use heck::ToSnakeCase as _;
use zdm_model::names::bare;
use zdm_model::{Declared, Schema, Table};

pub use left_out::{Kind, LeftOut, as_comments, listed};
pub use render::{Layout, files};
pub use same::in_the_words_of;

use self::enums::Enums;
use crate::catalogue::{self, Catalogue};
use crate::dialect::Dialect;
use crate::parallel;

/// What a catalogue becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// What the models declare.
    pub schema: Schema,
    /// What they do not say, in the order of its kinds.
    pub left_out: Vec<LeftOut>,
}

/// The module of what the models do not say, beside them.
pub const LEFT_OUT: &str = "left_out";

/// Tables in which other tools keep what they have done.
const BOOKKEEPING: [(&str, &str); 13] = [
    ("_sqlx_migrations", "sqlx"),
    ("__diesel_schema_migrations", "diesel"),
    ("refinery_schema_history", "refinery"),
    ("seaql_migrations", "SeaORM"),
    ("schema_migrations", "a migration tool"),
    ("ar_internal_metadata", "Rails"),
    ("flyway_schema_history", "Flyway"),
    ("databasechangelog", "Liquibase"),
    ("databasechangeloglock", "Liquibase"),
    ("alembic_version", "Alembic"),
    ("django_migrations", "Django"),
    ("goose_db_version", "goose"),
    ("_prisma_migrations", "Prisma"),
];

/// A table without its foreign keys, or why there is no struct of it; and what the struct does not say.
type Made = (Result<Table, String>, Vec<LeftOut>);

/// What the catalogue is as models. `wanted`: only these tables; `None`: all.
pub fn of(catalogue: &Catalogue, dialect: &Dialect, wanted: Option<&[String]>) -> Imported {
    let enums = Enums::of(&catalogue.enums);
    let made = parallel::map(&catalogue.tables, |found| {
        made(found, &enums, dialect, wanted)
    });
    joined(catalogue, &enums, made)
}

/// What two catalogues are as models. They are versions of one schema as a rule: a table that is the same in both is made once.
pub fn of_both([one, other]: [&Catalogue; 2], dialect: &Dialect) -> [Imported; 2] {
    let enums = Enums::of(&one.enums);
    let first = parallel::map(&one.tables, |found| made(found, &enums, dialect, None));
    let mut known = HashMap::new();
    if one.enums == other.enums {
        let tables = one.tables.iter().zip(&first);
        known.extend(tables.map(|(table, made)| (table.name.as_str(), (table, made))));
    }
    let others = Enums::of(&other.enums);
    let second = parallel::map(&other.tables, |found| {
        match known.get(found.name.as_str()) {
            Some((table, made)) if *table == found => (*made).clone(),
            _ => made(found, &others, dialect, None),
        }
    });
    [joined(one, &enums, first), joined(other, &others, second)]
}

fn made(
    found: &catalogue::Table,
    enums: &Enums,
    dialect: &Dialect,
    wanted: Option<&[String]>,
) -> Made {
    let mut left_out = Vec::new();
    let made = match passed_over(found, wanted) {
        Some(reason) => Err(reason),
        None => table(found, enums, dialect, &mut left_out),
    };
    (made, left_out)
}

/// Generated code has a module per table, and `billing.invoices` is called there as `billing_invoices` is.
fn with_a_module<'a>(
    table: Table,
    name: &'a str,
    modules: &mut HashMap<String, &'a str>,
) -> Result<Table, String> {
    let module = name.to_snake_case();
    match modules.entry(module) {
        Entry::Vacant(free) => {
            free.insert(name);
            Ok(table)
        }
        Entry::Occupied(taken) => Err(format!(
            "the module of its generated code would be called as that of {}; a project of its own has room for it (`--schema`, `--tables`)",
            taken.get()
        )),
    }
}

/// The tables as one schema, with their foreign keys.
fn joined(catalogue: &Catalogue, enums: &Enums, made: Vec<Made>) -> Imported {
    let mut left_out = Vec::new();
    let mut kept: Vec<(&catalogue::Table, Table)> = Vec::new();
    let mut modules: HashMap<String, &str> = HashMap::new();
    for (found, (made, mut of_table)) in catalogue.tables.iter().zip(made) {
        match made.and_then(|table| with_a_module(table, &found.name, &mut modules)) {
            Ok(table) => {
                left_out.extend(found.others.iter().map(other));
                left_out.append(&mut of_table);
                kept.push((found, table));
            }
            Err(reason) => {
                left_out.push(LeftOut::new(Kind::Table, "table", &found.name, reason));
            }
        }
    }
    let mut schema = Schema::default();
    let tables: Vec<Table> = kept.iter().map(|(_, table)| table.clone()).collect();
    for (found, mut table) in kept {
        foreign::keys(found, &mut table, &tables, &mut left_out);
        schema.tables.push(table);
    }
    let with_keys = parallel::map(&schema.tables, |table| {
        let has_keys = !table.foreign_keys.is_empty();
        has_keys.then(|| says_the_same(table, enums))
    });
    for (table, said) in schema.tables.iter_mut().zip(with_keys) {
        if let Some(Err(reason)) = said {
            let keys = std::mem::take(&mut table.foreign_keys).into_iter();
            left_out.extend(keys.map(|key| {
                let object = format!("{}.{}", table.name, key.name);
                LeftOut::new(Kind::NotRepresentable, "foreign key", object, &reason)
            }));
        }
    }
    schema.enums = enums.declared();
    left_out.extend(others(catalogue, &schema));
    left_out.sort();
    Imported { schema, left_out }
}

/// A table without its foreign keys, which need to know the other tables; or why there can be none.
fn table(
    found: &catalogue::Table,
    enums: &Enums,
    dialect: &Dialect,
    left_out: &mut Vec<LeftOut>,
) -> Result<Table, String> {
    let key = keys::chosen(found, left_out);
    let mut table = Table {
        name: found.name.clone(),
        comment: found.comment.clone(),
        columns: columns::carried(found, &key.columns, enums, dialect, left_out)?,
        primary_key_name: key
            .is_primary
            .then(|| keys::name(found, &key.columns))
            .flatten(),
        no_primary_key: !key.is_primary,
        primary_key: key.columns,
        ..Table::default()
    };
    parts::indexes(found, &mut table, dialect, left_out);
    parts::checks(found, &mut table, dialect, left_out);
    says_the_same(&table, enums)?;
    Ok(table)
}

/// The struct is read back: what is not understood, or understood otherwise, is not claimed.
fn says_the_same(table: &Table, enums: &Enums) -> Result<(), String> {
    let text = render::structure(table, "Table");
    let not_read = |reason: &dyn std::fmt::Display| format!("its struct cannot be read: {reason}");
    let parsed = syn::parse_str(&text).map_err(|error| not_read(&error))?;
    match Declared::parse(&parsed, &|ty| enums.resolve(ty)) {
        Ok(Declared::Model(model)) if model.table == *table => Ok(()),
        Ok(_) => Err("a struct would not say the same".to_owned()),
        Err(errors) => Err(errors
            .first()
            .map_or_else(String::new, |error| not_read(error))),
    }
}

fn passed_over(table: &catalogue::Table, wanted: Option<&[String]>) -> Option<String> {
    let (name, bare) = (table.name.as_str(), bare(&table.name));
    if bare.starts_with("zdm_") {
        return Some("names that begin with `zdm_` are those of zdm's control tables".to_owned());
    }
    if let Some((_, tool)) = BOOKKEEPING.iter().find(|(table, _)| *table == bare) {
        return Some(format!("{tool} keeps its own records in it"));
    }
    if wanted.is_some_and(|wanted| !wanted.iter().any(|wanted| wanted == name)) {
        return Some("not asked for".to_owned());
    }
    table.special.clone()
}

/// What stands beside tables. A schema's control tables are no discovery.
fn others(catalogue: &Catalogue, schema: &Schema) -> Vec<LeftOut> {
    let others = catalogue.others.iter();
    others
        .filter(|found| !(found.what == "schema" && found.object.starts_with("zdm with ")))
        .filter(|found| !(found.what == "enum" && schema.enumeration(&found.object).is_some()))
        .map(other)
        .collect()
}

fn other(found: &catalogue::Other) -> LeftOut {
    let (kind, reason) = match found.what.as_str() {
        "schema" => (
            Kind::NotRepresentable,
            "nothing of it is in the models; `--schema` names the schemas that are imported",
        ),
        "enum" => (
            Kind::NotRepresentable,
            "an enum of Rust would not say the same",
        ),
        "domain" | "range type" | "composite type" | "type" => (
            Kind::NotRepresentable,
            "columns name it by `sql_type`; a new database needs it before `cargo zdm expand`",
        ),
        "UNLOGGED" | "STRICT" | "WITHOUT ROWID" | "ON CONFLICT" => (
            Kind::NotRepresentable,
            "the table keeps it; a new database's table would not have it",
        ),
        what if what.starts_with("numbers (") => (
            Kind::NotRepresentable,
            "the table keeps it; a new database's table would count from 1, by 1",
        ),
        what if what.starts_with("comment") => (Kind::NotRepresentable, ""),
        "extension" => (
            Kind::Unmanaged,
            "a new database needs it before `cargo zdm expand` where a column's type is its",
        ),
        _ => (Kind::Unmanaged, ""),
    };
    LeftOut::new(kind, &found.what, &found.object, reason)
}

/// The crates that the models' types are from.
pub fn crates(schema: &Schema) -> BTreeSet<String> {
    let columns = schema.tables.iter().flat_map(|table| &table.columns);
    columns
        .map(|column| column.rust_type.trim_start_matches("Vec<"))
        .filter_map(|rust_type| rust_type.split_once("::"))
        .map(|(name, _)| name.to_owned())
        .collect()
}
