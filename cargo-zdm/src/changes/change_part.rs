//! An index or a constraint whose definition changes while its name stays.

use zdm_model::{Check, Exclusion, ForeignKey, Index, Unique, names};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::Section;

use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Part, Place};
use crate::plan::{Alteration, Drafted};

pub(super) const KIND: Kind = Kind {
    name: "change_part",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Some((at, part, name)) = changed(delta) else {
        return Ok(None);
    };
    refuse_to_weaken(at, delta)?;
    let beside = names::beside(name);
    let Some((added, removed)) = halves(delta, &beside) else {
        return Ok(None);
    };
    let mut comes = super::claim(context, &added)?;
    let goes = super::claim(context, &removed)?;
    let (from, until) = (last(&comes), last(&goes).unwrap_or(Section::Drop));
    let line = format!("change the {} `{name}` of `{}`", part.name(), at.table);
    let route = widest(comes.route, goes.route);
    let mut change = Change::new(at, route, line);
    let mut going = goes.alterations;
    if from.is_some_and(|from| until < from) {
        // The name is free by then.
        let Some((added, _)) = halves(delta, name) else {
            return Ok(None);
        };
        comes = super::claim(context, &added)?;
    } else {
        let rename = Alteration::Rename(part, beside, name.to_owned());
        let together = from == Some(until);
        for drafted in &mut going {
            drafted.late = together;
        }
        going.push(Drafted {
            section: until,
            table: at.table.clone(),
            alteration: rename,
            no_way_back: None,
            late: true,
            source: at.source.clone(),
        });
    }
    change.reasons = [comes.reasons, goes.reasons].concat();
    change.alterations = [comes.alterations, going].concat();
    Ok(Some(change))
}

fn last(change: &Change) -> Option<Section> {
    change
        .alterations
        .iter()
        .map(|drafted| drafted.section)
        .max()
}

fn widest(one: Route, other: Route) -> Route {
    let routes = [one, other];
    let is = |route| routes.contains(&route);
    if is(Route::FivePhases) {
        Route::FivePhases
    } else if is(Route::ExpandContract) {
        Route::ExpandContract
    } else {
        Route::Direct
    }
}

fn changed(delta: &Delta) -> Option<(&Place, Part, &str)> {
    Some(match delta {
        Delta::IndexChanged(at, _, after) => (at, Part::Index, &after.name),
        Delta::UniqueChanged(at, _, after) => (at, Part::Unique, &after.name),
        Delta::CheckChanged(at, _, after) => (at, Part::Check, &after.name),
        Delta::ExclusionChanged(at, _, after) => (at, Part::Exclusion, &after.name),
        Delta::ForeignKeyChanged(at, _, after) => (at, Part::ForeignKey, &after.name),
        _ => return None,
    })
}

/// The new definition under this name as something that comes, and the old one as something that goes.
fn halves(delta: &Delta, name: &str) -> Option<(Delta, Delta)> {
    let name = name.to_owned();
    Some(match delta.clone() {
        Delta::IndexChanged(at, before, after) => (
            Delta::IndexAdded(at.clone(), Index { name, ..after }),
            Delta::IndexRemoved(at, before),
        ),
        Delta::UniqueChanged(at, before, after) => (
            Delta::UniqueAdded(at.clone(), Unique { name, ..after }),
            Delta::UniqueRemoved(at, before),
        ),
        Delta::CheckChanged(at, before, after) => (
            Delta::CheckAdded(at.clone(), Check { name, ..after }),
            Delta::CheckRemoved(at, before),
        ),
        Delta::ExclusionChanged(at, before, after) => (
            Delta::ExclusionAdded(at.clone(), Exclusion { name, ..after }),
            Delta::ExclusionRemoved(at, before),
        ),
        Delta::ForeignKeyChanged(at, before, after) => (
            Delta::ForeignKeyAdded(at.clone(), ForeignKey { name, ..after }),
            Delta::ForeignKeyRemoved(at, before),
        ),
        _ => return None,
    })
}

/// What was compared with every row is not taken for something that was not.
fn refuse_to_weaken(at: &Place, delta: &Delta) -> Result<(), ChangeError> {
    let (name, weaker) = match delta {
        Delta::CheckChanged(_, before, after) => {
            (&after.name, after.not_valid && !before.not_valid)
        }
        Delta::ForeignKeyChanged(_, before, after) => {
            (&after.name, after.not_valid && !before.not_valid)
        }
        _ => return Ok(()),
    };
    if !weaker {
        return Ok(());
    }
    Err(ChangeError::Unclaimed {
        at: Box::new(at.clone()),
        what: format!("`not_valid` on {name}, which holds for every row,"),
        reason: "only a constraint that is added can be left uncompared".to_owned(),
        way_on:
            "Leave `not_valid` out; or give what it shall say now another name, with `not_valid`"
                .to_owned(),
    })
}
