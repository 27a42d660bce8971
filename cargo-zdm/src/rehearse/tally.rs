//! What the load has met, counted by the part of the way that it met it in.
//!
//! Comes in: writes, reads and failures as they happen. Goes out: counts, times and everything that went wrong.
//! Must not know: tables, the migration.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use zdm_runtime::phase::Phase;

/// How many of each kind of problem are kept in words.
const KEPT: usize = 10;
/// The parts of the way: before the version, and its phases.
pub(super) const PARTS: usize = 6;

/// The place of a phase among the parts; `None` is before.
pub(super) fn part(phase: Option<Phase>) -> usize {
    let place = phase.and_then(|phase| Phase::ALL.iter().position(|other| *other == phase));
    place.map_or(0, |place| place + 1)
}

/// The name of a part.
pub(super) fn name(part: usize) -> &'static str {
    let phase = part.checked_sub(1).and_then(|at| Phase::ALL.get(at));
    phase.map_or("before", |phase| phase.name())
}

/// What happened in one part.
#[derive(Debug, Default, Clone)]
pub(super) struct Count {
    pub(super) failed: u64,
    /// Of each statement, in microseconds.
    pub(super) times: Vec<u32>,
}

/// Everything up to now.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) counts: [Count; PARTS],
    /// By table and key the number of its last acknowledged write.
    acknowledged: HashMap<(usize, String), i64>,
    lost: BTreeSet<String>,
    pub(super) stale: u64,
    /// Reads of the application that found the sides of a row to differ.
    pub(super) inconsistent: u64,
    /// Transactions that the server has refused because of a deadlock that the version is known for.
    pub(super) deadlocks: u64,
    pub(super) longest_wait: Duration,
    pub(super) killed: Killed,
    pub(super) rows_compared: u64,
    problems: Vec<String>,
}

/// What was killed or made to sleep on purpose.
#[derive(Debug, Default, Clone, Copy, serde::Serialize)]
pub(super) struct Killed {
    pub(super) backfills: u64,
    pub(super) instances: u64,
    pub(super) connections: u64,
    /// Writes with flags from before a hop, which went on under those of after it.
    pub(super) sleepers_woken: u64,
    /// The same of code that may not run any more, which were refused.
    pub(super) sleepers_refused: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            counts: std::array::from_fn(|_| Count::default()),
            acknowledged: HashMap::new(),
            lost: BTreeSet::new(),
            stale: 0,
            inconsistent: 0,
            deadlocks: 0,
            longest_wait: Duration::ZERO,
            killed: Killed::default(),
            rows_compared: 0,
            problems: Vec::new(),
        }
    }

    /// A statement has done its work.
    pub(super) fn took(&mut self, part: usize, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        self.counts[part].times.push(micros);
    }

    /// A transaction is to be repeated.
    pub(super) fn deadlocked(&mut self) {
        self.deadlocks += 1;
    }

    /// A transaction has waited so long for a lock.
    pub(super) fn waited(&mut self, time: Duration) {
        self.longest_wait = self.longest_wait.max(time);
    }

    /// What came up to now is no load.
    pub(super) fn begin(&mut self) {
        self.counts = std::array::from_fn(|_| Count::default());
    }

    /// Its transaction is committed: the row was written so often now.
    pub(super) fn acknowledge(&mut self, tab: usize, key: String, count: i64) {
        let known = self.acknowledged.entry((tab, key)).or_default();
        *known = count.max(*known);
    }

    /// What was acknowledged up to now.
    pub(super) fn acknowledged(&self) -> HashMap<(usize, String), i64> {
        self.acknowledged.clone()
    }

    /// Compares what was acknowledged with how often the oracle says, later, that each row was written.
    pub(super) fn compare_acknowledged(
        &mut self,
        acknowledged: &HashMap<(usize, String), i64>,
        written: &HashMap<(usize, String), i64>,
    ) {
        for (row, count) in acknowledged {
            if written.get(row).is_none_or(|written| written < count) {
                let (tab, key) = row;
                self.lose(&format!(
                    "write {count} of row {key} of table {tab} was acknowledged and is gone"
                ));
            }
        }
    }

    pub(super) fn fail(&mut self, part: usize, problem: &str) {
        self.counts[part].failed += 1;
        self.keep(format!("failed statement in {}: {problem}", name(part)));
    }

    pub(super) fn read_stale(&mut self, part: usize, problem: &str) {
        self.stale += 1;
        self.keep(format!("stale read in {}: {problem}", name(part)));
    }

    pub(super) fn lose(&mut self, lost: &str) {
        if self.lost.insert(lost.to_owned()) {
            self.keep(format!("lost write: {lost}"));
        }
    }

    /// The control tables' count of reads that found the sides of a row to differ.
    pub(super) fn differ(&mut self, inconsistent: u64) {
        if inconsistent > self.inconsistent {
            self.keep(format!(
                "sides differ: {inconsistent} reads found a row whose sides are not consistent"
            ));
            self.inconsistent = inconsistent;
        }
    }

    pub(super) fn failed(&self) -> u64 {
        self.counts.iter().map(|count| count.failed).sum()
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.len() as u64
    }

    /// Something was lost, stale or refused.
    pub(super) fn has_findings(&self) -> bool {
        self.failed() + self.lost() + self.stale + self.inconsistent > 0
    }

    /// The first problems of each kind, in words.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    fn keep(&mut self, problem: String) {
        let kind = |problem: &str| problem.split(':').next().unwrap_or_default().to_owned();
        let own = kind(&problem);
        let alike = self
            .problems
            .iter()
            .filter(|kept| kind(kept) == own)
            .count();
        if alike < KEPT && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// The time that this share of the statements stays below, in milliseconds.
pub(super) fn percentile(times: &mut [u32], percent: usize) -> f64 {
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times
        .get(at)
        .map_or(0.0, |micros| f64::from(*micros) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledged_write_must_be_there() {
        let mut tally = Tally::new();
        let row = || (0, "7".to_owned());
        tally.acknowledge(0, "7".to_owned(), 3);
        tally.acknowledge(0, "7".to_owned(), 2);
        let acknowledged = tally.acknowledged();
        tally.compare_acknowledged(&acknowledged, &HashMap::from([(row(), 3)]));
        assert!(!tally.has_findings());
        tally.compare_acknowledged(&acknowledged, &HashMap::from([(row(), 2)]));
        tally.compare_acknowledged(&acknowledged, &HashMap::new());
        assert_eq!(tally.lost(), 1, "a write is lost once");
    }

    #[test]
    fn half_of_the_statements_are_below_the_median() {
        let mut times: Vec<u32> = (1..=1000).rev().map(|time| time * 1000).collect();
        assert!((percentile(&mut times, 50) - 501.0).abs() < 0.01);
        assert!((percentile(&mut times, 99) - 991.0).abs() < 0.01);
        assert!(percentile(&mut [], 99).abs() < 0.01);
    }
}
