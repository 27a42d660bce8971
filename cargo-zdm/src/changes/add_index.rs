//! A new index on a table that exists.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::{Alteration, IndexShape};

pub(super) const KIND: Kind = Kind {
    name: "add_index",
    documentation: "Expand builds the index beside running writes where the database can. An index on a column that \
                    arrives in five phases is built in switch_reads, after every row has been compared: a unique index \
                    before that would fail a user's write on a duplicate that the backfill made.",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::IndexAdded(at, index) = delta else {
        return Ok(None);
    };
    let columns = context.indexed(index);
    let alteration = Alteration::CreateIndex(IndexShape::from(index));
    let kind = if index.unique {
        "unique index"
    } else {
        "index"
    };
    let line = format!("add the {kind} `{}` to `{}`", index.name, at.table);
    let waits = columns
        .iter()
        .any(|column| context.arrives_in_phases(&at.table, column));
    Ok(Some(if waits {
        Change::new(at, Route::FivePhases, line)
            .because(
                Phase::SwitchReads,
                format!("{} is built when every row has its new side", index.name),
            )
            .alter(Section::SwitchReads, at, alteration)
    } else {
        let reason = if index.unique {
            format!(
                "{} refuses duplicates from now on; where there are some already, it says so and is taken away again",
                index.name
            )
        } else {
            format!("{} is there before code that relies on it", index.name)
        };
        Change::new(at, Route::Direct, line)
            .because(Phase::Expand, reason)
            .alter(Section::Expand, at, alteration)
    }))
}
