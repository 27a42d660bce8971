//! The migrations whose code is in transition, with their pairs made anew: snapshots hold no transition attributes, the
//! structs do until `finalize`.
//!
//! Comes in: the history and the declared schema. Goes out: pairs by table.
//! Must not know: how code is rendered.

use std::fmt::Write as _;

use zdm_model::{Schema, Table};
use zdm_runtime::manifest::{Manifest, Route};

use super::version::Planned;
use super::{Options, PipelineError};
use crate::dialect::Dialect;
use crate::diff;
use crate::plan::{self, Pair, Plan};
use crate::versions::{History, Snapshot};

/// A migration in transition.
#[derive(Debug, Clone)]
pub(crate) struct InTransition {
    pub(crate) manifest: Manifest,
    /// Folder of the version before.
    pub(crate) parent: Option<String>,
    pub(crate) pairs: Vec<Pair>,
}

/// Every migration in transition, in the order of the versions.
pub(crate) fn of(
    history: &History,
    declared: &Snapshot<'_>,
    dialect: &Dialect,
) -> Result<Vec<InTransition>, PipelineError> {
    let mut found = Vec::new();
    for manifest in history.in_transition() {
        let (from, to) = history.concerned(manifest, declared)?;
        let to = with_attributes(to, declared.schema);
        if hash(&from, &to) != manifest.transitions {
            return Err(PipelineError::TransitionChanged {
                migration: manifest.folder(),
            });
        }
        let dropped_tables = removed_tables(&from, &to);
        let plan = plan::build(&plan::Request {
            from: &from,
            to: &to,
            dialect,
            id: &manifest.id,
            dropped_tables: &dropped_tables,
        })?;
        found.push(InTransition {
            manifest: manifest.clone(),
            parent: history.before(manifest).map(Manifest::folder),
            pairs: plan.pairs,
        });
    }
    Ok(found)
}

/// The migration that a new version begins, if it has five phases.
pub(crate) fn begun(
    options: &Options,
    history: &History,
    planned: &Planned,
    manifest: &Manifest,
) -> Option<InTransition> {
    let begun = manifest.route == Route::FivePhases && !options.baseline;
    begun.then(|| InTransition {
        manifest: manifest.clone(),
        parent: history.last().map(Manifest::folder),
        pairs: planned.plan.pairs.clone(),
    })
}

/// A second version must leave tables in transition alone: code follows one migration of a table at a time, and a rebuilt
/// table would lose the side that the last snapshot no longer names.
pub(crate) fn check_free(plan: &Plan, transitions: &[InTransition]) -> Result<(), PipelineError> {
    for transition in transitions {
        let table = plan
            .tables
            .iter()
            .find(|table| transition.manifest.tables.contains(table));
        if let Some(table) = table {
            return Err(PipelineError::TableInTransition {
                table: table.clone(),
                migration: transition.manifest.folder(),
            });
        }
    }
    Ok(())
}

/// The hash of the attributes that say how the columns of a version come out of those before it.
pub(crate) fn hash(from: &Schema, to: &Schema) -> String {
    let mut text = String::new();
    for table in &to.tables {
        let before = from.table(&table.name);
        for column in &table.columns {
            let counts = before.is_some_and(|before| diff::is_under_way(before, column));
            if let Some(transition) = column.transition.as_ref().filter(|_| counts) {
                let _ = writeln!(text, "{}.{} {transition:?}", table.name, column.name);
            }
        }
    }
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

/// The names of the tables that go.
pub(crate) fn removed_tables(from: &Schema, to: &Schema) -> Vec<String> {
    from.tables
        .iter()
        .filter(|table| to.table(&table.name).is_none())
        .map(|table| table.name.clone())
        .collect()
}

fn with_attributes(mut snapshot: Schema, declared: &Schema) -> Schema {
    for table in &mut snapshot.tables {
        if let Some(declared) = declared.table(&table.name) {
            take_attributes(table, declared);
        }
    }
    snapshot
}

fn take_attributes(table: &mut Table, declared: &Table) {
    table.drops.clone_from(&declared.drops);
    table.source.clone_from(&declared.source);
    for column in &mut table.columns {
        if let Some(declared) = declared.column(&column.name) {
            column.transition.clone_from(&declared.transition);
            column.source.clone_from(&declared.source);
        }
    }
}
