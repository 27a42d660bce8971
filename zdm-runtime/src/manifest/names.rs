//! The names that a version brings into the schema or takes out of it, so that two versions that mean the same name are
//! kept apart.
//!
//! Must not know: statements, any database.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What is named in one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// The table itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub table: bool,
    /// Columns, unquoted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Indexes, whose names are shared by all tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<String>,
    /// Unique constraints, checks and foreign keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// Other tables that its foreign keys reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

/// The names by table.
pub type NamesByTable = BTreeMap<String, Names>;

/// What one of both holds.
pub fn joined(mut one: NamesByTable, other: NamesByTable) -> NamesByTable {
    for (table, others) in other {
        let names = one.entry(table).or_default();
        let lists = [
            (&mut names.columns, others.columns),
            (&mut names.indexes, others.indexes),
            (&mut names.constraints, others.constraints),
            (&mut names.references, others.references),
        ];
        for (list, others) in lists {
            let new: Vec<String> = others
                .into_iter()
                .filter(|name| !list.contains(name))
                .collect();
            list.extend(new);
        }
        names.table |= others.table;
    }
    one
}

/// What both hold, for people: `the column users.name`.
pub fn shared(one: &NamesByTable, other: &NamesByTable) -> Vec<String> {
    let mut shared = Vec::new();
    for (table, names) in one {
        let Some(others) = other.get(table) else {
            continue;
        };
        if names.table && others.table {
            shared.push(format!("the table {table}"));
            continue;
        }
        for column in common(&names.columns, &others.columns) {
            shared.push(format!("the column {table}.{column}"));
        }
        for constraint in common(&names.constraints, &others.constraints) {
            shared.push(format!("the constraint {constraint} of {table}"));
        }
    }
    let indexes: BTreeSet<&String> = other.values().flat_map(|names| &names.indexes).collect();
    for index in one.values().flat_map(|names| &names.indexes) {
        if indexes.contains(index) {
            shared.push(format!("the index {index}"));
        }
    }
    shared
}

fn common<'a>(one: &'a [String], other: &'a [String]) -> impl Iterator<Item = &'a String> {
    one.iter().filter(|name| other.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: &[&str], indexes: &[&str], table: bool) -> Names {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Names {
            table,
            columns: owned(columns),
            indexes: owned(indexes),
            ..Names::default()
        }
    }

    #[test]
    fn columns_belong_to_their_table_and_indexes_to_all() {
        let drops = NamesByTable::from([
            ("users".to_owned(), names(&["name"], &["by_name"], false)),
            ("teams".to_owned(), names(&["id"], &[], true)),
        ]);
        let creates = NamesByTable::from([
            ("users".to_owned(), names(&["age", "name"], &[], false)),
            ("orders".to_owned(), names(&["name"], &["by_name"], true)),
            ("teams".to_owned(), names(&["id"], &[], true)),
        ]);
        assert_eq!(
            shared(&creates, &drops),
            [
                "the table teams",
                "the column users.name",
                "the index by_name"
            ]
        );
        assert!(shared(&creates, &NamesByTable::new()).is_empty());
    }
}
