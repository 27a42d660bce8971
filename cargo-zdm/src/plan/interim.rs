//! A schema as long as both sides of its columns are there: a column that takes over the name of one which it replaces has
//! another until then, and so it is called in all that stands on it.
//!
//! Must not know: how the names are exchanged.

use std::borrow::Cow;

use zdm_model::{Column, Exclusion, FinalName, Schema, Table};

use super::Pair;
use crate::dialect::Dialect;
use crate::diff;

/// What a version leads to, in the names that its columns have on the way.
pub(crate) fn schema<'a>(from: &Schema, to: &'a Schema, dialect: &Dialect) -> Cow<'a, Schema> {
    let mut interim = Cow::Borrowed(to);
    for table in &to.tables {
        let Some(before) = from.table(&table.name) else {
            continue;
        };
        for column in &table.columns {
            let under_way = diff::is_under_way(before, column);
            if let Some(names) = final_name(column).filter(|_| under_way) {
                rename(interim.to_mut(), &table.name, names, dialect);
            }
        }
    }
    interim
}

/// The table in the names that statements give its columns as long as these pairs are in transition.
pub(crate) fn table<'a>(table: &'a Table, pairs: &[Pair]) -> Cow<'a, Table> {
    let mut interim = Cow::Borrowed(table);
    for names in pairs.iter().filter_map(|pair| final_name(&pair.new)) {
        for column in &mut interim.to_mut().columns {
            rename_one(&mut column.name, names);
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
            if let Some((operand, operator)) = Exclusion::operand(text) {
                let (mut operand, operator) = (operand.to_owned(), operator.to_owned());
                element(&mut operand);
                *text = format!("{operand} WITH {operator}");
            }
        }
    }
    for key in &mut table.foreign_keys {
        key.columns.iter_mut().for_each(one);
        key.on_delete_columns.iter_mut().for_each(one);
    }
}
