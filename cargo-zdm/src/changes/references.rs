//! What a foreign key may reference: a row that no other has the values of.

use std::collections::BTreeSet;

use zdm_model::{ForeignKey, Schema, Table};
use zdm_runtime::phase::Phase;

use super::{Change, ChangeError, Context};
use crate::diff::Place;
use crate::plan::same_columns;

/// Foreign keys to columns that are neither the key nor unique. Every database refuses them, `SQLite` only when rows are
/// written.
pub(crate) fn check_references(schema: &Schema) -> Vec<ChangeError> {
    let of = |table| move |key| mistake(schema, table, key);
    schema
        .tables
        .iter()
        .flat_map(|table| table.foreign_keys.iter().filter_map(of(table)))
        .collect()
}

fn mistake(schema: &Schema, table: &Table, key: &ForeignKey) -> Option<ChangeError> {
    let referenced = schema.table(&key.references)?;
    if referenced.is_unique(&key.referenced_columns) {
        return None;
    }
    let columns = key.referenced_columns.join(", ");
    Some(ChangeError::Declaration {
        at: Box::new(Place {
            table: table.name.clone(),
            source: table.source.clone(),
        }),
        subject: format!("{}.{}", table.name, key.columns.join(", ")),
        problem: format!(
            "it references {}({columns}), which is neither the key of {0} nor unique, so the database refuses it",
            key.references
        ),
        way_on: format!(
            "Add `#[zdm(unique)]` there (`index(columns(…), unique)` for several columns), or reference the key, ({})",
            referenced.primary_key.join(", ")
        ),
    })
}

/// A change that takes a unique index of these columns away. Where the database ties foreign keys to one, those that stand on it go over
/// to another, which [`check_references`] has asked for, and their tables' writers wait meanwhile.
pub(super) fn taking_along(
    context: &Context<'_>,
    mut change: Change,
    columns: &[String],
) -> Change {
    if !context.dialect.capabilities().alter_in_place {
        return change;
    }
    let before = context.from.tables.iter();
    let going = before.filter(|table| context.to.table(&table.name).is_none());
    let holding = context.to.tables.iter().chain(going).filter(|table| {
        let mut keys = table.foreign_keys.iter();
        keys.any(|key| {
            key.references == change.table && same_columns(&key.referenced_columns, columns)
        })
    });
    let holding: BTreeSet<String> = holding.map(|table| table.name.clone()).collect();
    if holding.is_empty() {
        return change;
    }
    let names: Vec<String> = holding.into_iter().collect();
    let reason = format!(
        "the foreign keys of {} stand on that index of ({}), and go over to another one",
        names.join(", "),
        columns.join(", ")
    );
    let others = names.into_iter().filter(|name| *name != change.table);
    change.others = others.collect();
    change.because(Phase::Contract, reason)
}
