//! Whether a plan and its files fit together: what [`Migration`]'s accessors rely on.

use std::collections::BTreeSet;

use super::{Migration, lines, section_file};
use crate::manifest::Direction;
use crate::phase::Section;

/// A rebuild of `SQLite`'s manual ends so, and nothing else that rewrites a table has it.
const RENAMED: &str = " RENAME TO ";

impl Migration {
    /// What does not fit.
    pub(super) fn check(&self) -> Result<(), String> {
        for step in &self.manifest.steps {
            let path = section_file(step.section, step.direction);
            let content = self
                .files
                .get(&path)
                .ok_or_else(|| format!("step {} of {path} has no such file", step.number))?;
            let Some(sql) = lines(content, step.lines) else {
                let (first, last) = step.lines;
                return Err(format!(
                    "step {} of {path} names the lines {first} to {last}",
                    step.number
                ));
            };
            let keeps_small = step.transactional && self.manifest.dialect == "postgres";
            if !keeps_small && !step.small.is_empty() {
                return Err(format!(
                    "step {} of {path} is for small tables alone, and only a transaction on PostgreSQL keeps them small",
                    step.number
                ));
            }
            let rebuilds = step.rewrites && sql.contains(RENAMED);
            if rebuilds == step.expects.is_empty() || (rebuilds && !step.transactional) {
                return Err(format!(
                    "step {} of {path} rebuilds a table and does not say in `expects` what it may find there, or the other \
                     way round",
                    step.number
                ));
            }
        }
        for section in Section::ALL {
            let mut undone = BTreeSet::new();
            let mut last = None;
            for step in self.manifest.steps_of(section, Direction::Down) {
                let Some(undoes) = step.undoes else {
                    return Err(format!(
                        "step {} of {} does not say which step it undoes",
                        step.number,
                        section_file(section, Direction::Down)
                    ));
                };
                // Several entries may take one step back, one after the other.
                if !undone.insert(undoes) && last != Some(undoes) {
                    return Err(format!(
                        "step {undoes} of {} is undone in two places",
                        section_file(section, Direction::Up)
                    ));
                }
                last = Some(undoes);
            }
        }
        for backfill in &self.manifest.backfills {
            if backfill.key.is_empty() {
                return Err(format!("the backfill of {} has no key", backfill.table));
            }
            for path in backfill.paths() {
                if !self.files.contains_key(path) {
                    return Err(format!(
                        "the backfill of {} names {path}, which `files` does not list",
                        backfill.table
                    ));
                }
            }
        }
        Ok(())
    }
}
