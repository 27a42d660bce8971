//! Columns that move between two tables, one of which has at most one row for each row of the other: out of a table into a new
//! one, and back into a table out of one that goes, or stays without them.

mod beside;
mod columns;
mod columns_found;
mod merge;
mod merge_found;
mod split;
mod split_found;
mod terms;

use zdm_model::{Column, Table};

pub(super) use beside::{mistakes, nothing_merges, unsaid_merge};
pub(super) use columns::KIND as COLUMNS;
pub(super) use columns::nothing_moves;
pub(super) use merge::KIND as MERGE;
pub(super) use split::KIND as SPLIT;

use super::Context;
use crate::diff::{self, Delta};

/// Columns that a move takes or brings go with it.
pub(super) fn is_part_of_move(context: &Context<'_>, delta: &Delta) -> bool {
    match delta {
        Delta::ColumnRemoved(at, column, _) => {
            split::leaves(context, &at.table, &column.name)
                || diff::moves_away(context.from, context.to, &at.table, &column.name)
        }
        Delta::ColumnAdded(at, column) if column.moved_from.is_some() => {
            !columns::is_first(context, &at.table, column)
        }
        Delta::ColumnAdded(at, column) => merge::arrives(context, &at.table, column),
        _ => false,
    }
}

/// Why columns do not move out of a table into one that has at most one row for each of its rows, and was there before.
fn no_way_out(main: &str, part: &str) -> String {
    format!(
        "columns do not move out of {main} into {part}, which is there already: old code that still runs gives a row of {main} its \
         value whether {part} has a row for it or not, and lets it keep the value when that row goes"
    )
}

/// How they get there all the same.
fn way_around(main: &str, part: &str) -> String {
    format!(
        "Merge {part} into {main} (`merged_from`), and split it out again with what goes along (`split_from`), in two versions: the \
         verification of the split names the rows of {main} whose value has no row of {part} to go to; or copy with your own code"
    )
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
