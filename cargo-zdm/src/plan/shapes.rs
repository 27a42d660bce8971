//! All tables as the database has them at a moment of the plan, and what an alteration makes of them.

use std::collections::{BTreeMap, BTreeSet};

use zdm_model::{Column, Schema, Table, names};
use zdm_runtime::manifest::{Names, NamesByTable};

use super::alteration::{Alteration, Counting, Growing, Growth, Naming};
use super::keep::Keeping;
use super::lower::Drafted;
use super::shape::{
    CheckShape, ColumnShape, ExclusionShape, ForeignKeyShape, IndexShape, TableShape, UniqueShape,
};
use crate::dialect::Dialect;
use crate::diff::Part;

/// Tables by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Shapes(BTreeMap<String, TableShape>);

impl Shapes {
    /// What a schema looks like once its version is through.
    pub(super) fn of(schema: &Schema, dialect: &Dialect) -> Self {
        Self(
            schema
                .tables
                .iter()
                .map(|table| (table.name.clone(), table_shape(table, dialect)))
                .collect(),
        )
    }

    pub(super) fn table(&self, name: &str) -> Option<&TableShape> {
        self.0.get(name)
    }

    /// Every foreign key with its table.
    pub(super) fn foreign_keys(&self) -> impl Iterator<Item = (&str, &ForeignKeyShape)> {
        self.0
            .iter()
            .flat_map(|(table, shape)| shape.foreign_keys.iter().map(move |key| (&**table, key)))
    }

    /// The shapes after several alterations.
    pub(super) fn after(&self, drafted: &[&Drafted]) -> Self {
        let mut after = self.clone();
        for drafted in drafted {
            after.apply(&drafted.table, &drafted.alteration);
        }
        after
    }

    /// The names that are here and not there.
    pub(super) fn names_without(&self, other: &Self) -> NamesByTable {
        self.0
            .iter()
            .map(|(table, shape)| (table.clone(), names_without(shape, other.table(table))))
            .filter(|(_, names)| *names != Names::default())
            .collect()
    }

    /// The names of the indexes and constraints of a table, without its schema.
    pub(super) fn standing_on(&self, table: &str) -> Vec<String> {
        let found = self.table(table).map(|shape| names_without(shape, None));
        let found = found.unwrap_or_default();
        let indexes = found.indexes.iter();
        let indexes = indexes.map(|index| names::bare(index).to_owned());
        indexes.chain(found.constraints).collect()
    }

    /// The same tables by the names that they have before these alterations.
    pub(super) fn called_as_before(&self, drafted: &[Drafted]) -> Self {
        let mut before = self.clone();
        for drafted in drafted {
            if let Alteration::Name(Naming::Table(name)) = &drafted.alteration {
                before.rename_table(name, &drafted.table);
            }
        }
        before
    }

    fn rename_table(&mut self, from: &str, to: &str) {
        if let Some(mut shape) = self.0.remove(from) {
            to.clone_into(&mut shape.name);
            self.0.insert(to.to_owned(), shape);
        }
        let keys = self
            .0
            .values_mut()
            .flat_map(|shape| &mut shape.foreign_keys);
        for key in keys.filter(|key| key.references == from) {
            to.clone_into(&mut key.references);
        }
    }

    fn rename_column(&mut self, table: &str, from: &str, to: &str) {
        if let Some(shape) = self.0.get_mut(table) {
            rename_column(shape, from, to);
        }
        let keys = self
            .0
            .values_mut()
            .flat_map(|shape| &mut shape.foreign_keys);
        let referring = keys.filter(|key| key.references == table);
        let names = referring.flat_map(|key| &mut key.referenced_columns);
        for name in names.filter(|name| *name == from) {
            to.clone_into(name);
        }
    }

    /// The shapes after an alteration of a table.
    pub(super) fn apply(&mut self, table: &str, alteration: &Alteration) {
        match alteration {
            Alteration::CreateTable(shape) => {
                let mut shape = shape.clone();
                // They come by statements of their own.
                (shape.comment, shape.origin) = (None, None);
                for column in &mut shape.columns {
                    column.comment = None;
                }
                self.0.insert(table.to_owned(), shape);
            }
            Alteration::DropTable(_) => {
                self.0.remove(table);
            }
            Alteration::Name(Naming::Table(name) | Naming::RestoreTable(name, _)) => {
                self.rename_table(table, name);
            }
            Alteration::Keep(Keeping::Table(from, to)) => self.rename_table(from, to),
            Alteration::Keep(keeping) => {
                for (from, to) in &keeping.renames() {
                    self.rename_column(table, from, to);
                }
            }
            Alteration::Name(Naming::Columns(columns)) => {
                for (from, to) in &columns.renames {
                    self.rename_column(table, from, to);
                }
            }
            _ => {
                if let Some(shape) = self.0.get_mut(table) {
                    alter(shape, alteration);
                }
            }
        }
    }
}

