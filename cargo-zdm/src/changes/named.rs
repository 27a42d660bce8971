//! The columns that a constraint names, each with its table.

use zdm_model::ForeignKey;

/// Columns of one table.
pub(super) fn of(table: &str, columns: &[String]) -> Vec<(String, String)> {
    let columns = columns.iter();
    columns
        .map(|column| (table.to_owned(), column.clone()))
        .collect()
}

/// The columns on both ends of a table's foreign key.
pub(super) fn named_by(table: &str, key: &ForeignKey) -> Vec<(String, String)> {
    [
        of(table, &key.columns),
        of(&key.references, &key.referenced_columns),
    ]
    .concat()
}
