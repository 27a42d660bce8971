//! Another default of a column that stays.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "change_default",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::DefaultChanged(at, _, column) = delta else {
        return Ok(None);
    };
    let default = column
        .default
        .as_deref()
        .map(|default| context.dialect.default_of(default));
    let alteration = Alteration::SetDefault(column.name.clone(), default);
    let line = match &column.default {
        Some(default) => format!(
            "give `{}.{}` the default `{default}`",
            at.table, column.name
        ),
        None => format!("take the default of `{}.{}` away", at.table, column.name),
    };
    Ok(Some(
        Change::new(at, Route::Direct, line)
            .because(
                Phase::Expand,
                "the default holds for later inserts and touches no row",
            )
            .alter(Section::Expand, at, alteration),
    ))
}
