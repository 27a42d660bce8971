//! What one version takes away and fills.
//!
//! Comes in: its manifest, the last version's tables. Goes out: [`Sought`].
//! Must not know: sources.

use zdm_model::Schema;
use zdm_runtime::manifest::{Manifest, MoveWay, OneOfTwo, Pair};

use super::{ByName, Instead, Sought, Why, target};
use crate::references::Target;

pub(super) struct OfVersion<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) schema: &'a Schema,
    pub(super) in_transition: bool,
}

impl OfVersion<'_> {
    /// What the version takes away, where no later one has made it anew.
    pub(super) fn going(&self, found: &mut ByName) {
        let why = if self.in_transition {
            Why::Old
        } else {
            Why::Gone
        };
        let renamed = self.manifest.renames.keys();
        let tables = self.manifest.drops.iter().filter(|(_, names)| names.table);
        for table in tables.map(|(table, _)| table).chain(renamed) {
            if self.schema.table(table).is_none() {
                self.put(found, target(table, None, false), why, self.renamed(table));
            }
        }
        for (table, names) in self.manifest.drops.iter().filter(|(_, names)| !names.table) {
            let now = self.schema.table(table);
            let gone = |column: &&String| now.is_none_or(|now| now.column(column).is_none());
            let mine = |column: &&String| !self.is_own(table, column);
            for column in names.columns.iter().filter(gone).filter(mine) {
                let instead = self.instead(table, column);
                let target = target(table, Some(column.clone()), self.in_transition);
                self.put(found, target, why, instead);
            }
        }
    }

    /// What the version fills, where code has to name both sides.
    pub(super) fn coming(&self, found: &mut ByName) {
        for pair in &self.manifest.pairs {
            let instead = vec![self.of_pair(pair)];
            let shared = pair.released.as_ref().map(|names| &names.column);
            let key = self
                .schema
                .table(&pair.table)
                .map(|table| &table.primary_key);
            if let Some(name) = shared {
                // Whatever the key's type, its values are the same.
                if key.is_some_and(|key| key.contains(name)) {
                    continue;
                }
                let target = target(&pair.table, Some(name.clone()), true);
                self.put(found, target, Why::Shared, instead.clone());
            }
            let alone = pair.old.is_empty();
            let target = target(&pair.table, Some(pair.new.column.clone()), alone);
            self.put(found, target, Why::New, instead);
        }
        for moved in &self.manifest.moved {
            let to = moved.source().other();
            for column in moved.columns_of(to) {
                let instead = self.instead_of(moved.table(to), column);
                let target = target(moved.table(to), Some(column.to_owned()), true);
                self.put(found, target, Why::New, vec![instead]);
            }
        }
        for (table, names) in &self.manifest.renamed_keys {
            for (_, new) in names {
                let instead = self.instead_of(table, new);
                let target = target(table, Some(new.clone()), false);
                self.put(found, target, Why::New, vec![instead]);
            }
        }
    }

    fn put(&self, found: &mut ByName, target: Target, why: Why, instead: Vec<Instead>) {
        let key = (target.table.clone(), target.column.clone());
        let sought = Sought {
            target,
            version: Some((self.manifest.id.clone(), self.manifest.folder())),
            why,
            instead,
        };
        found.insert(key, sought);
    }

    /// Names of the tool's own, which nobody writes.
    fn is_own(&self, table: &str, column: &str) -> bool {
        let mut pairs = self
            .manifest
            .pairs
            .iter()
            .filter(|pair| pair.table == table);
        self.manifest.is_released(table, column)
            || pairs.any(|pair| pair.seal.as_deref() == Some(column))
    }

    /// What takes the place of an old column.
    fn instead(&self, table: &str, column: &str) -> Vec<Instead> {
        let has_old =
            |pair: &&Pair| pair.table == table && pair.old.iter().any(|old| old.column == column);
        let pairs = self.manifest.pairs.iter().filter(has_old);
        let mut instead: Vec<Instead> = pairs.map(|pair| self.of_pair(pair)).collect();
        for moved in &self.manifest.moved {
            let (from, to) = (moved.source(), moved.source().other());
            let columns = moved.columns_of(from).into_iter().zip(moved.columns_of(to));
            let mine = columns.filter(|(old, _)| moved.table(from) == table && *old == column);
            instead.extend(mine.map(|(_, new)| self.instead_of(moved.table(to), new)));
        }
        let renamed = self.manifest.renamed_keys.get(table).into_iter().flatten();
        let renamed = renamed.filter(|(old, _)| old == column);
        instead.extend(renamed.map(|(_, new)| self.instead_of(table, new)));
        instead
    }

    fn of_pair(&self, pair: &Pair) -> Instead {
        let last = pair.released.as_ref().map(|names| &names.column);
        self.instead_of(&pair.table, last.unwrap_or(&pair.new.column))
    }

    fn instead_of(&self, table: &str, column: &str) -> Instead {
        let declared = self.schema.table(table);
        let field = declared
            .and_then(|declared| declared.column(column))
            .map(|column| (table.to_owned(), column.field.clone()));
        Instead {
            name: format!("{table}.{column}"),
            code: field,
        }
    }

    /// What takes the place of a table.
    fn renamed(&self, table: &str) -> Vec<Instead> {
        let mut names: Vec<String> = self
            .manifest
            .renames
            .get(table)
            .cloned()
            .into_iter()
            .collect();
        let moved = self.manifest.moved.iter();
        let merged = moved.filter(|moved| moved.way == MoveWay::Merge && moved.part == table);
        names.extend(merged.map(|moved| moved.table(OneOfTwo::Main).to_owned()));
        names
            .into_iter()
            .map(|name| Instead { name, code: None })
            .collect()
    }
}
