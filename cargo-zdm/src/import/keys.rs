//! The key that rows are found by.

use super::left_out::{Kind, LeftOut};
use crate::catalogue::{Index, Table};

/// What rows are found by.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// Its columns; none where nothing tells rows apart.
    pub(super) columns: Vec<String>,
    /// It is the primary key.
    pub(super) is_primary: bool,
}

/// The name of the primary key or of what stands for it, where it is not the one that PostgreSQL gives unasked.
pub(super) fn name(table: &Table, key: &[String]) -> Option<String> {
    let own = zdm_model::names::primary_key_name(&table.name);
    let constraints = table.indexes.iter().filter(|index| {
        index.constraint.is_some()
            && identifying(table, index).is_some_and(|columns| columns == key)
    });
    let chosen = constraints.min_by_key(|index| (!is_primary(index), index.name.clone()))?;
    let numbered = chosen.name.starts_with("sqlite_autoindex_");
    (chosen.name != own && !numbered).then(|| chosen.name.clone())
}

fn is_primary(index: &Index) -> bool {
    index.constraint.as_deref() == Some("primary key")
}

/// The columns of the primary key, else of the shortest unique key that is never NULL.
pub(super) fn chosen(table: &Table, left_out: &mut Vec<LeftOut>) -> Chosen {
    let primary = table.indexes.iter().find(|index| is_primary(index));
    if let Some(columns) = primary.and_then(|index| identifying(table, index)) {
        for column in columns.iter().filter(|name| is_nullable(table, name)) {
            let object = format!("{}.{column}", table.name);
            let reason = "SQLite lets this key be NULL, and no row is found by NULL; the field is no `Option`";
            left_out.push(LeftOut::new(Kind::Differs, "column", object, reason));
        }
        return Chosen {
            columns,
            is_primary: true,
        };
    }
    let never_null = |columns: &Vec<String>| !columns.iter().any(|name| is_nullable(table, name));
    let found = table
        .indexes
        .iter()
        .filter(|index| index.unique)
        .filter_map(|index| Some((index, identifying(table, index).filter(never_null)?)))
        .min_by_key(|(index, columns)| (columns.len(), index.name.clone()));
    Chosen {
        columns: found.map_or_else(Vec::new, |(_, columns)| columns),
        is_primary: false,
    }
}

/// The columns of an index that finds every row at once.
fn identifying(table: &Table, index: &Index) -> Option<Vec<String>> {
    let plain = index.predicate.is_none()
        && index.method == "btree"
        && !index.deferrable
        && index.unusual.is_empty();
    if !plain {
        return None;
    }
    let columns: Option<Vec<String>> = index.parts.iter().map(|part| part.column.clone()).collect();
    columns.filter(|columns| {
        let known = |name: &String| table.columns.iter().any(|column| column.name == *name);
        !columns.is_empty() && columns.iter().all(known)
    })
}

fn is_nullable(table: &Table, name: &str) -> bool {
    let mut columns = table.columns.iter();
    columns.any(|column| column.name == name && column.nullable)
}
