//! The statements of a table and the sides that they write.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::Column;
use zdm_runtime::Writes;

use crate::render::rust::RenderError;
use crate::render::rust::names::{self, RustType};
use crate::render::rust::statements::Statements;

/// Stands for a parameter of any name until braces are escaped.
const ANY_PARAMETER: &str = "\u{1}";

/// The function that writes one field.
#[derive(Debug, Serialize)]
pub(super) struct Setter {
    field: String,
    constant: String,
    argument: String,
    argument_type: String,
    sql: Option<String>,
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
    old_value: String,
    new_value: String,
}

pub(super) fn setters<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Result<Vec<Setter>, RenderError> {
    let table = statements.sides.table;
    let mut setters = Vec::new();
    for column in &table.columns {
        if table.primary_key.contains(&column.name) {
            continue;
        }
        let plain = statements.sides.pair(column).is_none();
        setters.push(Setter {
            constant: format!("SET_{}", names::bare(&column.field).to_uppercase()),
            argument: names::argument(&column.field),
            argument_type: rust(column).argument(column.nullable),
            sql: if plain {
                Some(statements.set(Writes::New, column)?)
            } else {
                None
            },
            field: names::bare(&column.field).to_owned(),
        });
    }
    Ok(setters)
}

pub(super) fn sql(
    statements: &Statements<'_>,
    dual: bool,
    by_array: bool,
) -> Result<BTreeMap<&'static str, Option<String>>, RenderError> {
    let update = statements.update(Writes::New)?;
    let mut sql = BTreeMap::from([
        ("update", update),
        ("delete", Some(statements.delete()?)),
        ("get", Some(statements.get()?)),
        ("list_first", Some(statements.list_first()?)),
        ("list_after", Some(statements.list_after()?)),
        ("get_many", None),
        ("select_list", Some(statements.selected.join(",\n"))),
        (
            "fence",
            Some(statements.sides.words.fence(&statements.sides.table.name)),
        ),
        ("pending", Some(statements.pending()?)),
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

pub(super) fn dual_writes(statements: &Statements<'_>) -> Result<Vec<DualWrite>, RenderError> {
    let mut writes = vec![
        dual_write("insert", "Stores a new row.", |side| {
            statements.insert(side)
        })?,
        dual_write("upsert", "Stores a row or replaces it.", |side| {
            statements.upsert(side)
        })?,
        dual_write("update", "Writes every column of a row.", |side| {
            Ok(statements.update(side)?.unwrap_or_default())
        })?,
    ];
    for column in &statements.sides.table.columns {
        if statements.sides.pair(column).is_some() {
            let does = format!("Writes `{}` of a row.", names::bare(&column.field));
            let function = format!("set_{}", names::bare(&column.field));
            writes.push(dual_write(&function, &does, |side| {
                statements.set(side, column)
            })?);
        }
    }
    Ok(writes)
}

fn dual_write(
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

pub(super) fn pair_views(statements: &Statements<'_>) -> Result<Vec<PairView>, RenderError> {
    let sides = statements.sides;
    let mut views = Vec::new();
    let fields: Vec<_> = sides.dual().map(|pair| pair.new.field.as_str()).collect();
    for pair in sides.dual() {
        let column = &pair.new;
        let set = |writes| {
            let assignments = statements.fragment(writes, column, ANY_PARAMETER)?;
            Ok::<_, RenderError>(format_string(&assignments))
        };
        views.push(PairView {
            field: names::bare(&column.field).to_owned(),
            fragment: names::fragment(&column.field, &fields),
            column: column.name.clone(),
            set_old: set(Writes::Old)?,
            set_both: set(Writes::Both)?,
            set_new: set(Writes::New)?,
            old_value: format!("({})", pair.up),
            new_value: sides.words.ident(&column.name),
        });
    }
    Ok(views)
}

/// SQL as a format string with `{value}`.
fn format_string(sql: &str) -> String {
    sql.replace('{', "{{")
        .replace('}', "}}")
        .replace(ANY_PARAMETER, "{value}")
}
