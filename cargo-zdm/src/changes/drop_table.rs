//! A table that goes, by the user's word.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind, moves};
use crate::diff::{Delta, Place};
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "drop_table",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::TableRemoved(table) = delta else {
        return Ok(None);
    };
    let at = Place {
        table: table.name.clone(),
        source: format!("--drop-table {}", table.name),
    };
    if !context.dropped_tables.contains(&table.name) {
        let merged = moves::unsaid_merge(context, table);
        return Err(merged.unwrap_or_else(|| ChangeError::TableGone { at: Box::new(at) }));
    }
    let line = format!("drop the table `{}`", table.name);
    let references = !table.foreign_keys.is_empty();
    Ok(Some(
        Change::new(&at, Route::ExpandContract, line)
            .because(
                Phase::Contract,
                format!("{} can go only when no instance names it", table.name),
            )
            .alter(Section::Drop, &at, Alteration::DropTable(references)),
    ))
}
