//! How many rows the next batch takes: towards half a second per statement, because a batch holds its rows' locks; towards much less
//! beside others, whose commits wait until what it has logged is on disk. Once somebody had to wait it grows back slowly, as TCP does
//! after a lost packet, so that it does not meet the same writers at every other batch.
//!
//! Must not know: any database, any clock.

use std::time::Duration;

/// The size of the first batch.
pub const FIRST_BATCH: u32 = 1_000;
/// The size that no batch exceeds.
pub const MOST_ROWS: u32 = 10_000;
/// How long one batch's statement should take.
pub const TARGET: Duration = Duration::from_millis(500);
/// The same while others are at work.
pub const TARGET_BESIDE: Duration = Duration::from_micros(500);
/// Below it, locks on single rows are the trouble, not the size.
const FEWEST_ROWS: u32 = 10;

/// The present size of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    rows: u32,
    fewest: u32,
    most: u32,
    target: Duration,
    beside: Duration,
    /// From here on it grows slowly: twice as many rows were in somebody's way.
    careful: Option<u32>,
}

impl Pace {
    pub(super) fn start(rows: u32, most: u32, target: Duration, beside: Duration) -> Self {
        let rows = rows.clamp(1, most.max(1));
        Self {
            rows,
            fewest: FEWEST_ROWS.min(rows),
            most: most.max(1),
            target,
            beside: beside.min(target),
            careful: None,
        }
    }

    pub(super) fn rows(self) -> u32 {
        self.rows
    }

    /// Grows below 0.8 of the target, holds up to 1.4, sheds up to 2, halves above: 0.4 s, 0.7 s and 1 s by default. The reason,
    /// where it became slower.
    pub(super) fn after(&mut self, took: Duration) -> Option<String> {
        let percent = took.as_micros() * 100 / self.target.as_micros().max(1);
        let rows = match percent {
            0..80 => self.greater(),
            80..=140 => return None,
            141..=200 => self.rows - self.rows / 4,
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

    /// The same while others are at work, but that a statement which took too long says at once how many rows would not have.
    pub(super) fn after_beside(&mut self, took: Duration) {
        let percent = took.as_micros() * 100 / self.beside.as_micros().max(1);
        let rows = match percent {
            0..80 => self.greater(),
            80..=140 => self.rows,
            _ => u32::try_from(u128::from(self.rows) * 100 / percent).unwrap_or(self.rows),
        };
        self.rows = rows.clamp(self.fewest, self.most);
    }

    fn greater(self) -> u32 {
        let doubled = self.rows.saturating_mul(2);
        match self.careful {
            Some(careful) if doubled > careful => self.rows.saturating_add((self.rows / 32).max(1)),
            _ => doubled,
        }
    }

    /// Somebody waits for us, or we for somebody.
    pub(super) fn halve(&mut self) {
        self.rows = (self.rows / 2).max(self.fewest);
        self.careful = Some(self.rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Pace {
        Pace::start(FIRST_BATCH, MOST_ROWS, TARGET, TARGET_BESIDE)
    }

    #[test]
    fn a_batch_grows_to_the_most_and_shrinks_to_the_fewest() {
        let mut pace = begun();
        for _ in 0..10 {
            assert_eq!(pace.after(Duration::from_millis(100)), None);
        }
        assert_eq!(pace.rows(), MOST_ROWS);
        assert_eq!(pace.after(Duration::from_millis(500)), None);
        assert_eq!(pace.rows(), MOST_ROWS);
        assert!(pace.after(Duration::from_millis(900)).is_some());
        assert_eq!(pace.rows(), 7_500);
        assert!(pace.after(Duration::from_secs(3)).is_some());
        assert_eq!(pace.rows(), 3_750);
        for _ in 0..20 {
            pace.halve();
        }
        assert_eq!(pace.rows(), FEWEST_ROWS);
    }

    #[test]
    fn it_grows_slowly_to_where_somebody_had_to_wait() {
        let mut pace = begun();
        for _ in 0..3 {
            assert_eq!(pace.after(Duration::from_millis(10)), None);
        }
        assert_eq!(pace.rows(), 8_000);
        pace.halve();
        pace.after(Duration::from_millis(10));
        assert_eq!(pace.rows(), 4_125);
        pace.halve();
        pace.halve();
        pace.after(Duration::from_millis(10));
        assert_eq!(pace.rows(), 1_063);
    }

    #[test]
    fn beside_others_it_is_small_at_once() {
        let mut pace = begun();
        for _ in 0..10 {
            pace.after(Duration::from_millis(100));
        }
        assert_eq!(pace.rows(), MOST_ROWS);
        pace.after_beside(TARGET_BESIDE * 20);
        assert_eq!(pace.rows(), 500);
        pace.after_beside(TARGET_BESIDE * 11 / 10);
        assert_eq!(pace.rows(), 500);
        pace.after_beside(TARGET_BESIDE / 2);
        assert_eq!(pace.rows(), 1_000);
        pace.after(TARGET_BESIDE * 2);
        assert_eq!(pace.rows(), 2_000);
    }

    #[test]
    fn a_small_start_is_kept() {
        let start = |rows| Pace::start(rows, rows, TARGET, TARGET_BESIDE);
        assert_eq!(start(3).rows(), 3);
        assert_eq!(start(0).rows(), 1);
    }
}
