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

/// Rate and remaining time, measured over one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    started: std::time::Instant,
    before: u64,
    total: Option<u64>,
}

impl Meter {
    pub(crate) fn start(before: u64, total: Option<u64>) -> Self {
        Self {
            started: std::time::Instant::now(),
            before,
            total,
        }
    }

    pub(crate) fn read(
        &self,
        table: &str,
        rows: u64,
        batch_rows: u32,
        throttle: Option<String>,
    ) -> Progress {
        // Rows are far fewer than 2^52, and a rate needs no exactness.
        #[allow(clippy::cast_precision_loss)]
        let rows_per_second = rows.saturating_sub(self.before) as f64
            / self.started.elapsed().as_secs_f64().max(1e-6);
        #[allow(clippy::cast_precision_loss)]
        let remaining = self
            .total
            .filter(|_| rows_per_second > 0.0)
            .map(|total| total.saturating_sub(rows) as f64 / rows_per_second)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Progress {
            table: table.to_owned(),
            rows,
            total: self.total,
            rows_per_second,
            remaining,
            batch_rows,
            throttle,
        }
    }
}
