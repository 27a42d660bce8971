//! A column that accepts NULL, with what a way back that has not ended has left of NOT NULL.

use serde::Serialize;

/// The column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nullable {
    /// Its table.
    pub table: String,
    /// Its name.
    pub column: String,
    /// The check by which the way back comes to NOT NULL, and which goes too.
    pub check: Option<String>,
}
