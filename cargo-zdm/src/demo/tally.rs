//! What the processes under load have reported, counted.
//!
//! Comes in: events. Goes out: counts per phase and process, and everything that went wrong.
//! Must not know: processes, pipes, the migration.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use zdm_runtime::phase::Phase;

use super::message::Event;

/// How many of each kind of problem are kept in words.
const KEPT: usize = 10;

/// Counts of one process in one phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) writes: u64,
    pub(super) reads: u64,
}

/// Everything that was reported up to now.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<(Phase, u32), Count>,
    acknowledged: HashMap<i64, i64>,
    ready: BTreeSet<u32>,
    hanging: BTreeSet<u32>,
    comparisons: BTreeMap<u32, u64>,
    rows_compared: u64,
    leaving: BTreeSet<u32>,
    ended: BTreeSet<u32>,
    lost: BTreeSet<String>,
    mismatches: u64,
    inconsistent: u64,
    failed: u64,
    problems: Vec<String>,
}

impl Tally {
    /// Takes one event of a process.
    pub(super) fn take(&mut self, slot: u32, event: Event) {
        match event {
            Event::Ready => {
                self.ready.insert(slot);
            }
            Event::Hanging => {
                self.hanging.insert(slot);
            }
            Event::Wrote { phase, key, count } => {
                self.counts.entry((phase, slot)).or_default().writes += 1;
                let known = self.acknowledged.entry(key).or_default();
                *known = count.max(*known);
            }
            Event::Read { phase, mismatch } => {
                self.counts.entry((phase, slot)).or_default().reads += 1;
                if let Some(mismatch) = mismatch {
                    self.mismatches += 1;
                    self.keep(format!("stale read in {}: {mismatch}", phase.name()));
                }
            }
            Event::Failed { problem } => {
                self.failed += 1;
                self.keep(format!("failed statement: {problem}"));
            }
            Event::Compared { rows, lost } => {
                *self.comparisons.entry(slot).or_default() += 1;
                self.rows_compared = rows;
                for lost in lost {
                    self.lose(lost);
                }
            }
        }
    }

    /// Per key the last acknowledged write.
    pub(super) fn acknowledged(&self) -> HashMap<i64, i64> {
        self.acknowledged.clone()
    }

    /// Compares what was acknowledged with how often the oracle said, later, that each key was written.
    pub(super) fn compare_acknowledged(
        &mut self,
        acknowledged: &HashMap<i64, i64>,
        written: &[(i64, i64)],
    ) {
        let written: HashMap<i64, i64> = written.iter().copied().collect();
        let fewer: Vec<_> = acknowledged
            .iter()
            .filter(|(key, count)| written.get(key).is_none_or(|written| written < count))
            .map(|(key, count)| format!("write {count} of row {key} was acknowledged and is gone"))
            .collect();
        for lost in fewer {
            self.lose(lost);
        }
    }

    /// Reads that compared both sides of a row have found them to differ so often, by the control tables' count.
    pub(super) fn differ(&mut self, inconsistent: u64) {
        if inconsistent > self.inconsistent {
            self.keep(format!(
                "sides differ: {inconsistent} reads found a row whose sides are not consistent"
            ));
            self.inconsistent = inconsistent;
        }
    }

    /// A process is about to end because it was told so.
    pub(super) fn leave(&mut self, slot: u32) {
        self.leaving.insert(slot);
    }

    /// A process's output has ended.
    pub(super) fn end(&mut self, slot: u32) {
        self.ended.insert(slot);
    }

    /// A process that ended although nobody told it to.
    pub(super) fn ended_early(&self) -> Option<u32> {
        self.ended.difference(&self.leaving).next().copied()
    }

    /// The process has ended.
    pub(super) fn has_ended(&self, slot: u32) -> bool {
        self.ended.contains(&slot)
    }

    /// The process is connected.
    pub(super) fn is_ready(&self, slot: u32) -> bool {
        self.ready.contains(&slot)
    }

    /// The process has a transaction open and will not end it.
    pub(super) fn is_hanging(&self, slot: u32) -> bool {
        self.hanging.contains(&slot)
    }

    /// What a process did in a phase.
    pub(super) fn count(&self, phase: Phase, slot: u32) -> Count {
        self.counts.get(&(phase, slot)).copied().unwrap_or_default()
    }

    /// What all processes did in a phase.
    pub(super) fn total(&self, phase: Phase) -> Count {
        self.counts.iter().filter(|((of, _), _)| *of == phase).fold(
            Count::default(),
            |sum, (_, count)| Count {
                writes: sum.writes + count.writes,
                reads: sum.reads + count.reads,
            },
        )
    }

    /// Writes in all phases.
    pub(super) fn writes(&self) -> u64 {
        self.counts.values().map(|count| count.writes).sum()
    }

    /// How often the process has compared every row.
    pub(super) fn comparisons(&self, slot: u32) -> u64 {
        self.comparisons.get(&slot).copied().unwrap_or_default()
    }

    /// Rows of the last full comparison.
    pub(super) fn rows_compared(&self) -> u64 {
        self.rows_compared
    }

    /// Statements that the database or the generated code refused.
    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    /// Reads that were not what was written last, or that found the sides of a row to differ.
    pub(super) fn mismatches(&self) -> u64 {
        self.mismatches + self.inconsistent
    }

    /// Acknowledged writes that are not there.
    pub(super) fn lost(&self) -> u64 {
        self.lost.len() as u64
    }

    /// The first problems of each kind, in words.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    fn lose(&mut self, lost: String) {
        if !self.lost.contains(&lost) {
            self.keep(format!("lost write: {lost}"));
            self.lost.insert(lost);
        }
    }

    fn keep(&mut self, problem: String) {
        let kind = problem.split(':').next().unwrap_or_default().to_owned();
        let alike = self
            .problems
            .iter()
            .filter(|kept| kept.starts_with(&kind))
            .count();
        if alike < KEPT {
            self.problems.push(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrote(key: i64, count: i64) -> Event {
        let phase = Phase::Expand;
        Event::Wrote { phase, key, count }
    }

    #[test]
    fn an_acknowledged_write_must_be_there() {
        let mut tally = Tally::default();
        tally.take(1, wrote(7, 3));
        tally.take(2, wrote(7, 2));
        let acknowledged = tally.acknowledged();
        tally.compare_acknowledged(&acknowledged, &[(7, 3)]);
        assert_eq!(tally.lost(), 0);
        tally.compare_acknowledged(&acknowledged, &[(7, 2)]);
        assert_eq!(tally.lost(), 1);
        tally.compare_acknowledged(&acknowledged, &[]);
        assert_eq!(tally.lost(), 1, "a write is lost once");
    }

    #[test]
    fn counts_are_kept_per_phase_and_process() {
        let mut tally = Tally::default();
        tally.take(1, wrote(7, 1));
        tally.take(2, wrote(7, 2));
        let phase = Phase::Backfill;
        tally.take(
            2,
            Event::Read {
                phase,
                mismatch: None,
            },
        );
        assert_eq!(tally.count(Phase::Expand, 1).writes, 1);
        assert_eq!(
            tally.total(Phase::Expand),
            Count {
                writes: 2,
                reads: 0
            }
        );
        assert_eq!(
            tally.total(Phase::Backfill),
            Count {
                writes: 0,
                reads: 1
            }
        );
    }

    #[test]
    fn an_end_that_was_not_asked_for_is_noticed() {
        let mut tally = Tally::default();
        tally.leave(1);
        tally.end(1);
        assert_eq!(tally.ended_early(), None);
        tally.end(2);
        assert_eq!(tally.ended_early(), Some(2));
    }
}
