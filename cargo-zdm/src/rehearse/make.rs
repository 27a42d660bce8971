//! Rows that the code before a version or after it could write: unique where they must be, referring to rows that are there, past every
//! check of both, and converted by `up` but for a few where the version says what becomes of those.
//!
//! Comes in: a table, a form of the code, chance. Goes out: rows. What is refused makes the way in which it came about less likely.
//! Must not know: which rows are stored, stages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use zdm_model::OnInvalid;
use zdm_runtime::database::DatabaseError;

use super::compare::alike;
use super::meaning::{Converted, Meaning, olds};
use super::repository::Row;
use super::shape::Shape;
use super::subject::Subject;
use super::table::{Group, Kind, Tab};
use super::value::{Value, Values};
use crate::load::random::Random;
use crate::pipeline::rehearsed::Form;

/// After so many refused rows there is no hope.
const TRIES: u32 = 400;
/// One of so many rows holds what `up` cannot convert, where that is provided for.
const INVALID: u64 = 20;

/// The columns of one form of a table, with how likely each way of each is.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) shapes: Vec<Shape>,
    weights: Vec<Vec<f64>>,
    /// A column that refers to a row of the table at that place, in its key at that place.
    pub(super) refers: Vec<Option<(usize, usize)>>,
}

/// Makes rows.
pub(super) struct Maker {
    pub(super) subject: Arc<Subject>,
    pub(super) meaning: Arc<Meaning>,
    /// Of each table: as old code has it, and as new code has it.
    pub(super) columns: Vec<[Option<Mutex<Columns>>; 2]>,
    /// Of each table, the keys of rows that nobody deletes.
    stable: Vec<Mutex<Vec<Values>>>,
    numbers: Vec<AtomicU64>,
    /// What only new can hold, by column: a value, and what comes of it by way of old.
    losses: Mutex<BTreeMap<String, String>>,
}

/// Why a row was not taken.
enum Refused {
    /// By what these columns hold.
    By(Vec<usize>),
    /// By all of it.
    All,
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

    /// How many rows of a table nobody deletes.
    pub(super) fn stable(&self, tab: usize) -> usize {
        let stable = self.stable[tab]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        stable.len()
    }

    /// The row with that key is one that nobody deletes.
    pub(super) fn keep(&self, tab: usize, key: Values) {
        let mut stable = self.stable[tab]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        stable.push(key);
    }

    /// No two rows of the table refer to the same one: what a row refers to is chosen once, when it is inserted.
    pub(super) fn refers_alone(&self, tab: usize, form: Form) -> bool {
        let Some(side) = self.subject.tabs[tab].side(form) else {
            return false;
        };
        let key = side.key();
        let mut places = 0..side.columns.len();
        places.any(|at| side.refers_alone(at) && !key.contains(&at))
    }

