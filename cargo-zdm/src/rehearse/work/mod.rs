//! What one instance does under load: writes that are recorded in the transaction that makes them, reads that are compared in the
//! snapshot that they are made in.
//!
//! Comes in: the tables, chance. Goes out: counts in the tally. Must not know: stages, the other instances.

mod read;
mod record;
mod refused;
mod write;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use write::Write;

use super::handle::{Handle, Pool};
use super::instance::Instance;
use super::make::Maker;
use super::meaning::Meaning;
use super::repository::Repository;
use super::subject::{Left, Subject};
use super::tally::Tally;
use crate::load::random::Random;
use crate::pipeline::rehearsed::Form;

/// Every writer wants these.
const HOT_KEYS: u64 = 12;
/// What all instances share.
pub(super) struct Shared {
    pub(super) url: String,
    pub(super) subject: Arc<Subject>,
    pub(super) meaning: Arc<Meaning>,
    pub(super) maker: Maker,
    /// Of each table, the rows that were ever inserted; the first ones stay.
    rows: Vec<Mutex<Pool>>,
    /// The tables that are not driven, with the reasons.
    left: Mutex<Vec<Left>>,
    driven: Vec<AtomicBool>,
    tally: Mutex<Tally>,
    part: AtomicUsize,
}

impl Shared {
    pub(super) fn new(
        url: &str,
        subject: Arc<Subject>,
        meaning: Arc<Meaning>,
        maker: Maker,
    ) -> Self {
        Self {
            url: url.to_owned(),
            rows: subject.tabs.iter().map(|_| Mutex::default()).collect(),
            left: Mutex::new(subject.left.clone()),
            driven: subject
                .tabs
                .iter()
                .map(|tab| AtomicBool::new(tab.driven))
                .collect(),
            subject,
            meaning,
            maker,
            tally: Mutex::new(Tally::new()),
            part: AtomicUsize::new(0),
        }
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows of the table are written and read under load.
    pub(super) fn is_driven(&self, tab: usize) -> bool {
        self.driven[tab].load(Ordering::Relaxed)
    }

    /// From now on they are not.
    pub(super) fn leave(&self, tab: usize, reason: String) {
        if self.driven[tab].swap(false, Ordering::Relaxed) {
            let table = self.subject.tabs[tab].name.clone();
            let partner = self.subject.couple(tab).map(|couple| couple.other(tab));
            let because = format!("columns move between it and {table}, which is not driven");
            {
                let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
                left.push(Left { table, reason });
            }
            if let Some(partner) = partner {
                self.leave(partner, because);
            }
        }
    }

    /// The tables that are not driven.
    pub(super) fn left(&self) -> Vec<Left> {
        self.left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// From now on everything counts for this part of the way.
    pub(super) fn enter(&self, part: usize) {
        self.part.store(part, Ordering::Relaxed);
    }

    pub(super) fn part(&self) -> usize {
        self.part.load(Ordering::Relaxed)
    }

    /// A table that this instance's code writes and reads under load.
    pub(super) fn some_tab(&self, instance: &Instance, random: &mut Random) -> Option<usize> {
        let tabs: Vec<usize> = (0..self.subject.tabs.len())
            .filter(|at| self.is_driven(*at) && instance.flags[*at].is_some())
            .collect();
        let at = random.below(tabs.len() as u64);
        tabs.get(usize::try_from(at).ok()?).copied()
    }

    /// The table as this instance's code has it.
    pub(super) fn repository<'a>(
        &'a self,
        instance: &'a Instance,
        at: usize,
    ) -> Option<Repository<'a>> {
        let tab = &self.subject.tabs[at];
        Some(Repository {
            calls: tab.calls.get(&instance.form)?,
            side: tab.side(instance.form)?,
            flags: instance.flags[at].as_ref()?,
            slept_on: None,
        })
    }

    /// A row that was inserted once. One that belongs to a row of another table may not be there, and never have been.
    fn some_row(&self, tab: usize, from: usize, random: &mut Random) -> Option<Handle> {
        let of = self.pool_of(tab);
        let found = {
            let rows = self.rows(of);
            let count = (rows.len().saturating_sub(from)) as u64;
            let bound = match random.below(10) {
                0..6 => HOT_KEYS.min(count),
                _ => count,
            };
            let at = from + usize::try_from(random.below(bound)).ok()?;
            rows.at(at)?.clone()
        };
        if of == tab {
            return Some(found);
        }
        let known = self.rows(tab).named(&found.name()).cloned();
        Some(known.unwrap_or_else(|| self.subject.tabs[tab].handle(found.identity)))
    }

    /// The table whose rows those of this one belong to, or itself.
    fn pool_of(&self, tab: usize) -> usize {
        let couple = self.subject.couple_of_part(tab);
        couple.map_or(tab, |couple| couple.main)
    }

    fn rows(&self, tab: usize) -> MutexGuard<'_, Pool> {
        self.rows[tab]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A row was read: by which key code of this form finds it may be news.
    fn seen(&self, tab: usize, form: Form, row: &[super::value::Value]) {
        let table = &self.subject.tabs[tab];
        if table.has_other_keys() {
            self.rows(tab).put(table.handle_of(form, row));
        }
    }

    /// The write is committed.
    pub(super) fn acknowledge(&self, tab: usize, row: &Handle, count: i64) {
        self.rows(tab).put(row.clone());
        self.tally().acknowledge(tab, row.name(), count);
    }
}
