//! What a table has beside its columns: indexes and constraints.
//!
//! Comes in: what a struct declares. Goes out: parts of a [`Table`], as a snapshot stores them.
//! Must not know: any database's SQL, any file.

use crate::Table;
#[cfg(feature = "serde")]
use crate::schema::is_false;

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
    /// Whether another constraint of the table is the same but for its name: of a new table a database makes one of the two.
    pub fn repeats(&self, table: &Table) -> bool {
        let key = Self {
            name: self.name.clone(),
            columns: table.primary_key.clone(),
            ..Self::default()
        };
        let mut others = table.uniques.iter();
        (!table.no_primary_key && *self == key)
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
