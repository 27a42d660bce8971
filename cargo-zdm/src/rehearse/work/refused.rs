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

impl Shared {
    /// What the oracle says now of the rows that a write is about.
    pub(super) async fn look(
        &self,
        line: &mut Line,
        at: usize,
        instance: &Instance,
        write: &Write,
    ) -> Result<Rows, WorkError> {
        let name = written(&self.subject.tabs[at], instance.form, write).name();
        let connection = &mut line.connection;
        Ok(match self.subject.couple(at) {
            Some(couple) => Rows {
                main: oracle::state(connection, couple.main, &name).await?,
                part: oracle::state(connection, couple.part, &name).await?,
            },
            None => Rows {
                main: oracle::state(connection, at, &name).await?,
                ..Rows::default()
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
        if let Err(error) = &done
            && (self.subject.couple(at).is_none() || !is_refusal(error))
        {
            return done;
        }
        let refused = done.is_err();
        if self.may_do_nothing((at, instance.form, write), before, refused)
            || self.is_raced(line, (at, instance, write), before).await?
            || (!refused && !self.is_found(line, (at, instance, write), before).await?)
        {
            return Ok(None);
        }
        let why = match done {
            Ok(_) => "it found no row, which was there".to_owned(),
            Err(error) => error.to_string(),
        };
        let tab = &self.subject.tabs[at];
        let row = written(tab, instance.form, write);
        Err(WorkError::Answer(format!(
            "{} {} ({}): {why}",
            write.kind(),
            tab.name,
            shown(&row.identity)
        )))
    }

    /// Whether what the rows are says why nothing was written.
    fn may_do_nothing(
        &self,
        (at, form, write): (usize, Form, &Write),
        rows: &Rows,
        refused: bool,
    ) -> bool {
        let tab = &self.subject.tabs[at];
        let couple = self.subject.couple(at);
        let own = match couple {
            Some(couple) if couple.part == at => rows.part.0,
            _ => rows.main.0,
        };
        let calls = tab.calls.get(&form);
        let is_all_key = calls.is_some_and(|calls| calls.update.is_none());
        if is_all_key && !refused && matches!(write, Write::Upsert(_)) {
            // There is nothing but the key, and a row that has it.
            return own;
        }
        match couple {
            Some(couple) => couple.expects((at, tab, form), write, rows, refused),
            None => !own,
        }
    }

    /// Somebody else wrote one of the rows meanwhile.
    async fn is_raced(
        &self,
        line: &mut Line,
        (at, instance, write): (usize, &Instance, &Write),
        before: &Rows,
    ) -> Result<bool, WorkError> {
        Ok(*before != self.look(line, at, instance, write).await?)
    }

    /// Whether the row is found by the key that the write had: it may have got another one, of which nobody has told.
    async fn is_found(
        &self,
        line: &mut Line,
        (at, instance, write): (usize, &Instance, &Write),
        before: &Rows,
    ) -> Result<bool, WorkError> {
        let tab = &self.subject.tabs[at];
        if !tab.has_other_keys() {
            return Ok(true);
        }
        let row = written(tab, instance.form, write);
        let found = match (self.repository(instance, at), row.key(instance.form)) {
            (Some(repository), Some(key)) => repository.get(line, key).await?,
            _ => None,
        };
        let raced = self.is_raced(line, (at, instance, write), before).await?;
        Ok(found.is_some() && !raced)
    }
}

impl Couple {
    /// Whether what the two rows are says why nothing was written.
    fn expects(
        &self,
        (at, tab, form): (usize, &Tab, Form),
        write: &Write,
        rows: &Rows,
        refused: bool,
    ) -> bool {
        let (main, part) = (rows.main.0, rows.part.0);
        let of_part = at == self.part;
        match (write, refused) {
            (Write::Insert(_), _) if of_part => !main || part,
            (Write::Upsert(_), _) if of_part => !main,
            (_, false) if of_part => !part,
            (_, false) => !main,
            (_, true) if of_part => false,
            (Write::Delete(_), true) => part && !self.cascades,
            // A row without one in part has no place for what moves, before contract.
            (_, true) => {
                !part && self.part_stays() && form != Form::Old && self.gives(tab, form, write)
            }
        }
    }

    /// A write of main gives values that move.
    fn gives(&self, tab: &Tab, form: Form, write: &Write) -> bool {
        match write {
            Write::Insert(row) | Write::Upsert(row) | Write::Update(row) => {
                !self.is_empty(tab, form, &row.values)
            }
            Write::Set(_, place, _, value) => self.moves(tab, form, *place) && !value.is_null(),
            Write::Delete(_) => false,
        }
    }
}

/// The row that a write is about.
pub(super) fn written(tab: &Tab, form: Form, write: &Write) -> Handle {
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