/// The names in a table that `other` does not hold.
fn names_without(shape: &TableShape, other: Option<&TableShape>) -> Names {
    let without = |names: fn(&TableShape) -> Vec<String>| {
        let mut without = names(shape);
        let others = other.map(names).unwrap_or_default();
        without.retain(|name| !others.contains(name));
        without
    };
    Names {
        table: other.is_none(),
        columns: without(|shape| named(&shape.columns, |column| &column.name)),
        indexes: without(|shape| {
            let indexes = shape.indexes.iter();
            let placed = indexes.map(|index| names::beside_table(&shape.name, &index.name));
            placed.collect()
        }),
        constraints: without(|shape| {
            let mut names = named(&shape.checks, |check| &check.name);
            names.extend(named(&shape.uniques, |unique| &unique.name));
            names.extend(named(&shape.exclusions, |exclusion| &exclusion.name));
            names.extend(named(&shape.foreign_keys, |key| &key.name));
            names
        }),
        references: without(|shape| {
            let keys = shape.foreign_keys.iter().map(|key| &key.references);
            let others: BTreeSet<&String> = keys.filter(|table| **table != shape.name).collect();
            others.into_iter().cloned().collect()
        }),
    }
}

fn named<T>(parts: &[T], name: impl Fn(&T) -> &String) -> Vec<String> {
    parts.iter().map(|part| name(part).clone()).collect()
}

fn alter(shape: &mut TableShape, alteration: &Alteration) {
    match alteration {
        Alteration::AddColumn(column) => shape.columns.push(ColumnShape {
            comment: None,
            rights_of: Vec::new(),
            ..column.clone()
        }),
        Alteration::ReplaceGenerated(column) => {
            with_column(shape, &column.name, |old| {
                old.generated.clone_from(&column.generated);
            });
        }
        Alteration::DropColumn(name) => {
            shape.columns.retain(|column| column.name != *name);
            shape.indexes.retain(|index| !index.columns.contains(name));
            shape
                .uniques
                .retain(|unique| !unique.columns.contains(name) && !unique.include.contains(name));
            shape.foreign_keys.retain(|key| !key.columns.contains(name));
        }
        Alteration::Grow(Growing::Exchange(growth)) => exchange(shape, growth),
        Alteration::CreateIndex(index) => add(&mut shape.indexes, index, |index| &index.name),
        Alteration::DropIndex(name) => shape.indexes.retain(|index| index.name != *name),
        Alteration::SetType(name, sql_type, _) => {
            with_column(shape, name, |column| column.sql_type.clone_from(sql_type));
        }
        Alteration::SetDefault(name, default) => {
            with_column(shape, name, |column| column.default.clone_from(default));
        }
        Alteration::SetCounting(name, _, to) => with_column(shape, name, |column| {
            column.auto = to.is_some();
            let counted = to.and_then(Counting::attribute);
            column.counted = counted.map(|counted| counted.name().to_owned());
        }),
        Alteration::SetComment(None, comment) => shape.comment.clone_from(comment),
        Alteration::SetComment(Some(name), comment) => {
            with_column(shape, name, |column| column.comment.clone_from(comment));
        }
        Alteration::SetNotNull(name) => with_column(shape, name, |column| column.nullable = false),
        Alteration::DropNotNull(name) => with_column(shape, name, |column| column.nullable = true),
        Alteration::SetPrimaryKey(key) | Alteration::ReplacePrimaryKey(key) => {
            shape.primary_key.clone_from(&key.columns);
            shape.primary_key_name.clone_from(&key.name);
            shape.no_primary_key = false;
            shape.indexes.retain(|own| own.name != key.index);
        }
        Alteration::DropPrimaryKey => {
            shape.primary_key.clear();
            shape.primary_key_name = None;
            shape.no_primary_key = true;
        }
        Alteration::AddUnique(unique) => add(&mut shape.uniques, unique, |unique| &unique.name),
        Alteration::DropUnique(name) => shape.uniques.retain(|unique| unique.name != *name),
        Alteration::AddCheck(check) => add(&mut shape.checks, check, |check| &check.name),
        Alteration::AddExclusion(exclusion) => add(&mut shape.exclusions, exclusion, |exclusion| {
            &exclusion.name
        }),
        Alteration::DropExclusion(name) => {
            shape.exclusions.retain(|exclusion| exclusion.name != *name);
        }
        Alteration::Validate(name) => {
            let checks = shape.checks.iter_mut().filter(|check| check.name == *name);
            checks.for_each(|check| check.not_valid = false);
            let keys = shape
                .foreign_keys
                .iter_mut()
                .filter(|key| key.name == *name);
            keys.for_each(|key| key.not_valid = false);
        }
        Alteration::DropCheck(name) => shape.checks.retain(|check| check.name != *name),
        Alteration::AddForeignKey(key) => add(&mut shape.foreign_keys, key, |key| &key.name),
        Alteration::DropForeignKey(name) => shape.foreign_keys.retain(|key| key.name != *name),
        Alteration::Rename(part, from, to) => rename(shape, *part, from, to),
        Alteration::CreateTable(_)
        | Alteration::DropTable(_)
        | Alteration::Name(_)
        | Alteration::Grow(_)
        | Alteration::CreateFunction(_)
        | Alteration::CreateTriggers(_)
        | Alteration::Net(_)
        | Alteration::Keep(_)
        | Alteration::DropTriggers(_)
        | Alteration::CreateEnum(_)
        | Alteration::DropEnum(_)
        | Alteration::AddEnumValue(_)
        | Alteration::LeaveEnumValue(_)
        | Alteration::DropFunction(_) => {}
    }
}

