//! Pauses between tries: exponential, bounded, with jitter so that two waiters do not meet again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The pauses of one undertaking.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: Duration,
    longest: Duration,
    jitter: RandomState,
    count: u32,
}

impl Pauses {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            next: first.min(longest),
            longest,
            jitter: RandomState::new(),
            count: 0,
        }
    }

    /// Between half of the full pause and all of it.
    pub(crate) fn next(&mut self) -> Duration {
        let full = self.next;
        self.count += 1;
        self.next = (full * 2).min(self.longest);
        let percent = u32::try_from(self.jitter.hash_one(self.count) % 51).unwrap_or(0);
        full / 2 + full * percent / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_lie_between_half_and_all() {
        let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_millis(300));
        for full in [100, 200, 300, 300] {
            let pause = pauses.next();
            let full = Duration::from_millis(full);
            assert!(pause >= full / 2 && pause <= full, "{pause:?} of {full:?}");
        }
    }
}
