//! The migrations whose code is in transition, with their pairs made anew: snapshots hold no transition attributes, the
//! structs do until `finalize`.
//!
//! Comes in: the history and the declared schema. Goes out: pairs by table.
//! Must not know: how code is rendered.

use std::fmt::Write as _;

use zdm_model::{Column, Schema, Table};
use zdm_runtime::manifest::Manifest;

use super::version::Planned;
use super::{Options, PipelineError};
use crate::dialect::Dialect;
use crate::diff;
use crate::plan::{self, Move, Pair, Plan, RenamedKey, exchange};
use crate::versions::{History, Snapshot};

/// A migration in transition.
#[derive(Debug, Clone)]
pub(crate) struct InTransition {
    pub(crate) manifest: Manifest,
    /// Folder of the version before.
    pub(crate) parent: Option<String>,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) moves: Vec<Move>,
    /// The keys whose columns get other names.
    pub(crate) renamed_keys: Vec<RenamedKey>,
    /// The enums whose types exchange their names.
    pub(crate) exchanges: Vec<String>,
    /// The columns that its statements change in place or drop, with their tables.
    pub(crate) altered: Vec<(String, String)>,
}

impl InTransition {
    fn new(manifest: &Manifest, parent: Option<&Manifest>, plan: &Plan) -> Self {
        let steps = plan.steps.iter();
        let statements = steps.flat_map(|step| step.action.statement.parts());
        let altered = statements.filter_map(|statement| {
            let column = statement.altered_column()?;
            Some((statement.table().to_owned(), column.to_owned()))
        });
        Self {
            manifest: manifest.clone(),
            parent: parent.map(Manifest::folder),
            pairs: plan.pairs.clone(),
            moves: plan.moves.clone(),
            renamed_keys: plan.renamed_keys.clone(),
            exchanges: plan.exchanges.clone(),
            altered: altered.collect(),
        }
    }
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
        let to = with_attributes(to, declared.schema, manifest);
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
            direct: &manifest.direct(),
            nets: !manifest.nets.is_empty(),
            // Of no concern to code, and kept with the version.
            keep: None,
        })?;
        found.push(InTransition::new(manifest, history.before(manifest), &plan));
    }
    Ok(found)
}

/// The migration that a new version begins, if its code is in transition.
pub(crate) fn begun(
    options: &Options,
    history: &History,
    planned: &Planned,
    manifest: &Manifest,
) -> Option<InTransition> {
    let begun = manifest.route.has_final_code() && !options.baseline;
    begun.then(|| InTransition::new(manifest, history.last(), &planned.plan))
}

/// The hash of the attributes that say how the columns of a version come out of those before it.
pub(crate) fn hash(from: &Schema, to: &Schema) -> String {
    let mut text = String::new();
    for (_, changed) in exchange::changed(from, to) {
        if !changed.taken.is_empty() {
            let _ = writeln!(text, "enum {} {:?}", changed.name, changed.taken);
        }
    }
    for table in &to.tables {
        let before = from.table(&table.name);
        let split = table.split_from.as_ref().filter(|_| before.is_none());
        if let Some(split) = split {
            let _ = writeln!(text, "{} {split:?}", table.name);
        }
        let merged = diff::merged_into(from, to, table).and(table.merged_from.as_ref());
        if let Some(merged) = merged {
            let _ = writeln!(text, "{} merged {merged:?}", table.name);
        }
        for column in &table.columns {
            let counts =
                before.map_or(split.is_some(), |before| diff::is_under_way(before, column));
            if let Some(transition) = column.transition.as_ref().filter(|_| counts) {
                let _ = writeln!(text, "{}.{} {transition:?}", table.name, column.name);
            }
            if let Some((moved, _)) = diff::moved_into(from, table, column) {
                let _ = writeln!(text, "{}.{} {moved:?}", table.name, column.name);
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

fn with_attributes(mut snapshot: Schema, declared: &Schema, manifest: &Manifest) -> Schema {
    for found in &mut snapshot.enums {
        if let Some(declared) = declared.enumeration(&found.name) {
            found.taken.clone_from(&declared.taken);
            found.source.clone_from(&declared.source);
        }
    }
    for table in &mut snapshot.tables {
        if let Some(declared) = declared.table(&table.name) {
            take_attributes(table, declared, manifest);
        }
    }
    snapshot
}

fn take_attributes(table: &mut Table, declared: &Table, manifest: &Manifest) {
    table.drops.clone_from(&declared.drops);
    table.split_from.clone_from(&declared.split_from);
    table.merged_from.clone_from(&declared.merged_from);
    table.source.clone_from(&declared.source);
    for column in &mut table.columns {
        if let Some(declared) = declared.column(&column.name)
            && !fills_later(manifest, &table.name, column, declared)
        {
            column.transition.clone_from(&declared.transition);
            column.moved_from.clone_from(&declared.moved_from);
            column.source.clone_from(&declared.source);
        }
    }
}

/// A column that the version adds by itself and that may be NULL: what says how a later one fills it is not its own.
fn fills_later(manifest: &Manifest, table: &str, column: &Column, declared: &Column) -> bool {
    let created = manifest.creates.get(table);
    let is_created = created.is_some_and(|names| names.columns.contains(&column.name));
    let mut pairs = manifest.pairs.iter().filter(|pair| pair.table == table);
    let is_pair = pairs.any(|pair| pair.new.column == column.name);
    is_created && !is_pair && column.nullable && !declared.nullable
}
