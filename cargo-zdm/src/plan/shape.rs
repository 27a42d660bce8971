//! A table as the database has it at a moment, with the types and identifiers of a dialect resolved.
//!
//! It differs from the declared table while a migration is in flight: old columns still stand beside new ones.
//! Must not know: templates.

use serde::Serialize;
use zdm_model::{Check, ForeignKey, Index};

/// A table's physical definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableShape {
    /// Name, unquoted.
    pub name: String,
    /// What the database says of it to people.
    pub comment: Option<String>,
    /// Columns in their order.
    pub columns: Vec<ColumnShape>,
    /// Key columns, in key order.
    pub primary_key: Vec<String>,
    /// Indexes, ordered by name.
    pub indexes: Vec<IndexShape>,
    /// Check constraints, ordered by name.
    pub checks: Vec<Check>,
    /// Foreign keys, ordered by name.
    pub foreign_keys: Vec<ForeignKeyShape>,
}

impl TableShape {
    /// The column of that name, if the table has one.
    pub fn column(&self, name: &str) -> Option<&ColumnShape> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column's physical definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnShape {
    /// Name, unquoted.
    pub name: String,
    /// The type in the dialect's words.
    pub sql_type: String,
    /// NULL is accepted.
    pub nullable: bool,
    /// The database assigns the value.
    pub auto: bool,
    /// How it does that, where not as new tables get it: `always`, `serial`.
    pub counted: Option<String>,
    /// The default, an SQL expression of the dialect.
    pub default: Option<String>,
    /// What the database computes the value by.
    pub generated: Option<String>,
    /// It does so when the column is read.
    pub is_virtual: bool,
    /// What the database says of it to people.
    pub comment: Option<String>,
}

/// An index with every field present, as templates need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexShape {
    /// Name, unquoted.
    pub name: String,
    /// Columns in index order.
    pub columns: Vec<String>,
    /// Whether two rows may not share a value.
    pub unique: bool,
    /// The predicate of a partial index.
    pub predicate: Option<String>,
}

impl From<&Index> for IndexShape {
    fn from(index: &Index) -> Self {
        Self {
            name: index.name.clone(),
            columns: index.columns.clone(),
            unique: index.unique,
            predicate: index.predicate.clone(),
        }
    }
}

/// A foreign key with every field present, as templates need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForeignKeyShape {
    /// Name, unquoted.
    pub name: String,
    /// Referencing columns.
    pub columns: Vec<String>,
    /// Referenced table.
    pub references: String,
    /// Referenced columns.
    pub referenced_columns: Vec<String>,
    /// `set null`, lower case.
    pub on_delete: Option<String>,
}

impl From<&ForeignKey> for ForeignKeyShape {
    fn from(key: &ForeignKey) -> Self {
        Self {
            name: key.name.clone(),
            columns: key.columns.clone(),
            references: key.references.clone(),
            referenced_columns: key.referenced_columns.clone(),
            on_delete: key.on_delete.clone(),
        }
    }
}
