//! What a foreign key may reference: a row that no other has the values of.

use zdm_model::{ForeignKey, Schema, Table};

use super::ChangeError;
use crate::diff::Place;

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
