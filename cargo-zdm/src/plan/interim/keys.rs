//! Columns of a key under other names: until the names change, all that is planned has the old ones.

use std::borrow::Cow;

use zdm_model::{Column, FinalName, Schema, Table, Transition};

use super::rename;
use crate::dialect::Dialect;
use crate::diff::{Delta, Place};

/// Gives them their old names back, and says which they were.
pub(super) fn rename_back(
    from: &Schema,
    to: &mut Cow<'_, Schema>,
    dialect: &Dialect,
) -> Vec<Delta> {
    let mut renames = Vec::new();
    for table in &to.clone().tables {
        let Some(before) = from.table(&table.name) else {
            continue;
        };
        let columns: Vec<_> = renamed(before, table).collect();
        let Some((_, first)) = columns.first() else {
            continue;
        };
        let at = Place {
            table: table.name.clone(),
            source: first.source.clone(),
        };
        let mut names = Vec::new();
        for (old, new) in columns {
            let back = FinalName {
                interim: old.to_owned(),
                last: new.name.clone(),
            };
            rename(to.to_mut(), &table.name, &back, dialect);
            stays(to.to_mut(), &table.name, old);
            names.push((old.to_owned(), new.name.clone()));
        }
        renames.push(Delta::KeyRenamed(at, names));
    }
    renames
}

/// The columns of the key that had another name, and what they are now.
fn renamed<'a>(before: &'a Table, after: &'a Table) -> impl Iterator<Item = (&'a str, &'a Column)> {
    let columns = after.columns.iter();
    columns.filter_map(|column| {
        let old = old_name(column.transition.as_ref()?)?;
        let was_key = before.primary_key.iter().any(|key| key == old);
        let is_new = before.column(&column.name).is_none() && after.column(old).is_none();
        (was_key && is_new).then_some((old, column))
    })
}

/// What the column was called, if nothing but its name changes.
fn old_name(transition: &Transition) -> Option<&str> {
    let [old] = transition.from.as_slice() else {
        return None;
    };
    (transition.renamed && transition.final_name.is_none()).then_some(old)
}

/// The column has no other side.
fn stays(schema: &mut Schema, table: &str, column: &str) {
    let mut tables = schema.tables.iter_mut();
    let columns = tables
        .find(|found| found.name == table)
        .map(|table| &mut table.columns);
    for found in columns.into_iter().flatten() {
        if found.name == column {
            found.transition = None;
        }
    }
}
