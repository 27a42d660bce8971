//! The rows that are there before the version, stored by the code from before it; and how the values of each column are made.
//!
//! Comes in: how many rows. Goes out: rows, recorded in the oracle. A table whose rows the database refuses is left out, by name.
//! Must not know: the migration's steps, the load.

use std::collections::BTreeMap;
use std::sync::Mutex;

use zdm_model::{Column, Schema};

use super::error::WorkError;
use super::instance::Instance;
use super::line::Line;
use super::make::{Columns, Parent};
use super::shape::Shape;
use super::subject::Subject;
use super::table::{Side, Tab};
use super::work::{Shared, Write};
use crate::load::random::Random;
use crate::pipeline::rehearsed::{Form, Rehearsed};

/// Rows of one transaction.
const BATCH: u64 = 200;

/// How the columns of every table are made: as old code has them, and as new code has them.
pub(super) fn columns(subject: &Subject) -> Vec<[Option<Mutex<Columns>>; 2]> {
    let of = |form: Form, at: usize| {
        let tab = &subject.tabs[at];
        Some(Mutex::new(of_side(subject, form, (tab, tab.side(form)?))))
    };
    (0..subject.tabs.len())
        .map(|at| [of(Form::Old, at), of(Form::New, at)])
        .collect()
}

fn of_side(subject: &Subject, form: Form, (tab, side): (&Tab, &Side)) -> Columns {
    let rehearsed = &subject.rehearsed;
    let typed = rehearsed.dialect.name() == "postgres";
    let schema = rehearsed.schema(form);
    let columns = side.columns.iter().enumerate();
    let shapes = columns.map(|(at, column)| {
        let words = words(rehearsed, side, column);
        let unique = tab.both(form, at).any(|(_, side, at)| side.is_unique(at));
        let mut shape = Shape::of(column, &variants(schema, column), &words, unique, typed);
        if tab
            .both(form, at)
            .any(|(_, side, at)| side.has_one_null(at))
        {
            shape.must_be();
        }
        shape
    });
    // What the version is about to demand is true of the rows before it.
    let refers = (0..side.columns.len()).map(|at| {
        let mut both = tab.both(form, at);
        both.find_map(|(form, side, at)| refers(subject, form, side, at))
    });
    Columns::new(shapes.collect(), refers.collect())
}

/// What a column refers to.
fn refers(subject: &Subject, form: Form, side: &Side, at: usize) -> Option<Parent> {
    let (key, place) = side.foreign_key(at)?;
    let is_parent = |tab: &Tab| {
        let side = tab.side(form);
        side.is_some_and(|side| side.table.name == key.references)
    };
    let Some(tab) = subject.tabs.iter().position(is_parent) else {
        return Some(Parent::Elsewhere);
    };
    let parent = &subject.tabs[tab];
    let within = |of: Form, places: &[usize]| -> Option<usize> {
        let side = parent.side(of)?;
        let referenced: Option<Vec<_>> = { key.referenced_columns.iter() }
            .map(|name| {
                let column = side.place(name)?;
                places.iter().position(|place| *place == column)
            })
            .collect();
        referenced?.get(place).copied()
    };
    let of_key = |of: Form| {
        let place = within(of, &parent.side(of)?.key())?;
        Some(Parent::Key(tab, of, place))
    };
    let of_identity = || {
        let place = within(form, parent.identity(form))?;
        Some(Parent::Identity(tab, place))
    };
    let own = of_key(form).or_else(of_identity);
    // By a key that one code alone knows as one.
    let found = own.or_else(|| [Form::Old, Form::New].into_iter().find_map(of_key));
    Some(found.unwrap_or(Parent::Elsewhere))
}

/// The values of the column's type, where that is an enum.
fn variants(schema: &Schema, column: &Column) -> Vec<String> {
    let mut enums = schema.enums.iter();
    let found = enums.find(|found| found.is_type_of(column));
    found.map(|found| found.values.clone()).unwrap_or_default()
}

/// The texts that conditions on the column name, old and new ones.
fn words(rehearsed: &Rehearsed, side: &Side, column: &Column) -> Vec<String> {
    let table = &side.table.name;
    let checks = [&rehearsed.before, &rehearsed.after].into_iter();
    let checks = checks.filter_map(|schema| schema.table(table));
    let checks = checks.flat_map(|table| table.checks.iter().map(|check| check.expr.clone()));
    let valid = rehearsed
        .pairs(table)
        .into_iter()
        .filter_map(|pair| pair.valid_if.clone());
    let up = rehearsed
        .pairs(table)
        .into_iter()
        .map(|pair| pair.declared_up.clone());
    let mut found = Vec::new();
    for expression in checks.chain(valid).chain(up) {
        if expression.contains(column.name.as_str()) {
            found.extend(literals(&expression));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The texts and numbers of an expression.
fn literals(expression: &str) -> Vec<String> {
    let texts = expression.split('\'').skip(1).step_by(2);
    let outside = expression.split('\'').step_by(2);
    let numbers = outside.flat_map(|part| {
        part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'))
            .filter(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
    });
    texts
        .chain(numbers)
        .filter(|text| text.len() <= 40)
        .map(str::to_owned)
        .collect()
}

/// Fills every table that old code has. Tables whose rows are refused come back with the reason.
pub(super) async fn seed(
    shared: &Shared,
    instance: &Instance,
    rows: &[u64],
    seed: u64,
) -> Result<BTreeMap<usize, String>, WorkError> {
    let mut line = Line::open(&shared.url).await?;
    let mut refused = BTreeMap::new();
    for (at, rows) in rows.iter().enumerate() {
        if shared.subject.tabs[at].old.is_none() {
            continue;
        }
        let mut random = Random::new(seed.wrapping_mul(31).wrapping_add(at as u64));
        if let Some(reason) = fill(shared, &mut line, instance, (at, *rows), &mut random).await? {
            refused.insert(at, reason);
        }
    }
    Ok(refused)
}

async fn fill(
    shared: &Shared,
    line: &mut Line,
    instance: &Instance,
    (at, rows): (usize, u64),
    random: &mut Random,
) -> Result<Option<String>, WorkError> {
    let Some(repository) = shared.repository(instance, at) else {
        return Ok(None);
    };
    let (mut stored, mut last) = (0, None);
    let mut refusals = 0;
    while stored < rows && refusals < 20 + rows / 10 {
        line.connection.begin().await?;
        for _ in 0..BATCH.min(rows - stored) {
            let Some(row) = shared.maker.row(at, instance.form, None, random).await? else {
                let reason =
                    "no row is found that its checks, its conversions and what it refers to allow";
                line.connection.commit().await?;
                let few = stored == 0 || last.is_some();
                return Ok(few.then(|| reason.to_owned()));
            };
            line.connection.run_file("SAVEPOINT one_row").await?;
            match shared
                .apply(line, &repository, at, instance, &Write::Insert(row))
                .await
            {
                Ok(Some((row, count))) => {
                    line.connection
                        .run_file("RELEASE SAVEPOINT one_row")
                        .await?;
                    shared.acknowledge(at, &row, count);
                    shared.maker.keep(at, row);
                    stored += 1;
                }
                Ok(None) => {}
                Err(error) if error.is_cut() => return Err(error),
                Err(error) => {
                    let back = "ROLLBACK TO SAVEPOINT one_row; RELEASE SAVEPOINT one_row";
                    line.connection.run_file(back).await?;
                    refusals += 1;
                    last = Some(error.to_string());
                }
            }
        }
        line.connection.commit().await?;
    }
    Ok(last.map(|error| format!("the database refuses rows that its schema would allow: {error}")))
}
