//! What a rehearsal found, for people and for programs.
//!
//! Comes in: the tally and where the way led. Goes out: the command's answer. Must not know: how it was found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::subject::Left;
use super::tally::{self, Killed, PARTS, Tally};
use super::way::Edges;

/// One part of the way.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Part {
    phase: &'static str,
    statements: usize,
    failed: u64,
    p50_ms: f64,
    p99_ms: f64,
    /// The median against that before the version.
    p50_ratio: f64,
    p99_ratio: f64,
}

/// The object that the command ends with.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(super) migration: String,
    pub(super) rows: BTreeMap<String, u64>,
    phases: Vec<Part>,
    pub(super) rolled_back: Vec<&'static str>,
    pub(super) no_way_back: Vec<String>,
    pub(super) killed: Killed,
    pub(super) failed_statements: u64,
    pub(super) lost_writes: u64,
    pub(super) stale_reads: u64,
    /// Transactions that the server has refused because of a deadlock that the version is known for; each was repeated.
    deadlocks: u64,
    longest_lock_wait_ms: f64,
    rows_compared: u64,
    /// The way led to its end.
    pub(super) ended: bool,
    pub(super) stopped: Option<String>,
    problems: Vec<String>,
    /// Values of new that old cannot hold.
    pub(super) losses: Vec<String>,
    pub(super) not_driven: Vec<Left>,
    pub(super) seed: u64,
    seconds: f64,
}

/// What the way has led to.
pub(super) struct End {
    pub(super) migration: String,
    pub(super) rows: BTreeMap<String, u64>,
    pub(super) passed: BTreeSet<usize>,
    pub(super) edges: Edges,
    pub(super) ended: bool,
    pub(super) stopped: Option<String>,
    pub(super) losses: Vec<String>,
    pub(super) not_driven: Vec<Left>,
    pub(super) seed: u64,
    pub(super) seconds: f64,
}

impl Report {
    pub(super) fn new(tally: &mut Tally, end: End) -> Self {
        let mut before: Option<(f64, f64)> = None;
        let mut phases = Vec::new();
        for part in (0..PARTS).filter(|part| end.passed.contains(part)) {
            let count = &mut tally.counts[part];
            let p50 = tally::percentile(&mut count.times, 50);
            let p99 = tally::percentile(&mut count.times, 99);
            let (of_50, of_99) = *before.get_or_insert((p50, p99));
            phases.push(Part {
                phase: tally::name(part),
                statements: count.times.len(),
                failed: count.failed,
                p50_ms: rounded(p50),
                p99_ms: rounded(p99),
                p50_ratio: ratio(p50, of_50),
                p99_ratio: ratio(p99, of_99),
            });
        }
        Self {
            migration: end.migration,
            rows: end.rows,
            phases,
            rolled_back: end.edges.taken.into_iter().collect(),
            no_way_back: end.edges.none.into_iter().collect(),
            killed: tally.killed,
            failed_statements: tally.failed(),
            lost_writes: tally.lost(),
            stale_reads: tally.stale + tally.inconsistent,
            deadlocks: tally.deadlocks,
            longest_lock_wait_ms: rounded(tally.longest_wait.as_secs_f64() * 1000.0),
            rows_compared: tally.rows_compared,
            ended: end.ended,
            stopped: end.stopped,
            problems: tally.problems().to_vec(),
            losses: end.losses,
            not_driven: end.not_driven,
            seed: end.seed,
            seconds: (end.seconds * 10.0).round() / 10.0,
        }
    }

    /// Nothing was lost, stale or refused, and the way led to its end.
    pub(crate) fn is_clean(&self) -> bool {
        self.failed_statements + self.lost_writes + self.stale_reads == 0 && self.ended
    }

    /// What people read.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "\n{:<13} {:>10} {:>7} {:>9} {:>7} {:>9} {:>7}\n",
            "phase", "statements", "failed", "p50", "×", "p99", "×"
        );
        for part in &self.phases {
            let _ = writeln!(
                text,
                "{:<13} {:>10} {:>7} {:>6.2} ms {:>7.2} {:>6.2} ms {:>7.2}",
                part.phase,
                part.statements,
                part.failed,
                part.p50_ms,
                part.p50_ratio,
                part.p99_ms,
                part.p99_ratio
            );
        }
        let Killed {
            backfills,
            instances,
            connections,
            sleepers_woken,
            sleepers_refused,
        } = self.killed;
        let _ = write!(
            text,
            "\n{} failed statements, {} lost writes, {} stale reads; longest lock wait {:.1} ms; {} rows compared at the end\n\
             back along {} edges: {}\n\
             killed: {backfills} backfills, {instances} instances, {connections} connections; {sleepers_woken} writes went on after \
             sleeping through a hop, {sleepers_refused} of code that may run no more were refused\n\
             {:.1} s; the same choices again: --seed {}",
            self.failed_statements,
            self.lost_writes,
            self.stale_reads,
            self.longest_lock_wait_ms,
            self.rows_compared,
            self.rolled_back.len(),
            self.rolled_back.join(", "),
            self.seconds,
            self.seed,
        );
        let mut list = |title: &str, lines: &[String]| {
            for line in lines {
                let _ = write!(text, "\n{title}: {line}");
            }
        };
        if self.deadlocks > 0 {
            let words = format!(
                "{} transactions on two tables that columns move between were refused in a deadlock, and passed when they were repeated: \
                 have your application repeat what is refused with 40P01 until contract (docs/tables.md says when that may be)",
                self.deadlocks
            );
            list("note", &[words]);
        }
        list("no way back", &self.no_way_back);
        list("loss", &self.losses);
        let left = self.not_driven.iter();
        let left: Vec<_> = left
            .map(|left| format!("{}: {}", left.table, left.reason))
            .collect();
        list("not driven", &left);
        if self.phases.iter().all(|part| part.statements == 0) {
            let nothing = "no table is driven: this shows no more than that the steps run";
            list("note", &[nothing.to_owned()]);
        }
        list("found", &self.problems);
        list("stopped", self.stopped.as_slice());
        text
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn ratio(now: f64, before: f64) -> f64 {
    if before > 0.0 {
        (now / before * 100.0).round() / 100.0
    } else {
        1.0
    }
}
