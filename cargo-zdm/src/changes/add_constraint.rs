//! A new check, exclusion constraint or foreign key on a table that exists.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::named::{named_by, of};
use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, CheckShape, ExclusionShape, ForeignKeyShape};

pub(super) const KIND: Kind = Kind {
    name: "add_constraint",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let (at, name, named, alteration) = match delta {
        Delta::CheckAdded(at, check) => (
            at,
            format!("check `{}`", check.name),
            of(&at.table, &context.columns_of(&[], Some(&check.expr))),
            Alteration::AddCheck(CheckShape::from(check)),
        ),
        Delta::ExclusionAdded(at, exclusion) => (
            at,
            format!("exclusion constraint `{}`", exclusion.name),
            of(&at.table, &context.excluded(exclusion)),
            Alteration::AddExclusion(ExclusionShape::from(exclusion)),
        ),
        Delta::ForeignKeyAdded(at, key) => (
            at,
            format!("foreign key `{}`", key.name),
            named_by(&at.table, key),
            Alteration::AddForeignKey(ForeignKeyShape::from(key)),
        ),
        _ => return Ok(None),
    };
    Ok(Some(change(context, at, &name, &named, alteration)))
}

fn change(
    context: &Context<'_>,
    at: &Place,
    name: &str,
    named: &[(String, String)],
    alteration: Alteration,
) -> Change {
    let line = format!("add the {name} to `{}`", at.table);
    let waits = named
        .iter()
        .any(|(table, column)| context.arrives_in_phases(table, column));
    if waits {
        Change::new(at, Route::FivePhases, line)
            .because(
                Phase::SwitchReads,
                format!("the {name} comes when every row has its new side"),
            )
            .alter(Section::SwitchReads, at, alteration)
    } else {
        let waiting = if matches!(alteration, Alteration::AddExclusion(_)) {
            "; its index is built while every read and write of the table waits"
        } else {
            ""
        };
        Change::new(at, Route::Direct, line)
            .because(
                Phase::Expand,
                format!("the {name} holds for old code too, from now on{waiting}"),
            )
            .alter(Section::Expand, at, alteration)
    }
}
