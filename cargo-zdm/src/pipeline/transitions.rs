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
use crate::plan::{self, Move, Pair, Plan, Statement, exchange};
use crate::versions::{History, Snapshot};

/// A migration in transition.
#[derive(Debug, Clone)]
pub(crate) struct InTransition {
    pub(crate) manifest: Manifest,
    /// Folder of the version before.
    pub(crate) parent: Option<String>,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) moves: Vec<Move>,
    /// The enums whose types exchange their names.
    pub(crate) exchanges: Vec<String>,
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
            direct: &manifest.direct(),
        })?;
        found.push(InTransition {
            manifest: manifest.clone(),
            parent: history.before(manifest).map(Manifest::folder),
            pairs: plan.pairs,
            moves: plan.moves,
            exchanges: plan.exchanges,
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
        moves: planned.plan.moves.clone(),
        exchanges: planned.plan.exchanges.clone(),
    })
}

/// What a second version may do to a table in transition: bring what stands aside from the pairs, by a statement that builds no
/// table anew, which would lose the side that the last snapshot no longer names. Code follows the pairs of one migration of a
/// table at a time, and writes the new columns in all its statements.
pub(crate) fn check_free(plan: &Plan, transitions: &[InTransition]) -> Result<(), PipelineError> {
    for transition in transitions {
        let mut named = plan.enums.iter();
        if let Some(name) = named.find(|name| transition.exchanges.contains(name)) {
            return Err(PipelineError::EnumInTransition {
                name: name.clone(),
                migration: transition.manifest.folder(),
            });
        }
        if let Some((pair, key)) = referring(plan, &transition.pairs) {
            return Err(PipelineError::TableInTransition {
                table: pair.table.clone(),
                migration: transition.manifest.folder(),
                change: format!("refers to its {} by the foreign key {key}", pair.new.name),
            });
        }
        let of_transition = |table: &&String| transition.manifest.tables.contains(table);
        for table in plan.tables.iter().filter(of_transition) {
            let refused = |change: String| PipelineError::TableInTransition {
                table: table.clone(),
                migration: transition.manifest.folder(),
                change,
            };
            let mut steps = transition.manifest.steps.iter();
            if steps.any(|step| step.table == *table && !step.expects.is_empty()) {
                return Err(refused(
                    "changes it, which the transition builds anew as it is declared there"
                        .to_owned(),
                ));
            }
            if !transition.moves.is_empty() {
                return Err(refused(
                    "changes it while columns move out of it or into it".to_owned(),
                ));
            }
            if let Some(pair) = plan.pairs_of(table).next() {
                return Err(refused(format!("writes both sides of {}", pair.new.name)));
            }
            let pairs = transition.pairs.iter().filter(|pair| pair.table == *table);
            let pairs: Vec<&Pair> = pairs.collect();
            if pairs.iter().any(|pair| pair.view.is_some()) {
                return Err(refused(
                    "changes it, whose statements go through a view of the columns that there were (`final_name`)".to_owned(),
                ));
            }
            let mut of_table = plan.steps.iter().map(|step| &step.action);
            let obstacle = of_table.find(|action| {
                action.statement.table() == table && !stands_aside(&action.statement, &pairs)
            });
            if let Some(action) = obstacle {
                return Err(refused(format!("would {}", action.summary)));
            }
        }
    }
    Ok(())
}

/// A foreign key that comes and names a side of a pair, which goes, or is not filled yet.
fn referring<'a>(plan: &'a Plan, pairs: &'a [Pair]) -> Option<(&'a Pair, &'a str)> {
    let keys = plan
        .steps
        .iter()
        .flat_map(|step| match &step.action.statement {
            Statement::AddForeignKey { foreign_key, .. } => std::slice::from_ref(foreign_key),
            Statement::CreateTable { table } => &table.foreign_keys,
            _ => &[],
        });
    let mut named = keys.flat_map(|key| {
        let of_table = pairs
            .iter()
            .filter(move |pair| pair.table == key.references);
        of_table.map(move |pair| (pair, key))
    });
    let (pair, key) = named.find(|(pair, key)| {
        let mut columns = key.referenced_columns.iter();
        columns.any(|name| pair.new.name == *name || pair.old.iter().any(|old| old.name == *name))
    })?;
    Some((pair, &key.name))
}

/// Whether a statement changes nothing that the statements of the pairs name.
fn stands_aside(statement: &Statement, pairs: &[&Pair]) -> bool {
    let is_named = |column: &String| {
        let mut named = pairs
            .iter()
            .flat_map(|pair| pair.old.iter().chain(&pair.inputs).chain([&pair.new]));
        named.any(|of_pair| of_pair.name == *column)
    };
    match statement {
        Statement::AddColumn { column, .. } => column.generated.is_none(),
        Statement::CreateIndex { index, .. } => {
            index.elements.is_empty()
                && index.predicate.is_none()
                && !index.columns.iter().chain(&index.include).any(is_named)
        }
        Statement::SetComment { column, .. } => !column.as_ref().is_some_and(is_named),
        Statement::CreateEnum { .. } | Statement::AddEnumValue { .. } => true,
        _ => false,
    }
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

fn with_attributes(mut snapshot: Schema, declared: &Schema) -> Schema {
    for found in &mut snapshot.enums {
        if let Some(declared) = declared.enumeration(&found.name) {
            found.taken.clone_from(&declared.taken);
            found.source.clone_from(&declared.source);
        }
    }
    for table in &mut snapshot.tables {
        if let Some(declared) = declared.table(&table.name) {
            take_attributes(table, declared);
        }
    }
    snapshot
}

fn take_attributes(table: &mut Table, declared: &Table) {
    table.drops.clone_from(&declared.drops);
    table.split_from.clone_from(&declared.split_from);
    table.merged_from.clone_from(&declared.merged_from);
    table.source.clone_from(&declared.source);
    for column in &mut table.columns {
        if let Some(declared) = declared.column(&column.name) {
            column.transition.clone_from(&declared.transition);
            column.moved_from.clone_from(&declared.moved_from);
            column.source.clone_from(&declared.source);
        }
    }
}
