//! Two sides in the same words.

use zdm_model::{Drop, Enumeration, Schema, Table};

use super::{Left, Side};
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::import;
use crate::pipeline::{Options, PipelineError};

/// See [`super::aligned`].
pub(super) fn aligned(
    from: &mut Side,
    to: &mut Side,
    options: &Options,
) -> Result<Vec<Left>, Failure> {
    let dialect = Dialect::named(&options.dialect).map_err(PipelineError::from)?;
    if from.left_out.is_some() {
        import::in_the_words_of(&mut from.schema, &to.schema, &dialect);
    } else {
        import::in_the_words_of(&mut to.schema, &from.schema, &dialect);
    }
    let mut unsaid = taken_over(from, &to.schema);
    unsaid.extend(taken_over(to, &from.schema));
    // Nothing declares what became of a column: it goes, and the other comes.
    for table in &mut to.schema.tables {
        if let Some(before) = from.schema.table(&table.name) {
            gone(before, table);
        }
    }
    Ok(unsaid)
}

fn gone(before: &Table, table: &mut Table) {
    for column in &before.columns {
        let replaced = table.columns.iter().any(|new| {
            let transition = new.transition.as_ref();
            transition.is_some_and(|transition| transition.from.contains(&column.name))
        });
        let declared = table.drops.iter().any(|drop| drop.column == column.name);
        if table.column(&column.name).is_none() && !replaced && !declared {
            table.drops.push(Drop {
                column: column.name.clone(),
                default: None,
            });
        }
    }
}

/// What a side has and cannot say, and the other one declares: it is taken from there, so that it counts as no difference.
fn taken_over(side: &mut Side, other: &Schema) -> Vec<Left> {
    let mut unsaid = Vec::new();
    for left in side.left_out.iter().flatten() {
        if left.what == "table" {
            if let Some(table) = other.table(&left.object)
                && side.schema.table(&left.object).is_none()
            {
                side.schema.tables.push(table.clone());
                unsaid.push(left.clone());
            }
            continue;
        }
        if left.what == "enum" {
            let is_it = |found: &Enumeration| found.name == left.object;
            if take(&mut side.schema.enums, &other.enums, is_it) {
                unsaid.push(left.clone());
            }
            continue;
        }
        let place = other.tables.iter().find_map(|table| {
            let name = left
                .object
                .strip_prefix(table.name.as_str())?
                .strip_prefix('.')?;
            Some((table, name))
        });
        let Some((declared, name)) = place else {
            continue;
        };
        let tables = &mut side.schema.tables;
        let Some(table) = tables.iter_mut().find(|table| table.name == declared.name) else {
            continue;
        };
        let taken = match left.what.as_str() {
            "column" => take(&mut table.columns, &declared.columns, |column| {
                column.name == name
            }),
            "check" => take(&mut table.checks, &declared.checks, |check| {
                check.name == name
            }),
            "foreign key" => take(&mut table.foreign_keys, &declared.foreign_keys, |key| {
                key.name == name
            }),
            "index" => take(&mut table.indexes, &declared.indexes, |index| {
                index.name == name
            }),
            "unique constraint" => take(&mut table.uniques, &declared.uniques, |unique| {
                unique.name == name
            }),
            "exclusion constraint" => {
                take(&mut table.exclusions, &declared.exclusions, |exclusion| {
                    exclusion.name == name
                })
            }
            _ => false,
        };
        if taken {
            unsaid.push(left.clone());
        }
    }
    side.schema
        .tables
        .sort_by(|left, right| left.name.cmp(&right.name));
    unsaid
}

fn take<T: Clone>(side: &mut Vec<T>, other: &[T], named: impl Fn(&T) -> bool) -> bool {
    let found = other.iter().find(|part| named(part));
    match found {
        Some(found) if !side.iter().any(&named) => {
            side.push(found.clone());
            true
        }
        _ => false,
    }
}
