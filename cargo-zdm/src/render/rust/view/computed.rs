//! The columns that a Rust function of the application fills: how reads call it, and the entry point of the backfill.
//!
//! Must not know: statements.

use serde::Serialize;
use zdm_model::Column;

use crate::plan::Pair;
use crate::render::rust::Transition;
use crate::render::rust::names::{self, RustType};
use crate::render::rust::sides::Sides;
use crate::render::rust::words::Words;

/// A function as a row calls it.
#[derive(Debug, Serialize)]
pub(super) struct ComputedView {
    /// The name of the generated function.
    name: String,
    column: String,
    field: String,
    owned: String,
    /// The path of the function.
    path: String,
    inputs: Vec<String>,
    input_types: Vec<String>,
    may_fail: bool,
}

/// The function of a column that replaces what it takes, as a write calls it.
#[derive(Debug, Serialize)]
pub(super) struct Sealed {
    /// The generated function.
    name: String,
    /// The path of the function.
    path: String,
    may_fail: bool,
    /// What a write calls what it gives.
    variable: String,
    /// What it gives, with its `Option`.
    given: String,
    optional: bool,
    sql_type: String,
    inputs: Vec<Input>,
    /// How it is called where the whole struct is written, and where the column alone is.
    of_struct: String,
    of_arguments: String,
}

/// An old column's value, as the function takes it.
#[derive(Debug, Serialize)]
struct Input {
    name: String,
    owned: String,
}

/// The entry point of a migration's backfill.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    /// The generated function of the column, by its path.
    name: String,
    column: String,
    path: String,
    owned: String,
    /// `Postgres`
    kind: &'static str,
    pool: &'static str,
    /// The version's folder, as seen from the file.
    folder: String,
    files: Vec<String>,
}

/// The name of the generated function that gives a column its value, if one does.
pub(super) fn name(sides: &Sides<'_>, column: &Column) -> Option<String> {
    let mut pairs = sides.pairs();
    let pair = pairs.find(|pair| pair.new.name == column.name)?;
    pair.with.as_ref().map(|_| called(column))
}

/// The type of what the function gives.
fn given<'t>(pair: &Pair, rust: &impl Fn(&Column) -> &'t RustType) -> String {
    let owned = &rust(&pair.new).owned;
    if pair.new.nullable {
        format!("Option<{owned}>")
    } else {
        owned.clone()
    }
}

fn called(column: &Column) -> String {
    format!("computed_{}", names::bare(&column.field))
}

pub(super) fn views<'t>(
    sides: &Sides<'_>,
    rust: &impl Fn(&Column) -> &'t RustType,
) -> Vec<ComputedView> {
    let pairs = sides.pairs();
    let views = pairs.filter_map(|pair: &Pair| {
        let function = pair.with.as_ref()?;
        Some(ComputedView {
            name: called(&pair.new),
            column: pair.new.name.clone(),
            field: pair.new.field.clone(),
            owned: given(pair, rust),
            path: function.path.clone(),
            inputs: function.inputs.clone(),
            input_types: vec![String::new(); function.inputs.len()],
            may_fail: pair.on_invalid.is_some(),
        })
    });
    views.collect()
}

/// Of the table's column that replaces what a function takes, if there is one.
pub(super) fn sealed<'t>(
    sides: &Sides<'_>,
    rust: &impl Fn(&Column) -> &'t RustType,
) -> Option<Sealed> {
    let pair = sides.dual().find(|pair| pair.seal.is_some())?;
    let olds = super::one_way::olds(sides, pair, rust);
    let list = |of: fn(&super::one_way::Old) -> &str| {
        let places: Vec<&str> = olds.iter().map(of).collect();
        places.join(", ")
    };
    let field = names::bare(&pair.new.field);
    let owned = &rust(&pair.new).owned;
    let function = pair.with.as_ref()?;
    Some(Sealed {
        path: function.path.clone(),
        may_fail: pair.on_invalid.is_some(),
        name: format!("{field}_of"),
        variable: format!("computed_{field}"),
        given: format!("Option<{owned}>"),
        optional: pair.new.nullable,
        sql_type: rust(&pair.new).sql_type(true),
        of_struct: list(|old| &old.cloned),
        of_arguments: list(|old| &old.to_owned),
        inputs: olds
            .iter()
            .map(|old| Input {
                name: old.argument.clone(),
                owned: old.owned.clone(),
            })
            .collect(),
    })
}

/// The entry point of a migration, whose reads are generated in a module that its file finds there.
pub(super) fn entry<'t>(
    words: &Words<'_>,
    transition: &Transition<'_>,
    rust: &impl Fn(&Column) -> &'t RustType,
    beside: &str,
) -> Option<Entry> {
    let pair = transition.pairs.iter().find(|pair| pair.with.is_some())?;
    let function = pair.with.as_ref()?;
    let (kind, pool) = if words.typed {
        ("Postgres", "PgPool")
    } else {
        ("Sqlite", "SqlitePool")
    };
    let above = if transition.shared { "../.." } else { ".." };
    Some(Entry {
        name: format!("{beside}::switch_reads::{}", called(&pair.new)),
        column: pair.new.name.clone(),
        path: function.path.clone(),
        owned: given(pair, rust),
        kind,
        pool,
        folder: format!("{above}/{}", transition.embedded.folder),
        files: transition.embedded.files.clone(),
    })
}
