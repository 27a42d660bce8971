//! The statements of a table and the sides that they write.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::Column;
use zdm_runtime::Writes;

use super::in_turn;
use crate::plan::Pair;
use crate::render::rust::RenderError;
use crate::render::rust::names::{self, RustType};
use crate::render::rust::statements::Statements;
use crate::render::rust::words;

/// Stands for a parameter of any name until braces are escaped.
const ANY_PARAMETER: &str = "\u{1}";

/// The function that writes one field.
#[derive(Debug, Serialize)]
pub(super) struct Setter {
    field: String,
    constant: String,
    argument: String,
    argument_type: String,
    bind: String,
    sql: Option<String>,
    /// It comes out of a table that goes.
    moved: bool,
    /// Its pair, where that is one-way: old values are arguments too.
    one_way: Option<OneWay>,
}

/// A pair whose writes take both values.
#[derive(Debug, Serialize)]
pub(super) struct OneWay {
    /// The new field.
    field: String,
    constant: String,
    column: String,
    /// The new value where the whole struct is written.
    bind: String,
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
}

/// An old column that writes give a value.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Old {
    field: String,
    column: String,
    /// With its `Option`.
    owned: String,
    /// Where the struct of old values is written.
    bind: String,
    /// Where a new column alone is written.
    argument: String,
    argument_type: String,
}

/// A write, as three statements.
#[derive(Debug, Serialize)]
pub(super) struct DualWrite {
    function: String,
    constant: String,
    does: String,
    old: String,
    both: String,
    new: String,
}

/// Both sides of a field, for handwritten queries.
#[derive(Debug, Serialize)]
pub(super) struct PairView {
    field: String,
    /// The field's name among the fragments.
    fragment: String,
    column: String,
    set_old: String,
    set_both: String,
    set_new: String,
    /// What the parameters of old are called, where the pair is one-way.
    old: Vec<String>,
    /// The number of its migration, where several are in transition.
    number: Option<String>,
    old_value: String,
    new_value: String,
}

pub(super) fn setters<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
    bind: &dyn Fn(&Column) -> String,
) -> Result<Vec<Setter>, RenderError> {
    let table = statements.sides.table;
    let mut setters = Vec::new();
    for column in table.written_columns() {
        if table.primary_key.is_empty() || table.primary_key.contains(&column.name) {
            continue;
        }
        let pair = statements.sides.pair(column);
        let plain = pair.is_none() && statements.comes_out().is_none();
        let one_way = match pair.filter(|pair| pair.is_one_way()) {
            Some(pair) => Some(one_way(statements, pair, rust, bind)?),
            None => None,
        };
        setters.push(Setter {
            constant: format!("SET_{}", names::bare(&column.field).to_uppercase()),
            bind: if words::cast(column).is_some() {
                as_text(column, &names::argument(&column.field), true)
            } else {
                names::argument(&column.field)
            },
            argument: names::argument(&column.field),
            argument_type: rust(column).argument(column.nullable),
            sql: if plain {
                Some(statements.set(Writes::New, column)?)
            } else {
                None
            },
            moved: statements.merges(column),
            field: names::bare(&column.field).to_owned(),
            one_way,
        });
    }
    Ok(setters)
}

/// The text of an enum's value that stands at a place, itself or as a reference.
pub(super) fn as_text(column: &Column, place: &str, referenced: bool) -> String {
    const TEXT: &str = "zdm_runtime::Enumeration::value";
    match (column.nullable, referenced) {
        (false, false) => format!("{TEXT}(&{place})"),
        (false, true) => format!("{TEXT}({place})"),
        (true, false) => format!("{place}.as_ref().map({TEXT})"),
        (true, true) => format!("{place}.map({TEXT})"),
    }
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

fn one_way<'a, 't>(
    statements: &Statements<'a>,
    pair: &'a Pair,
    rust: &dyn Fn(&Column) -> &'t RustType,
    bind: &dyn Fn(&Column) -> String,
) -> Result<OneWay, RenderError> {
    let field = names::bare(&pair.new.field);
    let old = olds(statements, pair, rust);
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
        old_columns: columns.join(", "),
        up: pair.declared_up.clone(),
        agree: statements.agree(pair)?,
        demands: demand(Writes::Both)?,
        names: demand(Writes::New)?,
        old,
    })
}

/// The old columns of a one-way pair, none of another.
fn olds<'t>(
    statements: &Statements<'_>,
    pair: &Pair,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Vec<Old> {
    if !pair.is_one_way() {
        return Vec::new();
    }
    let table = statements.sides.table;
    let mut taken: Vec<String> = table
        .key_columns()
        .map(|key| names::argument(&key.field))
        .collect();
    taken.push(names::argument(&pair.new.field));
    let olds = pair.old.iter();
    olds.map(|old| {
        let rust = rust(old);
        let field = names::identifier(&old.field);
        Old {
            column: old.name.clone(),
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
            argument: names::old_argument(&old.field, &taken),
            argument_type: rust.argument(old.nullable),
            field,
        }
    })
    .collect()
}

/// The old columns with what stands for their parameters until braces are escaped.
fn any_parameters(pair: &Pair) -> Vec<(&Column, String)> {
    let olds = pair.old.iter().enumerate();
    olds.filter(|_| pair.is_one_way())
        .map(|(at, old)| (old, any_old_parameter(at)))
        .collect()
}

