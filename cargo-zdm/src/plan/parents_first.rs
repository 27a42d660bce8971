//! The order in which tables come and go: foreign keys need what they reference.
//!
//! Comes in: deltas. Goes out: the same, enums and new tables first and removed ones last.
//! Must not know: what else a delta means.

use std::collections::{BTreeMap, BTreeSet};

use zdm_model::{ForeignKey, Table};

use crate::changes::{self, ChangeError};
use crate::diff::{Delta, Place};

/// New tables after their enums and the new tables that they reference, removed ones before those. Tables that reference each other
/// in a circle come without the foreign key that closes it, which is added behind them; and it goes before they do. Where a
/// database adds none (`alters` is false), a new table may name one that is not there yet.
pub(super) fn parents_first(deltas: Vec<Delta>, alters: bool) -> Result<Vec<Delta>, ChangeError> {
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
    let (added, closing) = ordered(added, alters);
    enums.extend(added);
    let mut ordered = enums;
    let closing = closing.into_iter();
    ordered.extend(closing.map(|(at, key)| Delta::ForeignKeyAdded(at, key)));
    let (mut dropped, closing) = self::ordered(removed, true);
    if let (Some((at, key)), false) = (closing.first(), alters) {
        return Err(changes::reference_cycle(at, key));
    }
    dropped.reverse();
    ordered.extend(rest);
    let closing = closing.into_iter();
    ordered.extend(closing.map(|(at, key)| Delta::ForeignKeyRemoved(at, key)));
    ordered.extend(dropped);
    ordered.extend(removed_enums);
    Ok(ordered)
}

/// Whole tables, again and again the first one whose parents are all through; and the foreign keys that close circles, which are
/// taken out of their tables where `loosens` says so.
fn ordered(deltas: Vec<Delta>, loosens: bool) -> (Vec<Delta>, Vec<(Place, ForeignKey)>) {
    let mut loose: Vec<(Place, ForeignKey)> = Vec::new();
    let order = loop {
        match order(&deltas, &loose) {
            Ok(order) => break order,
            Err(closing) => loose.push(*closing),
        }
    };
    let mut deltas: Vec<Option<Delta>> = deltas.into_iter().map(Some).collect();
    let mut ordered: Vec<Delta> = order.iter().filter_map(|at| deltas[*at].take()).collect();
    for delta in ordered.iter_mut().filter(|_| loosens) {
        if let Delta::TableAdded(table) | Delta::TableRemoved(table) = delta {
            let name = table.name.clone();
            table
                .foreign_keys
                .retain(|key| !is_loose(&name, key, &loose));
        }
    }
    (ordered, if loosens { loose } else { Vec::new() })
}

fn is_loose(table: &str, key: &ForeignKey, loose: &[(Place, ForeignKey)]) -> bool {
    loose
        .iter()
        .any(|(at, closing)| at.table == table && closing.name == key.name)
}

/// The positions in their order, or a foreign key that closes a circle.
fn order(
    deltas: &[Delta],
    loose: &[(Place, ForeignKey)],
) -> Result<Vec<usize>, Box<(Place, ForeignKey)>> {
    let positions: BTreeMap<&str, usize> = tables(deltas)
        .enumerate()
        .map(|(at, table)| (table.name.as_str(), at))
        .collect();
    let mut children = vec![Vec::new(); deltas.len()];
    let mut parents = vec![Vec::new(); deltas.len()];
    for (at, table) in tables(deltas).enumerate() {
        let keys = table.foreign_keys.iter();
        for key in keys.filter(|key| !is_loose(&table.name, key, loose)) {
            let parent = positions.get(key.references.as_str()).copied();
            if let Some(parent) = parent.filter(|parent| *parent != at) {
                children[parent].push(at);
                parents[at].push((parent, key));
            }
        }
    }
    let mut missing: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut free: BTreeSet<usize> = (0..missing.len()).filter(|at| missing[*at] == 0).collect();
    let mut ordered = Vec::new();
    while let Some(at) = free.pop_first() {
        ordered.push(at);
        for child in &children[at] {
            missing[*child] -= 1;
            if missing[*child] == 0 {
                free.insert(*child);
            }
        }
    }
    // From a table that waits to one that it waits for, and on: the first that comes a second time is part of a circle.
    let mut seen = BTreeSet::new();
    let mut at = (0..missing.len()).find(|at| missing[*at] > 0);
    while let Some(table) = at {
        let mut waits = parents[table].iter();
        let Some((parent, key)) = waits.find(|(parent, _)| missing[*parent] > 0) else {
            break;
        };
        if !seen.insert(table) {
            return Err(Box::new((deltas[table].place(), (*key).clone())));
        }
        at = Some(*parent);
    }
    Ok(ordered)
}

fn tables(deltas: &[Delta]) -> impl Iterator<Item = &Table> {
    deltas.iter().filter_map(|delta| match delta {
        Delta::TableAdded(table) | Delta::TableRemoved(table) => Some(table),
        _ => None,
    })
}
