//! Statements for a database that cannot alter a column: what it has no statement for becomes one rebuild per table
//! and section, which takes along what follows in that section.

use super::{Drafted, Lowering};
use crate::diff::Part;
use crate::plan::alteration::Alteration;
use crate::plan::shape::{ForeignKeyShape, IndexShape, TableShape};
use crate::plan::{Action, PlanStep, Statement, Undo};

/// A table that will be written anew at the end of the section.
pub(super) struct Rebuild {
    table: String,
    before: TableShape,
    does: Vec<String>,
    undoes: Vec<String>,
    loses: Vec<String>,
    impossible: Option<String>,
    source: String,
}

impl Lowering<'_> {
    pub(super) fn alter_or_rebuild(&mut self, drafted: &Drafted) {
        let table = &drafted.table;
        let pending = self.rebuilds.iter().any(|rebuild| rebuild.table == *table);
        let Some(action) = self.own(table, &drafted.alteration) else {
            return self.rebuild(drafted);
        };
        // ALTER TABLE adds no stored one (manual, "Generated Columns", Limitations).
        let is_stored = matches!(&drafted.alteration, Alteration::AddColumn(column)
            if column.generated.is_some() && !column.is_virtual);
        if pending || is_stored {
            return self.rebuild(drafted);
        }
        if self.waits_for_a_rebuild(table, &drafted.alteration) {
            self.finish_rebuilds();
        }
        if let Alteration::DropColumn(column) = &drafted.alteration {
            self.drop_indexes_of(drafted, column);
        }
        let undo = self.undo_of(table, &drafted.alteration);
        self.push(drafted, action, undo);
    }

    /// The statement for it, where there is one.
    fn own(&self, table: &str, alteration: &Alteration) -> Option<Action> {
        let Alteration::Rename(Part::Index, from, to) = alteration else {
            return self.common(table, alteration);
        };
        let mut indexes = self.shapes.table(table)?.indexes.iter();
        // The way back is asked for before the way there was gone.
        let index = indexes.find(|index| index.name == *from || index.name == *to)?;
        let called = |name: &String| IndexShape {
            name: name.clone(),
            ..index.clone()
        };
        Some(Action {
            summary: alteration.summary(table),
            statement: Statement::ReplaceIndex {
                table: table.to_owned(),
                before: called(from),
                after: called(to),
            },
        })
    }

    fn undo_of(&self, table: &str, alteration: &Alteration) -> Undo {
        match alteration.inverse(table, &self.shapes) {
            Ok(inverse) => Undo::By {
                actions: self.own(table, &inverse).into_iter().collect(),
                loses: alteration.loses(table),
            },
            Err(reason) => Undo::Impossible(reason),
        }
    }

    fn drop_indexes_of(&mut self, drafted: &Drafted, column: &str) {
        if self.dialect.capabilities().drop_column_drops_indexes {
            return;
        }
        let shape = self.shapes.table(&drafted.table);
        let drops: Vec<_> = shape
            .iter()
            .flat_map(|shape| &shape.indexes)
            .filter(|index| index.columns.iter().any(|name| name == column))
            .map(|index| Alteration::DropIndex(index.name.clone()))
            .filter_map(|alteration| self.common(&drafted.table, &alteration))
            .collect();
        for action in drops {
            let reason = format!("the index goes with {}.{column}", drafted.table);
            self.push(drafted, action, Undo::Impossible(reason));
        }
    }

    fn rebuild(&mut self, drafted: &Drafted) {
        let table = &drafted.table;
        let does = drafted.alteration.summary(table);
        let undo = drafted.alteration.inverse(table, &self.shapes);
        let position = self
            .rebuilds
            .iter()
            .position(|rebuild| rebuild.table == *table);
        let Some(shape) = self.shapes.table(table) else {
            return;
        };
        if position.is_none() {
            self.rebuilds.push(Rebuild {
                table: table.clone(),
                before: shape.clone(),
                does: Vec::new(),
                undoes: Vec::new(),
                loses: Vec::new(),
                impossible: drafted.no_way_back.clone(),
                source: drafted.source.clone(),
            });
        }
        let position = position.unwrap_or(self.rebuilds.len() - 1);
        let rebuild = &mut self.rebuilds[position];
        rebuild.does.push(does);
        rebuild.loses.extend(drafted.alteration.loses(table));
        match undo {
            Ok(inverse) => rebuild.undoes.insert(0, inverse.summary(table)),
            Err(reason) => rebuild.impossible = Some(reason),
        }
    }

    /// A foreign key comes after the unique index that it needs and goes before it: meanwhile `SQLite` would refuse
    /// writes to both tables (manual, "Foreign Key Support", "Required and Suggested Database Indexes").
    fn waits_for_a_rebuild(&self, table: &str, alteration: &Alteration) -> bool {
        self.rebuilds.iter().any(|rebuild| match alteration {
            Alteration::CreateTable(shape) => keys_to(shape, &rebuild.table).next().is_some(),
            Alteration::DropIndex(_) => self.loses_key(rebuild, table),
            _ => false,
        })
    }

    /// The same between rebuilds.
    fn waits_for(&self, rebuild: &Rebuild, other: &Rebuild) -> bool {
        rebuild.table != other.table
            && (self.gains_key(rebuild, &other.table) || self.loses_key(other, &rebuild.table))
    }

    fn gains_key(&self, rebuild: &Rebuild, table: &str) -> bool {
        let Some(after) = self.shapes.table(&rebuild.table) else {
            return false;
        };
        keys_to(after, table).any(|key| !rebuild.before.foreign_keys.contains(key))
    }

    fn loses_key(&self, rebuild: &Rebuild, table: &str) -> bool {
        let Some(after) = self.shapes.table(&rebuild.table) else {
            return false;
        };
        keys_to(&rebuild.before, table).any(|key| !after.foreign_keys.contains(key))
    }

    pub(super) fn finish_rebuilds(&mut self) {
        let mut waiting = std::mem::take(&mut self.rebuilds);
        while !waiting.is_empty() {
            let free = waiting
                .iter()
                .position(|rebuild| !waiting.iter().any(|other| self.waits_for(rebuild, other)));
            let rebuild = waiting.remove(free.unwrap_or(0));
            self.finish(rebuild);
        }
    }

    fn finish(&mut self, rebuild: Rebuild) {
        let Some(after) = self.shapes.table(&rebuild.table).cloned() else {
            return;
        };
        let undo = match rebuild.impossible {
            Some(reason) => Undo::Impossible(reason),
            None => Undo::By {
                actions: vec![Action {
                    summary: format!("rebuild {}: {}", rebuild.table, rebuild.undoes.join("; ")),
                    statement: Statement::RebuildTable {
                        before: after.clone(),
                        after: rebuild.before.clone(),
                    },
                }],
                loses: (!rebuild.loses.is_empty()).then(|| rebuild.loses.join("; ")),
            },
        };
        self.steps.push(PlanStep {
            section: self.section,
            action: Action {
                summary: format!("rebuild {}: {}", rebuild.table, rebuild.does.join("; ")),
                statement: Statement::RebuildTable {
                    before: rebuild.before,
                    after,
                },
            },
            undo,
            source: rebuild.source,
        });
    }
}

fn keys_to<'a>(shape: &'a TableShape, table: &'a str) -> impl Iterator<Item = &'a ForeignKeyShape> {
    let keys = shape.foreign_keys.iter();
    keys.filter(move |key| key.references == table)
}
