//! What one instance does under load: writes that are recorded in the transaction that makes them, reads that are compared in the
//! snapshot that they are made in.
//!
//! Comes in: the tables, chance. Goes out: counts in the tally. Must not know: stages, the other instances.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zdm_runtime::Flags;
use zdm_runtime::database::Dialect;

use super::compare::{self, difference};
use super::error::WorkError;
use super::instance::Instance;
use super::line::Line;
use super::make::Maker;
use super::meaning::Meaning;
use super::oracle;
use super::repository::{Repository, Row};
use super::subject::{Left, Subject};
use super::table::Tab;
use super::tally::Tally;
use super::value::{Value, Values, identity, shown};
use crate::load::random::Random;

/// Every writer wants these.
const HOT_KEYS: u64 = 12;
/// Rows of a list, and of a page of the full comparison.
const LIST_ROWS: i64 = 20;
const PAGE_ROWS: i64 = 500;
/// How many differences a full comparison names.
const NAMED: usize = 20;

/// What all instances share.
pub(super) struct Shared {
    pub(super) url: String,
    pub(super) subject: Arc<Subject>,
    pub(super) meaning: Arc<Meaning>,
    pub(super) maker: Maker,
    /// Of each table, the keys that were ever inserted; the first ones stay.
    pub(super) keys: Vec<Mutex<Vec<Values>>>,
    /// The tables that are not driven, with the reasons.
    left: Mutex<Vec<Left>>,
    driven: Vec<AtomicBool>,
    tally: Mutex<Tally>,
    part: AtomicUsize,
}

/// What one transaction writes.
pub(super) enum Write {
    Insert(Row),
    Upsert(Row),
    Update(Row),
    /// Of the setter at that place, for the column at that place.
    Set(usize, usize, Values, Value),
    Delete(Values),
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
            keys: subject
                .tabs
                .iter()
                .map(|_| Mutex::new(Vec::new()))
                .collect(),
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
            let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            left.push(Left { table, reason });
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

    /// A key that was inserted once.
    fn some_key(&self, tab: usize, from: usize, random: &mut Random) -> Option<Values> {
        let keys = self.keys[tab]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = (keys.len().saturating_sub(from)) as u64;
        let bound = match random.below(10) {
            0..6 => HOT_KEYS.min(count),
            _ => count,
        };
        let at = from + usize::try_from(random.below(bound)).ok()?;
        keys.get(at).cloned()
    }

