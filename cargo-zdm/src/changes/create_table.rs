//! A new table, with its indexes.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, IndexShape, table_shape};

pub(super) const KIND: Kind = Kind {
    name: "create_table",
    documentation: "Expand creates the table and, while it is empty, its indexes. Nothing else is needed: no code knows \
                    it yet. A foreign key locks the referenced table for a moment.",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::TableAdded(table) = delta else {
        return Ok(None);
    };
    let at = Place {
        table: table.name.clone(),
        source: table.source.clone(),
    };
    let mut shape = table_shape(table, context.dialect);
    shape.indexes.clear();
    let line = format!("create the table `{}`", table.name);
    let mut change = Change::new(&at, Route::Direct, line)
        .because(
            Phase::Expand,
            format!("{} has to be there before code that uses it", table.name),
        )
        .alter(Section::Expand, &at, Alteration::CreateTable(shape));
    for index in &table.indexes {
        change = change.alter(
            Section::Expand,
            &at,
            Alteration::CreateIndex(IndexShape::from(index)),
        );
    }
    Ok(Some(change))
}
