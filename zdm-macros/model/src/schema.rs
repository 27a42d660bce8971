//! What a set of models declares: tables, columns, indexes, constraints.
//!
//! Comes in: resolved models ([`crate::model`]) or a saved snapshot. Goes out: the two sides of a diff.
//! Must not know: any database's SQL, any file.

use crate::{Check, Drop, Exclusion, ForeignKey, Index, LogicalType, Transition, Unique};

/// All tables of a schema version, and the enums of their columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Schema {
    /// Enums that columns have as their types, ordered by name.
    #[cfg_attr(
        feature = "serde",
        serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")
    )]
    pub enums: Vec<Enumeration>,
    /// Tables, ordered by name.
    #[cfg_attr(feature = "serde", serde(default, rename = "table"))]
    pub tables: Vec<Table>,
}

impl Schema {
    /// The table of that name, if the schema has one.
    pub fn table(&self, name: &str) -> Option<&Table> {
        let found = self
            .tables
            .binary_search_by(|table| table.name.as_str().cmp(name));
        found.ok().map(|at| &self.tables[at])
    }

    /// The enum of that name, if the schema has one.
    pub fn enumeration(&self, name: &str) -> Option<&Enumeration> {
        self.enums.iter().find(|found| found.name == name)
    }

    /// The tables with a column of that enum.
    pub fn tables_with<'a>(
        &'a self,
        enumeration: &'a Enumeration,
    ) -> impl Iterator<Item = &'a Table> {
        let has = |table: &&Table| {
            let mut columns = table.columns.iter();
            columns.any(|column| enumeration.is_type_of(column))
        };
        self.tables.iter().filter(has)
    }
}

/// An enum as its Rust enum declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Enumeration {
    /// Physical name, unquoted; with its schema before a dot, where it names one.
    pub name: String,
    /// The values in their order.
    pub values: Vec<String>,
    /// `renamed_from`, `from`: what values of before become these. Spent at `finalize`, no part of a snapshot or of the
    /// fingerprint.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub taken: Vec<Taken>,
    /// Where the enum stands, `file:line`. No part of a snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub source: String,
}

/// A value that rows get which had others. A version keeps the hash of its `Debug` text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The value.
    pub value: String,
    /// What these rows had before; code from before is given the first where the value is a new one.
    pub from: Vec<String>,
    /// `renamed_from`: it is the same value by another name.
    pub renamed: bool,
}

impl Enumeration {
    /// Whether a column has it as its type, or an array of it.
    pub fn is_type_of(&self, column: &Column) -> bool {
        let named = |sql_type: &str| {
            let element = sql_type.strip_suffix("[]").unwrap_or(sql_type);
            element == self.name || crate::names::unquoted(element).as_ref() == Some(&self.name)
        };
        column.sql_type.as_deref().is_some_and(named)
    }
}

/// A table as its struct declares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Table {
    /// Physical name, unquoted; with its schema before a dot, where it names one.
    pub name: String,
    /// `comment = "…"`: what the database says of it to people.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub comment: Option<String>,
    /// Columns in the struct's order.
    #[cfg_attr(feature = "serde", serde(rename = "column"))]
    pub columns: Vec<Column>,
    /// Names of the columns that a row is found by, in key order: those of the primary key, or of the unique key that stands
    /// for it. Empty where nothing tells rows apart.
    pub primary_key: Vec<String>,
    /// The table has no primary key.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub no_primary_key: bool,
    /// The key's name, where another than PostgreSQL's own was given (`<table>_pkey`).
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub primary_key_name: Option<String>,
    /// Indexes, ordered by name. A column's `unique` or `index` attribute is an index here.
    #[cfg_attr(
        feature = "serde",
        serde(default, rename = "index", skip_serializing_if = "Vec::is_empty")
    )]
    pub indexes: Vec<Index>,
    /// Unique constraints, ordered by name.
    #[cfg_attr(
        feature = "serde",
        serde(default, rename = "unique", skip_serializing_if = "Vec::is_empty")
    )]
    pub uniques: Vec<Unique>,
    /// Check constraints, ordered by name.
    #[cfg_attr(
        feature = "serde",
        serde(default, rename = "check", skip_serializing_if = "Vec::is_empty")
    )]
    pub checks: Vec<Check>,
    /// Exclusion constraints, ordered by name.
    #[cfg_attr(
        feature = "serde",
        serde(default, rename = "exclude", skip_serializing_if = "Vec::is_empty")
    )]
    pub exclusions: Vec<Exclusion>,
    /// Foreign keys, ordered by name.
    #[cfg_attr(
        feature = "serde",
        serde(default, rename = "foreign_key", skip_serializing_if = "Vec::is_empty")
    )]
    pub foreign_keys: Vec<ForeignKey>,
    /// `renamed_from`: what the table was called before. No part of a snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub renamed_from: Option<String>,
    /// What the struct declares about columns that it no longer has (`drops("x")`). No part of a snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub drops: Vec<Drop>,
    /// `split_from = "users(id)"`: the columns come out of another table. Spent at `finalize`, no part of a snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub split_from: Option<Box<Split>>,
    /// `merged_from = "addresses(user_id)"`: columns of another table, which goes, come into this one. Spent at `finalize`, no
    /// part of a snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub merged_from: Option<Box<Split>>,
    /// Where the struct stands, `file:line`. No part of a snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub source: String,
}

