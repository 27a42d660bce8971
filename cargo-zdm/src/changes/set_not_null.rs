//! A column that may no longer be NULL.

use zdm_model::{Expression, Transition};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::conversion::{Conversion, Way};
use super::{Change, ChangeError, Context, Kind, no_longer_called};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "set_not_null",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::NullabilityChanged(at, _, new) = delta else {
        return Ok(None);
    };
    let (Some(table), false) = (context.before(&at.table), new.nullable) else {
        return Ok(None);
    };
    // A default that differs from moment to moment would be read as another value each time.
    let steady = |default: &String| matches!(context.dialect.changing_in(default), Ok(None));
    let by_default = || {
        let default = new.default.clone().filter(steady)?;
        Some(Transition {
            up: Some(Expression::Any(default)),
            ..Transition::default()
        })
    };
    let transition = new.transition.clone().or_else(by_default);
    let transition = transition.unwrap_or_default();
    let way = Way {
        context,
        at,
        table,
        old: &[],
        new,
        transition: &transition,
    };
    let Conversion { pair, function } = way.filling()?;
    let subject = format!("{}.{}", at.table, new.name);
    let mut change = Change::new(
        at,
        Route::FivePhases,
        format!("make `{subject}` NOT NULL, and fill it where it is NULL"),
    )
    .because(
        Phase::DualWrite,
        format!("old instances write NULL to {subject} until they are gone"),
    )
    .because(
        Phase::Backfill,
        format!("rows from before have NULL in {subject}"),
    )
    .because(
        Phase::SwitchReads,
        format!("{subject} refuses NULL once no row has one"),
    );
    if let Some(function) = &function {
        let create = Alteration::CreateFunction(function.clone());
        let reason = format!(
            "{} has to be there before code that reads by it",
            function.name
        );
        change = change
            .because(Phase::Expand, reason)
            .alter(Section::Expand, at, create);
    }
    change = change.alter(
        Section::SwitchReads,
        at,
        Alteration::SetNotNull(new.name.clone()),
    );
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
