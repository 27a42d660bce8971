//! The statements that ask about a pair.
//!
//! Comes in: a pair of the plan. Goes out: SQL out of `templates/<dialect>/measure/`.
//! Must not know: any connection.

use std::iter::repeat;

use serde::Serialize;
use zdm_model::{Column, LogicalType, OnInvalid};

use crate::dialect::{Dialect, DialectError};
use crate::plan::{Function, Pair};

/// So many rows are named.
const EXAMPLES: usize = 3;

/// What is asked about a pair.
pub(super) struct Question {
    /// Columns that the table must have.
    pub(super) needs: Vec<String>,
    /// What the pair declares: the attribute, and a statement that has the database read it.
    pub(super) declared: Vec<(String, String)>,
    /// The columns of the table `$1`.
    pub(super) columns: String,
    /// The rights that the role lacks on the table `$1`, as the statements that give them.
    pub(super) grants: String,
    /// Statements that come first, in the same transaction.
    pub(super) preparation: String,
    /// One row: all rows; per kind of finding their number and the first few as JSON.
    pub(super) rows: String,
    /// A row per value at the edges of the type: `[value, refused, changed, what came back]`.
    pub(super) edges: Option<String>,
}

/// What the templates see.
#[derive(Clone, Serialize)]
struct View {
    table: String,
    /// The key columns as text.
    key: Vec<String>,
    inputs: Vec<Side>,
    new: Side,
    old: Vec<Side>,
    /// The old column is split into several, so that the way back reads it too.
    split: bool,
    /// There is a way back to try.
    returns: bool,
    up: String,
    valid_if: Option<String>,
    /// The condition under which a row has no conversion, as far as the row itself tells.
    invalid: Option<String>,
    /// A NULL out of `up` is no conversion.
    null_fails: bool,
    /// … of a row that has something to convert.
    given: bool,
    edges: Vec<String>,
    examples: usize,
    /// The condition under which the way back and there has led to the same new value.
    again: String,
}

#[derive(Clone, Serialize)]
struct Side {
    name: String,
    r#type: String,
    nullable: bool,
    down: String,
    /// The condition under which the way there and back has led to the same old value.
    returned: String,
}

pub(super) fn question(pair: &Pair, dialect: &Dialect) -> Result<Question, DialectError> {
    let view = view(pair, dialect);
    let key = pair.key.iter().filter(|_| pair.addresses.is_none());
    let named = pair.inputs.iter().chain(&pair.old).chain(key);
    let mut needs: Vec<String> = named.map(|column| column.name.clone()).collect();
    needs.sort();
    needs.dedup();
    Ok(Question {
        needs,
        declared: declared(&view, dialect),
        columns: dialect.render("measure/columns", &view)?,
        grants: dialect.render("measure/grants", &view)?,
        preparation: if dialect.capabilities().total_functions {
            dialect.render("measure/attempts", over_parameters(pair, dialect, &view))?
        } else {
            String::new()
        },
        rows: dialect.render("measure/rows", &view)?,
        edges: if view.edges.is_empty() {
            None
        } else {
            Some(dialect.render("measure/edges", &view)?)
        },
    })
}

/// The same with parameters for columns, in functions whose language has variables of its own.
fn over_parameters(pair: &Pair, dialect: &Dialect, view: &View) -> View {
    let names = pair.inputs.iter().chain(&pair.old).chain([&pair.new]);
    let parameters: Vec<(&str, String)> = names
        .map(|column| {
            let parameter = dialect.ident(&Function::parameter(&column.name));
            (column.name.as_str(), parameter)
        })
        .collect();
    let replacements: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, parameter)| (*name, parameter.as_str()))
        .collect();
    // What does not parse was refused before there was a pair.
    let bound = |text: &String| {
        dialect
            .bind(text, &replacements)
            .unwrap_or_else(|_| text.clone())
    };
    let side = |side: &Side| Side {
        name: Function::parameter(&side.name),
        down: bound(&side.down),
        ..side.clone()
    };
    View {
        inputs: view.inputs.iter().map(side).collect(),
        new: side(&view.new),
        old: view.old.iter().map(side).collect(),
        up: bound(&view.up),
        valid_if: view.valid_if.as_ref().map(bound),
        ..view.clone()
    }
}

