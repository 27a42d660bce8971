//! Rows that the code before a version or after it could write: unique where they must be, referring to rows that are there, past every
//! check of both, and converted by `up` but for a few where the version says what becomes of those.
//!
//! Comes in: a table, a form of the code, chance. Goes out: rows. What is refused makes the way in which it came about less likely.
//! Must not know: which rows are stored, stages.

mod carry;
mod draw;
mod judge;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use zdm_runtime::database::DatabaseError;

pub(super) use draw::{Columns, Parent};
pub(super) use judge::inputs;

use super::handle::Handle;
use super::meaning::Meaning;
use super::repository::Row;
use super::shape::Seen;
use super::subject::Subject;
use super::value::Values;
use crate::load::random::Random;
use crate::pipeline::rehearsed::Form;

/// After so many refused rows there is no hope.
const TRIES: u32 = 400;
/// One of so many rows holds what `up` cannot convert, where that is provided for.
const INVALID: u64 = 20;

/// Makes rows.
pub(super) struct Maker {
    pub(super) subject: Arc<Subject>,
    pub(super) meaning: Arc<Meaning>,
    /// Of each table: as old code has it, and as new code has it.
    pub(super) columns: Vec<[Option<Mutex<Columns>>; 2]>,
    /// Of each table, the rows that nobody deletes.
    stable: Vec<Mutex<Vec<Handle>>>,
    numbers: Vec<AtomicU64>,
    /// What only new can hold, by column: a value, and what comes of it by way of old.
    losses: Mutex<BTreeMap<String, String>>,
}

impl Maker {
    pub(super) fn new(
        subject: Arc<Subject>,
        meaning: Arc<Meaning>,
        columns: Vec<[Option<Mutex<Columns>>; 2]>,
    ) -> Self {
        let tables = subject.tabs.len();
        Self {
            columns,
            stable: (0..tables).map(|_| Mutex::new(Vec::new())).collect(),
            numbers: (0..tables).map(|_| AtomicU64::new(1)).collect(),
            losses: Mutex::new(BTreeMap::new()),
            subject,
            meaning,
        }
    }

    /// What the old side cannot hold of values that only new has, in words.
    pub(super) fn losses(&self) -> Vec<String> {
        let losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        losses.values().cloned().collect()
    }

    /// The old column is made as it was seen elsewhere.
    pub(super) fn take(&self, tab: usize, column: usize, seen: Seen) {
        if let Some(columns) = &self.columns[tab][0] {
            let mut columns = columns.lock().unwrap_or_else(PoisonError::into_inner);
            columns.take(column, seen);
        }
    }

    /// How many rows of a table nobody deletes.
    pub(super) fn stable(&self, tab: usize) -> usize {
        let stable = self.stable[tab]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        stable.len()
    }

    /// The row is one that nobody deletes.
    pub(super) fn keep(&self, tab: usize, row: Handle) {
        let mut stable = self.stable[tab]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        stable.push(row);
    }

    /// No two rows of the table refer to the same one: what a row refers to is chosen once, when it is inserted.
    pub(super) fn refers_alone(&self, tab: usize, form: Form) -> bool {
        let Some(side) = self.subject.tabs[tab].side(form) else {
            return false;
        };
        let table = &self.subject.tabs[tab];
        let mut places = 0..side.columns.len();
        places.any(|at| side.refers_alone(at) && !table.names_rows(form, at))
    }

    /// A row for code of this form, a known one or a new one; `None`: none was found that is not refused.
    pub(super) async fn row(
        &self,
        tab: usize,
        form: Form,
        known: Option<&Handle>,
        random: &mut Random,
    ) -> Result<Option<Row>, DatabaseError> {
        let has_old = self.subject.tabs[tab].old.is_some();
        for _ in 0..TRIES {
            let made = match form {
                Form::Old => self.old_row(tab, known, true, random).await?,
                Form::New | Form::Final if has_old => {
                    match self.old_row(tab, known, false, random).await? {
                        Some(old) => {
                            self.carried_over((tab, form), (&old, known), random)
                                .await?
                        }
                        None => None,
                    }
                }
                Form::New | Form::Final => self.new_row(tab, form, known, random).await?,
            };
            if made.is_some() {
                return Ok(made);
            }
        }
        Ok(None)
    }

    /// A try at a row as old code writes it.
    async fn old_row(
        &self,
        tab: usize,
        known: Option<&Handle>,
        may_be_invalid: bool,
        random: &mut Random,
    ) -> Result<Option<Row>, DatabaseError> {
        let invalid = may_be_invalid && random.below(INVALID) == 0;
        let Some((row, ways)) = self.drawn(tab, (Form::Old, invalid), known, random) else {
            return Ok(None);
        };
        match self.judged(tab, &row, invalid).await? {
            Ok(values) if invalid => Ok(Some(Row {
                values,
                given: Values::new(),
            })),
            Err(_) if invalid => Ok(None),
            Ok(values) => {
                self.learn(tab, Form::Old, &ways, None);
                Ok(Some(Row {
                    values,
                    given: Values::new(),
                }))
            }
            Err(refused) => {
                self.learn(tab, Form::Old, &ways, Some(&refused));
                Ok(None)
            }
        }
    }

    /// A try at a row of a table that only new code has.
    async fn new_row(
        &self,
        tab: usize,
        form: Form,
        known: Option<&Handle>,
        random: &mut Random,
    ) -> Result<Option<Row>, DatabaseError> {
        let Some((row, ways)) = self.drawn(tab, (form, false), known, random) else {
            return Ok(None);
        };
        let judged = self.meaning.judge(tab, form, &row).await.ok();
        let judged = judged.filter(|judged| judged.refused.is_empty());
        let refused = judged.is_none().then_some(&judge::Refused::All);
        self.learn(tab, form, &ways, refused);
        Ok(judged.map(|judged| Row {
            values: judged.values,
            given: Values::new(),
        }))
    }
}