/// Expressions keep what they say: nothing is made of them once columns are renamed.
fn rename_column(shape: &mut TableShape, from: &str, to: &str) {
    with_column(shape, from, |column| to.clone_into(&mut column.name));
    let indexes = shape.indexes.iter_mut();
    let uniques = shape.uniques.iter_mut();
    let lists = indexes
        .flat_map(|index| [&mut index.columns, &mut index.include])
        .chain(uniques.flat_map(|unique| [&mut unique.columns, &mut unique.include]))
        .chain(shape.foreign_keys.iter_mut().map(|key| &mut key.columns))
        .chain([&mut shape.primary_key]);
    for name in lists.flatten().filter(|name| *name == from) {
        to.clone_into(name);
    }
}

/// Parts are in the order of their names.
fn add<T: Clone>(parts: &mut Vec<T>, part: &T, name: impl Fn(&T) -> &String) {
    parts.push(part.clone());
    parts.sort_by(|a, b| name(a).cmp(name(b)));
}

/// What stands on the column stands on the wide one now, by the same name.
fn exchange(shape: &mut TableShape, growth: &Growth) {
    let Some(narrow) = shape.column(&growth.column).cloned() else {
        return;
    };
    with_column(shape, &growth.column, |column| {
        column.name.clone_from(&growth.released);
        column.nullable = true;
        column.auto = false;
        column.counted = None;
    });
    with_column(shape, &growth.interim, |column| {
        column.name = narrow.name;
        column.nullable = false;
        column.auto = narrow.auto;
        column.counted = narrow.counted;
    });
}

fn rename(shape: &mut TableShape, part: Part, from: &str, to: &str) {
    match part {
        Part::PrimaryKey => {
            let own = names::primary_key_name(&shape.name);
            shape.primary_key_name = (to != own).then(|| to.to_owned());
        }
        Part::Index => renamed(&mut shape.indexes, |index| &mut index.name, from, to),
        Part::Unique => renamed(&mut shape.uniques, |unique| &mut unique.name, from, to),
        Part::Check => renamed(&mut shape.checks, |check| &mut check.name, from, to),
        Part::Exclusion => {
            renamed(
                &mut shape.exclusions,
                |exclusion| &mut exclusion.name,
                from,
                to,
            );
        }
        Part::ForeignKey => renamed(&mut shape.foreign_keys, |key| &mut key.name, from, to),
    }
}

/// Parts stay in the order of their names.
fn renamed<T>(parts: &mut Vec<T>, name: impl Fn(&mut T) -> &mut String, from: &str, to: &str) {
    let mut named: Vec<(String, T)> = parts
        .drain(..)
        .map(|mut part| {
            let name = name(&mut part);
            if name == from {
                to.clone_into(name);
            }
            (name.clone(), part)
        })
        .collect();
    named.sort_by(|(left, _), (right, _)| left.cmp(right));
    parts.extend(named.into_iter().map(|(_, part)| part));
}

fn with_column(shape: &mut TableShape, name: &str, change: impl FnOnce(&mut ColumnShape)) {
    if let Some(column) = shape.columns.iter_mut().find(|column| column.name == name) {
        change(column);
    }
}

/// The table with the dialect's types.
pub(crate) fn table_shape(table: &Table, dialect: &Dialect) -> TableShape {
    TableShape {
        name: table.name.clone(),
        comment: table.comment.clone(),
        columns: table
            .columns
            .iter()
            .map(|column| column_shape(column, dialect))
            .collect(),
        primary_key: table.primary_key.clone(),
        no_primary_key: table.no_primary_key,
        primary_key_name: table.primary_key_name.clone(),
        indexes: table.indexes.iter().map(IndexShape::from).collect(),
        uniques: table.uniques.iter().map(UniqueShape::from).collect(),
        checks: table.checks.iter().map(CheckShape::from).collect(),
        exclusions: table.exclusions.iter().map(ExclusionShape::from).collect(),
        foreign_keys: table
            .foreign_keys
            .iter()
            .map(ForeignKeyShape::from)
            .collect(),
        origin: None,
    }
}

/// The column with the dialect's type.
pub(crate) fn column_shape(column: &Column, dialect: &Dialect) -> ColumnShape {
    ColumnShape {
        name: column.name.clone(),
        sql_type: dialect.type_of(column),
        nullable: column.nullable,
        auto: column.auto,
        counted: column.counted.map(|counted| counted.name().to_owned()),
        default: column
            .default
            .as_deref()
            .map(|default| dialect.default_of(default)),
        generated: column.generated.clone(),
        is_virtual: column.is_virtual,
        comment: column.comment.clone(),
        rights_of: Vec::new(),
    }
}
