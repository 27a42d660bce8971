//! The columns that a write may change beside others, for rows that a condition finds.
//!
//! Must not know: whole statements.

use serde::Serialize;
use zdm_model::Column;
use zdm_runtime::Writes;

use super::one_way::{ANY_PARAMETER, format_string};
use super::writes::as_text;
use crate::plan::Pair;
use crate::render::rust::RenderError;
use crate::render::rust::names::{self, RustType};
use crate::render::rust::statements::Statements;
use crate::render::rust::words;

/// The struct with an `Option` per column.
#[derive(Debug, Serialize)]
pub(super) struct Changes {
    name: String,
    /// Its values are borrowed.
    borrows: bool,
    fields: Vec<Change>,
    /// A row's key as a condition, with `{key_1}` and so on for its parameters.
    key: String,
}

#[derive(Debug, Serialize)]
struct Change {
    field: String,
    identifier: String,
    argument: String,
    argument_type: String,
    bind: String,
    sql_type: String,
    /// What is assigned to `{value}`; `None` where the stage decides.
    assignment: Option<String>,
}

/// `None` where columns move between tables, since a condition would have to know both, and where there is nothing to change.
pub(super) fn changes<'t>(
    statements: &Statements<'_>,
    model: &str,
    repository: &str,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Result<Option<Changes>, RenderError> {
    if statements.moves() {
        return Ok(None);
    }
    let table = statements.sides.table;
    let mut fields = Vec::new();
    for column in table.written_columns() {
        let pair = statements.sides.pair(column);
        let counts = statements.sides.version == Some(&column.name);
        if table.primary_key.contains(&column.name) || pair.is_some_and(Pair::is_one_way) || counts
        {
            continue;
        }
        let argument = names::argument(&column.field);
        let assigned = || statements.fragment(Writes::New, column, ANY_PARAMETER, &[]);
        fields.push(Change {
            field: names::bare(&column.field).to_owned(),
            identifier: names::identifier(&column.field),
            sql_type: rust(column).sql_type(column.nullable),
            argument_type: rust(column).argument(column.nullable).replace('&', "&'a "),
            bind: match words::cast(column) {
                Some(_) => as_text(column, &argument, true),
                None => argument.clone(),
            },
            argument,
            assignment: match pair {
                None => Some(format_string(&assigned()?, &[])),
                Some(_) => None,
            },
        });
    }
    Ok((!fields.is_empty()).then(|| Changes {
        name: names::changes(model, repository),
        borrows: { fields.iter() }.any(|field| field.argument_type.contains('&')),
        fields,
        key: key(statements),
    }))
}

fn key(statements: &Statements<'_>) -> String {
    let keys = statements.sides.table.key_columns().enumerate();
    let keys = keys.map(|(at, key)| {
        let equals = format_string(&statements.equals(key, ANY_PARAMETER), &[]);
        equals.replace("{value}", &format!("{{key_{}}}", at + 1))
    });
    keys.collect::<Vec<_>>().join(" AND ")
}
