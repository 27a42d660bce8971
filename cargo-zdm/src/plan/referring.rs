//! What foreign keys of a version mean for others: those that its way back puts back, and those that write by themselves.
//!
//! Comes in: the steps of a plan, or both schemas. Goes out: names by table. Must not know: other versions.

use std::collections::{BTreeMap, BTreeSet};

use zdm_model::{Schema, Table};
use zdm_runtime::phase::Section;

use super::{Action, ForeignKeyShape, PlanStep, Statement, Undo};

/// Columns by table.
type Columns = BTreeMap<String, Vec<String>>;

/// The columns of several keys, by table.
type Keys = BTreeMap<String, Vec<Vec<String>>>;

/// What foreign keys stand on that come back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refers {
    /// Columns by table, on both ends.
    pub columns: Columns,
    /// The keys and unique indexes on the one end, by table.
    pub keys: Keys,
}

/// What the foreign keys name that go before `complete` and come back on the way back.
pub(super) fn put_back(steps: &[PlanStep]) -> Refers {
    let before = |step: &&PlanStep| matches!(step.section, Section::Expand | Section::Release);
    let undone = steps
        .iter()
        .filter(before)
        .filter_map(|step| match &step.undo {
            Undo::By { actions, .. } => Some(actions),
            Undo::Covered | Undo::Impossible(_) => None,
        });
    let mut refers = Refers::default();
    for (table, key) in undone.flatten().flat_map(coming) {
        let ends = [
            (table, &key.columns),
            (&key.references, &key.referenced_columns),
        ];
        for (table, columns) in ends {
            add(refers.columns.entry(table.clone()).or_default(), columns);
        }
        let keys = refers.keys.entry(key.references.clone()).or_default();
        if !keys.contains(&key.referenced_columns) {
            keys.push(key.referenced_columns.clone());
        }
    }
    refers
}

/// The keys and unique indexes that foreign keys can stand on and that one schema has and the next one has not, of tables that stay.
pub(super) fn unkeyed(from: &Schema, to: &Schema) -> Keys {
    let mut unkeyed = Keys::new();
    for before in &from.tables {
        let Some(after) = to.table(&before.name) else {
            continue;
        };
        let stay: BTreeSet<_> = keys(after).map(sorted).collect();
        let gone = keys(before).filter(|key| !stay.contains(&sorted(key)));
        let gone: Vec<Vec<String>> = gone.map(<[String]>::to_vec).collect();
        if !gone.is_empty() {
            unkeyed.insert(before.name.clone(), gone);
        }
    }
    unkeyed
}

fn keys(table: &Table) -> impl Iterator<Item = &[String]> {
    let uniques = table.uniques.iter().map(|unique| &unique.columns[..]);
    let indexes = table.indexes.iter();
    let indexes = indexes.filter(|index| index.unique && index.predicate.is_none());
    let all = std::iter::once(&table.primary_key[..])
        .chain(uniques)
        .chain(indexes.map(|index| &index.columns[..]));
    all.filter(|columns| !columns.is_empty())
}

fn sorted(columns: &[String]) -> BTreeSet<&str> {
    columns.iter().map(String::as_str).collect()
}

/// The columns that foreign keys which come set where a row that they name goes, or gets another key.
pub(super) fn acting(steps: &[PlanStep]) -> Columns {
    let mut set = Columns::new();
    for (table, key) in steps.iter().flat_map(|step| coming(&step.action)) {
        let sets = |action: &Option<String>| {
            let action = action.as_deref();
            action.is_some_and(|action| action.starts_with("set"))
        };
        let is_all = sets(&key.on_update) || key.on_update.as_deref() == Some("cascade");
        let columns = if is_all || key.on_delete_columns.is_empty() {
            &key.columns
        } else {
            &key.on_delete_columns
        };
        if is_all || sets(&key.on_delete) {
            add(set.entry(table.clone()).or_default(), columns);
        }
    }
    set
}

fn add(names: &mut Vec<String>, others: &[String]) {
    for name in others {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
}

/// The foreign keys that a statement adds to a table that may be there.
fn coming(action: &Action) -> Vec<(&String, &ForeignKeyShape)> {
    let mut keys = Vec::new();
    for statement in action.statement.parts() {
        match statement {
            Statement::AddForeignKey { table, foreign_key } => keys.push((table, foreign_key)),
            Statement::RebuildTable { before, after } => {
                let come = after.foreign_keys.iter();
                let come = come.filter(|key| !before.foreign_keys.contains(key));
                keys.extend(come.map(|key| (&after.name, key)));
            }
            _ => {}
        }
    }
    keys
}
