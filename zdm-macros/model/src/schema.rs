//! What a set of models declares: tables, columns, indexes, constraints.
//!
//! Comes in: resolved models ([`crate::model`]) or a saved snapshot. Goes out: the two sides of a diff.
//! Must not know: any database's SQL, any file.

use std::fmt;

use crate::LogicalType;

/// All tables of a schema version, ordered by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Schema {
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
}

/// A table as its struct declares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Table {
    /// Physical name, unquoted.
    pub name: String,
    /// Columns in the struct's order.
    #[cfg_attr(feature = "serde", serde(rename = "column"))]
    pub columns: Vec<Column>,
    /// Names of the key columns, in key order; never empty.
    pub primary_key: Vec<String>,
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
    /// What the struct declares about columns that it no longer has (`drops("x")`). No part of a snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub drops: Vec<Drop>,
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
    /// The field is an `Option`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub nullable: bool,
    /// The database assigns the value: identity, `AUTO_INCREMENT`, rowid.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub auto: bool,
    /// `default = "…"`, an SQL expression.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub default: Option<String>,
    /// How the column came out of others. Spent at `finalize`, no part of a snapshot or of the fingerprint.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub transition: Option<Transition>,
    /// Where the field stands, `file:line`. No part of a snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub source: String,
}

/// A column that comes out of others: `renamed_from`, `from`, `up`, `down`, `one_way`, `valid_if`, `on_invalid`.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Transition {
    /// The columns that it replaces: none for a new column whose `up` fills existing rows.
    #[cfg_attr(feature = "serde", serde(default))]
    pub from: Vec<String>,
    /// `renamed_from`: identity both ways.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub renamed: bool,
    /// Old to new: an expression over the `from` columns. `None`: built in for lossless pairs.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub up: Option<Expression>,
    /// New to old: per `from` column an expression over the new column.
    #[cfg_attr(feature = "serde", serde(default))]
    pub down: Vec<(String, Expression)>,
    /// There is no `down`: writes take old and new values both.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub one_way: bool,
    /// The values of the `from` columns that `up` can convert.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub valid_if: Option<Expression>,
    /// What becomes of the others.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub on_invalid: Option<OnInvalid>,
}

/// A version keeps the hash of this text: what is not there must not show.
impl fmt::Debug for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            renamed,
            up,
            down,
            one_way,
            valid_if,
            on_invalid,
        } = self;
        let mut text = f.debug_struct("Transition");
        text.field("from", from)
            .field("renamed", renamed)
            .field("up", up)
            .field("down", down);
        if *one_way {
            text.field("one_way", one_way);
        }
        text.field("valid_if", valid_if)
            .field("on_invalid", on_invalid)
            .finish()
    }
}

/// An SQL expression, one for all dialects or one per dialect (`up(postgres = "…", sqlite = "…")`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(untagged))]
pub enum Expression {
    /// The same text everywhere.
    Any(String),
    /// `(dialect, text)`, in the order written.
    PerDialect(Vec<(String, String)>),
}

impl Expression {
    /// The text for a dialect, or `None` where only others were given.
    pub fn for_dialect(&self, dialect: &str) -> Option<&str> {
        match self {
            Self::Any(text) => Some(text),
            Self::PerDialect(texts) => texts
                .iter()
                .find(|(name, _)| name == dialect)
                .map(|(_, text)| text.as_str()),
        }
    }
}

/// What becomes of a row that `up` cannot convert.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum OnInvalid {
    /// New stays NULL and the row's key is kept until somebody fixes or waives it.
    Quarantine,
    /// New becomes NULL.
    Null,
    /// New becomes the value of this SQL expression.
    Default(String),
    /// The backfill stops at the row.
    Reject,
}

/// `drops("x")` or `drops("x", default = "''")` on the struct. Needed until a later version exists and no transition drops it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// The column that goes.
    pub column: String,
    /// What rows inserted by new code carry for old code, where the column is NOT NULL without a default.
    pub default: Option<String>,
}

/// An index over columns or expressions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Index {
    /// Physical name: `idx_<table>_<columns>`, `uq_<table>_<columns>` for unique ones, unless given.
    pub name: String,
    /// Column names in index order; empty where the index has `elements`.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub columns: Vec<String>,
    /// `on("lower(email) text_pattern_ops", "created_at DESC")`: what stands between the parentheses of `CREATE INDEX`, as
    /// the database spells it.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty", rename = "on")
    )]
    pub elements: Vec<String>,
    /// `using = "gin"`; `None` for the database's own choice.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", rename = "using")
    )]
    pub method: Option<String>,
    /// `include(a, b)`: columns that the index carries without ordering by them.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub include: Vec<String>,
    /// `nulls_not_distinct`: two NULLs count as the same value.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub nulls_not_distinct: bool,
    /// `with = "fillfactor = 70"`: storage parameters, as the database spells them.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", rename = "with")
    )]
    pub storage: Option<String>,
    /// Whether two rows may not share a value.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub unique: bool,
    /// The predicate of a partial index.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", rename = "where")
    )]
    pub predicate: Option<String>,
}

