//! A value for every column, each by itself but for what refers to other rows.
//!
//! Must not know: checks, conversions.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::Maker;
use super::judge::Refused;
use crate::load::random::Random;
use crate::pipeline::rehearsed::Form;
use crate::rehearse::handle::Handle;
use crate::rehearse::shape::{Seen, Shape};
use crate::rehearse::value::{Value, Values};

/// The columns of one form of a table, with how likely each way of each is.
#[derive(Debug)]
pub(in crate::rehearse) struct Columns {
    shapes: Vec<Shape>,
    weights: Vec<Vec<f64>>,
    refers: Vec<Option<Parent>>,
}

/// What a column refers to.
#[derive(Debug, Clone, Copy)]
pub(in crate::rehearse) enum Parent {
    /// The column at that place of the key by which code of a form finds rows of the table at that place.
    Key(usize, Form, usize),
    /// The same of what a row of it is known by, whatever its key.
    Identity(usize, usize),
    /// A column that is no part of a key, and may change.
    Elsewhere,
}

impl Maker {
    /// A value for every column, and the way in which each was made; `evenly` whatever was refused before.
    pub(super) fn drawn(
        &self,
        tab: usize,
        (form, evenly): (Form, bool),
        known: Option<&Handle>,
        random: &mut Random,
    ) -> Option<(Values, Vec<usize>)> {
        let table = &self.subject.tabs[tab];
        let side = table.side(form)?;
        let columns = self.columns[tab][usize::from(form != Form::Old)].as_ref()?;
        let columns = columns.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.numbers[tab].fetch_add(1, Ordering::Relaxed);
        let places = side.key();
        let fixed = known.map(|known| table.fixed(form, known));
        let fixed = fixed.unwrap_or_default();
        let mut parents: BTreeMap<usize, Option<Handle>> = BTreeMap::new();
        let (mut row, mut ways) = (Values::new(), Vec::new());
        for (at, shape) in columns.shapes.iter().enumerate() {
            let way = if evenly {
                usize::try_from(random.below(shape.ways.len() as u64)).ok()?
            } else {
                weighted(&columns.weights[at], random)
            };
            ways.push(way);
            let given = fixed.iter().find(|(place, _)| *place == at);
            let value = match (given, columns.refers[at]) {
                (Some((_, value)), _) => value.clone(),
                (None, Some(Parent::Elsewhere)) if side.columns[at].nullable => Value::Null,
                (
                    None,
                    Some(to @ (Parent::Key(parent, _, place) | Parent::Identity(parent, place))),
                ) => {
                    let of = parents.entry(parent).or_insert_with(|| {
                        let unique = side.refers_alone(at).then_some(number);
                        self.parent(parent, unique, random)
                    });
                    let named = of.as_ref().and_then(|of| match to {
                        Parent::Key(_, of_form, _) => of.key(of_form),
                        _ => Some(&of.identity),
                    });
                    match named {
                        Some(named) => named.get(place)?.clone(),
                        None if side.columns[at].nullable => Value::Null,
                        // The first row can refer to itself alone.
                        None if parent == tab => row.get(*places.get(place)?)?.clone(),
                        None => return None,
                    }
                }
                (None, None) if shape.is_null(random) => Value::Null,
                (None, None | Some(Parent::Elsewhere)) => {
                    shape.value(&shape.ways[way], number, random)
                }
            };
            row.push(value);
        }
        self.subject.make_whole(tab, form, &mut row);
        Some((row, ways))
    }

    /// A row that stays; where no two may refer to the same, the one of that number.
    fn parent(&self, tab: usize, unique: Option<u64>, random: &mut Random) -> Option<Handle> {
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

    pub(super) fn learn(&self, tab: usize, form: Form, ways: &[usize], refused: Option<&Refused>) {
        let Some(columns) = &self.columns[tab][usize::from(form != Form::Old)] else {
            return;
        };
        let mut columns = columns.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, way) in ways.iter().enumerate() {
            let Some(weight) = columns.weights[at].get_mut(*way) else {
                continue;
            };
            *weight = match refused {
                None => (*weight * 1.1 + 0.05).min(4.0),
                Some(Refused::By(by)) if by.contains(&at) => (*weight * 0.5).max(0.01),
                Some(Refused::By(_)) => *weight,
                Some(&Refused::All) => (*weight * 0.93).max(0.02),
            };
        }
    }
}

impl Columns {
    pub(in crate::rehearse) fn new(shapes: Vec<Shape>, refers: Vec<Option<Parent>>) -> Self {
        let weights = shapes.iter().map(|shape| vec![1.0; shape.ways.len()]);
        Self {
            weights: weights.collect(),
            shapes,
            refers,
        }
    }

    /// The column is made as it was seen elsewhere.
    pub(super) fn take(&mut self, at: usize, seen: Seen) {
        self.shapes[at].take(seen);
        self.weights[at] = vec![1.0; self.shapes[at].ways.len()];
    }
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
