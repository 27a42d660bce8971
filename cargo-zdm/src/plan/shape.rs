//! A table as the database has it at a moment, with the types and identifiers of a dialect resolved.
//!
//! It differs from the declared table while a migration is in flight: old columns still stand beside new ones.
//! Must not know: templates.

use serde::Serialize;
use zdm_model::{Check, Exclusion, ForeignKey, Index, Unique, names};

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
    /// The table has no primary key; rows may be found by a unique one.
    pub no_primary_key: bool,
    /// The key's name, where it is not the database's own.
    pub primary_key_name: Option<String>,
    /// Indexes, ordered by name.
    pub indexes: Vec<IndexShape>,
    /// Unique constraints, ordered by name.
    pub uniques: Vec<UniqueShape>,
    /// Check constraints, ordered by name.
    pub checks: Vec<CheckShape>,
    /// Exclusion constraints, ordered by name.
    pub exclusions: Vec<ExclusionShape>,
    /// Foreign keys, ordered by name.
    pub foreign_keys: Vec<ForeignKeyShape>,
    /// Where its columns come from, as long as it is new.
    pub origin: Option<Box<Origin>>,
}

/// The table that columns leave for a new one: rights and row security go along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The table, unquoted.
    pub table: String,
    /// What finds a row's row: the column there, the column here.
    pub key: Vec<(String, String)>,
    /// What moves: the column there, the column here.
    pub columns: Vec<(String, String)>,
    /// The policy that shows a row to whom the other table shows its row; none where the user's own SQL makes one of that name.
    pub policy: Option<String>,
}

impl TableShape {
    /// The column of that name, if the table has one.
    pub fn column(&self, name: &str) -> Option<&ColumnShape> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl TableShape {
    /// The key's name as the database has it.
    pub(super) fn key_name(&self) -> String {
        let given = self.primary_key_name.clone();
        given.unwrap_or_else(|| names::primary_key_name(&self.name))
    }

    /// Whether something else keeps the key's columns unique as well.
    pub(super) fn keeps_key_unique(&self) -> bool {
        let same = |columns: &[String]| same_columns(columns, &self.primary_key);
        let mut indexes = self.indexes.iter();
        let mut uniques = self.uniques.iter();
        indexes.any(|index| index.unique && index.predicate.is_none() && same(&index.columns))
            || uniques.any(|unique| !unique.deferrable && same(&unique.columns))
    }
}

/// Whether two lists name the same columns, in whatever order.
pub(crate) fn same_columns(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}

/// A primary key that a table gets, from a unique index that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyShape {
    /// Its columns, in key order.
    pub columns: Vec<String>,
    /// The index that becomes its own.
    pub index: String,
    /// Its name, where it is not the database's own.
    pub name: Option<String>,
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
    /// The columns of its table that it comes beside: whoever has a right on each of them alone gets it on this one.
    pub rights_of: Vec<String>,
}

/// An index with every field present, as templates need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexShape {
    /// Name, unquoted.
    pub name: String,
    /// Columns in index order, unless there are `elements`.
    pub columns: Vec<String>,
    /// What stands between the parentheses instead, as the database spells it.
    pub elements: Vec<String>,
    /// The access method, where it is not the database's own choice.
    pub method: Option<String>,
    /// Columns that the index carries without ordering by them.
    pub include: Vec<String>,
    /// Two NULLs count as the same value.
    pub nulls_not_distinct: bool,
    /// Storage parameters, as the database spells them.
    pub storage: Option<String>,
    /// Whether two rows may not share a value.
    pub unique: bool,
    /// The predicate of a partial index.
    pub predicate: Option<String>,
}

impl IndexShape {
    /// Whether columns, `unique` and a predicate are all of it.
    pub(crate) fn is_plain(&self) -> bool {
        self.elements.is_empty()
            && self.method.is_none()
            && self.include.is_empty()
            && !self.nulls_not_distinct
            && self.storage.is_none()
    }

    /// What it orders by: columns, or elements in their place.
    pub(super) fn over(&self) -> &[String] {
        if self.elements.is_empty() {
            &self.columns
        } else {
            &self.elements
        }
    }
}

