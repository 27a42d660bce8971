//! What a version keeps for a time after its contract: it is there, and is none of anybody's own.
//!
//! Comes in: what was read. Goes out: the same without it. Must not know: any version.

use zdm_model::names;

use super::{Catalogue, Table};

/// Takes it out, with what stands on it.
pub(super) fn leave_out(catalogue: &mut Catalogue) {
    catalogue
        .tables
        .retain(|table| !is_kept(names::bare(&table.name)));
    for table in &mut catalogue.tables {
        of_table(table);
    }
}

fn of_table(table: &mut Table) {
    if !table.columns.iter().any(|column| is_kept(&column.name)) {
        return;
    }
    table.columns.retain(|column| !is_kept(&column.name));
    table.indexes.retain(|index| {
        let parts = index.parts.iter().filter_map(|part| part.column.as_ref());
        !parts.chain(&index.included).any(|column| is_kept(column))
    });
    table
        .others
        .retain(|other| !(other.object.contains("zzz_zdm_") && other.object.contains("_kept")));
}

fn is_kept(name: &str) -> bool {
    name.starts_with(names::KEPT)
}
