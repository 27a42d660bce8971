//! Columns that move between two tables, one of which has at most one row for each row of the other: out of a table into a new
//! one, and back into a table out of one that goes.

mod beside;
mod merge;
mod merge_found;
mod split;
mod split_found;
mod terms;

use zdm_model::{Column, Table};

pub(super) use beside::{mistakes, nothing_merges, unsaid_merge};
pub(super) use merge::KIND as MERGE;
pub(super) use split::KIND as SPLIT;

use super::Context;
use crate::diff::Delta;

/// Columns that a move takes or brings go with it.
pub(super) fn is_part_of_move(context: &Context<'_>, delta: &Delta) -> bool {
    match delta {
        Delta::ColumnRemoved(at, column, _) => split::leaves(context, &at.table, &column.name),
        Delta::ColumnAdded(at, column) => merge::arrives(context, &at.table, column),
        _ => false,
    }
}

/// The column that a new one was.
fn source_of(column: &Column) -> &str {
    let from = column.transition.as_ref();
    from.and_then(|transition| transition.from.first())
        .map_or(column.name.as_str(), String::as_str)
}

/// The columns of a table beside its key.
fn beside_key(table: &Table) -> impl Iterator<Item = &Column> {
    let columns = table.columns.iter();
    columns.filter(|column| !table.primary_key.contains(&column.name))
}
