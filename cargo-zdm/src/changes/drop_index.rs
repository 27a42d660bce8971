//! An index that goes.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "drop_index",
    documentation: "Contract drops the index once no old code is left whose queries need it. An index on a column that \
                    goes, goes with it.",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::IndexRemoved(at, index) = delta else {
        return Ok(None);
    };
    let line = format!("drop the index `{}` of `{}`", index.name, at.table);
    let change = Change::new(at, Route::ExpandContract, line);
    let goes = |column: &String| context.goes(&at.table, column);
    if let Some(column) = index.columns.iter().find(|column| goes(column)) {
        let reason = format!("{} goes with {}.{column}", index.name, at.table);
        return Ok(Some(change.because(Phase::Contract, reason)));
    }
    let named = context.columns_of(&[], index.predicate.as_deref());
    let alteration = Alteration::DropIndex(index.name.clone());
    if let Some(column) = named.iter().find(|column| goes(column)) {
        let reason = format!("{} names {}.{column}, which is gone", index.name, at.table);
        return Ok(Some(
            change
                .because(Phase::Contract, reason.clone())
                .alter_for_good(Section::Drop, at, alteration, reason),
        ));
    }
    Ok(Some(
        change
            .because(
                Phase::Contract,
                format!("queries of old code may need {}", index.name),
            )
            .alter(Section::Drop, at, alteration),
    ))
}
