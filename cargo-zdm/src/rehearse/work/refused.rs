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
        let (tab, form) = (&self.subject.tabs[at], instance.form);
        let couple = self.subject.couple(at);
        if let Err(error) = &done
            && (couple.is_none() || !is_refusal(error))
        {
            return done;
        }
        let mut after = self.look(line, at, instance, write).await?;
        let row = written(tab, form, write);
        let calls = tab.calls.get(&form);
        let is_all_key = calls.is_some_and(|calls| calls.update.is_none());
        let mut verdict = match couple {
            _ if before != &after => Verdict::Raced,
            // There is nothing but the key, and a row that has it.
            _ if is_all_key && done.is_ok() && matches!(write, Write::Upsert(_)) => {
                let own = match couple {
                    Some(couple) if couple.part == at => before.part,
                    _ => before.main,
                };
                Verdict::of(own.0)
            }
            Some(couple) => {
                let refused = done.is_err();
                let expected = match write {
                    // A row without one in part has no place for what moves.
                    Write::Upsert(_) | Write::Update(_) | Write::Set(..)
                        if refused && at == couple.main =>
                    {
                        !before.part.0 && couple.lacks_place(tab, form, write)
                    }
                    _ => couple.expects(at, write, before, refused),
                };
                Verdict::of(expected)
            }
            None => Verdict::of(!before.main.0),
        };
        if matches!(verdict, Verdict::Wrong) && done.is_ok() && tab.has_other_keys() {
            // Its key may be another one by now, of which nobody has told.
            let found = match (self.repository(instance, at), row.key(form)) {
                (Some(repository), Some(key)) => repository.get(line, key).await?,
                _ => None,
            };
            after = self.look(line, at, instance, write).await?;
            if found.is_none() || before != &after {
                verdict = Verdict::Raced;
            }
        }
        match (verdict, done) {
            (Verdict::Expected | Verdict::Raced, _) => Ok(None),
            (Verdict::Wrong, done) => {
                let why = match done {
                    Ok(_) => "it found no row, which was there".to_owned(),
                    Err(error) => error.to_string(),
                };
                Err(WorkError::Answer(format!(
                    "{} {} ({}): {why}",
                    write.kind(),
                    tab.name,
                    shown(&row.identity)
                )))
            }
        }
    }
}

impl Verdict {
    fn of(expected: bool) -> Self {
        if expected {
            Self::Expected
        } else {
            Self::Wrong
        }
    }
}

impl Couple {
    /// Whether what the two rows are says why nothing was written.
    fn expects(&self, at: usize, write: &Write, rows: &Rows, refused: bool) -> bool {
        let (main, part) = (rows.main.0, rows.part.0);
        let of_part = at == self.part;
        match (write, refused) {
            (Write::Insert(_), _) if of_part => !main || part,
            (Write::Upsert(_), _) if of_part => !main,
            (_, false) if of_part => !part,
            (_, false) => !main,
            (Write::Delete(_), true) if !of_part => part && !self.cascades,
            (_, true) => false,
        }
    }

    /// Code of this form writes values that move, which a row without one in part cannot hold before contract.
    fn lacks_place(&self, tab: &Tab, form: Form, write: &Write) -> bool {
        let moves = match write {
            Write::Insert(row) | Write::Upsert(row) | Write::Update(row) => {
                !self.is_empty(tab, form, &row.values)
            }
            Write::Set(_, place, _, value) => self.moves(tab, form, *place) && !value.is_null(),
            Write::Delete(_) => false,
        };
        self.part_stays() && form != Form::Old && moves
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

/// The server has refused one of two statements that wait for each other.
pub(super) fn is_deadlock(error: &WorkError) -> bool {
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
