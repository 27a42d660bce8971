//! What differs between two declared schemas.
//!
//! Comes in: the last snapshot and what the structs declare now. Goes out: deltas, in a stable order.
//! Must not know: any database, what a difference means for one.

mod error;
mod lines;
mod named;
mod pairing;

use zdm_model::{
    Check, Column, Enumeration, Exclusion, ForeignKey, Index, MovedFrom, Schema, Table, Unique,
    names,
};

pub use error::{DiffError, Problem};

/// A raw difference. Columns are given as the side that has them declares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// An enum that no column had.
    EnumAdded(Enumeration),
    /// An enum that no column has any more.
    EnumRemoved(Enumeration),
    /// Other values: before, after.
    EnumChanged(Enumeration, Enumeration),
    /// A table that was not there.
    TableAdded(Table),
    /// A table under another name.
    TableRenamed(Place, String),
    /// Columns of a key under other names: before, after.
    KeyRenamed(Place, Vec<(String, String)>),
    /// A table that no struct declares any more.
    TableRemoved(Table),
    /// A column that stands for nothing that was there; with a transition, its `up` fills existing rows.
    ColumnAdded(Place, Column),
    /// A column that replaces others, as its transition declares.
    ColumnReplaced {
        /// Where.
        at: Place,
        /// The columns that go, in the order of `from`.
        old: Vec<Column>,
        /// The column that comes.
        new: Column,
    },
    /// A column that goes; with what rows inserted by new code carry for old code, where `drops` says so.
    ColumnRemoved(Place, Column, Option<String>),
    /// The type of a column of the same name, or its collation.
    TypeChanged(Place, Column, Column),
    /// Whether a column of the same name accepts NULL.
    NullabilityChanged(Place, Column, Column),
    /// The default of a column of the same name.
    DefaultChanged(Place, Column, Column),
    /// How the database computes a column of the same name, or whether it does.
    GeneratedChanged(Place, Column, Column),
    /// Whether the database counts a column of the same name, or how.
    AutoChanged(Place, Column, Column),
    /// The comment on a table, or on a column of it.
    CommentChanged(Place, Option<String>, Option<String>),
    /// The primary key's columns: before, after; none where there is no primary key.
    PrimaryKeyChanged(Place, Vec<String>, Vec<String>),
    /// The same under another name: what kind, before, after.
    Renamed(Place, Part, String, String),
    /// An index that was not there.
    IndexAdded(Place, Index),
    /// An index that goes.
    IndexRemoved(Place, Index),
    /// Another definition under the same name: before, after.
    IndexChanged(Place, Index, Index),
    /// A unique constraint that was not there.
    UniqueAdded(Place, Unique),
    /// A unique constraint that goes.
    UniqueRemoved(Place, Unique),
    /// Another definition under the same name: before, after.
    UniqueChanged(Place, Unique, Unique),
    /// A check that was not there.
    CheckAdded(Place, Check),
    /// A check that goes.
    CheckRemoved(Place, Check),
    /// Another condition under the same name: before, after.
    CheckChanged(Place, Check, Check),
    /// An exclusion constraint that was not there.
    ExclusionAdded(Place, Exclusion),
    /// An exclusion constraint that goes.
    ExclusionRemoved(Place, Exclusion),
    /// Another definition under the same name: before, after.
    ExclusionChanged(Place, Exclusion, Exclusion),
    /// A foreign key that was not there.
    ForeignKeyAdded(Place, ForeignKey),
    /// A foreign key that goes.
    ForeignKeyRemoved(Place, ForeignKey),
    /// Another definition under the same name: before, after.
    ForeignKeyChanged(Place, ForeignKey, ForeignKey),
}

