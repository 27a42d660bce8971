//! The statements of a table and the sides that they write.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::Column;
use zdm_runtime::Writes;

use super::bulk;
use super::in_turn;
use super::one_way::{ANY_PARAMETER, OneWay, any_parameters, format_string, olds, one_way};
use crate::render::rust::RenderError;
use crate::render::rust::names::{self, RustType};
use crate::render::rust::statements::Statements;
use crate::render::rust::words;

/// The function that writes one field.
#[derive(Debug, Serialize)]
pub(super) struct Setter {
    field: String,
    constant: String,
    argument: String,
    argument_type: String,
    bind: String,
    sql_type: String,
    sql: Option<String>,
    /// It comes out of a table that goes.
    moved: bool,
    /// Its pair, where that is one-way: old values are arguments too.
    one_way: Option<OneWay>,
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
    /// What stands for it in a condition: none where only a function could say it.
    old_value: Option<String>,
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
        let counts = statements.sides.version == Some(&column.name);
        if table.primary_key.is_empty() || table.primary_key.contains(&column.name) || counts {
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
            sql_type: rust(column).sql_type(column.nullable),
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
pub(super) fn dual_writes<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Result<Vec<DualWrite>, RenderError> {
    if statements.sides.dual().next().is_none() {
        return Ok(Vec::new());
    }
    let mut writes = vec![dual_write("insert", INSERTS, |side| {
        statements.insert(side)
    })?];
    if let Some(rows) = bulk::rows(statements, rust) {
        writes.push(dual_write("insert_many", INSERTS_MANY, |side| {
            statements.insert_many(side, rows)
        })?);
    }
    // Nothing tells rows apart, so a row is stored and not found again.
    if statements.sides.table.primary_key.is_empty() {
        return Ok(writes);
    }
    writes.extend([
        dual_write("upsert", UPSERTS, |side| statements.upsert(side))?,
        dual_write("update", UPDATES, |side| {
            Ok(statements.update(side)?.unwrap_or_default())
        })?,
    ]);
    for column in &statements.sides.table.columns {
        if statements.sides.pair(column).is_some() {
            writes.push(setter(column, |side| statements.set(side, column))?);
        }
    }
    Ok(writes)
}

pub(super) const INSERTS: &str = "Stores a new row.";
pub(super) const INSERTS_MANY: &str = "Stores new rows.";
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
        let old = olds(&statements.sides, pair, rust);
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
            old_value: pair
                .with
                .is_none()
                .then(|| sides.words.compared(column, format!("({})", pair.up))),
            new_value: sides
                .words
                .compared(column, sides.words.ident(&column.name)),
        });
    }
    Ok(views)
}
