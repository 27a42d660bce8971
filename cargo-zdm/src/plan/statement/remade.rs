//! Foreign keys that go and come again around a statement, which takes away what they stand on.

use serde::Serialize;

use crate::plan::ForeignKeyShape;

/// A unique index that goes while foreign keys stand on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Referenced {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// It is a constraint's.
    pub is_constraint: bool,
    /// The foreign keys.
    #[serde(flatten)]
    pub remade: Remade,
}

/// They are made anew in the statement's own transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remade {
    /// Each with its table.
    pub foreign_keys: Vec<(String, ForeignKeyShape)>,
    /// Their tables and the statement's, each once, in the order in which they are locked.
    pub locked: Vec<String>,
}

impl Remade {
    /// What is referred to is locked before what refers to it, as most transactions write them.
    pub fn around(table: &str, foreign_keys: Vec<(String, ForeignKeyShape)>) -> Self {
        let mut locked: Vec<String> = Vec::new();
        let referenced = foreign_keys.iter().filter(|(of, _)| of == table);
        let referring = foreign_keys.iter().map(|(of, _)| of);
        let all = referenced.map(|(_, key)| &key.references);
        for table in all.chain([&table.to_owned()]).chain(referring) {
            if !locked.contains(table) {
                locked.push(table.clone());
            }
        }
        Self {
            foreign_keys,
            locked,
        }
    }

    /// No foreign key stands on it.
    pub fn none(table: &str) -> Self {
        Self::around(table, Vec::new())
    }
}
