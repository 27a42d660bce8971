//! The table at the end, and a line per step on the way.

use std::collections::BTreeMap;
use std::fmt;

use super::history::{History, Step};
use super::pair::Outcome;

/// What became of every step.
#[derive(Debug, Default)]
pub(crate) struct Report {
    projects: BTreeMap<String, Counts>,
    refused: Vec<String>,
    failed: Vec<String>,
}

#[derive(Debug, Default)]
struct Counts {
    steps: usize,
    unchanged: usize,
    converged: usize,
    refused: usize,
    failed: usize,
}

impl Report {
    /// Takes an outcome in; its line.
    pub(crate) fn add(&mut self, history: &History, step: &Step, outcome: Outcome) -> String {
        let counts = self.projects.entry(history.project.clone()).or_default();
        counts.steps += 1;
        let name = format!("{} {:04}", history.project, step.number);
        match outcome {
            Outcome::Unchanged => {
                counts.unchanged += 1;
                format!("{name} changes nothing that is managed")
            }
            Outcome::Converged(changes) => {
                counts.converged += 1;
                format!("{name} converged: {changes}")
            }
            Outcome::Refused(reason) => {
                counts.refused += 1;
                self.refused.push(format!("{name}: {reason}"));
                format!("{name} REFUSED: {reason}")
            }
            Outcome::Failed(reason) => {
                counts.failed += 1;
                self.failed.push(format!("{name}: {reason}"));
                format!("{name} FAILED: {reason}")
            }
        }
    }

    /// Nothing failed, and enough of the steps that change managed objects converged.
    pub(crate) fn holds(&self, percent: usize) {
        assert!(self.failed.is_empty(), "{} steps failed", self.failed.len());
        let sum = |of: fn(&Counts) -> usize| self.projects.values().map(of).sum::<usize>();
        let changing = sum(|counts| counts.steps - counts.unchanged);
        assert!(
            sum(|counts| counts.converged) * 100 >= changing * percent,
            "less than {percent} % of {changing} steps converged"
        );
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (heading, list) in [("refused", &self.refused), ("failed", &self.failed)] {
            if !list.is_empty() {
                writeln!(f, "\n{heading}:")?;
                list.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
            }
        }
        writeln!(
            f,
            "\n{:<20} {:>6} {:>10} {:>10} {:>8} {:>7} {:>9}",
            "history", "steps", "unchanged", "converged", "refused", "failed", "converged"
        )?;
        for (project, counts) in &self.projects {
            let changing = (counts.steps - counts.unchanged).max(1);
            writeln!(
                f,
                "{project:<20} {:>6} {:>10} {:>10} {:>8} {:>7} {:>7.1} %",
                counts.steps,
                counts.unchanged,
                counts.converged,
                counts.refused,
                counts.failed,
                100.0 * f64::from(u32::try_from(counts.converged).unwrap_or(u32::MAX))
                    / f64::from(u32::try_from(changing).unwrap_or(u32::MAX)),
            )?;
        }
        Ok(())
    }
}
