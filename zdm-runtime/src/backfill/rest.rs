//! How long a worker rests after a batch, so that whoever else is at work finds the processors and the disk free most of the time.
//!
//! Must not know: any database, any clock.

use std::time::Duration;

use super::throttle::Verdict;

/// Others count as being at work for so many batches after they were seen: a look finds only who is in a transaction right then.
const REMEMBERED: u32 = 64;
/// Beside others it rests so many times as long as a batch takes.
pub(super) const BESIDE: u32 = 3;

/// What is known of others.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rest {
    remembered: u32,
}

impl Rest {
    /// Others were seen, or not, at the end of a batch.
    pub(super) fn look(&mut self, others: bool) {
        self.remembered = if others {
            REMEMBERED
        } else {
            self.remembered.saturating_sub(1)
        };
    }

    /// Whether others are at work, as far as one knows.
    pub(super) fn is_beside(self) -> bool {
        self.remembered > 0
    }

    /// After a batch that took so long.
    pub(super) fn after(self, took: Duration, verdict: &Verdict) -> Duration {
        let beside = if self.is_beside() { BESIDE } else { 0 };
        let told = match verdict {
            Verdict::Crawl(_) => 9,
            Verdict::Slow(_) => 2,
            Verdict::Go | Verdict::Hold(_) | Verdict::Stop(_) => 0,
        };
        took * (beside + told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_while_others_were_seen_not_long_ago() {
        let took = Duration::from_millis(10);
        let mut rest = Rest::default();
        assert_eq!(rest.after(took, &Verdict::Go), Duration::ZERO);
        rest.look(true);
        for _ in 0..REMEMBERED {
            assert_eq!(rest.after(took, &Verdict::Go), took * 3);
            rest.look(false);
        }
        assert_eq!(rest.after(took, &Verdict::Go), Duration::ZERO);
        let slow = Verdict::Slow("dead rows".to_owned());
        assert_eq!(rest.after(took, &slow), took * 2);
        rest.look(true);
        assert_eq!(rest.after(took, &slow), took * 5);
    }
}
