//! Writes, each with its record in the transaction that makes it.

use std::time::Instant;

use zdm_runtime::Flags;
use zdm_runtime::database::Dialect;

use super::Shared;
use super::refused::{is_deadlock, written};
use crate::load::random::Random;
use crate::pipeline::rehearsed::Form;
use crate::rehearse::error::WorkError;
use crate::rehearse::handle::Handle;
use crate::rehearse::instance::Instance;
use crate::rehearse::line::Line;
use crate::rehearse::oracle;
use crate::rehearse::repository::{Repository, Row};
use crate::rehearse::value::Value;
use crate::render::rust::calls::Calls;

/// How often a transaction is repeated that the server has refused because of a deadlock.
const TRIES: u32 = 5;

/// What one transaction writes.
pub(in crate::rehearse) enum Write {
    Insert(Row),
    Upsert(Row),
    Update(Row),
    /// Of the setter at that place, for the column at that place.
    Set(usize, usize, Handle, Value),
    Delete(Handle),
}

impl Write {
    /// What people call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Insert(_) => "insert into",
            Self::Upsert(_) => "upsert of",
            Self::Update(_) => "update of",
            Self::Set(..) => "update of a column of",
            Self::Delete(_) => "delete from",
        }
    }
}

impl Shared {
    /// The next write of this instance to a table; `None`: there is none that could be followed just now.
    pub(in crate::rehearse) async fn next(
        &self,
        line: &mut Line,
        instance: &Instance,
        at: usize,
        random: &mut Random,
    ) -> Result<Option<Write>, WorkError> {
        let write = self.drawn(instance, at, random).await?;
        match write {
            Some(write) => Ok(Some(self.fitting(line, instance, at, write).await?)),
            None => Ok(None),
        }
    }

    async fn drawn(
        &self,
        instance: &Instance,
        at: usize,
        random: &mut Random,
    ) -> Result<Option<Write>, WorkError> {
        let form = instance.form;
        let tab = &self.subject.tabs[at];
        let belongs = self.subject.couple_of_part(at).is_some();
        let kind = random.below(100);
        if kind < 12 {
            let to = if belongs {
                self.some_row(at, 0, random)
            } else {
                None
            };
            let row = self.maker.row(at, form, to.as_ref(), random).await?;
            return Ok(row.map(Write::Insert));
        }
        // What others refer to stays.
        let from = match kind {
            90.. if tab.referenced => self.maker.stable(self.pool_of(at)),
            _ => 0,
        };
        let found = self.some_row(at, from, random);
        let Some(known) = found.filter(|known| tab.is_found(form, known)) else {
            return Ok(None);
        };
        let sole = self.maker.refers_alone(at, form);
        match kind {
            90.. => Ok(Some(Write::Delete(known))),
            ..65 if !sole => {
                let row = self.maker.row(at, form, Some(&known), random).await?;
                let updates = |calls: &Calls| calls.update.is_some();
                let has_more = tab.calls.get(&form).is_some_and(updates);
                // Another row with a key of its own may have come in the place of one that is gone.
                let may_come = tab.is_known_by_its_key(form);
                Ok(row.and_then(|row| match kind {
                    12..35 if may_come => Some(Write::Upsert(row)),
                    _ if has_more => Some(Write::Update(row)),
                    _ => may_come.then_some(Write::Upsert(row)),
                }))
            }
            _ => self.setting(instance, at, known, random).await,
        }
    }

    async fn setting(
        &self,
        instance: &Instance,
        at: usize,
        known: Handle,
        random: &mut Random,
    ) -> Result<Option<Write>, WorkError> {
        let form = instance.form;
        let tab = &self.subject.tabs[at];
        let Some((calls, side)) = tab.calls.get(&form).zip(tab.side(form)) else {
            return Ok(None);
        };
        let places = calls
            .setters
            .iter()
            .enumerate()
            .filter_map(|(number, setter)| {
                let mut columns = side.columns.iter();
                let place = columns.position(|column| column.field == setter.bound.column.field)?;
                let alone = self.subject.is_set_alone(at, form, place);
                let free = alone && !side.refers_alone(place);
                free.then_some((number, place))
            });
        let places: Vec<_> = places.collect();
        let some = usize::try_from(random.below(places.len() as u64)).unwrap_or(0);
        let Some((number, place)) = places.get(some).copied() else {
            return Ok(None);
        };
        let row = self.maker.row(at, form, Some(&known), random).await?;
        Ok(row.map(|row| Write::Set(number, place, known, row.values[place].clone())))
    }

