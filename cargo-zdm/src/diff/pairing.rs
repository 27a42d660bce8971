//! Which column of before is which column of after. Names pair columns; a rename only where it is declared.

use zdm_model::{Column, LogicalType, Table, Transition};

use super::{Delta, Place, Problem};

/// What other tables have to do with the columns of one.
pub(super) struct Others<'a> {
    /// The table that is merged into it.
    pub(super) merged: Option<&'a Table>,
    /// Whether a column that goes is another table's from now on.
    pub(super) moves: &'a dyn Fn(&Column) -> bool,
}

pub(super) fn columns(
    before: &Table,
    after: &Table,
    others: &Others<'_>,
    deltas: &mut Vec<Delta>,
    problems: &mut Vec<Problem>,
) {
    for column in &after.columns {
        match before.column(&column.name) {
            // A transition whose column is already there is spent, unless the column could be NULL: `finalize` removes its
            // attributes.
            Some(old) => changed(after, old, column, deltas),
            None if comes_from(others.merged, column) => {
                deltas.push(Delta::ColumnAdded(at(after, column), column.clone()));
            }
            None => added(before, after, column, deltas, problems),
        }
    }
    removed(before, after, others, deltas, problems);
}

/// Whether what it was is a column of the table that is merged into its own.
fn comes_from(merged: Option<&Table>, column: &Column) -> bool {
    let was = match replaced_by(column) {
        [] => &column.name,
        [name] => name,
        _ => return false,
    };
    merged.is_some_and(|merged| merged.column(was).is_some())
}

/// What values a column takes and how they are ordered.
pub(super) fn full_type(column: &Column) -> (LogicalType, Option<&str>, Option<&str>) {
    (
        column.logical_type,
        column.sql_type.as_deref(),
        column.collation.as_deref(),
    )
}

fn at(table: &Table, column: &Column) -> Place {
    Place {
        table: table.name.clone(),
        source: if column.source.is_empty() {
            table.source.clone()
        } else {
            column.source.clone()
        },
    }
}

fn changed(table: &Table, old: &Column, new: &Column, deltas: &mut Vec<Delta>) {
    let sides = || (at(table, new), old.clone(), new.clone());
    if full_type(old) != full_type(new) {
        let (at, old, new) = sides();
        deltas.push(Delta::TypeChanged(at, old, new));
    }
    if old.nullable != new.nullable {
        let (at, old, new) = sides();
        deltas.push(Delta::NullabilityChanged(at, old, new));
    }
    if old.default != new.default {
        let (at, old, new) = sides();
        deltas.push(Delta::DefaultChanged(at, old, new));
    }
    if (&old.generated, old.is_virtual) != (&new.generated, new.is_virtual) {
        let (at, old, new) = sides();
        deltas.push(Delta::GeneratedChanged(at, old, new));
    }
    if old.comment != new.comment {
        let (name, comment) = (new.name.clone(), new.comment.clone());
        deltas.push(Delta::CommentChanged(at(table, new), Some(name), comment));
    }
    if (old.auto, old.counted) != (new.auto, new.counted) {
        let (at, old, new) = sides();
        deltas.push(Delta::AutoChanged(at, old, new));
    }
}

fn added(
    before: &Table,
    after: &Table,
    column: &Column,
    deltas: &mut Vec<Delta>,
    problems: &mut Vec<Problem>,
) {
    let at = at(after, column);
    let replaced = replaced_by(column);
    if replaced.is_empty() {
        deltas.push(Delta::ColumnAdded(at, column.clone()));
        return;
    }
    let mut old = Vec::new();
    for name in replaced {
        let taken_by = after
            .columns
            .iter()
            .take_while(|other| other.name != column.name)
            .find(|other| {
                let comes = before.column(&other.name).is_none();
                comes && replaced_by(other).contains(name) && !split(other, column)
            });
        match (before.column(name), taken_by) {
            (None, _) => problems.push(Problem::UnknownSource {
                at: at.clone(),
                column: column.name.clone(),
                from: name.clone(),
                known: before.columns.iter().map(|c| c.name.clone()).collect(),
            }),
            (Some(_), _) if after.column(name).is_some() => problems.push(Problem::SourceStays {
                at: at.clone(),
                column: column.name.clone(),
                from: name.clone(),
            }),
            (Some(_), Some(other)) => problems.push(Problem::SharedSource {
                at: at.clone(),
                columns: [other.name.clone(), column.name.clone()],
                from: name.clone(),
            }),
            (Some(source), None) => old.push(source.clone()),
        }
    }
    deltas.push(Delta::ColumnReplaced {
        at,
        old,
        new: column.clone(),
    });
}

fn replaced_by(column: &Column) -> &[String] {
    column
        .transition
        .as_ref()
        .map_or(&[], |transition: &Transition| &transition.from)
}

/// Whether the two share the one column that they replace.
fn split(one: &Column, other: &Column) -> bool {
    let renamed = |column: &Column| {
        let transition = column.transition.as_ref();
        transition.is_some_and(|transition| transition.renamed)
    };
    let old = replaced_by(one);
    old.len() == 1 && old == replaced_by(other) && !renamed(one) && !renamed(other)
}

fn removed(
    before: &Table,
    after: &Table,
    others: &Others<'_>,
    deltas: &mut Vec<Delta>,
    problems: &mut Vec<Problem>,
) {
    let new = || {
        after
            .columns
            .iter()
            .filter(|column| before.column(&column.name).is_none())
    };
    let gone = before
        .columns
        .iter()
        .filter(|old| after.column(&old.name).is_none())
        .filter(|old| new().all(|column| !replaced_by(column).contains(&old.name)));
    for old in gone {
        let declared = after.drops.iter().find(|drop| drop.column == old.name);
        let candidates: Vec<String> = new()
            .filter(|column| column.transition.is_none() && column.moved_from.is_none())
            .filter(|column| !comes_from(others.merged, column))
            .map(|column| column.field.clone())
            .collect();
        let at = Place {
            table: after.name.clone(),
            source: after.source.clone(),
        };
        if declared.is_none() && !candidates.is_empty() && !(others.moves)(old) {
            problems.push(Problem::Ambiguity {
                at,
                removed: old.name.clone(),
                candidates,
            });
        } else {
            let default = declared.and_then(|drop| drop.default.clone());
            deltas.push(Delta::ColumnRemoved(at, old.clone(), default));
        }
    }
}
