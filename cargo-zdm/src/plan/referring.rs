//! What foreign keys of a version mean for others: those that its way back puts back, and those that write by themselves.
//!
//! Comes in: the steps of a plan. Goes out: names by table. Must not know: other versions.

use std::collections::BTreeMap;

use zdm_runtime::phase::Section;

use super::{Action, ForeignKeyShape, PlanStep, Statement, Undo};

/// Columns by table.
type Columns = BTreeMap<String, Vec<String>>;

/// What the foreign keys name that go before `complete` and come back on the way back: columns of tables, on both ends.
pub(super) fn put_back(steps: &[PlanStep]) -> Columns {
    let released = steps.iter().filter(|step| step.section == Section::Release);
    let undone = released.filter_map(|step| match &step.undo {
        Undo::By { actions, .. } => Some(actions),
        Undo::Covered | Undo::Impossible(_) => None,
    });
    let mut named = Columns::new();
    for (table, key) in undone.flatten().flat_map(coming) {
        let ends = [
            (table, &key.columns),
            (&key.references, &key.referenced_columns),
        ];
        for (table, columns) in ends {
            add(named.entry(table.clone()).or_default(), columns);
        }
    }
    named
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