    /// The write without what its row has no place for: values that move, where the row that they are to be in is not there.
    async fn fitting(
        &self,
        line: &mut Line,
        instance: &Instance,
        at: usize,
        mut write: Write,
    ) -> Result<Write, WorkError> {
        let (tab, form) = (&self.subject.tabs[at], instance.form);
        let Some(couple) = self.subject.couple_of_main(at) else {
            return Ok(write);
        };
        if form == Form::Old || !couple.part_stays() {
            return Ok(write);
        }
        let name = written(tab, form, &write).name();
        let (known, _) = oracle::state(&mut line.connection, couple.part, &name).await?;
        // What is new has none, whatever the key that it was drawn with.
        let there = known && !matches!(write, Write::Insert(_));
        match &mut write {
            Write::Insert(row) | Write::Upsert(row) | Write::Update(row) if !there => {
                couple.empty(tab, form, &mut row.values);
            }
            Write::Set(_, place, _, value) if !there && couple.moves(tab, form, *place) => {
                *value = Value::Null;
            }
            _ => {}
        }
        Ok(write)
    }

    /// One transaction: the write and its record. Returns the row and how often it was written, `None` where there is no such row or
    /// no place for it.
    pub(in crate::rehearse) async fn commit(
        &self,
        line: &mut Line,
        repository: &Repository<'_>,
        at: usize,
        instance: &Instance,
        write: &Write,
    ) -> Result<Option<(Handle, i64)>, WorkError> {
        let mut tries = 0;
        loop {
            let before = self.look(line, at, instance, write).await?;
            let begun = Instant::now();
            line.connection.begin().await?;
            if line.connection.dialect() == Dialect::Sqlite {
                // There the transaction begins with the only lock that there is.
                self.tally().waited(begun.elapsed());
            }
            let applied = self.apply(line, repository, at, instance, write).await;
            let done = line.connection.end(applied).await;
            match &done {
                Ok(Some(_)) => return done,
                Err(error) if tries < TRIES && self.may_deadlock(at) && is_deadlock(error) => {
                    tries += 1;
                    self.tally().deadlocked();
                }
                _ => {
                    return self
                        .explained(line, (at, instance, write), &before, done)
                        .await;
                }
            }
        }
    }

    /// Two tables whose triggers write each other are known for deadlocks, which an application answers with the same transaction again.
    fn may_deadlock(&self, at: usize) -> bool {
        self.subject.couple(at).is_some() && self.part() > 0
    }

    /// The same without an end of the transaction; `false`: it was refused, as it may be, and the transaction is at its end.
    pub(in crate::rehearse) async fn leave_open(
        &self,
        line: &mut Line,
        repository: &Repository<'_>,
        at: usize,
        instance: &Instance,
        write: &Write,
    ) -> Result<bool, WorkError> {
        let before = self.look(line, at, instance, write).await?;
        line.connection.begin().await?;
        let applied = self.apply(line, repository, at, instance, write).await;
        if applied.is_ok() {
            return Ok(true);
        }
        let refused = line.connection.end(applied).await;
        self.explained(line, (at, instance, write), &before, refused)
            .await?;
        Ok(false)
    }

    /// The write and its record, in the transaction that is open.
    pub(in crate::rehearse) async fn apply(
        &self,
        line: &mut Line,
        repository: &Repository<'_>,
        at: usize,
        instance: &Instance,
        write: &Write,
    ) -> Result<Option<(Handle, i64)>, WorkError> {
        let (part, begun) = (self.part(), Instant::now());
        let (tab, form) = (&self.subject.tabs[at], instance.form);
        let found = |known: &Handle| known.key(form).cloned().unwrap_or_default();
        let (row, done) = match write {
            Write::Insert(row) => {
                let key = repository.insert(line, row).await?;
                (self.inserted(at, instance, row, &key), true)
            }
            Write::Upsert(row) => {
                let done = repository.upsert(line, row).await?;
                (tab.handle_of(form, &row.values), done)
            }
            Write::Update(row) => {
                let done = repository.update(line, row).await?;
                (tab.handle_of(form, &row.values), done)
            }
            Write::Set(number, _, known, value) => {
                let key = found(known);
                let done = repository.set(line, *number, &key, value).await?;
                (known.clone(), done)
            }
            Write::Delete(known) => {
                let done = repository.delete(line, &found(known)).await?;
                (known.clone(), done)
            }
        };
        self.tally().took(part, begun.elapsed());
        if !done {
            return Ok(None);
        }
        let count = self.record(line, at, instance, &row, write).await?;
        Ok(Some((row, count)))
    }

    /// A write with flags from before a hop, as an instance sends it that has slept through it: whether there was such a row, or how it
    /// was refused.
    pub(in crate::rehearse) async fn wake(
        &self,
        line: &mut Line,
        instance: &Instance,
        slept_on: &[Option<Flags>],
        random: &mut Random,
    ) -> Result<Option<Result<bool, WorkError>>, WorkError> {
        let Some(at) = self.some_tab(instance, random) else {
            return Ok(None);
        };
        let Some(mut repository) = self.repository(instance, at) else {
            return Ok(None);
        };
        repository.slept_on = slept_on[at];
        let Some(write) = self.next(line, instance, at, random).await? else {
            return Ok(None);
        };
        let done = self.commit(line, &repository, at, instance, &write).await;
        if let Ok(Some((row, count))) = &done {
            self.acknowledge(at, row, *count);
        }
        Ok(Some(done.map(|done| done.is_some())))
    }
}
