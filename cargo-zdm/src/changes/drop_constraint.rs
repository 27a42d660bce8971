//! A check, exclusion constraint or foreign key that goes.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::named::{named_by, of};
use super::{Change, ChangeError, Context, Kind, Leaving};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "drop_constraint",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let (at, name, harm, named, alteration) = match delta {
        Delta::CheckRemoved(at, check) => (
            at,
            format!("check `{}`", check.name),
            "refuse writes",
            of(&at.table, &context.columns_of(&[], Some(&check.expr))),
            Alteration::DropCheck(check.name.clone()),
        ),
        Delta::ExclusionRemoved(at, exclusion) => (
            at,
            format!("exclusion constraint `{}`", exclusion.name),
            "refuse writes",
            of(&at.table, &context.excluded(exclusion)),
            Alteration::DropExclusion(exclusion.name.clone()),
        ),
        Delta::ForeignKeyRemoved(at, key) => (
            at,
            format!("foreign key `{}`", key.name),
            "refuse writes or delete rows",
            named_by(&at.table, key),
            Alteration::DropForeignKey(key.name.clone()),
        ),
        _ => return Ok(None),
    };
    let line = format!("drop the {name} of `{}`", at.table);
    // It holds its table and others in a circle, of which none could go first.
    if context.to.table(&at.table).is_none() {
        let reason = format!("the {name} goes before the tables that it holds in a circle");
        return Ok(Some(
            Change::new(at, Route::ExpandContract, line)
                .because(Phase::Contract, reason)
                .alter(Section::Drop, at, alteration),
        ));
    }
    let leaving = |way| {
        named
            .iter()
            .find(|(table, column)| context.leaving(table, column) == Some(way))
    };
    if let Some((table, column)) = leaving(Leaving::Dropped) {
        let reason = format!(
            "new code does not write {table}.{column} any more: by its values the {name} would {harm}"
        );
        return Ok(Some(
            Change::new(at, Route::Direct, line)
                .because(Phase::Expand, reason)
                .alter(Section::Expand, at, alteration),
        ));
    }
    Ok(Some(
        if let Some((table, column)) = leaving(Leaving::Replaced) {
            let reason = format!(
                "{table}.{column} is stale once writes leave it: by its values the {name} would {harm}"
            );
            Change::new(at, Route::FivePhases, line)
                .because(Phase::Contract, reason)
                .alter(Section::Release, at, alteration)
        } else {
            Change::new(at, Route::Direct, line)
                .because(
                    Phase::Expand,
                    format!("new code may write what the {name} refuses"),
                )
                .alter(Section::Expand, at, alteration)
        },
    ))
}
