//! A statement that is not ours.
//!
//! Must not know: where the user wrote it.

use serde::Serialize;

use crate::dialect::StatementFacts;

/// SQL that the user has written, with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Raw {
    /// The file's text.
    pub sql: String,
    /// The table whose lock is meant; empty where none is known.
    pub table: String,
    /// What it does to that table.
    pub facts: StatementFacts,
}
