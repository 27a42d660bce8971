//! Columns that come into a table out of one that stays, which holds at most one row for each of its rows.

use zdm_model::Column;
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::columns_found::Found;
use super::merge::{because, kept_together, with_move};
use super::terms::Terms;
use crate::changes::{Change, ChangeError, Context, Kind};
use crate::diff::{self, Delta, Place};
use crate::plan::Alteration;

pub(in crate::changes) const KIND: Kind = Kind {
    name: "move_columns",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::ColumnAdded(at, column) = delta else {
        return Ok(None);
    };
    let tables = context.before(&at.table).zip(context.to.table(&at.table));
    let Some((declared, (before, main))) = column.moved_from.as_ref().zip(tables) else {
        return Ok(None);
    };
    let found = Found {
        terms: Terms {
            context,
            at,
            subject: &main.name,
        },
        before,
        main,
        source: &declared.table,
        column,
    };
    let moved = found.moved()?;
    let names = |columns: Vec<String>| columns.join(", ");
    let columns = moved.columns.iter();
    let line = format!(
        "move {} to {}",
        names(
            columns
                .clone()
                .map(|(_, old)| format!("`{}.{}`", moved.part, old.name))
                .collect()
        ),
        names(
            columns
                .map(|(new, _)| format!("`{}.{}`", moved.main, new.name))
                .collect()
        ),
    );
    let on_part = Place {
        table: moved.part.clone(),
        source: at.source.clone(),
    };
    let change = because(Change::new(at, Route::FivePhases, line), &moved).because(
        Phase::Contract,
        format!(
            "the columns of {} go only when no instance names them",
            moved.part
        ),
    );
    let mut change = kept_together(change, context, at, &on_part, &moved);
    for (_, old) in &moved.columns {
        let drop = Alteration::DropColumn(old.name.clone());
        change = change.alter(Section::Drop, &on_part, drop);
    }
    Ok(Some(with_move(change, moved)))
}

/// The first column that comes into a table out of this one says it for all of them.
pub(super) fn is_first(context: &Context<'_>, main: &str, column: &Column) -> bool {
    let (Some(main), Some(declared)) = (context.to.table(main), &column.moved_from) else {
        return false;
    };
    let first = main.columns.iter().find(|other| {
        let moved = diff::moved_into(context.from, main, other);
        moved.is_some_and(|(moved, _)| moved.table == declared.table)
    });
    first.is_none_or(|first| first.name == column.name)
}

/// A `moved_from` that says nothing: of a table that is new, or of a column that was there, while what it names goes.
pub(in crate::changes) fn nothing_moves(context: &Context<'_>) -> Vec<ChangeError> {
    let mut mistakes = Vec::new();
    for main in &context.to.tables {
        let before = context.before(&main.name);
        for column in &main.columns {
            let Some(declared) = &column.moved_from else {
                continue;
            };
            let source = context.before(&declared.table);
            let was_there = source.is_some_and(|source| source.column(&declared.column).is_some());
            let was = format!("`{}.{}`", declared.table, declared.column);
            let (problem, way_on) = match before {
                None if was_there => (
                    format!("the table is new, so {was} would not come into it"),
                    format!(
                        "Say `split_from` on the struct if {} has a row for each of its rows; or create the table in a version of its \
                         own first",
                        declared.table
                    ),
                ),
                Some(before)
                    if before.column(&column.name).is_some()
                        && context.goes(&declared.table, &declared.column) =>
                {
                    (
                        format!(
                            "it was there before, so the values of {was} would go with their column"
                        ),
                        format!(
                            "Let {was} come as a column of another name, or leave it where it is; `moved_from` is spent where nothing \
                             moves any more"
                        ),
                    )
                }
                _ => continue,
            };
            let at = Place {
                table: main.name.clone(),
                source: main.source.clone(),
            };
            let terms = Terms {
                context,
                at: &at,
                subject: &main.name,
            };
            mistakes.push(terms.mistake_about(column, problem, &way_on));
        }
    }
    mistakes
}
