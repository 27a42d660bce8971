//! A new column that `up` computes from the row for those that exist.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::conversion::{Conversion, Way};
use super::replace_column::arrive;
use super::{Change, ChangeError, Context, Kind, no_longer_called};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "fill_column",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::ColumnAdded(at, new) = delta else {
        return Ok(None);
    };
    let (Some(table), Some(transition)) = (context.before(&at.table), &new.transition) else {
        return Ok(None);
    };
    let way = Way {
        context,
        at,
        table,
        old: &[],
        new,
        transition,
    };
    let Conversion { pair, function } = way.filling()?;
    let subject = format!("{}.{}", at.table, new.name);
    let mut change = Change::new(
        at,
        Route::FivePhases,
        format!("add the column `{subject}` and fill it"),
    )
    .because(
        Phase::Expand,
        format!("{subject} has to be there before any code writes it"),
    )
    .because(
        Phase::DualWrite,
        format!("old instances insert rows without {subject} until they are gone"),
    )
    .because(
        Phase::Backfill,
        format!("rows from before have no {subject} yet"),
    )
    .because(
        Phase::SwitchReads,
        format!("{subject} becomes NOT NULL once every row has it"),
    );
    change = arrive(context, change, at, (&[], new), function.as_ref());
    if let Some(function) = function {
        change = change.because(Phase::Contract, no_longer_called(&function.name));
        change = change.alter_for_good(
            Section::Drop,
            at,
            Alteration::DropFunction(function),
            "no code reads by it any more".to_owned(),
        );
    }
    change.pair = Some(pair);
    Ok(Some(change))
}
