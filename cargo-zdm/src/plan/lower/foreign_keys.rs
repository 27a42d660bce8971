//! Foreign keys that go over to another unique index, because the one that they stand on goes. `PostgreSQL` ties each to an index
//! when it is made.

use super::Lowering;
use crate::plan::alteration::Alteration;
use crate::plan::{
    Action, ForeignKeyShape, KeyShape, Referenced, Remade, Statement, TableShape, same_columns,
};
use zdm_model::names;

/// Foreign keys, each with its table.
pub(super) type ForeignKeys = Vec<(String, ForeignKeyShape)>;

impl Lowering<'_> {
    /// What takes a unique index, or a key, away from under foreign keys: one transaction, and what compares them with every row
    /// afterwards.
    pub(super) fn drop_referenced(&self, table: &str, alteration: &Alteration) -> Vec<Action> {
        let Some((name, columns, is_constraint)) = self
            .shapes
            .table(table)
            .and_then(|shape| unique(shape, alteration))
        else {
            return Vec::new();
        };
        let foreign_keys = self.referring_to(table, columns);
        if foreign_keys.is_empty() {
            return Vec::new();
        }
        let mut actions = vec![Action {
            summary: format!(
                "{}, and let what refers to it stand on another unique index",
                alteration.summary(table)
            ),
            statement: Statement::DropReferenced {
                table: table.to_owned(),
                referenced: Referenced {
                    name,
                    columns: columns.to_vec(),
                    is_constraint,
                    remade: Remade::around(table, foreign_keys.clone()),
                },
            },
        }];
        actions.extend(validations(foreign_keys));
        actions
    }

    /// Another key in the place of the one that is there.
    pub(super) fn replace_primary_key(&self, table: &str, key: &KeyShape) -> Vec<Action> {
        let shape = self.shapes.table(table);
        let columns = shape.map_or(&[][..], |shape| &shape.primary_key);
        let foreign_keys = self.referring_to(table, columns);
        let own = || names::primary_key_name(table);
        let mut actions = vec![Action {
            summary: Alteration::ReplacePrimaryKey(key.clone()).summary(table),
            statement: Statement::SetPrimaryKey {
                table: table.to_owned(),
                constraint: key.name.clone().unwrap_or_else(own),
                index: key.index.clone(),
                replaced: Some((
                    shape.map_or_else(own, TableShape::key_name),
                    columns.to_vec(),
                )),
                remade: Remade::around(table, foreign_keys.clone()),
            },
        }];
        actions.extend(validations(foreign_keys));
        actions
    }

    /// What is locked where the type of a column changes: a foreign key that refers to it is looked at by the database too.
    pub(super) fn locked_with(&self, table: &str, column: &String) -> Vec<String> {
        let keys = self.shapes.foreign_keys();
        let refers = keys
            .filter(|(_, key)| key.references == table && key.referenced_columns.contains(column));
        let refers = refers.map(|(of, key)| (of.to_owned(), key.clone()));
        Remade::around(table, refers.collect()).locked
    }

    /// The foreign keys that refer to exactly these columns, in whatever order.
    fn referring_to(&self, table: &str, columns: &[String]) -> ForeignKeys {
        let keys = self.shapes.foreign_keys();
        let refers = keys.filter(|(_, key)| {
            key.references == table && same_columns(&key.referenced_columns, columns)
        });
        refers
            .map(|(of, key)| (of.to_owned(), key.clone()))
            .collect()
    }
}

/// The name and the columns of a unique index that an alteration takes away, and whether a constraint has it.
fn unique<'a>(
    shape: &'a TableShape,
    alteration: &Alteration,
) -> Option<(String, &'a [String], bool)> {
    match alteration {
        Alteration::DropPrimaryKey => Some((shape.key_name(), &shape.primary_key, true)),
        Alteration::DropUnique(name) => {
            let unique = shape.uniques.iter().find(|unique| unique.name == *name)?;
            (!unique.deferrable).then(|| (name.clone(), &unique.columns[..], true))
        }
        Alteration::DropIndex(name) => {
            let index = shape.indexes.iter().find(|index| index.name == *name)?;
            let holds = index.unique && index.predicate.is_none();
            holds.then(|| (name.clone(), &index.columns[..], false))
        }
        _ => None,
    }
}

/// The foreign keys that were added again are compared with every row by steps of their own.
pub(super) fn validations(foreign_keys: ForeignKeys) -> Vec<Action> {
    let validated = foreign_keys.into_iter().filter(|(_, key)| !key.not_valid);
    let validations = validated.map(|(table, key)| Action {
        summary: format!("compare the rows of {table} with {}", key.name),
        statement: Statement::ValidateConstraint {
            table,
            constraint: key.name,
        },
    });
    validations.collect()
}
