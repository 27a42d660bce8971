//! Writes, each with its record in the transaction that makes it.

use std::time::Instant;

use zdm_runtime::Flags;
use zdm_runtime::database::Dialect;

use super::Shared;
use crate::load::random::Random;
use crate::rehearse::compare;
use crate::rehearse::error::WorkError;
use crate::rehearse::instance::Instance;
use crate::rehearse::line::Line;
use crate::rehearse::oracle;
use crate::rehearse::repository::{Repository, Row};
use crate::rehearse::table::{Side, Tab};
use crate::rehearse::value::{Value, Values, identity};

/// What one transaction writes.
pub(in crate::rehearse) enum Write {
    Insert(Row),
    Upsert(Row),
    Update(Row),
    /// Of the setter at that place, for the column at that place.
    Set(usize, usize, Values, Value),
    Delete(Values),
}

impl Shared {
    /// The next write of this instance to a table; `None`: there is none that could be followed just now.
    pub(in crate::rehearse) async fn next(
        &self,
        instance: &Instance,
        at: usize,
        random: &mut Random,
    ) -> Result<Option<Write>, WorkError> {
        let form = instance.form;
        let tab = &self.subject.tabs[at];
        let kind = random.below(100);
        if kind < 12 {
            let row = self.maker.row(at, form, None, random).await?;
            return Ok(row.map(Write::Insert));
        }
        if kind >= 90 {
            // What others refer to stays.
            let from = if tab.referenced {
                self.maker.stable(at)
            } else {
                0
            };
            return Ok(self.some_key(at, from, random).map(Write::Delete));
        }
        let Some(key) = self.some_key(at, 0, random) else {
            return Ok(None);
        };
        let sole = self.maker.refers_alone(at, form);
        if kind < 65 && !sole {
            let row = self.maker.row(at, form, Some(&key), random).await?;
            let has_more = tab
                .calls
                .get(&form)
                .is_some_and(|calls| calls.update.is_some());
            return Ok(row.map(|row| match kind {
                12..35 => Write::Upsert(row),
                _ if has_more => Write::Update(row),
                _ => Write::Upsert(row),
            }));
        }
        self.setting(instance, at, key, random).await
    }

    async fn setting(
        &self,
        instance: &Instance,
        at: usize,
        key: Values,
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
                let free = tab.is_set_alone(form, place) && !side.refers_alone(place);
                free.then_some((number, place))
            });
        let places: Vec<_> = places.collect();
        let some = usize::try_from(random.below(places.len() as u64)).unwrap_or(0);
        let Some((number, place)) = places.get(some).copied() else {
            return Ok(None);
        };
        let row = self.maker.row(at, form, Some(&key), random).await?;
        Ok(row.map(|row| Write::Set(number, place, key, row.values[place].clone())))
    }

    /// One transaction: the write and its record. Returns the key and how often it was written, `None` where there is no such row.
    pub(in crate::rehearse) async fn commit(
        &self,
        line: &mut Line,
        repository: &Repository<'_>,
        at: usize,
        instance: &Instance,
        write: &Write,
    ) -> Result<Option<(Values, i64)>, WorkError> {
        let begun = Instant::now();
        line.connection.begin().await?;
        if line.connection.dialect() == Dialect::Sqlite {
            // There the transaction begins with the only lock that there is.
            self.tally().waited(begun.elapsed());
        }
        let applied = self.apply(line, repository, at, instance, write).await;
        line.connection.end(applied).await
    }

    /// The write and its record, in the transaction that is open.
    pub(in crate::rehearse) async fn apply(
        &self,
        line: &mut Line,
        repository: &Repository<'_>,
        at: usize,
        instance: &Instance,
        write: &Write,
    ) -> Result<Option<(Values, i64)>, WorkError> {
        let (part, begun) = (self.part(), Instant::now());
        let key = match write {
            Write::Insert(row) => Some(repository.insert(line, row).await?),
            Write::Upsert(row) => {
                let done = repository.upsert(line, row).await?;
                done.then(|| repository.key_of(&row.values))
            }
            Write::Update(row) => {
                let done = repository.update(line, row).await?;
                done.then(|| repository.key_of(&row.values))
            }
            Write::Set(number, _, key, value) => {
                let done = repository.set(line, *number, key, value).await?;
                done.then(|| key.clone())
            }
            Write::Delete(key) => repository.delete(line, key).await?.then(|| key.clone()),
        };
        self.tally().took(part, begun.elapsed());
        let Some(key) = key else { return Ok(None) };
        let (tab, form) = (&self.subject.tabs[at], instance.form);
        let known = identity(&key);
        let change = |before: Option<Vec<compare::Known>>| match write {
            Write::Insert(row) => {
                let mut row = row.clone();
                with_key(tab, instance, &mut row, &key);
                Some(compare::written(tab, form, &row, None))
            }
            Write::Upsert(row) | Write::Update(row) => {
                Some(compare::written(tab, form, row, before.as_deref()))
            }
            Write::Set(_, place, _, value) => before.map(|mut known| {
                compare::set(tab, form, *place, value, &mut known);
                known
            }),
            Write::Delete(_) => None,
        };
        let count = oracle::record(&mut line.connection, at, &known, change).await?;
        Ok(Some((key, count)))
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
        let Some(write) = self.next(instance, at, random).await? else {
            return Ok(None);
        };
        let done = self.commit(line, &repository, at, instance, &write).await;
        if let Ok(Some((key, count))) = &done {
            self.acknowledge(at, key, *count);
        }
        Ok(Some(done.map(|done| done.is_some())))
    }
}

/// The key that the database has assigned in the place of the one that was drawn.
fn with_key(tab: &Tab, instance: &Instance, row: &mut Row, key: &[Value]) {
    let places = tab.side(instance.form).map(Side::key);
    for (place, value) in places.unwrap_or_default().into_iter().zip(key) {
        row.values[place] = value.clone();
    }
}
