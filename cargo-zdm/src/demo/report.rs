//! What the demo found, for people and for programs.
//!
//! Comes in: the tally. Goes out: the command's answer. Must not know: how it was found.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use zdm_runtime::phase::Phase;

use super::tally::Tally;

/// The object that the demo ends with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    phases: Vec<&'static str>,
    rows: i64,
    writes: BTreeMap<&'static str, u64>,
    reads: BTreeMap<&'static str, u64>,
    failed_statements: u64,
    lost_writes: u64,
    mismatches: u64,
    seconds: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

impl Report {
    /// Sums up the phases that were gone through.
    pub(super) fn new(tally: &Tally, phases: &[Phase], rows: i64, took: Duration) -> Self {
        let per_phase = |count: fn(super::tally::Count) -> u64| {
            phases
                .iter()
                .map(|phase| (phase.name(), count(tally.total(*phase))))
                .collect()
        };
        Self {
            phases: phases.iter().map(|phase| phase.name()).collect(),
            rows,
            writes: per_phase(|count| count.writes),
            reads: per_phase(|count| count.reads),
            failed_statements: tally.failed(),
            lost_writes: tally.lost(),
            mismatches: tally.mismatches(),
            seconds: (took.as_secs_f64() * 10.0).round() / 10.0,
            problems: tally.problems().to_vec(),
        }
    }

    /// Nothing was lost, stale or refused, and every phase was gone through under load.
    pub(crate) fn is_clean(&self) -> bool {
        !self.has_findings()
            && self.phases.len() == Phase::ALL.len()
            && self
                .writes
                .values()
                .chain(self.reads.values())
                .all(|count| *count > 0)
    }

    /// Something was lost, stale or refused.
    pub(super) fn has_findings(&self) -> bool {
        self.failed_statements + self.lost_writes + self.mismatches > 0
    }

    /// The last lines for people.
    pub(crate) fn text(&self) -> String {
        use std::fmt::Write as _;
        let writes: u64 = self.writes.values().sum();
        let reads: u64 = self.reads.values().sum();
        let mut text = format!(
            "\n{writes} writes and {reads} reads over {} of {} phases in {:.1} s: \
             {} failed statements, {} lost writes, {} mismatches",
            self.phases.len(),
            Phase::ALL.len(),
            self.seconds,
            self.failed_statements,
            self.lost_writes,
            self.mismatches,
        );
        for problem in &self.problems {
            let _ = write!(text, "\n  {problem}");
        }
        text
    }
}
