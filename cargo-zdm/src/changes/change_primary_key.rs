//! A primary key that comes, goes, or names other columns.

use zdm_model::{Index, names};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::references::taking_along;
use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, IndexShape, KeyShape};

pub(super) const KIND: Kind = Kind {
    name: "change_primary_key",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::PrimaryKeyChanged(at, old, new) = delta else {
        return Ok(None);
    };
    if new.is_empty() {
        let line = format!("drop the primary key of `{}`", at.table);
        let reason = format!("old code finds rows of {} by it", at.table);
        let change = Change::new(at, Route::ExpandContract, line)
            .because(Phase::Contract, reason)
            .alter(Section::Drop, at, Alteration::DropPrimaryKey);
        return Ok(Some(taking_along(context, change, old)));
    }
    refuse_what_may_be_null(context, at, new)?;
    let index = IndexShape::from(&Index {
        name: names::constraint_name("pk", &at.table, new),
        columns: new.clone(),
        unique: true,
        ..Index::default()
    });
    let name = index.name.clone();
    let key = KeyShape {
        columns: new.clone(),
        index: index.name.clone(),
        name: context
            .to
            .table(&at.table)
            .and_then(|table| table.primary_key_name.clone()),
    };
    let columns = new.join(", ");
    let build = Alteration::CreateIndex(index);
    let unique = format!(
        "new code finds rows of {} by ({columns}), which {name} keeps unique",
        at.table
    );
    if old.is_empty() {
        let line = format!("give `{}` the primary key ({columns})", at.table);
        return Ok(Some(
            Change::new(at, Route::Direct, line)
                .because(Phase::Expand, unique)
                .alter(Section::Expand, at, build)
                .alter(Section::Expand, at, Alteration::SetPrimaryKey(key)),
        ));
    }
    let change = exchange(context, at, old, &columns)
        .because(Phase::Expand, unique)
        .alter(Section::Expand, at, build)
        .alter(Section::Drop, at, Alteration::ReplacePrimaryKey(key));
    Ok(Some(taking_along(context, change, old)))
}

/// What is said of a key in the place of another.
fn exchange(context: &Context<'_>, at: &Place, old: &[String], columns: &str) -> Change {
    let stays = context.to.table(&at.table);
    let until = if stays.is_some_and(|table| table.is_unique(old)) {
        "it stays unique"
    } else {
        "until contract, rows that share it are refused"
    };
    let (table, old) = (&at.table, old.join(", "));
    let line = format!("change the primary key of `{table}` from ({old}) to ({columns})");
    let until = format!("old code finds rows of {table} by ({old}); {until}");
    Change::new(at, Route::ExpandContract, line).because(Phase::Contract, until)
}

/// Columns that could be NULL, or come in five phases, are there for a key one version later.
fn refuse_what_may_be_null(
    context: &Context<'_>,
    at: &Place,
    new: &[String],
) -> Result<(), ChangeError> {
    let waits = new
        .iter()
        .find(|column| context.arrives_in_phases(&at.table, column));
    let Some(column) = waits else {
        return Ok(());
    };
    Err(ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: format!("{}.{column}", at.table),
        problem: "it cannot become part of the key while its rows are still being filled"
            .to_owned(),
        way_on: "Change the key in a version of its own, after this one".to_owned(),
    })
}
