//! A schema as long as old code is there: a column that takes over the name of one which it replaces has another until then,
//! and so it is called in all that stands on it; so is a type that takes over the name of an enum with other values; a table that
//! is renamed has its old name.
//!
//! Must not know: how the names are exchanged.

mod keys;

use std::borrow::Cow;

use zdm_model::{Column, Exclusion, FinalName, Schema, Table, Transition, names};

use super::{Exchange, Pair};
use crate::changes::ChangeError;
use crate::dialect::Dialect;
use crate::diff::{self, Delta, Place};

/// What a version leads to, in the names that its columns and their types have on the way.
pub(crate) struct Interim<'a> {
    pub(crate) schema: Cow<'a, Schema>,
    /// The enums whose types exchange their names.
    pub(crate) exchanges: Vec<Exchange>,
    /// What stands in the way of others.
    pub(crate) refused: Vec<ChangeError>,
    /// The names that change as differences, which come after all others.
    pub(crate) renames: Vec<Delta>,
}

impl<'a> Interim<'a> {
    pub(crate) fn of(from: &Schema, to: &'a Schema, dialect: &Dialect) -> Self {
        let mut interim = Cow::Borrowed(to);
        for (old, table) in renamed(from, to) {
            rename_back(interim.to_mut(), &table.name, old);
        }
        let mut renames = keys::rename_back(from, &mut interim, dialect);
        renames.extend(renamed_tables(from, to));
        let (exchanges, refused) = Exchange::all(from, &interim, dialect);
        for exchange in &exchanges {
            retype(interim.to_mut(), exchange, dialect);
        }
        for table in &interim.clone().tables {
            let Some(before) = from.table(&table.name) else {
                continue;
            };
            for column in &table.columns {
                let under_way = diff::is_under_way(before, column);
                // What stands on the key goes over with it, by its own name.
                let is_beside =
                    |names: &&FinalName| under_way && !before.primary_key.contains(&names.last);
                if let Some(names) = final_name(column).filter(is_beside) {
                    rename(interim.to_mut(), &table.name, names, dialect);
                }
            }
        }
        Self {
            schema: interim,
            exchanges,
            refused,
            renames,
        }
    }
}

/// Puts a column of the new type beside every column of the enum, which it takes over in the end.
fn retype(schema: &mut Schema, exchange: &Exchange, dialect: &Dialect) {
    let (last, interim) = (&exchange.new.name, exchange.interim());
    for table in &mut schema.tables {
        let mut concerned = false;
        for column in &mut table.columns {
            if !exchange.has(&table.name, &column.name) {
                continue;
            }
            concerned = true;
            column.sql_type = Some(interim.clone());
            column.transition = Some(Transition {
                from: vec![column.name.clone()],
                final_name: Some(FinalName {
                    interim: names::beside(&column.name),
                    last: column.name.clone(),
                }),
                ..Transition::default()
            });
        }
        if concerned {
            expressions_of(table, &mut |text| {
                *text = dialect.retyped(text, last, &interim);
            });
        }
    }
}

/// Defaults and conditions, in which a type may be named.
fn expressions_of(table: &mut Table, change: &mut dyn FnMut(&mut String)) {
    for column in &mut table.columns {
        column.default.iter_mut().for_each(&mut *change);
    }
    for check in &mut table.checks {
        change(&mut check.expr);
    }
    for index in &mut table.indexes {
        index.predicate.iter_mut().for_each(&mut *change);
        index.elements.iter_mut().for_each(&mut *change);
    }
    for exclusion in &mut table.exclusions {
        exclusion.predicate.iter_mut().for_each(&mut *change);
        for text in &mut exclusion.elements {
            change_operand(text, change);
        }
    }
}

/// The tables that get another name: what they are called before, and what they become.
fn renamed<'a>(from: &Schema, to: &'a Schema) -> impl Iterator<Item = (&'a str, &'a Table)> {
    let is_new = |table: &&Table| from.table(&table.name).is_none();
    to.tables.iter().filter(is_new).filter_map(|table| {
        let old = table.renamed_from.as_deref()?;
        (from.table(old).is_some() && to.table(old).is_none()).then_some((old, table))
    })
}

/// Renames that say two things at once: the table that was, and what is wrong.
pub(crate) fn contradictions(from: &Schema, to: &Schema) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    for table in &to.tables {
        let Some(old) = &table.renamed_from else {
            continue;
        };
        let mut others = to.tables.iter().filter(|other| other.name != table.name);
        let problem =
            if let Some(other) = others.find(|other| other.renamed_from.as_ref() == Some(old)) {
                format!(
                    "`{old}` is renamed to `{}` and to `{}`",
                    table.name, other.name
                )
            } else if from.table(old).is_some() && from.table(&table.name).is_some() {
                format!(
                    "`{}` is renamed from `{old}`, and both were there before",
                    table.name
                )
            } else {
                continue;
            };
        let at = Place {
            table: table.name.clone(),
            source: table.source.clone(),
        };
        found.push((at, problem));
    }
    found
}