impl Unique {
    /// Whether another constraint of the table is the same but for its name: a database makes one of the two.
    pub fn repeats(&self, table: &Table) -> bool {
        let key = Self {
            name: self.name.clone(),
            columns: table.primary_key.clone(),
            ..Self::default()
        };
        let mut others = table.uniques.iter();
        *self == key
            || others.any(|other| {
                other.name != self.name
                    && *self
                        == Self {
                            name: self.name.clone(),
                            ..other.clone()
                        }
            })
    }
}

impl Index {
    /// Whether columns, `unique` and a predicate are all of it.
    pub fn is_plain(&self) -> bool {
        self.elements.is_empty()
            && self.method.is_none()
            && self.include.is_empty()
            && !self.nulls_not_distinct
            && self.storage.is_none()
    }
}

/// A unique constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Unique {
    /// Physical name: `uq_<table>_<columns>` unless given.
    pub name: String,
    /// The columns whose values no two rows share, in their order.
    pub columns: Vec<String>,
    /// `include(a, b)`: columns that its index carries.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub include: Vec<String>,
    /// `nulls_not_distinct`: two NULLs count as the same value.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub nulls_not_distinct: bool,
    /// `deferrable`: a transaction may put its check off.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub deferrable: bool,
    /// `initially_deferred`: every transaction does.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub initially_deferred: bool,
}

/// A check constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Check {
    /// Physical name.
    pub name: String,
    /// The condition, an SQL expression.
    pub expr: String,
    /// `not_valid`: it holds for rows that are written; those from before have not been compared with it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub not_valid: bool,
    /// `no_inherit`: tables that inherit from this one do not have it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub no_inherit: bool,
}

/// An exclusion constraint: no two rows for which all operators hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Exclusion {
    /// Physical name.
    pub name: String,
    /// `using = "gist"`; `None` for the database's own choice.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", rename = "using")
    )]
    pub method: Option<String>,
    /// `elements("room WITH =", "during WITH &&")`: each an element of an index and the operator that compares it.
    pub elements: Vec<String>,
    /// The rows that it is about.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", rename = "where")
    )]
    pub predicate: Option<String>,
    /// `deferrable`: a transaction may put its check off.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub deferrable: bool,
    /// `initially_deferred`: every transaction does.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub initially_deferred: bool,
}

impl Exclusion {
    /// An element apart from its operator.
    pub fn operand(element: &str) -> Option<(&str, &str)> {
        let at = element.to_ascii_lowercase().rfind(" with ")?;
        Some((element[..at].trim(), element[at + 6..].trim()))
    }
}

/// A foreign key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct ForeignKey {
    /// Physical name: `fk_<table>_<columns>` unless given.
    pub name: String,
    /// Referencing columns.
    pub columns: Vec<String>,
    /// Referenced table.
    pub references: String,
    /// Referenced columns.
    pub referenced_columns: Vec<String>,
    /// `on_delete = "set null"`, lower case, as SQL spells it.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub on_delete: Option<String>,
    /// `on_delete = "set null (a)"`: the columns that it sets, where these are not all.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub on_delete_columns: Vec<String>,
    /// `on_update = "cascade"`, like `on_delete`.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub on_update: Option<String>,
    /// `match_full`: of several columns all are NULL or none.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub match_full: bool,
    /// `deferrable`: a transaction may put its check off.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub deferrable: bool,
    /// `initially_deferred`: every transaction does.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub initially_deferred: bool,
    /// `not_valid`: it holds for rows that are written; those from before have not been compared with it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub not_valid: bool,
}

impl ForeignKey {
    /// Whether the database itself writes this column of the table where a referenced row is deleted or changed: the words of
    /// the action that does.
    pub fn sets(&self, column: &str) -> Option<String> {
        if !self.columns.iter().any(|name| name == column) {
            return None;
        }
        let deletes = self.on_delete.as_deref().filter(|action| {
            let all = self.on_delete_columns.is_empty();
            action.starts_with("set ")
                && (all || self.on_delete_columns.iter().any(|name| name == column))
        });
        let updates = self
            .on_update
            .as_deref()
            .filter(|action| action.starts_with("set ") || *action == "cascade");
        deletes
            .map(|action| format!("on delete {action}"))
            .or(updates.map(|action| format!("on update {action}")))
    }
}

#[cfg(feature = "serde")]
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
