//! A column that may be NULL from now on.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "drop_not_null",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(_: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::NullabilityChanged(at, _, new) = delta else {
        return Ok(None);
    };
    if !new.nullable {
        return Ok(None);
    }
    let subject = format!("{}.{}", at.table, new.name);
    let line = format!("let `{subject}` be NULL");
    let reason = format!(
        "old instances cannot read a NULL in {subject}; until contract the database refuses one, so code that writes \
         NULL is deployed after it"
    );
    Ok(Some(
        Change::new(at, Route::ExpandContract, line)
            .because(Phase::Contract, reason)
            .alter(Section::Drop, at, Alteration::DropNotNull(new.name.clone())),
    ))
}
