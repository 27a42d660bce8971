//! A column that the database counts in another way, or no longer.

use zdm_model::{Column, Counted, Table};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::{Alteration, Counting};

pub(super) const KIND: Kind = Kind {
    name: "change_auto",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::AutoChanged(at, old, new) = delta else {
        return Ok(None);
    };
    let Some(before) = context.before(&at.table) else {
        return Ok(None);
    };
    let meets = !new.auto && is_told_apart_by(before, &old.name);
    if !context.dialect.capabilities().alter_in_place || !old.auto || meets {
        return Ok(None);
    }
    let (from, to) = (counting(old), counting(new));
    let subject = format!("{}.{}", at.table, new.name);
    let line = match to {
        None => format!("count `{subject}` no longer"),
        Some(to) => format!("count `{subject}` by `{}`", to.words()),
    };
    let set = |from, to| Alteration::SetCounting(new.name.clone(), from, to);
    // What new code may do while old code is there.
    let meanwhile = match (from, to) {
        (Some(Counting::Always), None) | (Some(Counting::Serial), Some(Counting::Always)) => {
            Some(Counting::ByDefault)
        }
        (_, None | Some(Counting::Always)) => from,
        _ => to,
    };
    let route = if meanwhile == to {
        Route::Direct
    } else {
        Route::ExpandContract
    };
    let mut change = Change::new(at, route, line);
    if meanwhile != from {
        change = change
            .because(
                Phase::Expand,
                if to.is_none() {
                    "new code gives numbers of its own, which `GENERATED ALWAYS` refuses"
                } else {
                    "the numbers go on where they stand, and no insert of old or new code names the column"
                },
            )
            .alter(Section::Expand, at, set(from, meanwhile));
    }
    if meanwhile != to {
        let (reason, lost) = match to {
            None => (
                format!("old code leaves {subject} to the database, and goes first"),
                format!("code gives the numbers of {subject} by then"),
            ),
            Some(_) => (
                format!("old code may give {subject} a number, and goes first"),
                "every instance leaves the number to the database by then".to_owned(),
            ),
        };
        change = change.because(Phase::Contract, reason).alter_for_good(
            Section::Drop,
            at,
            set(meanwhile, to),
            lost,
        );
    }
    Ok(Some(change))
}

/// How the database counts the column, where it does.
pub(super) fn counting(column: &Column) -> Option<Counting> {
    column.auto.then_some(match column.counted {
        None => Counting::ByDefault,
        Some(Counted::Always) => Counting::Always,
        Some(Counted::Serial) => Counting::Serial,
    })
}

/// Whether two rows with the same value in the column could be refused.
fn is_told_apart_by(table: &Table, column: &str) -> bool {
    let names = |columns: &[String]| columns.iter().any(|name| name == column);
    let mut indexes = table.indexes.iter().filter(|index| index.unique);
    let mut uniques = table.uniques.iter();
    names(&table.primary_key)
        || indexes.any(|index| names(&index.columns))
        || uniques.any(|unique| names(&unique.columns))
}