impl Delta {
    /// Where it is declared.
    pub fn place(&self) -> Place {
        match self {
            Self::EnumAdded(found) | Self::EnumRemoved(found) | Self::EnumChanged(_, found) => {
                Place {
                    table: found.name.clone(),
                    source: found.source.clone(),
                }
            }
            Self::TableAdded(table) | Self::TableRemoved(table) => place(table),
            Self::TableRenamed(at, _)
            | Self::KeyRenamed(at, _)
            | Self::ColumnReplaced { at, .. }
            | Self::ColumnAdded(at, ..)
            | Self::ColumnRemoved(at, ..)
            | Self::TypeChanged(at, ..)
            | Self::NullabilityChanged(at, ..)
            | Self::DefaultChanged(at, ..)
            | Self::GeneratedChanged(at, ..)
            | Self::AutoChanged(at, ..)
            | Self::CommentChanged(at, ..)
            | Self::PrimaryKeyChanged(at, ..)
            | Self::Renamed(at, ..)
            | Self::IndexAdded(at, ..)
            | Self::IndexRemoved(at, ..)
            | Self::IndexChanged(at, ..)
            | Self::UniqueAdded(at, ..)
            | Self::UniqueRemoved(at, ..)
            | Self::UniqueChanged(at, ..)
            | Self::CheckAdded(at, ..)
            | Self::CheckRemoved(at, ..)
            | Self::CheckChanged(at, ..)
            | Self::ExclusionAdded(at, ..)
            | Self::ExclusionRemoved(at, ..)
            | Self::ExclusionChanged(at, ..)
            | Self::ForeignKeyAdded(at, ..)
            | Self::ForeignKeyRemoved(at, ..)
            | Self::ForeignKeyChanged(at, ..) => at.clone(),
        }
    }
}

/// What has a name of its own in a table, beside its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The primary key.
    PrimaryKey,
    /// An index.
    Index,
    /// A unique constraint.
    Unique,
    /// A check.
    Check,
    /// An exclusion constraint.
    Exclusion,
    /// A foreign key.
    ForeignKey,
}

impl Part {
    /// In plain English.
    pub fn name(self) -> &'static str {
        match self {
            Self::PrimaryKey => "primary key",
            Self::Index => "index",
            Self::Unique => "unique constraint",
            Self::Check => "check",
            Self::Exclusion => "exclusion constraint",
            Self::ForeignKey => "foreign key",
        }
    }
}

/// Where a difference stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: String,
    /// The declaration, `src/models.rs:12`.
    pub source: String,
}

/// The differences between two schemas: the enums, then table by table in the order of names, within a table columns in the
/// struct's order, then the key, indexes, unique constraints, checks, exclusion constraints and foreign keys.
pub fn diff(from: &Schema, to: &Schema) -> Result<Vec<Delta>, DiffError> {
    let mut deltas = Vec::new();
    let mut problems = Vec::new();
    enums(from, to, &mut deltas);
    let mut names: Vec<&str> = from
        .tables
        .iter()
        .chain(&to.tables)
        .map(|table| table.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        match (from.table(name), to.table(name)) {
            (None, Some(added)) => deltas.push(Delta::TableAdded(added.clone())),
            (Some(removed), None) => deltas.push(Delta::TableRemoved(removed.clone())),
            (Some(before), Some(after)) => {
                if before.comment != after.comment {
                    let comment = after.comment.clone();
                    deltas.push(Delta::CommentChanged(place(after), None, comment));
                }
                let merged = merged_into(from, to, after);
                let moves = |column: &Column| moves_away(from, to, name, &column.name);
                let others = pairing::Others {
                    merged,
                    moves: &moves,
                };
                pairing::columns(before, after, &others, &mut deltas, &mut problems);
                key(before, after, &mut deltas);
                parts(before, after, &mut deltas);
            }
            (None, None) => {}
        }
    }
    if problems.is_empty() {
        Ok(deltas)
    } else {
        Err(DiffError(problems))
    }
}

/// The table that goes into this one by `merged_from`, which is spent where that table is gone already.
pub(crate) fn merged_into<'a>(from: &'a Schema, to: &Schema, main: &Table) -> Option<&'a Table> {
    let merged = &main.merged_from.as_ref()?.table;
    from.table(merged).filter(|_| to.table(merged).is_none())
}

