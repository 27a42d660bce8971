//! A primary key that comes, goes, or names other columns.

use zdm_model::{Index, names};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

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
    if !old.is_empty() {
        refuse_what_holds_on_to(context, at, old)?;
    }
    if new.is_empty() {
        let line = format!("drop the primary key of `{}`", at.table);
        let reason = format!("old code finds rows of {} by it", at.table);
        return Ok(Some(
            Change::new(at, Route::ExpandContract, line)
                .because(Phase::Contract, reason)
                .alter(Section::Drop, at, Alteration::DropPrimaryKey),
        ));
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
    let old = old.join(", ");
    let line = format!(
        "change the primary key of `{}` from ({old}) to ({columns})",
        at.table
    );
    let until = format!(
        "old code finds rows of {} by ({old}); until contract, rows that share it are refused",
        at.table
    );
    Ok(Some(
        Change::new(at, Route::ExpandContract, line)
            .because(Phase::Expand, unique)
            .because(Phase::Contract, until)
            .alter(Section::Expand, at, build)
            .alter(Section::Drop, at, Alteration::ReplacePrimaryKey(key)),
    ))
}

/// A foreign key stands on the index of the key that it refers to.
fn refuse_what_holds_on_to(
    context: &Context<'_>,
    at: &Place,
    old: &[String],
) -> Result<(), ChangeError> {
    let sorted = |columns: &[String]| {
        let mut columns = columns.to_vec();
        columns.sort_unstable();
        columns
    };
    let before = context.from.tables.iter();
    let keys = before.flat_map(|table| table.foreign_keys.iter().map(move |key| (table, key)));
    let stays = |table: &str, name: &str| {
        let after = context.to.table(table);
        after.is_some_and(|after| after.foreign_keys.iter().any(|key| key.name == name))
    };
    let holding: Vec<String> = keys
        .filter(|(_, key)| {
            key.references == at.table && sorted(&key.referenced_columns) == sorted(old)
        })
        .filter(|(table, key)| stays(&table.name, &key.name))
        .map(|(table, key)| format!("{}.{}", table.name, key.name))
        .collect();
    if holding.is_empty() {
        return Ok(());
    }
    Err(ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: at.table.clone(),
        problem: format!(
            "its primary key cannot go while foreign keys stand on it: {}",
            holding.join(", ")
        ),
        way_on: "Drop them in a version before, and add them again in one after, when the columns that they refer to have a \
                 unique index of their own or are the key"
            .to_owned(),
    })
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
