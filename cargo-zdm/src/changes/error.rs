//! Why a declared change cannot be carried out, and the way on.

use crate::dialect::ExpressionError;
use crate::diff::Place;

/// A declaration that cannot be carried out. Nothing has been written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No kind of change stands for it.
    #[error("{what} is no change that can be made without downtime: {reason}\n{way_on}")]
    Unclaimed {
        /// Where.
        at: Box<Place>,
        /// The change.
        what: String,
        /// Why not.
        reason: String,
        /// What to do instead.
        way_on: String,
    },
    /// A table without a struct.
    #[error("no struct declares the table `{}` any more: `--drop-table {}` says that it goes with all its rows; otherwise bring its struct back", .at.table, .at.table)]
    TableGone {
        /// Where.
        at: Box<Place>,
    },
    /// An expression that is none.
    #[error("`{attribute}` of {subject}: {source}")]
    Expression {
        /// Where.
        at: Box<Place>,
        /// `users.age_int`
        subject: String,
        /// `up`
        attribute: String,
        /// What is wrong with it.
        source: Box<ExpressionError>,
    },
    /// An expression over a column that it may not name.
    #[error("`{attribute}` of {subject} names `{column}`, but it may name only {allowed}")]
    ForeignColumn {
        /// Where.
        at: Box<Place>,
        /// `users.age_int`
        subject: String,
        /// `up`
        attribute: String,
        /// What it names.
        column: String,
        /// What it may name.
        allowed: String,
    },
    /// An expression that gives another value at every call.
    #[error(
        "`{attribute}` of {subject} calls `{function}`, which gives another value at every call: reads, writes and the backfill would disagree about the same row. {way_on}"
    )]
    Changing {
        /// Where.
        at: Box<Place>,
        /// `users.age_int`
        subject: String,
        /// `up`
        attribute: String,
        /// What it calls.
        function: String,
        /// What to do instead.
        way_on: String,
    },
    /// A declaration that is missing or contradicts another.
    #[error("{subject}: {problem}\n{way_on}")]
    Declaration {
        /// Where.
        at: Box<Place>,
        /// `users.age_int`
        subject: String,
        /// What is missing or contradictory.
        problem: String,
        /// What to do.
        way_on: String,
    },
}

impl ChangeError {
    /// Where the declaration stands.
    pub fn place(&self) -> &Place {
        match self {
            Self::Unclaimed { at, .. }
            | Self::TableGone { at }
            | Self::Expression { at, .. }
            | Self::ForeignColumn { at, .. }
            | Self::Changing { at, .. }
            | Self::Declaration { at, .. } => at,
        }
    }
}
