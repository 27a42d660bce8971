//! How far long work is: numbers and reasons, for whoever draws them.
//!
//! Must not know: terminals.

use std::time::Duration;

/// A moment of a backfill or a verification.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The table that is worked on.
    pub table: String,
    /// Rows behind the cursors, earlier runs included.
    pub rows: u64,
    /// How many rows the table has, as far as the database can tell without counting.
    pub total: Option<u64>,
    /// Rows of this run per second of this run.
    pub rows_per_second: f64,
    /// How long the rest takes at that rate; `None` while nothing is known.
    pub remaining: Option<Duration>,
    /// Size of the next batch.
    pub batch_rows: u32,
    /// Why the work is slower than it could be at this moment.
    pub throttle: Option<String>,
}

/// Receives progress; called after every batch.
pub type OnProgress<'a> = &'a mut (dyn FnMut(&Progress) + Send);
