//! A new column that existing rows need no value of their own for: it may be NULL, or has a default.

use zdm_model::Column;
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::expressions::Written;
use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, column_shape};

pub(super) const KIND: Kind = Kind {
    name: "add_column",
    documentation: "Expand adds the column; code that knows it follows. A default that is the same for all rows is \
                    stored once and rewrites nothing. A default that differs from row to row would rewrite the table: \
                    it is set for new rows only, where the field is an `Option`. A generated column that is stored would rewrite \
                    the table too where it is added in place: there it comes with a new table alone.",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::ColumnAdded(at, column) = delta else {
        return Ok(None);
    };
    let subject = format!("{}.{}", at.table, column.name);
    if column.auto {
        return Err(ChangeError::Declaration {
            at: Box::new(at.clone()),
            subject,
            problem: "an `auto` column cannot be added to a table that exists: numbering its rows rewrites it"
                .to_owned(),
            way_on: "Create a new table with it, or leave `auto` out".to_owned(),
        });
    }
    if let Some(expression) = &column.generated {
        let rewrites = context.dialect.capabilities().alter_in_place && !column.is_virtual;
        return if rewrites {
            Err(ChangeError::Declaration {
                at: Box::new(at.clone()),
                subject,
                problem: "adding a generated column to a table that exists would write the whole table anew while nobody can \
                          use it"
                    .to_owned(),
                way_on: format!(
                    "Let code write it: `#[zdm(up = \"{expression}\")]` in the place of `generated` fills existing rows in the \
                     background. Or create a new table with it"
                ),
            })
        } else {
            Ok(Some(plain(context, at, column)))
        };
    }
    let Some(default) = &column.default else {
        if column.nullable {
            return Ok(Some(plain(context, at, column)));
        }
        return Err(ChangeError::Declaration {
            at: Box::new(at.clone()),
            subject,
            problem: "existing rows and inserts by old code have no value for it, and it is no `Option`".to_owned(),
            way_on: "Give it `default = \"…\"`, or `up = \"…\"` over the row's other columns to fill it, or make the \
                     field an `Option`"
                .to_owned(),
        });
    };
    let written = Written {
        at,
        subject: &subject,
        attribute: "default",
        text: default,
    };
    if is_stored_once(context, written)? {
        return Ok(Some(plain(context, at, column)));
    }
    if !column.nullable {
        return Err(ChangeError::Declaration {
            at: Box::new(at.clone()),
            subject,
            problem: format!(
                "the default `{default}` is no constant: adding the column with it would write the whole table anew \
                 while nobody can use it"
            ),
            way_on: "Make the field an `Option`: the default then holds for new rows only. Or give the column `up` \
                     over the row's other columns: existing rows are filled in the background, and the default holds \
                     for new rows"
                .to_owned(),
        });
    }
    Ok(Some(for_new_rows(context, at, column)))
}

/// Whether the database keeps the default beside the table's definition instead of in every row.
fn is_stored_once(context: &Context<'_>, written: Written<'_>) -> Result<bool, ChangeError> {
    let functions = context
        .dialect
        .functions_in(&context.dialect.default_of(written.text))
        .map_err(|source| written.mistaken(source))?;
    Ok(functions.iter().all(|function| {
        context.dialect.capabilities().stable_default
            && context.dialect.is_stable_function(function)
    }))
}

fn described(at: &Place, column: &Column) -> Change {
    let subject = format!("{}.{}", at.table, column.name);
    Change::new(at, Route::Direct, format!("add the column `{subject}`")).because(
        Phase::Expand,
        format!("{subject} has to be there before code that names it"),
    )
}

fn plain(context: &Context<'_>, at: &Place, column: &Column) -> Change {
    let shape = column_shape(column, context.dialect);
    described(at, column)
        .alter(Section::Expand, at, Alteration::AddColumn(shape))
        .comment(Section::Expand, at, column)
}

fn for_new_rows(context: &Context<'_>, at: &Place, column: &Column) -> Change {
    let mut shape = column_shape(column, context.dialect);
    let default = shape.default.take();
    described(at, column)
        .alter(Section::Expand, at, Alteration::AddColumn(shape))
        .alter(
            Section::Expand,
            at,
            Alteration::SetDefault(column.name.clone(), default),
        )
        .comment(Section::Expand, at, column)
}
