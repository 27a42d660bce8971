//! An enum whose values get other names, go, or stand in another order. No database does that to a type in place: another type
//! comes beside it, with a column of that type beside every column of the enum, and takes its name in the end.
//!
//! Comes in: two schemas. Goes out: [`Exchange`], or what stands in the way.
//! Must not know: statements, any database's SQL.

mod names;
mod obstacles;

use zdm_model::{Column, Enumeration, Schema, Table, names as model_names};

pub(super) use names::{exchanged, named};

use crate::changes::ChangeError;
use crate::dialect::Dialect;
use crate::diff::Place;

/// An enum on its way to other values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// As it was.
    pub(crate) old: Enumeration,
    /// As it is declared.
    pub(crate) new: Enumeration,
    /// What each value of before becomes, in the order of before.
    pub(crate) up: Vec<(String, String)>,
    /// What each value is for code from before, in the order of now.
    pub(crate) down: Vec<(String, String)>,
    /// The columns of the enum: their tables and names.
    pub(crate) columns: Vec<(String, String)>,
}

/// All values are there still, in their order: the type can take the new ones in.
pub(crate) fn keeps_order(old: &[String], new: &[String]) -> bool {
    let kept: Vec<&String> = new.iter().filter(|value| old.contains(value)).collect();
    kept == old.iter().collect::<Vec<_>>()
}

/// Whether the values of an enum change otherwise than by new ones: before and after.
pub(crate) fn changed<'a>(
    from: &'a Schema,
    to: &'a Schema,
) -> impl Iterator<Item = (&'a Enumeration, &'a Enumeration)> {
    let both = to.enums.iter().filter_map(|new| {
        let old = from.enumeration(&new.name)?;
        Some((old, new))
    });
    both.filter(|(old, new)| !keeps_order(&old.values, &new.values))
}

impl Exchange {
    /// Every exchange that nothing stands in the way of, and what stands in the way of the others.
    pub(super) fn all(
        from: &Schema,
        to: &Schema,
        dialect: &Dialect,
    ) -> (Vec<Self>, Vec<ChangeError>) {
        let (mut all, mut refused) = (Vec::new(), Vec::new());
        let has_types = dialect.capabilities().enum_types;
        for (old, new) in changed(from, to).filter(|_| has_types) {
            match Self::of(from, to, old, new, dialect) {
                Ok(exchange) => all.push(exchange),
                Err(error) => refused.push(error),
            }
        }
        (all, refused)
    }

    fn of(
        from: &Schema,
        to: &Schema,
        old: &Enumeration,
        new: &Enumeration,
        dialect: &Dialect,
    ) -> Result<Self, ChangeError> {
        let exchange = Self {
            up: ups(old, new)?,
            down: downs(old, new)?,
            columns: columns(from, old),
            old: old.clone(),
            new: new.clone(),
        };
        exchange.unobstructed(from, to, dialect)?;
        Ok(exchange)
    }

    /// What the new type is called until it takes the name.
    pub(crate) fn interim(&self) -> String {
        let interim = model_names::beside(model_names::bare(&self.new.name));
        model_names::beside_table(&self.new.name, &interim)
    }

    /// What the old type is called from then on.
    pub(crate) fn released(&self) -> String {
        let released = model_names::released(model_names::bare(&self.old.name));
        model_names::beside_table(&self.old.name, &released)
    }

    /// Whether the column is one of the enum's.
    pub(crate) fn has(&self, table: &str, column: &str) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|(of, name)| of == table && name == column)
    }

    /// The values that come out of several: those are not told apart any more.
    pub(crate) fn merged(&self) -> Vec<&str> {
        let several = |value: &&String| {
            let mut ups = self.up.iter().filter(|(_, to)| to == *value);
            ups.nth(1).is_some()
        };
        let values = self.new.values.iter().filter(several);
        values.map(String::as_str).collect()
    }
}

fn columns(schema: &Schema, enumeration: &Enumeration) -> Vec<(String, String)> {
    let of_table = |table: &Table| -> Vec<(String, String)> {
        let is_of = |column: &&Column| enumeration.is_type_of(column);
        let columns = table.columns.iter().filter(is_of);
        columns
            .map(|column| (table.name.clone(), column.name.clone()))
            .collect()
    };
    schema.tables.iter().flat_map(of_table).collect()
}

/// What rows of before become.
fn ups(old: &Enumeration, new: &Enumeration) -> Result<Vec<(String, String)>, ChangeError> {
    let mut ups = Vec::new();
    let mut lost = Vec::new();
    for value in &old.values {
        let mut all = new.taken.iter();
        let taken = all.find(|taken| taken.from.contains(value));
        match (new.values.contains(value), taken) {
            (true, _) => ups.push((value.clone(), value.clone())),
            (false, Some(taken)) => ups.push((value.clone(), taken.value.clone())),
            (false, None) => lost.push(value),
        }
    }
    let Some(first) = lost.first() else {
        return Ok(ups);
    };
    Err(mistake(
        new,
        format!(
            "nothing says what rows with {} become",
            listed(lost.iter().copied())
        ),
        format!(
            "Say it on the variant that they become: `#[zdm(renamed_from = {first:?})]` where it is the same value by another \
             name, `#[zdm(from({first:?}))]` where it is another one. Where a variant has only another name in Rust, keep its \
             value: `#[zdm(rename = {first:?})]`"
        ),
    ))
}

/// What code from before is given.
fn downs(old: &Enumeration, new: &Enumeration) -> Result<Vec<(String, String)>, ChangeError> {
    let is_old = |value: &String| old.values.contains(value);
    let mut downs = Vec::new();
    for value in &new.values {
        let taken = new.taken.iter().find(|taken| taken.value == *value);
        let from = taken.map_or(&[][..], |taken| &taken.from);
        let unknown = from.iter().find(|from| !is_old(from));
        let known = from.iter().find(|from| is_old(from));
        match (is_old(value), known, unknown) {
            // Words of a version before are spent.
            (true, None, _) => downs.push((value.clone(), value.clone())),
            (true, Some(from), _) if taken.is_some_and(|taken| taken.renamed) => {
                return Err(mistake(
                    new,
                    format!("`{value}` is renamed from `{from}`, and both were there before"),
                    format!(
                        "Where rows with `{from}` become `{value}` as well: `#[zdm(from({from:?}))]`"
                    ),
                ));
            }
            (_, _, Some(unknown)) => {
                return Err(mistake(
                    new,
                    format!("`{value}` comes from `{unknown}`, which is no value of it"),
                    format!("It has {}", listed(old.values.iter())),
                ));
            }
            (true, Some(_), None) => downs.push((value.clone(), value.clone())),
            (false, Some(from), None) => downs.push((value.clone(), from.clone())),
            (false, None, None) => {
                return Err(mistake(
                    new,
                    format!(
                        "`{value}` is new while other values go or get another place, and code from before, which does not \
                         know it, could not be given one in its stead"
                    ),
                    format!(
                        "Add `{value}` in a version before, which only adds values; or say which one it has been: \
                         `#[zdm(renamed_from = \"…\")]`"
                    ),
                ));
            }
        }
    }
    Ok(downs)
}

fn mistake(at: &Enumeration, problem: String, way_on: String) -> ChangeError {
    ChangeError::Declaration {
        at: Box::new(Place {
            table: at.name.clone(),
            source: at.source.clone(),
        }),
        subject: format!("the enum {}", at.name),
        problem,
        way_on,
    }
}

fn listed<'a>(values: impl Iterator<Item = &'a String>) -> String {
    let values: Vec<String> = values.map(|value| format!("`{value}`")).collect();
    values.join(", ")
}
