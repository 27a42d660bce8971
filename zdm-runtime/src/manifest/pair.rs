//! What a conversion does to values, as `plan.toml` keeps it for the review page. Nothing here is executed.
//!
//! Must not know: how facts are measured, how they are shown.

use serde::{Deserialize, Serialize};

/// Old and new side of a column, the way between them, and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The table.
    pub table: String,
    /// From old to new, as it is declared or built in.
    pub up: String,
    /// `up` as statements call it, where that is another text: it then never fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<String>,
    /// The Rust function of the application that fills the new column; `up` is how it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// The column beside new that says what both sides of a row were when somebody last wrote both, where a function stands between
    /// them; nobody's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
    /// From new to old, per old column; `None` where the pair is one-way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<Vec<String>>,
    /// Nothing computes old from new: writes take both values, and the first dual write is the point of no return.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_way: bool,
    /// The condition under which `up` gives the right value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_if: Option<String>,
    /// `quarantine`, `null`, `default`, `reject`, or `total` where `up` converts everything.
    pub on_invalid: String,
    /// The value of `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The columns that go; none where `up` fills a new column from the row.
    #[serde(default)]
    pub old: Vec<Side>,
    /// The column that comes.
    pub new: Side,
    /// What an old column is called from the moment on in which the new one takes its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Released>,
    /// What is proved of a conversion whose both halves are built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_in: Option<BuiltIn>,
    /// What a database told before the version was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

/// An old column whose name the new one takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// Its name until then.
    pub column: String,
    /// Its name until it is dropped.
    pub name: String,
}

/// A column of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Its name.
    pub column: String,
    /// Its type, as the database declares it.
    pub sql_type: String,
    /// It may be NULL.
    pub nullable: bool,
}

/// What is proved by construction: `up` always converts, and loses nothing beyond what is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuiltIn {
    /// New can express what old cannot hold; `down` refuses it.
    pub refuses: bool,
    /// What `down` loses of a value that it accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_loses: Option<String>,
    /// What `up` loses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_loses: Option<String>,
}

/// What was asked of a database, and what it told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Over the rows that the table held.
    pub rows: Fact<RowFacts>,
    /// Over values at the edges of the new column's type; `None` where there is no way back to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<Fact<EdgeFacts>>,
}

/// An answer, or why there is none. Unknown is not zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    /// The answer.
    Found(T),
    /// Why it could not be had.
    Unknown(String),
}

/// What the rows of a table told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFacts {
    /// All rows.
    pub rows: u64,
    /// Rows that `up` cannot convert.
    pub unconvertible: Rows,
    /// What the ways there and back lose; `None` where there is no way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub losses: Option<Losses>,
}

/// Rows whose values do not come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Losses {
    /// `down(up(old))` is not old.
    pub up: Rows,
    /// `up(down(new))` is not new, for the new that `up` gives.
    pub down: Rows,
}

/// So many rows, and the keys of the first few.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// All of them.
    pub count: u64,
    /// The first few, each as the texts of its key columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Vec<String>>,
}

/// What became of values at the edges of the new column's type: none of them is anybody's data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeFacts {
    /// How many were tried.
    pub tried: u64,
    /// Those that old cannot hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Those that come back as something else: the value, what came back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<(String, String)>,
}