    /// The next write of this instance to a table; `None`: there is none that could be followed just now.
    pub(super) async fn next(
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
    pub(super) async fn commit(
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
        line.end(applied).await
    }

    /// The write and its record, in the transaction that is open.
    pub(super) async fn apply(
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

    /// One read in a snapshot of its own; what is not as it should be goes to the tally.
    pub(super) async fn read(
        &self,
        line: &mut Line,
        instance: &Instance,
        random: &mut Random,
    ) -> Result<(), WorkError> {
        let Some(at) = self.some_tab(instance, random) else {
            return Ok(());
        };
        let (Some(key), Some(repository)) =
            (self.some_key(at, 0, random), self.repository(instance, at))
        else {
            return Ok(());
        };
        line.begin_snapshot().await?;
        let list = random.below(4) == 0;
        let result = self
            .read_some(line, &repository, at, instance, (&key, list))
            .await;
        let differences = line.end(result).await?;
        let part = self.part();
        for difference in differences {
            self.tally().read_stale(part, &difference);
        }
        Ok(())
    }

    async fn read_some(
        &self,
        line: &mut Line,
        repository: &Repository<'_>,
        at: usize,
        instance: &Instance,
        (key, list): (&[Value], bool),
    ) -> Result<Vec<String>, WorkError> {
        let (part, begun) = (self.part(), Instant::now());
        let rows = if list {
            repository.list(line, Some(key), LIST_ROWS).await?
        } else {
            repository.get(line, key).await?.into_iter().collect()
        };
        self.tally().took(part, begun.elapsed());
        let tab = &self.subject.tabs[at];
        let mut differences = Vec::new();
        if rows.is_empty()
            && !list
            && oracle::one(&mut line.connection, at, &identity(key))
                .await?
                .is_some()
        {
            differences.push(format!(
                "{} ({}) was written and is not found",
                tab.name,
                shown(key)
            ));
        }
        for row in rows {
            let found = repository.key_of(&row);
            let known = oracle::one(&mut line.connection, at, &identity(&found)).await?;
            let known = known.as_deref();
            differences.extend(self.differs(at, instance, &found, known, &row).await);
        }
        Ok(differences)
    }

    async fn differs(
        &self,
        at: usize,
        instance: &Instance,
        key: &[Value],
        known: Option<&[compare::Known]>,
        row: &[Value],
    ) -> Option<String> {
        let tab = &self.subject.tabs[at];
        let Some(known) = known else {
            return Some(format!(
                "{} ({}) was deleted or never written, and is read",
                tab.name,
                shown(key)
            ));
        };
        let found = difference(&self.meaning, (at, tab), instance.form, known, row).await?;
        Some(format!("{} ({}): {found}", tab.name, shown(key)))
    }

    /// Every row of every table and every row that should be there, in one snapshot.
    pub(super) async fn compare_all(&self, instance: &Instance) -> Result<(), WorkError> {
        let mut line = Line::open(&self.url).await?;
        line.begin_snapshot().await?;
        let result = self.compare_tables(&mut line, instance).await;
        let (rows, lost) = line.end(result).await?;
        let mut tally = self.tally();
        tally.rows_compared = rows;
        for lost in lost {
            tally.lose(lost);
        }
        Ok(())
    }

    async fn compare_tables(
        &self,
        line: &mut Line,
        instance: &Instance,
    ) -> Result<(u64, Vec<String>), WorkError> {
        let (mut rows, mut lost) = (0, Vec::new());
        for at in 0..self.subject.tabs.len() {
            let Some(repository) = self.repository(instance, at) else {
                continue;
            };
            let mut wanted = oracle::all(&mut line.connection, at).await?;
            let mut after: Option<Values> = None;
            loop {
                let page = repository.list(line, after.as_deref(), PAGE_ROWS).await?;
                let Some(last) = page.last() else { break };
                after = Some(repository.key_of(last));
                rows += page.len() as u64;
                for row in &page {
                    let key = repository.key_of(row);
                    let known = wanted.remove(&identity(&key));
                    let found = self
                        .differs(at, instance, &key, known.as_deref(), row)
                        .await;
                    lost.extend(found);
                }
            }
            let name = &self.subject.tabs[at].name;
            lost.extend(
                wanted
                    .into_keys()
                    .map(|key| format!("{name} {key} was written and is gone")),
            );
            lost.truncate(NAMED);
        }
        Ok((rows, lost))
    }

    /// A write with flags from before a hop, as an instance sends it that has slept through it.
    pub(super) async fn wake(
        &self,
        line: &mut Line,
        instance: &Instance,
        slept_on: &[Option<Flags>],
        random: &mut Random,
    ) -> Result<Option<bool>, WorkError> {
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
        let done = self.commit(line, &repository, at, instance, &write).await?;
        if let Some((key, count)) = &done {
            self.acknowledge(at, key, *count);
        }
        Ok(Some(done.is_some()))
    }

    /// The write is committed.
    pub(super) fn acknowledge(&self, tab: usize, key: &Values, count: i64) {
        if count == 1 {
            let mut keys = self.keys[tab]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            keys.push(key.clone());
        }
        self.tally().acknowledge(tab, identity(key), count);
    }
}

/// The key that the database has assigned in the place of the one that was drawn.
fn with_key(tab: &Tab, instance: &Instance, row: &mut Row, key: &[Value]) {
    let places = tab.side(instance.form).map(super::table::Side::key);
    for (place, value) in places.unwrap_or_default().into_iter().zip(key) {
        row.values[place] = value.clone();
    }
}
