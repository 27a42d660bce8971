//! The order in which tables come and go: foreign keys need what they reference.
//!
//! Comes in: deltas. Goes out: the same, enums and new tables first and removed ones last.
//! Must not know: what else a delta means.

use std::collections::{BTreeMap, BTreeSet};

use zdm_model::Table;

use crate::changes::{self, ChangeError};
use crate::diff::Delta;

/// New tables after their enums and the new tables that they reference, removed ones before those.
pub(super) fn parents_first(deltas: Vec<Delta>) -> Result<Vec<Delta>, ChangeError> {
    let (mut enums, deltas): (Vec<Delta>, Vec<Delta>) = deltas
        .into_iter()
        .partition(|delta| matches!(delta, Delta::EnumAdded(_) | Delta::EnumChanged(..)));
    let (removed_enums, deltas): (Vec<Delta>, Vec<Delta>) = deltas
        .into_iter()
        .partition(|delta| matches!(delta, Delta::EnumRemoved(_)));
    let (added, rest): (Vec<Delta>, Vec<Delta>) = deltas
        .into_iter()
        .partition(|delta| matches!(delta, Delta::TableAdded(_)));
    let (removed, rest): (Vec<Delta>, Vec<Delta>) = rest
        .into_iter()
        .partition(|delta| matches!(delta, Delta::TableRemoved(_)));
    enums.extend(ordered(added)?);
    let mut ordered = enums;
    let mut dropped = self::ordered(removed)?;
    dropped.reverse();
    ordered.extend(rest);
    ordered.extend(dropped);
    ordered.extend(removed_enums);
    Ok(ordered)
}

/// Whole tables, again and again the first one whose parents are all through.
fn ordered(deltas: Vec<Delta>) -> Result<Vec<Delta>, ChangeError> {
    let positions: BTreeMap<&str, usize> = tables(&deltas)
        .enumerate()
        .map(|(at, table)| (table.name.as_str(), at))
        .collect();
    let mut children = vec![Vec::new(); deltas.len()];
    let mut missing = vec![0; deltas.len()];
    for (at, table) in tables(&deltas).enumerate() {
        let parents: BTreeSet<usize> = table
            .foreign_keys
            .iter()
            .filter_map(|key| positions.get(key.references.as_str()).copied())
            .filter(|parent| *parent != at)
            .collect();
        missing[at] = parents.len();
        for parent in parents {
            children[parent].push(at);
        }
    }
    let mut waiting: Vec<Option<Delta>> = deltas.into_iter().map(Some).collect();
    let mut free: BTreeSet<usize> = (0..missing.len()).filter(|at| missing[*at] == 0).collect();
    let mut ordered = Vec::new();
    while let Some(at) = free.pop_first() {
        ordered.extend(waiting[at].take());
        for child in &children[at] {
            missing[*child] -= 1;
            if missing[*child] == 0 {
                free.insert(*child);
            }
        }
    }
    let circle: Vec<Delta> = waiting.into_iter().flatten().collect();
    match circle.first() {
        Some(first) => Err(changes::reference_cycle(first, &circle)),
        None => Ok(ordered),
    }
}

fn tables(deltas: &[Delta]) -> impl Iterator<Item = &Table> {
    deltas.iter().filter_map(|delta| match delta {
        Delta::TableAdded(table) | Delta::TableRemoved(table) => Some(table),
        _ => None,
    })
}
