//! A check or foreign key that holds for all rows from now on, not only for those that are written.

use zdm_model::{Check, ForeignKey};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "validate_constraint",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(_: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let (at, kind, name) = match delta {
        Delta::CheckChanged(at, before, after) if is_validated(before, after) => {
            (at, "check", &after.name)
        }
        Delta::ForeignKeyChanged(at, before, after) if is_validated_key(before, after) => {
            (at, "foreign key", &after.name)
        }
        _ => return Ok(None),
    };
    let line = format!("validate the {kind} `{name}` of `{}`", at.table);
    Ok(Some(
        Change::new(at, Route::Direct, line)
            .because(
                Phase::Expand,
                format!("the rows from before have not been compared with the {kind} {name}"),
            )
            .alter(Section::Expand, at, Alteration::Validate(name.clone())),
    ))
}

fn is_validated(before: &Check, after: &Check) -> bool {
    let not_valid = Check {
        not_valid: true,
        ..after.clone()
    };
    !after.not_valid && *before == not_valid
}

fn is_validated_key(before: &ForeignKey, after: &ForeignKey) -> bool {
    let not_valid = ForeignKey {
        not_valid: true,
        ..after.clone()
    };
    !after.not_valid && *before == not_valid
}