/// What the column was in another table, if it comes out of one that was there; spent where the column is there already.
pub(crate) fn moved_into<'a>(
    from: &'a Schema,
    table: &Table,
    column: &'a Column,
) -> Option<(&'a MovedFrom, &'a Table)> {
    let moved = column.moved_from.as_deref()?;
    let before = from.table(&table.name)?;
    let part = from.table(&moved.table)?;
    (before.column(&column.name).is_none() && part.column(&moved.column).is_some())
        .then_some((moved, part))
}

/// Whether the column goes into another table in this step, where both stay.
pub(crate) fn moves_away(from: &Schema, to: &Schema, table: &str, column: &str) -> bool {
    to.tables.iter().any(|main| {
        let mut columns = main.columns.iter();
        columns.any(|new| {
            let moved = moved_into(from, main, new);
            moved.is_some_and(|(moved, _)| moved.table == table && moved.column == column)
        })
    })
}

/// Whether the transition of a column belongs to this step: the column was not there, or could be NULL, or another one has the
/// name that it takes over. Any other is spent.
pub(crate) fn is_under_way(before: &Table, after: &Column) -> bool {
    before
        .column(&after.name)
        .is_none_or(|before| (before.nullable && !after.nullable) || takes_over(before, after))
}

/// Whether the column comes beside the one of its name, which it replaces.
pub(crate) fn takes_over(before: &Column, after: &Column) -> bool {
    let transition = after.transition.as_ref();
    let same = pairing::full_type(before) == pairing::full_type(after)
        && before.nullable == after.nullable;
    transition.is_some_and(|transition| transition.final_name.is_some()) && !same
}

fn enums(from: &Schema, to: &Schema, deltas: &mut Vec<Delta>) {
    let values = |found: &Enumeration| found.values.clone();
    by_name(
        &from.enums,
        &to.enums,
        |found| &found.name,
        |old, new| values(old) == values(new),
        |old, new| {
            deltas.push(match (old, new) {
                (Some(old), Some(new)) => Delta::EnumChanged(old.clone(), new.clone()),
                (Some(old), None) => Delta::EnumRemoved(old.clone()),
                (None, Some(new)) => Delta::EnumAdded(new.clone()),
                (None, None) => return,
            });
        },
    );
}

fn place(table: &Table) -> Place {
    Place {
        table: table.name.clone(),
        source: table.source.clone(),
    }
}

fn key(before: &Table, after: &Table, deltas: &mut Vec<Delta>) {
    let key = |table: &Table| {
        let key = table.primary_key.clone();
        if table.no_primary_key {
            Vec::new()
        } else {
            key
        }
    };
    let (old, new) = (key(before), key(after));
    if old != new {
        deltas.push(Delta::PrimaryKeyChanged(
            place(after),
            old.clone(),
            new.clone(),
        ));
    }
    let name = |table: &Table| {
        let given = table.primary_key_name.clone();
        given.unwrap_or_else(|| names::primary_key_name(&table.name))
    };
    if old == new && !new.is_empty() && name(before) != name(after) {
        deltas.push(Delta::Renamed(
            place(after),
            Part::PrimaryKey,
            name(before),
            name(after),
        ));
    }
}

fn parts(before: &Table, after: &Table, deltas: &mut Vec<Delta>) {
    named::compare(after, &before.indexes, &after.indexes, deltas);
    named::compare(after, &before.uniques, &after.uniques, deltas);
    named::compare(after, &before.checks, &after.checks, deltas);
    named::compare(after, &before.exclusions, &after.exclusions, deltas);
    named::compare(after, &before.foreign_keys, &after.foreign_keys, deltas);
}

/// Calls back for every name whose two sides differ: those that go or changed first, then those that come.
fn by_name<T>(
    before: &[T],
    after: &[T],
    name: fn(&T) -> &str,
    same: impl Fn(&T, &T) -> bool,
    mut found: impl FnMut(Option<&T>, Option<&T>),
) {
    for old in before {
        let new = after.iter().find(|new| name(new) == name(old));
        if !new.is_some_and(|new| same(old, new)) {
            found(Some(old), new);
        }
    }
    for new in after {
        if before.iter().all(|old| name(old) != name(new)) {
            found(None, Some(new));
        }
    }
}

#[cfg(test)]
mod tests;
