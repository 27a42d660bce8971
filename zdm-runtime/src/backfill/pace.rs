//! How many rows the next batch takes: towards half a second per statement, because a batch holds its rows' locks.
//!
//! Must not know: any database, any clock.

use std::time::Duration;

/// The size of the first batch.
pub const FIRST_BATCH: u32 = 1_000;
/// The size that no batch exceeds.
pub const MOST_ROWS: u32 = 50_000;
/// Below it, locks on single rows are the trouble, not the size.
const FEWEST_ROWS: u32 = 10;

/// The present size of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    rows: u32,
    fewest: u32,
    most: u32,
}

impl Pace {
    pub(super) fn start(rows: u32, most: u32) -> Self {
        let rows = rows.clamp(1, most.max(1));
        Self {
            rows,
            fewest: FEWEST_ROWS.min(rows),
            most: most.max(1),
        }
    }

    pub(super) fn rows(self) -> u32 {
        self.rows
    }

    /// Grows below 0.4 s, holds up to 0.7 s, sheds up to 1 s, halves above. The reason, where it became slower.
    pub(super) fn after(&mut self, took: Duration) -> Option<String> {
        let rows = match took.as_millis() {
            0..400 => self.rows.saturating_mul(2),
            400..=700 => return None,
            701..=1_000 => self.rows - self.rows / 4,
            _ => self.rows / 2,
        };
        let slower = rows < self.rows;
        self.rows = rows.clamp(self.fewest, self.most);
        slower.then(|| {
            format!(
                "the last statement took {:.1} s: {} rows next",
                took.as_secs_f64(),
                self.rows
            )
        })
    }

    /// Somebody waits for us, or we for somebody.
    pub(super) fn halve(&mut self) {
        self.rows = (self.rows / 2).max(self.fewest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_grows_to_the_most_and_shrinks_to_the_fewest() {
        let mut pace = Pace::start(FIRST_BATCH, MOST_ROWS);
        for _ in 0..10 {
            assert_eq!(pace.after(Duration::from_millis(100)), None);
        }
        assert_eq!(pace.rows(), MOST_ROWS);
        assert_eq!(pace.after(Duration::from_millis(500)), None);
        assert_eq!(pace.rows(), MOST_ROWS);
        assert!(pace.after(Duration::from_millis(900)).is_some());
        assert_eq!(pace.rows(), 37_500);
        assert!(pace.after(Duration::from_secs(3)).is_some());
        assert_eq!(pace.rows(), 18_750);
        for _ in 0..20 {
            pace.halve();
        }
        assert_eq!(pace.rows(), FEWEST_ROWS);
    }

    #[test]
    fn a_small_start_is_kept() {
        assert_eq!(Pace::start(3, 3).rows(), 3);
        assert_eq!(Pace::start(0, 0).rows(), 1);
    }
}
