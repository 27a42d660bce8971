//! Writes that were refused or found no row, held against what the oracle says of before and after: whether they may have been.
//!
//! Must not know: how writes are made.

use zdm_runtime::database::DatabaseError;

use super::{Shared, Write};
use crate::pipeline::rehearsed::Form;
use crate::rehearse::couple::Couple;
use crate::rehearse::error::WorkError;
use crate::rehearse::handle::Handle;
use crate::rehearse::instance::Instance;
use crate::rehearse::line::Line;
use crate::rehearse::oracle;
use crate::rehearse::table::Tab;
use crate::rehearse::value::shown;

/// Of a row and of the one of another table that it belongs to: whether they are there, and how often they were written.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Rows {
    main: (bool, i64),
    part: (bool, i64),
}

/// Whether a write that did nothing is one of those that may.
enum Verdict {
    Expected,
    /// Somebody else wrote the same row meanwhile.
    Raced,
    Wrong,
}

impl Shared {
    /// What the oracle says now of the rows that a write is about.
    pub(super) async fn look(
        &self,
        line: &mut Line,
        at: usize,
        instance: &Instance,
        write: &Write,
    ) -> Result<Rows, WorkError> {
        let tab = &self.subject.tabs[at];
        let name = written(tab, instance.form, write).name();
        let connection = &mut line.connection;
        let couple = self.subject.couple(at);
        Ok(match couple {
            Some(couple) => Rows {
                main: oracle::state(connection, couple.main, &name).await?,
                part: oracle::state(connection, couple.part, &name).await?,
            },
            None => Rows {
                main: oracle::state(connection, at, &name).await?,
                part: Default::default(),
            },
        })
    }

    /// Nothing was written. Where that may be it is no finding.
    pub(super) async fn explained(
        &self,
        line: &mut Line,
        (at, instance, write): (usize, &Instance, &Write),
        before: &Rows,
        done: Result<Option<(Handle, i64)>, WorkError>,
    ) -> Result<Option<(Handle, i64)>, WorkError> {
        if done.as_ref().is_err_and(WorkError::is_cut) {
            return done;
        }
        let couple = self.subject.couple(at);
        if let Err(error) = &done {
            if couple.is_some() && is_deadlock(error) {
                self.tally().deadlocked();
                return Ok(None);
            }
            if couple.is_none() || !is_refusal(error) {
                return done;
            }
        }
        let calls = self.subject.tabs[at].calls.get(&instance.form);
        let is_all_key = calls.is_some_and(|calls| calls.update.is_none());
        if done.is_ok() && is_all_key && matches!(write, Write::Upsert(_)) {
            // There is nothing but the key, and a row that has it.
            return done;
        }
        let after = self.look(line, at, instance, write).await?;
        let verdict = match couple {
            Some(couple) => couple.verdict(at, write, before, &after, done.is_err()),
            None => found_none(&before.main, &after.main),
        };
        match (verdict, done) {
            (Verdict::Expected | Verdict::Raced, _) => Ok(None),
            (Verdict::Wrong, Ok(_)) => {
                let tab = &self.subject.tabs[at];
                let row = written(tab, instance.form, write);
                if !tab.has_other_keys() {
                    let words = format!(
                        "{} {} ({}): it found no row, which was there",
                        write.kind(),
                        tab.name,
                        shown(&row.identity)
                    );
                    return Err(WorkError::Answer(words));
                }
                // Its key may be another one by now, of which nobody has told.
                Ok(None)
            }
            (Verdict::Wrong, Err(error)) => {
                let tab = &self.subject.tabs[at];
                let row = shown(&written(tab, instance.form, write).identity);
                Err(WorkError::Answer(format!(
                    "{} {} ({row}): {error}",
                    write.kind(),
                    tab.name
                )))
            }
        }
    }
}

impl Couple {
    /// Whether what the two rows were says why nothing was written.
    fn verdict(
        &self,
        at: usize,
        write: &Write,
        before: &Rows,
        after: &Rows,
        refused: bool,
    ) -> Verdict {
        if before != after {
            return Verdict::Raced;
        }
        let (main, part) = (before.main.0, before.part.0);
        let of_part = at == self.part;
        let expected = match (write, refused) {
            (Write::Insert(_), _) if of_part => !main || part,
            (Write::Upsert(_), _) if of_part => !main,
            (_, false) if of_part => !part,
            (_, false) => !main,
            // A row without one in part has no place for what moves.
            (Write::Upsert(_) | Write::Update(_) | Write::Set(..), true) if !of_part => {
                self.part_stays() && !part
            }
            (Write::Delete(_), true) if !of_part => part && !self.cascades,
            (_, true) => false,
        };
        if expected {
            Verdict::Expected
        } else {
            Verdict::Wrong
        }
    }
}

fn found_none(before: &(bool, i64), after: &(bool, i64)) -> Verdict {
    match before {
        _ if before != after => Verdict::Raced,
        (false, _) => Verdict::Expected,
        (true, _) => Verdict::Wrong,
    }
}

/// The row that a write is about.
fn written(tab: &Tab, form: Form, write: &Write) -> Handle {
    match write {
        Write::Insert(row) | Write::Upsert(row) | Write::Update(row) => {
            tab.handle_of(form, &row.values)
        }
        Write::Set(_, _, known, _) | Write::Delete(known) => known.clone(),
    }
}

/// The database keeps to what the two tables demand of each other.
fn is_refusal(error: &WorkError) -> bool {
    const SQLITE_CONSTRAINT: u32 = 19;
    match error {
        WorkError::NoPlace => true,
        _ => code(error).is_some_and(|code| {
            let extended = code.parse::<u32>().ok();
            code.len() == 5 && code.starts_with("23")
                || extended.is_some_and(|code| code & 0xff == SQLITE_CONSTRAINT)
        }),
    }
}

fn is_deadlock(error: &WorkError) -> bool {
    code(error).is_some_and(|code| code == "40P01")
}

fn code(error: &WorkError) -> Option<String> {
    match error {
        WorkError::Database(DatabaseError::Other(sqlx::Error::Database(error))) => {
            error.code().map(|code| code.to_string())
        }
        _ => None,
    }
}