impl From<&Index> for IndexShape {
    fn from(index: &Index) -> Self {
        Self {
            name: index.name.clone(),
            columns: index.columns.clone(),
            elements: index.elements.clone(),
            method: index.method.clone(),
            include: index.include.clone(),
            nulls_not_distinct: index.nulls_not_distinct,
            storage: index.storage.clone(),
            unique: index.unique,
            predicate: index.predicate.clone(),
        }
    }
}

/// A unique constraint with every field present, as templates need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UniqueShape {
    /// Name, unquoted.
    pub name: String,
    /// The columns whose values no two rows share, in their order.
    pub columns: Vec<String>,
    /// Columns that its index carries.
    pub include: Vec<String>,
    /// Two NULLs count as the same value.
    pub nulls_not_distinct: bool,
    /// A transaction may put its check off.
    pub deferrable: bool,
    /// Every transaction does.
    pub initially_deferred: bool,
}

impl UniqueShape {
    /// The index that it stands on.
    pub(super) fn index(&self) -> IndexShape {
        IndexShape {
            name: self.name.clone(),
            columns: self.columns.clone(),
            elements: Vec::new(),
            method: None,
            include: self.include.clone(),
            nulls_not_distinct: self.nulls_not_distinct,
            storage: None,
            unique: true,
            predicate: None,
        }
    }
}

impl From<&Unique> for UniqueShape {
    fn from(unique: &Unique) -> Self {
        Self {
            name: unique.name.clone(),
            columns: unique.columns.clone(),
            include: unique.include.clone(),
            nulls_not_distinct: unique.nulls_not_distinct,
            deferrable: unique.deferrable,
            initially_deferred: unique.initially_deferred,
        }
    }
}

/// A check with every field present, as templates need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckShape {
    /// Name, unquoted.
    pub name: String,
    /// The condition.
    pub expr: String,
    /// Rows from before have not been compared with it.
    pub not_valid: bool,
    /// Tables that inherit do not have it.
    pub no_inherit: bool,
}

impl From<&Check> for CheckShape {
    fn from(check: &Check) -> Self {
        Self {
            name: check.name.clone(),
            expr: check.expr.clone(),
            not_valid: check.not_valid,
            no_inherit: check.no_inherit,
        }
    }
}

/// An exclusion constraint with every field present, as templates need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExclusionShape {
    /// Name, unquoted.
    pub name: String,
    /// The access method, where it is not the database's own choice.
    pub method: Option<String>,
    /// Elements with their operators, as the database spells them.
    pub elements: Vec<String>,
    /// The rows that it is about.
    pub predicate: Option<String>,
    /// A transaction may put its check off.
    pub deferrable: bool,
    /// Every transaction does.
    pub initially_deferred: bool,
}

impl From<&Exclusion> for ExclusionShape {
    fn from(exclusion: &Exclusion) -> Self {
        Self {
            name: exclusion.name.clone(),
            method: exclusion.method.clone(),
            elements: exclusion.elements.clone(),
            predicate: exclusion.predicate.clone(),
            deferrable: exclusion.deferrable,
            initially_deferred: exclusion.initially_deferred,
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
    /// The columns that it sets, where these are not all.
    pub on_delete_columns: Vec<String>,
    /// The same for a changed key.
    pub on_update: Option<String>,
    /// All columns are NULL or none.
    pub match_full: bool,
    /// A transaction may put its check off.
    pub deferrable: bool,
    /// Every transaction does.
    pub initially_deferred: bool,
    /// Rows from before have not been compared with it.
    pub not_valid: bool,
}

impl From<&ForeignKey> for ForeignKeyShape {
    fn from(key: &ForeignKey) -> Self {
        Self {
            name: key.name.clone(),
            columns: key.columns.clone(),
            references: key.references.clone(),
            referenced_columns: key.referenced_columns.clone(),
            on_delete: key.on_delete.clone(),
            on_delete_columns: key.on_delete_columns.clone(),
            on_update: key.on_update.clone(),
            match_full: key.match_full,
            deferrable: key.deferrable,
            initially_deferred: key.initially_deferred,
            not_valid: key.not_valid,
        }
    }
}
