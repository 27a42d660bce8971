//! The pairs whose writes take the values of both sides: their arguments, and what is demanded of these.
//!
//! Must not know: whole statements.

use serde::Serialize;
use zdm_model::{Column, Function};
use zdm_runtime::Writes;

use crate::plan::Pair;
use crate::render::rust::RenderError;
use crate::render::rust::names::{self, RustType};
use crate::render::rust::sides::Sides;
use crate::render::rust::statements::{Statements, given_of};

/// Stands for a parameter of any name until braces are escaped.
pub(super) const ANY_PARAMETER: &str = "\u{1}";

/// A pair whose writes take both values.
#[derive(Debug, Serialize)]
pub(super) struct OneWay {
    /// The new field.
    field: String,
    constant: String,
    column: String,
    /// The new value where the whole struct is written.
    bind: String,
    sql_type: String,
    old: Vec<Old>,
    /// The old columns, for people.
    old_columns: String,
    /// As it is declared.
    up: String,
    /// Whether two values agree.
    agree: String,
    /// What a handwritten write demands of both values as long as old is written.
    demands: String,
    /// What names its parameters afterwards.
    names: String,
    /// What a function makes of old is a parameter too.
    computed: bool,
}

/// An old column that writes give a value.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Old {
    field: String,
    column: String,
    /// With its `Option`.
    pub(super) owned: String,
    /// Where the struct of old values is written.
    bind: String,
    sql_type: String,
    /// Where a new column alone is written.
    pub(super) argument: String,
    argument_type: String,
    /// The same two places, as a function takes it.
    pub(super) cloned: String,
    pub(super) to_owned: String,
}

/// The pairs whose writes take both values.
pub(super) fn one_ways<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
    bind: &dyn Fn(&Column) -> String,
) -> Result<Vec<OneWay>, RenderError> {
    let pairs = statements.sides.dual().filter(|pair| pair.is_one_way());
    pairs
        .map(|pair| one_way(statements, pair, rust, bind))
        .collect()
}

pub(super) fn one_way<'a, 't>(
    statements: &Statements<'a>,
    pair: &'a Pair,
    rust: &dyn Fn(&Column) -> &'t RustType,
    bind: &dyn Fn(&Column) -> String,
) -> Result<OneWay, RenderError> {
    let field = names::bare(&pair.new.field);
    let old = olds(&statements.sides, pair, rust);
    let given = any_parameters(pair);
    let demand = |writes| {
        let demanded = statements.demand(writes, &pair.new, ANY_PARAMETER, &given)?;
        Ok::<_, RenderError>(format_string(&demanded, &old))
    };
    let columns: Vec<_> = pair.old.iter().map(|old| old.name.as_str()).collect();
    Ok(OneWay {
        constant: format!("{}_AGREES", field.to_uppercase()),
        field: field.to_owned(),
        column: pair.new.name.clone(),
        bind: bind(&pair.new),
        sql_type: rust(&pair.new).sql_type(pair.new.nullable),
        old_columns: columns.join(", "),
        up: pair
            .with
            .as_ref()
            .map_or_else(|| pair.declared_up.clone(), Function::call),
        computed: pair.seal.is_some(),
        agree: statements.agree(pair)?,
        demands: demand(Writes::Both)?,
        names: demand(Writes::New)?,
        old,
    })
}

/// The old columns of a one-way pair, none of another.
pub(super) fn olds<'t>(
    sides: &Sides<'_>,
    pair: &Pair,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Vec<Old> {
    if !pair.is_one_way() {
        return Vec::new();
    }
    let mut taken: Vec<String> = sides
        .table
        .key_columns()
        .map(|key| names::argument(&key.field))
        .collect();
    taken.push(names::argument(&pair.new.field));
    let olds = pair.old.iter();
    olds.map(|old| {
        let rust = rust(old);
        let field = names::identifier(&old.field);
        let argument = names::old_argument(&old.field, &taken);
        let (copied, optional) = (rust.copies, old.nullable);
        Old {
            cloned: if copied {
                format!("old.{field}")
            } else {
                format!("old.{field}.clone()")
            },
            to_owned: match (copied, optional) {
                (true, _) => argument.clone(),
                (false, false) => format!("{argument}.to_owned()"),
                (false, true) => format!("{argument}.map(ToOwned::to_owned)"),
            },
            column: old.name.clone(),
            sql_type: rust.sql_type(optional),
            owned: if old.nullable {
                format!("Option<{}>", rust.owned)
            } else {
                rust.owned.clone()
            },
            bind: if rust.copies {
                format!("old.{field}")
            } else {
                format!("&old.{field}")
            },
            argument,
            argument_type: rust.argument(old.nullable),
            field,
        }
    })
    .collect()
}

/// The old columns with what stands for their parameters until braces are escaped, and what a function makes of them.
pub(super) fn any_parameters(pair: &Pair) -> Vec<(&Column, String)> {
    let olds = given_of(pair).enumerate();
    olds.filter(|_| pair.is_one_way())
        .map(|(at, old)| (old, any_old_parameter(at)))
        .collect()
}

fn any_old_parameter(at: usize) -> String {
    format!("\u{2}{at}\u{2}")
}

/// SQL as a format string with `{value}`, and with the parameters of old by their names.
pub(super) fn format_string(sql: &str, old: &[Old]) -> String {
    let mut text = sql
        .replace('{', "{{")
        .replace('}', "}}")
        .replace(ANY_PARAMETER, "{value}");
    for (at, old) in old.iter().enumerate() {
        text = text.replace(&any_old_parameter(at), &format!("{{{}}}", old.argument));
    }
    text.replace(&any_old_parameter(old.len()), "{computed}")
}