/// The same as differences.
fn renamed_tables(from: &Schema, to: &Schema) -> impl Iterator<Item = Delta> {
    renamed(from, to).map(|(old, table)| {
        let at = Place {
            table: old.to_owned(),
            source: table.source.clone(),
        };
        Delta::TableRenamed(at, table.name.clone())
    })
}

/// Gives a table back the name that it has before; what is named after it by itself keeps its own name.
fn rename_back(schema: &mut Schema, new: &str, old: &str) {
    for table in &mut schema.tables {
        for key in &mut table.foreign_keys {
            if key.references == new {
                old.clone_into(&mut key.references);
            }
        }
        if table.name == new {
            old.clone_into(&mut table.name);
            let name = table.primary_key_name.take();
            let name = name.unwrap_or_else(|| names::primary_key_name(new));
            let is_own = name == names::primary_key_name(old);
            table.primary_key_name = (!is_own && !table.no_primary_key).then_some(name);
        }
    }
    schema
        .tables
        .sort_by(|one, other| one.name.cmp(&other.name));
}

/// The table in the names that statements give its columns as long as these pairs are in transition.
pub(crate) fn table<'a>(table: &'a Table, pairs: &[Pair]) -> Cow<'a, Table> {
    let mut interim = Cow::Borrowed(table);
    for pair in pairs.iter().filter(|pair| !pair.is_of_key()) {
        let Some(names) = pair.final_name() else {
            continue;
        };
        for column in &mut interim.to_mut().columns {
            if column.name != names.last {
                continue;
            }
            column.name.clone_from(&names.interim);
            // Its type has another name as well.
            if pair.cast().is_some() {
                column.sql_type.clone_from(&pair.new.sql_type);
                column.transition.clone_from(&pair.new.transition);
            }
        }
    }
    interim
}

fn final_name(column: &Column) -> Option<&FinalName> {
    column.transition.as_ref()?.final_name.as_ref()
}

fn rename_one(name: &mut String, names: &FinalName) {
    if *name == names.last {
        name.clone_from(&names.interim);
    }
}

fn rename(schema: &mut Schema, table: &str, names: &FinalName, dialect: &Dialect) {
    let one = |name: &mut String| rename_one(name, names);
    let expression = |text: &mut String| {
        let interim = dialect.ident(&names.interim);
        // What does not parse is refused where it is checked.
        if let Ok(renamed) = dialect.bind(text, &[(&names.last, &interim)]) {
            *text = renamed;
        }
    };
    let element = |text: &mut String| {
        let interim = dialect.ident(&names.interim);
        if let Ok(renamed) = dialect.bind_element(text, &[(&names.last, &interim)]) {
            *text = renamed;
        }
    };
    for other in &mut schema.tables {
        let keys = other.foreign_keys.iter_mut();
        let referring = keys.filter(|key| key.references == table);
        referring.for_each(|key| key.referenced_columns.iter_mut().for_each(one));
    }
    let Some(table) = schema.tables.iter_mut().find(|found| found.name == table) else {
        return;
    };
    for column in &mut table.columns {
        one(&mut column.name);
        column.generated.iter_mut().for_each(expression);
    }
    table.primary_key.iter_mut().for_each(one);
    for index in &mut table.indexes {
        index.columns.iter_mut().for_each(one);
        index.include.iter_mut().for_each(one);
        index.elements.iter_mut().for_each(element);
        index.predicate.iter_mut().for_each(expression);
    }
    for unique in &mut table.uniques {
        unique.columns.iter_mut().for_each(one);
        unique.include.iter_mut().for_each(one);
    }
    for check in &mut table.checks {
        expression(&mut check.expr);
    }
    for exclusion in &mut table.exclusions {
        exclusion.predicate.iter_mut().for_each(expression);
        for text in &mut exclusion.elements {
            change_operand(text, &mut |operand| element(operand));
        }
    }
    for key in &mut table.foreign_keys {
        key.columns.iter_mut().for_each(one);
        key.on_delete_columns.iter_mut().for_each(one);
    }
}

fn change_operand(element: &mut String, change: &mut dyn FnMut(&mut String)) {
    if let Some((operand, operator)) = Exclusion::operand(element) {
        let (mut operand, operator) = (operand.to_owned(), operator.to_owned());
        change(&mut operand);
        *element = format!("{operand} WITH {operator}");
    }
}
