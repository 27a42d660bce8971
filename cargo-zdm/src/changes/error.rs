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
    /// Refused only because every row would be written anew while nobody can use the table, which is quick where there are few.
    #[error("{refused}\nOr, where {} is empty or tiny: `--direct {}` with `--database-url` does it in one step of expand", .refused.place().table, .refused.place().table)]
    Rewrites {
        /// What is refused.
        refused: Box<ChangeError>,
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
            Self::Rewrites { refused } => refused.place(),
        }
    }

    /// The table that would be written anew, where that is all that stands in the way.
    pub fn rewritten(&self) -> Option<&str> {
        match self {
            Self::Rewrites { refused } => Some(&refused.place().table),
            _ => None,
        }
    }

    /// A small table may be written anew.
    pub(super) fn unless_small(self) -> Self {
        Self::Rewrites {
            refused: Box::new(self),
        }
    }
}
