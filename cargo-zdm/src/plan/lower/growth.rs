//! Statements for a column of a key that grows.

use super::foreign_keys::{ForeignKeys, validations};
use super::{Lowering, not_null_name};
use crate::plan::alteration::{Alteration, Growing, Growth};
use crate::plan::{Action, CheckShape, IndexShape, Remade, Statement, TableShape};
use zdm_model::names;

impl Lowering<'_> {
    pub(super) fn grow(&self, table: &str, growing: &Growing) -> Vec<Action> {
        let summary = Alteration::Grow(growing.clone()).summary(table);
        let named = || table.to_owned();
        let one = |statement| {
            let summary = summary.clone();
            vec![Action { summary, statement }]
        };
        match growing {
            Growing::Keep(growth) => one(Statement::KeepKey {
                table: named(),
                growth: growth.clone(),
            }),
            Growing::Leave(growth) => one(Statement::LeaveKey {
                table: named(),
                growth: growth.clone(),
            }),
            Growing::Exchange(growth) => {
                let mut actions = self.indexes_of_key(table, growth, &growth.interim);
                actions.extend(one(self.exchange(table, growth, false)));
                let (check, indexes) = self.left_behind(table, growth);
                actions.push(check);
                actions.extend(self.validations(table, growth));
                actions.extend(indexes);
                actions
            }
            Growing::ExchangeBack(growth) => {
                // What refuses numbers that new takes comes last before the exchange.
                let mut actions = self.indexes_of_key(table, growth, &growth.released);
                actions.extend(self.holds_every_row(table, growth));
                actions.extend(one(self.exchange(table, growth, true)));
                actions
            }
        }
    }

    /// The foreign keys that an exchange adds again are compared with every row by steps of their own.
    pub(super) fn validations(&self, table: &str, growth: &Growth) -> Vec<Action> {
        validations(self.keys_on(table, growth))
    }

    fn exchange(&self, table: &str, growth: &Growth, back: bool) -> Statement {
        let shape = self.shapes.table(table);
        let key = shape.map(TableShape::key_name).unwrap_or_default();
        let foreign_keys = self.keys_on(table, growth);
        let indexes = shape.into_iter().flat_map(|shape| on(shape, growth));
        Statement::ExchangeKey {
            table: table.to_owned(),
            growth: growth.clone(),
            back,
            key: (key.clone(), names::beside(&key)),
            indexes: indexes
                .map(|index| (index.name.clone(), names::beside(&index.name)))
                .collect(),
            remade: Remade::around(table, foreign_keys),
        }
    }

    /// Indexes as the key's and those that name the column, with another column in its place.
    fn indexes_of_key(&self, table: &str, growth: &Growth, column: &str) -> Vec<Action> {
        let Some(shape) = self.shapes.table(table) else {
            return Vec::new();
        };
        let key = IndexShape {
            name: shape.key_name(),
            columns: growth.key.clone(),
            elements: Vec::new(),
            method: None,
            include: Vec::new(),
            nulls_not_distinct: false,
            storage: None,
            unique: true,
            predicate: None,
        };
        let indexes = std::iter::once(&key).chain(on(shape, growth));
        let beside = indexes.map(|index| {
            let mut index = index.clone();
            index.name = names::beside(&index.name);
            let columns = index.columns.iter_mut().chain(&mut index.include);
            for name in columns.filter(|name| **name == growth.column) {
                column.clone_into(name);
            }
            index
        });
        beside
            .flat_map(|index| self.actions(table, &Alteration::CreateIndex(index)))
            .collect()
    }

    /// What the narrow column demands on the way back, compared with every row beside running writes.
    fn holds_every_row(&self, table: &str, growth: &Growth) -> Vec<Action> {
        let check = Alteration::AddCheck(CheckShape {
            name: not_null_name(table, &growth.released),
            expr: format!("{} IS NOT NULL", self.dialect.ident(&growth.released)),
            not_valid: false,
            no_inherit: false,
        });
        let mut actions = vec![self.left_behind(table, growth).0];
        actions.extend(self.actions(table, &check));
        actions
    }

    /// What clears away what an undo that has begun and not ended has made ready: the check, and the indexes.
    fn left_behind(&self, table: &str, growth: &Growth) -> (Action, Vec<Action>) {
        let left = |name: &str, statement| Action {
            summary: format!(
                "drop {name} of {table}, where a way back that did not end has left it"
            ),
            statement,
        };
        let check = not_null_name(table, &growth.released);
        let shape = self.shapes.table(table).into_iter();
        let indexes = shape.flat_map(|shape| {
            let others = on(shape, growth).map(|index| index.name.clone());
            std::iter::once(shape.key_name()).chain(others)
        });
        let indexes = indexes.map(|index| {
            let index = names::beside(&index);
            let table = table.to_owned();
            left(&index.clone(), Statement::DropIndex { table, index })
        });
        let statement = Statement::DropConstraint {
            index: false,
            table: table.to_owned(),
            constraint: check.clone(),
        };
        (left(&check, statement), indexes.collect())
    }

    /// The foreign keys that refer to the column, and those that the column is in.
    fn keys_on(&self, table: &str, growth: &Growth) -> ForeignKeys {
        let keys = self.shapes.foreign_keys();
        let stands = keys.filter(|(of, key)| {
            (key.references == table && key.referenced_columns.contains(&growth.column))
                || (*of == table && key.columns.contains(&growth.column))
        });
        stands
            .map(|(of, key)| (of.to_owned(), key.clone()))
            .collect()
    }
}

/// The indexes that name the column.
fn on<'a>(shape: &'a TableShape, growth: &'a Growth) -> impl Iterator<Item = &'a IndexShape> {
    let names = |index: &&IndexShape| {
        let mut columns = index.columns.iter().chain(&index.include);
        columns.any(|name| *name == growth.column)
    };
    shape.indexes.iter().filter(names)
}