    /// A row for code of this form, with this key or a new one; `None`: none was found that is not refused.
    pub(super) async fn row(
        &self,
        tab: usize,
        form: Form,
        key: Option<&[Value]>,
        random: &mut Random,
    ) -> Result<Option<Row>, DatabaseError> {
        let has_old = self.subject.tabs[tab].old.is_some();
        for _ in 0..TRIES {
            let made = match form {
                Form::Old => self.old_row(tab, key, true, random).await?,
                Form::New | Form::Final if has_old => {
                    match self.old_row(tab, key, false, random).await? {
                        Some(old) => self.carried_over(tab, form, &old, random).await?,
                        None => None,
                    }
                }
                Form::New | Form::Final => self.new_row(tab, form, key, random).await?,
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
        key: Option<&[Value]>,
        may_be_invalid: bool,
        random: &mut Random,
    ) -> Result<Option<Row>, DatabaseError> {
        let invalid = may_be_invalid && random.below(INVALID) == 0;
        let Some((row, ways)) = self.drawn(tab, (Form::Old, invalid), key, random) else {
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
                self.learn(tab, Form::Old, &ways, Some(refused));
                Ok(None)
            }
        }
    }

    /// What the database, the checks of old and new, and `up` say of an old row.
    async fn judged(
        &self,
        tab: usize,
        row: &[Value],
        invalid: bool,
    ) -> Result<Result<Values, Refused>, DatabaseError> {
        let table = &self.subject.tabs[tab];
        let Ok(judged) = self.meaning.judge(tab, Form::Old, row).await else {
            return Ok(Err(Refused::All));
        };
        if !judged.refused.is_empty() {
            return Ok(Err(Refused::All));
        }
        let mut after = Some(BTreeMap::new());
        for (at, group) in table.groups.iter().enumerate() {
            let inputs = inputs(table, group, Form::Old, &judged.values);
            match group.kind {
                Kind::Plain => {
                    let value = judged.values[group.old[0]].clone();
                    after.iter_mut().for_each(|after| {
                        after.insert(group.new[0], value.clone());
                    });
                }
                Kind::Pairs | Kind::Fill => {
                    let Some(inputs) = inputs else { continue };
                    let converted = self.meaning.declared((tab, at), &inputs).await?;
                    match self.accepts(group, converted, invalid) {
                        Some(Some(values)) => after.iter_mut().for_each(|after| {
                            after.extend(group.new.iter().copied().zip(values.iter().cloned()));
                        }),
                        Some(None) => after = None,
                        None => return Ok(Err(Refused::By(group.old.clone()))),
                    }
                }
                Kind::OldOnly | Kind::NewOnly => {}
            }
        }
        let Some((after, new)) = after.zip(table.new.as_ref()) else {
            return Ok(Ok(judged.values));
        };
        let row: Option<Values> = (0..new.columns.len())
            .map(|at| after.get(&at).cloned())
            .collect();
        if let Some(row) = row {
            match self.meaning.judge(tab, Form::New, &row).await {
                Ok(after) if after.refused.is_empty() => {}
                _ => return Ok(Err(Refused::All)),
            }
        }
        Ok(Ok(judged.values))
    }

    /// The new values, `Some(None)` where nobody knows them, `None` where such a row is not to be made.
    fn accepts(
        &self,
        group: &Group,
        converted: Converted,
        invalid: bool,
    ) -> Option<Option<Values>> {
        let provided = |rule: &Option<OnInvalid>| {
            matches!(
                rule,
                Some(OnInvalid::Quarantine | OnInvalid::Null | OnInvalid::Default(_))
            )
        };
        match converted {
            Converted::Unknown => Some(None),
            Converted::Not => {
                let mut pairs = group.pairs.iter();
                (invalid && pairs.all(|pair| provided(&pair.on_invalid))).then_some(None)
            }
            Converted::To(values) => {
                let mut pairs = group.pairs.iter().zip(&values);
                let holds = pairs.all(|(pair, value)| pair.optional || !value.is_null());
                holds.then_some(Some(values))
            }
        }
    }

    /// A row of new code out of one of old code: the same values, some that only new knows.
    async fn carried_over(
        &self,
        tab: usize,
        form: Form,
        old: &Row,
        random: &mut Random,
    ) -> Result<Option<Row>, DatabaseError> {
        let table = &self.subject.tabs[tab];
        let Some((drawn, ways)) = self.drawn(tab, (form, false), None, random) else {
            return Ok(None);
        };
        // What nothing says otherwise about is drawn; what the database takes such a value for, it says.
        let mut row = drawn.clone();
        let mut given = Values::new();
        for (at, group) in table.groups.iter().enumerate() {
            match group.kind {
                Kind::Plain => row[group.new[0]] = old.values[group.old[0]].clone(),
                Kind::Pairs => {
                    let before = group.of(Form::Old, &old.values);
                    let values = self.meaning.up((tab, at), &before).await?;
                    for (place, value) in group.new.iter().zip(&values) {
                        row[*place] = value.clone();
                    }
                    if group.is_one_way() {
                        given.extend(before);
                    } else if let [place] = group.new[..]
                        && random.below(3) == 0
                        && !drawn[place].is_null()
                    {
                        let fresh = &drawn[place];
                        if self.comes_back((tab, at), group, fresh, &values).await? {
                            row[place] = fresh.clone();
                        }
                    }
                }
                Kind::Fill | Kind::OldOnly | Kind::NewOnly => {}
            }
        }
        let judged = self.meaning.judge(tab, form, &row).await;
        match judged {
            Ok(judged) if judged.refused.is_empty() && holds(table, form, &judged.values) => {
                self.learn(tab, form, &ways, None);
                Ok(Some(Row {
                    values: judged.values,
                    given,
                }))
            }
            _ => {
                self.learn(tab, form, &ways, Some(Refused::All));
                Ok(None)
            }
        }
    }

    /// Whether old can hold a value of new, so that it is read again by way of old. What it makes of others is kept in words.
    async fn comes_back(
        &self,
        at: (usize, usize),
        group: &Group,
        fresh: &Value,
        by_old: &[Value],
    ) -> Result<bool, DatabaseError> {
        let new = &group.pairs[0].new;
        let one = std::slice::from_ref(fresh);
        // The row of the version may not even hold it as it is: its check says so.
        let Ok(before) = self.meaning.down(at, one).await else {
            return Ok(false);
        };
        let Ok(again) = self.meaning.up(at, &before).await else {
            return Ok(false);
        };
        if again.len() == 1 && alike(new, &again[0], fresh) {
            return Ok(true);
        }
        // Nothing to say where not even a value that came from old comes back: the load will find that.
        let before = self.meaning.down(at, by_old).await?;
        let by_old_again = self.meaning.up(at, &before).await?;
        if by_old_again.len() == 1 && alike(new, &by_old_again[0], &by_old[0]) {
            let words = format!(
                "{}.{}: old cannot hold {}: by way of old it is {}",
                group.pairs[0].table,
                new.name,
                fresh.shown(),
                again.first().map(Value::shown).unwrap_or_default()
            );
            let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
            losses.entry(new.name.clone()).or_insert(words);
        }
        Ok(false)
    }

    /// A try at a row of a table that only new code has.
    async fn new_row(
        &self,
        tab: usize,
        form: Form,
        key: Option<&[Value]>,
        random: &mut Random,
    ) -> Result<Option<Row>, DatabaseError> {
        let Some((row, ways)) = self.drawn(tab, (form, false), key, random) else {
            return Ok(None);
        };
        let judged = self.meaning.judge(tab, form, &row).await.ok();
        let judged = judged.filter(|judged| judged.refused.is_empty());
        let refused = judged.is_none().then_some(Refused::All);
        self.learn(tab, form, &ways, refused);
        Ok(judged.map(|judged| Row {
            values: judged.values,
            given: Values::new(),
        }))
    }

    /// A value for every column, and the way in which each was made; `evenly` whatever was refused before.
    fn drawn(
        &self,
        tab: usize,
        (form, evenly): (Form, bool),
        key: Option<&[Value]>,
        random: &mut Random,
    ) -> Option<(Values, Vec<usize>)> {
        let table = &self.subject.tabs[tab];
        let side = table.side(form)?;
        let columns = self.columns[tab][usize::from(form != Form::Old)].as_ref()?;
        let columns = columns.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.numbers[tab].fetch_add(1, Ordering::Relaxed);
        let places = side.key();
        let mut parents: BTreeMap<usize, Option<Values>> = BTreeMap::new();
        let (mut row, mut ways) = (Values::new(), Vec::new());
        for (at, shape) in columns.shapes.iter().enumerate() {
            let way = if evenly {
                usize::try_from(random.below(shape.ways.len() as u64)).ok()?
            } else {
                weighted(&columns.weights[at], random)
            };
            ways.push(way);
            let given = places.iter().position(|place| *place == at);
            let value = match (given.zip(key), columns.refers[at]) {
                (Some((place, key)), _) => key.get(place)?.clone(),
                (None, Some((parent, place))) => {
                    let of = parents.entry(parent).or_insert_with(|| {
                        let unique = side.refers_alone(at).then_some(number);
                        self.parent(parent, unique, random)
                    });
                    match of {
                        Some(key) => key.get(place)?.clone(),
                        None if side.columns[at].nullable => Value::Null,
                        None => return None,
                    }
                }
                (None, None) if shape.is_null(random) => Value::Null,
                (None, None) => shape.value(&shape.ways[way], number, random),
            };
            row.push(value);
        }
        Some((row, ways))
    }

    /// The key of a row that stays; where no two may refer to the same, the one of that number.
    fn parent(&self, tab: usize, unique: Option<u64>, random: &mut Random) -> Option<Values> {
        let stable = self.stable[tab]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = stable.len() as u64;
        let at = match unique {
            Some(number) if number > count => return None,
            Some(number) => number - 1,
            None => random.below(count),
        };
        stable.get(usize::try_from(at).ok()?).cloned()
    }

    fn learn(&self, tab: usize, form: Form, ways: &[usize], refused: Option<Refused>) {
        let Some(columns) = &self.columns[tab][usize::from(form != Form::Old)] else {
            return;
        };
        let mut columns = columns.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, way) in ways.iter().enumerate() {
            let Some(weight) = columns.weights[at].get_mut(*way) else {
                continue;
            };
            *weight = match &refused {
                None => (*weight * 1.1 + 0.05).min(4.0),
                Some(Refused::By(by)) if by.contains(&at) => (*weight * 0.5).max(0.01),
                Some(Refused::By(_)) => *weight,
                Some(Refused::All) => (*weight * 0.93).max(0.02),
            };
        }
    }
}