impl Table {
    /// The column of that physical name, if the table has one.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether no two rows have the same values in exactly these columns, by the key, a unique constraint that is never
    /// deferred, or a unique index over all rows.
    pub fn is_unique(&self, columns: &[String]) -> bool {
        let same = |other: &[String]| {
            other.len() == columns.len() && other.iter().all(|name| columns.contains(name))
        };
        let mut indexes = self.indexes.iter();
        let mut constraints = self.uniques.iter();
        same(&self.primary_key)
            || indexes
                .any(|index| index.unique && index.predicate.is_none() && same(&index.columns))
            || constraints.any(|unique| !unique.deferrable && same(&unique.columns))
    }

    /// The columns that statements of the application write: all but those that the database computes, or counts beside the
    /// key.
    pub fn written_columns(&self) -> impl Iterator<Item = &Column> {
        let given = |column: &&Column| {
            let counted = column.auto && !self.primary_key.contains(&column.name);
            column.generated.is_none() && !counted
        };
        self.columns.iter().filter(given)
    }

    /// The key columns, in key order.
    pub fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.primary_key.iter().filter_map(|name| self.column(name))
    }
}

/// A column as its field declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Column {
    /// Physical name, unquoted.
    pub name: String,
    /// The struct's field, for generated code and messages.
    pub field: String,
    /// The field's Rust type without its `Option`, as the user wrote it (`String`, `chrono::DateTime<chrono::Utc>`).
    pub rust_type: String,
    /// What the Rust type means to a database.
    pub logical_type: LogicalType,
    /// `sql_type = "…"`: the database's own name of the type, instead of the logical type's default.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub sql_type: Option<String>,
    /// `collation = "…"`: the order and equality of its texts, where not its type's own.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub collation: Option<String>,
    /// The field is an `Option`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub nullable: bool,
    /// The database assigns the value: identity, `AUTO_INCREMENT`, rowid.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub auto: bool,
    /// `auto = "…"`: how it does that, where it is not the way that new tables get.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub counted: Option<Counted>,
    /// `default = "…"`, an SQL expression.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub default: Option<String>,
    /// `generated = "…"`: the database computes the value out of the row's other columns; nothing writes it.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub generated: Option<String>,
    /// `virtual`: it does so whenever the column is read, instead of when the row is written.
    #[cfg_attr(
        feature = "serde",
        serde(default, rename = "virtual", skip_serializing_if = "is_false")
    )]
    pub is_virtual: bool,
    /// `comment = "…"`: what the database says of it to people.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub comment: Option<String>,
    /// How the column came out of others. Spent at `finalize`, no part of a snapshot or of the fingerprint.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub transition: Option<Transition>,
    /// `moved_from = "addresses.town"`: it is a column of another table, which stays. Spent at `finalize`, no part of a snapshot
    /// or of the fingerprint.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub moved_from: Option<Box<MovedFrom>>,
    /// Where the field stands, `file:line`. No part of a snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub source: String,
}

/// How a database counts a column, where not by `GENERATED BY DEFAULT AS IDENTITY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Counted {
    /// `GENERATED ALWAYS AS IDENTITY`: the database refuses a number that a statement gives unasked.
    Always,
    /// `serial`: the default is the next number of a sequence.
    Serial,
}

impl Counted {
    /// The word in the attribute and in snapshots.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Serial => "serial",
        }
    }
}

/// `split_from = "users(id)"` on the struct of a new table: each of its rows holds what moves out of one row of the other. The
/// same of `merged_from`, whose table goes. A version keeps the hash of its `Debug` text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The table that the columns come out of.
    pub table: String,
    /// Its columns that hold the key of the struct's table, in the order of that key.
    pub columns: Vec<String>,
}

/// `moved_from = "addresses.town"` on a field: the column of a table that stays, and has it no longer. A version keeps the hash of
/// its `Debug` text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedFrom {
    /// The table that it was in.
    pub table: String,
    /// Its name there.
    pub column: String,
}

#[cfg(feature = "serde")]
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes a reference"
)]
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}
