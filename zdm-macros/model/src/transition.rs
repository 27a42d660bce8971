//! How columns come out of others, as long as a migration is under way.
//!
//! Must not know: syntax.

use std::fmt;

#[cfg(feature = "serde")]
use crate::schema::is_false;

/// A column that comes out of others: `renamed_from`, `from`, `final_name`, `up`, `with`, `down`, `one_way`, `valid_if`,
/// `on_invalid`, `up_loses`, `down_loses`.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Transition {
    /// The columns that it replaces: none for a new column whose `up` fills existing rows.
    #[cfg_attr(feature = "serde", serde(default))]
    pub from: Vec<String>,
    /// `final_name`: the column takes the name of one that it replaces.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub final_name: Option<FinalName>,
    /// The function that makes a value of its text, where the name of its type goes over to another. No attribute says it.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub cast: Option<String>,
    /// `renamed_from`: identity both ways.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub renamed: bool,
    /// Old to new: an expression over the `from` columns. `None`: built in for lossless pairs.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub up: Option<Expression>,
    /// `with`: the Rust function that fills a new column, in the place of `up`.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub with: Option<Function>,
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
    /// The kinds of old values that do not come back by `down`: tests know them, nothing is generated of them that runs.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub up_loses: Vec<String>,
    /// The kinds of new values that do not come back by `up`.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub down_loses: Vec<String>,
}

/// A Rust function of the application that computes a column from others of the row, which stay.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Function {
    /// `crate::phone::normalize`
    pub path: String,
    /// The columns that it takes, in its order.
    pub inputs: Vec<String>,
}

impl Function {
    /// `crate::phone::normalize(phone)`
    pub fn call(&self) -> String {
        format!("{}({})", self.path, self.inputs.join(", "))
    }
}

/// The two names of a column that takes over the name of one that it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FinalName {
    /// As long as both are there.
    pub interim: String,
    /// In the end.
    pub last: String,
}

/// A version keeps the hash of this text: what is not there must not show, nor what only tests are generated from, so that a loss can
/// be named of a version that is merged.
impl fmt::Debug for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            final_name,
            cast,
            renamed,
            up,
            with,
            down,
            one_way,
            valid_if,
            on_invalid,
            up_loses: _,
            down_loses: _,
        } = self;
        let mut text = f.debug_struct("Transition");
        text.field("from", from);
        if let Some(final_name) = final_name {
            text.field("final_name", final_name);
        }
        if let Some(cast) = cast {
            text.field("cast", cast);
        }
        text.field("renamed", renamed).field("up", up);
        if let Some(with) = with {
            text.field("with", with);
        }
        text.field("down", down);
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