fn any_old_parameter(at: usize) -> String {
    format!("\u{2}{at}\u{2}")
}

pub(super) fn sql(
    statements: &Statements<'_>,
    dual: bool,
    by_array: bool,
) -> Result<BTreeMap<&'static str, Option<String>>, RenderError> {
    let table = &statements.sides.table;
    let mut sql = BTreeMap::from([
        ("select_list", Some(statements.selected.join(",\n"))),
        ("fence", Some(statements.sides.words.fence(&table.name))),
    ]);
    if table.primary_key.is_empty() {
        let insert = (!dual).then(|| statements.insert(Writes::New));
        let pending = statements.pending(statements.sides.last_pairs())?;
        sql.extend([("insert", insert.transpose()?), ("pending", Some(pending))]);
        return Ok(sql);
    }
    sql.extend([
        ("update", statements.update(Writes::New)?),
        ("delete", Some(statements.delete()?)),
        ("get", Some(statements.get()?)),
        ("list_first", Some(statements.list_first()?)),
        ("list_after", Some(statements.list_after()?)),
        ("get_many", None),
        (
            "pending",
            Some(statements.pending(statements.sides.last_pairs())?),
        ),
        ("insert", None),
        ("upsert", None),
    ]);
    if by_array {
        sql.insert("get_many", Some(statements.get_many()?));
    }
    if !dual {
        sql.insert("insert", Some(statements.insert(Writes::New)?));
        sql.insert("upsert", Some(statements.upsert(Writes::New)?));
    }
    Ok(sql)
}

/// None where no write has an old side.
pub(super) fn dual_writes(statements: &Statements<'_>) -> Result<Vec<DualWrite>, RenderError> {
    if statements.sides.dual().next().is_none() {
        return Ok(Vec::new());
    }
    let insert = dual_write("insert", INSERTS, |side| statements.insert(side))?;
    // Nothing tells rows apart, so a row is stored and not found again.
    if statements.sides.table.primary_key.is_empty() {
        return Ok(vec![insert]);
    }
    let mut writes = vec![
        insert,
        dual_write("upsert", UPSERTS, |side| statements.upsert(side))?,
        dual_write("update", UPDATES, |side| {
            Ok(statements.update(side)?.unwrap_or_default())
        })?,
    ];
    for column in &statements.sides.table.columns {
        if statements.sides.pair(column).is_some() {
            writes.push(setter(column, |side| statements.set(side, column))?);
        }
    }
    Ok(writes)
}

pub(super) const INSERTS: &str = "Stores a new row.";
pub(super) const UPSERTS: &str = "Stores a row or replaces it.";
pub(super) const UPDATES: &str = "Writes every column of a row.";

pub(super) fn setter(
    column: &Column,
    statement: impl Fn(Writes) -> Result<String, RenderError>,
) -> Result<DualWrite, RenderError> {
    let (function, does) = set_of(column);
    dual_write(&function, &does, statement)
}

/// The name of the function that writes a column alone, and what it does.
pub(super) fn set_of(column: &Column) -> (String, String) {
    let field = names::bare(&column.field);
    (
        format!("set_{field}"),
        format!("Writes `{field}` of a row."),
    )
}

pub(super) fn dual_write(
    function: &str,
    does: &str,
    statement: impl Fn(Writes) -> Result<String, RenderError>,
) -> Result<DualWrite, RenderError> {
    Ok(DualWrite {
        function: function.to_owned(),
        constant: function.to_uppercase(),
        does: does.to_owned(),
        old: statement(Writes::Old)?,
        both: statement(Writes::Both)?,
        new: statement(Writes::New)?,
    })
}

pub(super) fn pair_views<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Result<Vec<PairView>, RenderError> {
    let sides = statements.sides;
    let mut views = Vec::new();
    let fields: Vec<_> = sides.dual().map(|pair| pair.new.field.as_str()).collect();
    for pair in sides.dual() {
        let column = &pair.new;
        let old = olds(statements, pair, rust);
        let given = any_parameters(pair);
        let set = |writes| {
            let assignments = statements.fragment(writes, column, ANY_PARAMETER, &given)?;
            Ok::<_, RenderError>(format_string(&assignments, &old))
        };
        views.push(PairView {
            field: names::bare(&column.field).to_owned(),
            fragment: names::fragment(&column.field, &fields),
            column: column.name.clone(),
            set_old: set(Writes::Old)?,
            set_both: set(Writes::Both)?,
            set_new: set(Writes::New)?,
            old: old.into_iter().map(|old| old.argument).collect(),
            number: in_turn::number(&sides, column),
            old_value: sides.words.compared(column, format!("({})", pair.up)),
            new_value: sides
                .words
                .compared(column, sides.words.ident(&column.name)),
        });
    }
    Ok(views)
}

/// SQL as a format string with `{value}`, and with the parameters of old by their names.
fn format_string(sql: &str, old: &[Old]) -> String {
    let mut text = sql
        .replace('{', "{{")
        .replace('}', "}}")
        .replace(ANY_PARAMETER, "{value}");
    for (at, old) in old.iter().enumerate() {
        text = text.replace(&any_old_parameter(at), &format!("{{{}}}", old.argument));
    }
    text
}
