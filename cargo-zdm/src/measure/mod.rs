//! What a database tells about the pairs of a version before it is written: rows that cannot be converted, and what the way
//! there and back loses.
//!
//! Comes in: the plan's pairs, an open connection. Goes out: facts per pair, for the plan, and examples, for the terminal.
//! Must not know: how a plan is made, what becomes of the facts. It only reads.

mod answer;
mod ask;
mod question;
mod report;
mod size;

use zdm_runtime::manifest::Measured;

use crate::plan::Pair;

pub(crate) use answer::Examples;
pub(crate) use ask::ask;
pub(crate) use size::{incomputable, sizes};

/// What was found about a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The table.
    pub(crate) table: String,
    /// The column that comes.
    pub(crate) column: String,
    /// `quarantine`, `null`, `default`, `reject`, or `total`.
    pub(crate) rule: &'static str,
    /// The declaration, `src/models.rs:12`.
    pub(crate) source: String,
    /// For the plan, which is committed: keys of rows, but none of their values.
    pub(crate) measured: Measured,
    /// What the database does not understand of the declaration, and why.
    pub(crate) misunderstood: Vec<String>,
    /// For the terminal.
    pub(crate) examples: Examples,
}

/// Whether a database has anything to tell: what is built in is proved, and a function of the application is none that it can call.
pub(crate) fn is_open(pair: &Pair) -> bool {
    pair.built_in.is_none() && pair.with.is_none()
}
