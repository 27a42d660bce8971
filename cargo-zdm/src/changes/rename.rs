//! An index, a constraint or a key under another name.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "rename",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(_: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::Renamed(at, part, from, to) = delta else {
        return Ok(None);
    };
    let kind = part.name();
    let line = format!("rename the {kind} `{from}` of `{}` to `{to}`", at.table);
    let alteration = Alteration::Rename(*part, from.clone(), to.clone());
    Ok(Some(
        Change::new(at, Route::Direct, line)
            .because(
                Phase::Expand,
                format!("the {kind} {from} stays as it is, under the name {to}; no generated statement names it"),
            )
            .alter(Section::Expand, at, alteration),
    ))
}