/// Each expression alone, over the columns that it may name.
fn declared(view: &View, dialect: &Dialect) -> Vec<(String, String)> {
    let table = dialect.relation(&view.table);
    let over_old = |attribute: &str, expression: &String| {
        let sql = format!("SELECT {expression} FROM {table}");
        (attribute.to_owned(), sql)
    };
    let (new, new_type) = (dialect.ident(&view.new.name), &view.new.r#type);
    let downs = view
        .old
        .iter()
        .filter(|old| view.returns && !old.down.is_empty());
    let downs = downs.map(|old| {
        let (name, down) = (&old.name, &old.down);
        let beside = if view.split {
            let old_type = &old.r#type;
            format!(", CAST(NULL AS {old_type}) AS {}", dialect.ident(name))
        } else {
            String::new()
        };
        let row = format!("SELECT CAST(NULL AS {new_type}) AS {new}{beside}");
        let sql = format!("SELECT {down} FROM ({row}) AS zdm_row");
        (format!("down({name} = …)"), sql)
    });
    let valid_if = view.valid_if.iter().map(|text| over_old("valid_if", text));
    std::iter::once(over_old("up", &view.up))
        .chain(valid_if)
        .chain(downs)
        .collect()
}

fn view(pair: &Pair, dialect: &Dialect) -> View {
    let side = |column: &Column, down: &str| Side {
        name: column.name.clone(),
        r#type: dialect.uncollated_type_of(column),
        nullable: column.nullable,
        down: down.to_owned(),
        returned: String::new(),
    };
    let waits = matches!(
        pair.on_invalid,
        Some(OnInvalid::Quarantine | OnInvalid::Reject)
    );
    let downs = pair.down.iter().map(|down| alone(pair, dialect, down));
    let downs = downs.chain(repeat(String::new()));
    let old = (1..).zip(&pair.old).zip(downs);
    let old = old.map(|((nth, column), down)| Side {
        returned: dialect.agrees(
            column,
            &format!("tried.zdm_back_{nth}"),
            &format!("zdm_row.{}", dialect.ident(&column.name)),
        ),
        ..side(column, &down)
    });
    View {
        table: pair.table.clone(),
        key: pair
            .key
            .iter()
            .map(|column| dialect.key_text(column, &dialect.ident(&column.name)))
            .collect(),
        inputs: pair.inputs.iter().map(|column| side(column, "")).collect(),
        new: side(&pair.new, ""),
        old: old.collect(),
        split: !pair.split.is_empty(),
        returns: !pair.down.is_empty(),
        up: pair.declared_up.clone(),
        valid_if: pair.valid_if.clone(),
        invalid: dialect.invalid(
            pair.valid_if.as_deref(),
            &pair.declared_up,
            pair.new.logical_type,
        ),
        null_fails: !pair.optional || waits,
        given: pair.optional,
        edges: edges(pair, dialect),
        examples: EXAMPLES,
        again: dialect.agrees(&pair.new, "zdm_again", "zdm_new"),
    }
}

/// The way back over the new column alone: what an old column is split into beside it is as the row has it.
fn alone(pair: &Pair, dialect: &Dialect, down: &str) -> String {
    let others = pair.split.iter();
    let others = others.filter(|part| part.column.name != pair.new.name);
    let others: Vec<(&str, String)> = others
        .map(|part| (part.column.name.as_str(), format!("({})", part.up)))
        .collect();
    let others: Vec<(&str, &str)> = others
        .iter()
        .map(|(name, up)| (*name, up.as_str()))
        .collect();
    // What does not parse was refused before there was a pair.
    dialect
        .bind(down, &others)
        .unwrap_or_else(|_| down.to_owned())
}

/// None where there is no way back to try them on, where a part alone has none, or where the type is the user's own.
fn edges(pair: &Pair, dialect: &Dialect) -> Vec<String> {
    let own = pair.new.sql_type.is_some() && pair.new.logical_type != LogicalType::Text;
    let known = dialect.edges(pair.new.logical_type);
    if pair.down.is_empty() || !pair.split.is_empty() || own || known.is_empty() {
        return Vec::new();
    }
    let null = pair.optional.then(|| "NULL".to_owned());
    known.iter().cloned().chain(null).collect()
}
