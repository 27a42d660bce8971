//! A check or foreign key that goes.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "drop_constraint",
    documentation: "Expand drops the constraint, because new code may write what it refuses. Where it names a column \
                    that goes, it goes with the column, in contract.",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let (at, name, columns, alteration) = match delta {
        Delta::CheckRemoved(at, check) => (
            at,
            format!("check `{}`", check.name),
            context.columns_of(&[], Some(&check.expr)),
            Alteration::DropCheck(check.name.clone()),
        ),
        Delta::ForeignKeyRemoved(at, key) => (
            at,
            format!("foreign key `{}`", key.name),
            key.columns.clone(),
            Alteration::DropForeignKey(key.name.clone()),
        ),
        _ => return Ok(None),
    };
    let line = format!("drop the {name} of `{}`", at.table);
    let gone = columns
        .iter()
        .find(|column| context.goes(&at.table, column));
    Ok(Some(if let Some(column) = gone {
        let reason = format!("the {name} goes with {}.{column}", at.table);
        Change::new(at, Route::ExpandContract, line)
            .because(Phase::Contract, reason.clone())
            .alter_for_good(Section::Drop, at, alteration, reason)
    } else {
        Change::new(at, Route::Direct, line)
            .because(
                Phase::Expand,
                format!("new code may write what the {name} refuses"),
            )
            .alter(Section::Expand, at, alteration)
    }))
}
