//! A new column that existing rows need no value of their own for: it may be NULL, or has a default.

use zdm_model::Column;
use zdm_runtime::manifest::{Route, SmallTable};
use zdm_runtime::phase::{Phase, Section};

use super::expressions::Written;
use super::{Change, ChangeError, Context, Kind, at_once, refused_writes};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, column_shape};

pub(super) const KIND: Kind = Kind {
    name: "add_column",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::ColumnAdded(at, column) = delta else {
        return Ok(None);
    };
    let subject = format!("{}.{}", at.table, column.name);
    if let Some(refused) = refused(context, at, column)? {
        return if !context.dialect.capabilities().alter_in_place {
            Err(refused)
        } else if let Some(small) = context.small(&at.table) {
            Ok(Some(to_rows(context, at, column, small)))
        } else {
            Err(refused.unless_small())
        };
    }
    if column.generated.is_none() && column.default.is_none() && !column.nullable {
        return Err(ChangeError::Declaration {
            at: Box::new(at.clone()),
            subject,
            problem: "existing rows and inserts by old code have no value for it, and it is no `Option`".to_owned(),
            way_on: "Give it `default = \"…\"`, or `up = \"…\"` over the row's other columns to fill it, or make the \
                     field an `Option`"
                .to_owned(),
        });
    }
    Ok(Some(match &column.default {
        Some(default) if !is_stored_once(context, at, column, default)? => {
            for_new_rows(context, at, column)
        }
        _ => plain(context, at, column),
    }))
}

/// Why a column is refused that would give every row a value of its own.
fn refused(
    context: &Context<'_>,
    at: &Place,
    column: &Column,
) -> Result<Option<ChangeError>, ChangeError> {
    let refused = |problem: String, way_on: String| {
        Ok(Some(ChangeError::Declaration {
            at: Box::new(at.clone()),
            subject: format!("{}.{}", at.table, column.name),
            problem,
            way_on,
        }))
    };
    if column.auto {
        return refused(
            "an `auto` column cannot be added to a table that exists: numbering its rows rewrites it".to_owned(),
            "Create a new table with it, or leave `auto` out".to_owned(),
        );
    }
    let is_stored = context.dialect.capabilities().alter_in_place && !column.is_virtual;
    if let Some(expression) = column.generated.as_ref().filter(|_| is_stored) {
        return refused(
            "adding a generated column to a table that exists would write the whole table anew while nobody can use it"
                .to_owned(),
            format!(
                "Let code write it: `#[zdm(up = \"{expression}\")]` in the place of `generated` fills existing rows in the \
                 background. Or create a new table with it"
            ),
        );
    }
    match &column.default {
        Some(default)
            if !column.nullable && !is_stored_once(context, at, column, default)? =>
        {
            refused(
                format!(
                    "the default `{default}` is no constant: adding the column with it would write the whole table anew \
                     while nobody can use it"
                ),
                "Make the field an `Option`: the default then holds for new rows only. Or give the column `up` over the row's \
                 other columns: existing rows are filled in the background, and the default holds for new rows"
                    .to_owned(),
            )
        }
        _ => Ok(None),
    }
}

/// Whether the database keeps the default beside the table's definition instead of in every row.
fn is_stored_once(
    context: &Context<'_>,
    at: &Place,
    column: &Column,
    default: &str,
) -> Result<bool, ChangeError> {
    let written = Written {
        at,
        subject: &format!("{}.{}", at.table, column.name),
        attribute: "default",
        text: default,
    };
    context
        .dialect
        .is_stored_once(&context.dialect.default_of(default))
        .map_err(|source| written.mistaken(source))
}

fn described(at: &Place, column: &Column) -> Change {
    let subject = format!("{}.{}", at.table, column.name);
    Change::new(at, Route::Direct, format!("add the column `{subject}`")).because(
        Phase::Expand,
        format!("{subject} has to be there before code that names it"),
    )
}

/// All rows get their values at once. Old code does not name the column.
fn to_rows(context: &Context<'_>, at: &Place, column: &Column, small: &SmallTable) -> Change {
    let change = plain(context, at, column).because(Phase::Expand, at_once(small));
    match refused_writes(context, column) {
        Some(reason) => change.because(Phase::Expand, reason),
        None => change,
    }
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