impl Columns {
    pub(super) fn new(shapes: Vec<Shape>, refers: Vec<Option<(usize, usize)>>) -> Self {
        let weights = shapes.iter().map(|shape| vec![1.0; shape.ways.len()]);
        Self {
            weights: weights.collect(),
            shapes,
            refers,
        }
    }

    /// The column is made as it was seen elsewhere.
    pub(super) fn take(&mut self, at: usize, seen: super::shape::Seen) {
        self.shapes[at].take(seen);
        self.weights[at] = vec![1.0; self.shapes[at].ways.len()];
    }
}

/// What a group's `up` reads, of a row of this form; `None` where that code does not know all of it.
pub(super) fn inputs(tab: &Tab, group: &Group, form: Form, row: &[Value]) -> Option<Values> {
    let side = tab.side(form)?;
    let value = |name: &str| Some(row.get(side.place(name)?)?.clone());
    if group.kind == Kind::Fill {
        let inputs = group.pairs.iter().flat_map(|pair| &pair.inputs);
        return inputs.map(|column| value(&column.name)).collect();
    }
    olds(group)
        .iter()
        .map(|column| value(&column.name))
        .collect()
}

/// No column that must have a value lacks it.
fn holds(tab: &Tab, form: Form, row: &[Value]) -> bool {
    let columns = tab.side(form).map_or(&[][..], |side| &side.columns);
    let mut both = columns.iter().zip(row);
    both.all(|(column, value)| column.nullable || column.auto || !value.is_null())
}

fn weighted(weights: &[f64], random: &mut Random) -> usize {
    let sum: f64 = weights.iter().sum();
    let share = f64::from(u32::try_from(random.below(1 << 20)).unwrap_or(0)) / f64::from(1 << 20);
    let mut left = share * sum;
    for (at, weight) in weights.iter().enumerate() {
        left -= weight;
        if left <= 0.0 {
            return at;
        }
    }
    weights.len().saturating_sub(1)
}
