//! From two schemas to the plan of the version between them.
//!
//! Must not know: templates, files, the version's number.

use std::collections::{BTreeMap, BTreeSet};

use zdm_model::Schema;
use zdm_runtime::manifest::{ExchangedKey, Keep, Route, SmallTable, joined};
use zdm_runtime::phase::{Phase, Section};

use super::interim::Interim;
use super::parents_first::parents_first;
use super::shapes::Shapes;
use super::{
    Alteration, Drafted, Ends, Explained, Move, Naming, Pair, Plan, PlanStep, Referenced,
    RenamedKey, Shown, Statement, View, direct, exchange, interim, keep, lower, net, referring,
};
use crate::changes::{self, Change, ChangeError, Context};
use crate::dialect::Dialect;
use crate::diff::{self, DiffError};

/// What a plan is made for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The last snapshot.
    pub from: &'a Schema,
    /// What the structs declare now.
    pub to: &'a Schema,
    /// The database.
    pub dialect: &'a Dialect,
    /// The version's id, 12 hexadecimal digits.
    pub id: &'a str,
    /// Tables that the user has agreed to drop.
    pub dropped_tables: &'a [String],
    /// Tables that the user lets be written anew at once, and what they held.
    pub direct: &'a [SmallTable],
    /// Triggers keep what is written twice, whoever writes.
    pub nets: bool,
    /// For so many seconds contract can be taken back.
    pub keep: Option<u64>,
}

/// Why there is no plan. Nothing has been written.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The declarations do not say what happened.
    #[error(transparent)]
    Diff(#[from] DiffError),
    /// Declared changes that cannot be carried out, in the schema's order.
    #[error("{}", listed(.0))]
    Changes(Vec<ChangeError>),
}

fn listed(errors: &[ChangeError]) -> String {
    let lines: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {error}", error.place().source))
        .collect();
    lines.join("\n")
}

/// The plan from one schema to the next. Equal schemas have a plan without steps.
pub fn build(request: &Request<'_>) -> Result<Plan, BuildError> {
    let before = request.from;
    let spelled = |schema| changes::spelled(schema, request.from, request.dialect);
    let known = changes::with_known_defaults(request.to, request.from, request.dialect);
    let contradictions = interim::contradictions(request.from, &known);
    if !contradictions.is_empty() {
        let errors = contradictions.into_iter();
        let errors = errors.map(|(at, problem)| ChangeError::Declaration {
            subject: at.table.clone(),
            at: Box::new(at),
            problem,
            way_on: "Rename one table per version, to a name that is free; remove a `renamed_from` of a version before".to_owned(),
        });
        return Err(BuildError::Changes(errors.collect()));
    }
    let interim = Interim::of(request.from, &known, request.dialect);
    let (from, to) = (spelled(request.from), spelled(&interim.schema));
    let request = &Request {
        from: &from,
        to: &to,
        ..*request
    };
    let mut deltas = diff::diff(request.from, request.to)?;
    deltas.extend(interim.renames);
    let context = Context {
        from: request.from,
        to: request.to,
        dialect: request.dialect,
        id: request.id,
        dropped_tables: request.dropped_tables,
        direct: request.direct,
        exchanges: &interim.exchanges,
    };
    let mut mistakes = direct::mistakes(request);
    mistakes.extend(interim.refused);
    mistakes.extend(changes::check_schema(request.to, request.dialect));
    mistakes.extend(changes::check_references(request.to));
    if !mistakes.is_empty() {
        return Err(BuildError::Changes(mistakes));
    }
    let alters = request.dialect.capabilities().alter_in_place;
    let deltas = parents_first(deltas, alters).map_err(|cycle| BuildError::Changes(vec![cycle]))?;
    let mut changes = changes::recognise(&context, &deltas).map_err(BuildError::Changes)?;
    net::spread(request, &mut changes).map_err(BuildError::Changes)?;
    let keep = keep::spread(request, &mut changes).map_err(BuildError::Changes)?;
    let mut plan = plan(request, changes, keep);
    plan.unkeyed = referring::unkeyed(before, &known);
    let unused = direct::unused(&plan, request.dialect);
    if !unused.is_empty() {
        return Err(BuildError::Changes(unused));
    }
    Ok(plan)
}

fn plan(request: &Request<'_>, changes: Vec<Change>, keep: Option<Keep>) -> Plan {
    let route = changes
        .iter()
        .map(|change| change.route)
        .max_by_key(|route| match route {
            Route::Direct => 0,
            Route::ExpandContract => 1,
            Route::Rename => 2,
            Route::FivePhases => 3,
        })
        .unwrap_or(Route::Direct);
    let tables: BTreeSet<String> = changes
        .iter()
        .flat_map(|change| std::iter::once(&change.table).chain(&change.others))
        // An enum may be no column's.
        .filter(|table| !table.is_empty())
        .cloned()
        .collect();
    let reasons = reasons(&changes);
    let explained = changes.iter().map(explained).collect();
    let lines = changes.iter().map(|change| change.line.clone()).collect();
    let mut drafted: Vec<Drafted> = Vec::new();
    let mut pairs: Vec<Pair> = Vec::new();
    let mut moves: Vec<Move> = Vec::new();
    let mut renamed_keys: Vec<RenamedKey> = Vec::new();
    for change in changes {
        renamed_keys.extend(change.renamed_key);
        drafted.extend(change.alterations);
        pairs.extend(change.pair);
        moves.extend(change.moved);
    }
    let shapes = Shapes::of(request.from, request.dialect);
    let until = |section| {
        let drafted = drafted.iter().filter(|drafted| drafted.section <= section);
        let mut drafted: Vec<&Drafted> = drafted.collect();
        // As they are executed: what goes has the name by then that it goes by.
        drafted.sort_by_key(|drafted| (drafted.section, drafted.late));
        shapes.after(&drafted)
    };
    let (beside, released) = (until(Section::SwitchReads), until(Section::Release));
    let after = until(Section::DropKept);
    let last = keep.as_ref().map_or(Section::Drop, |_| Section::DropKept);
    let views = views((&pairs, &renamed_keys), [&beside, &after], &drafted, last);
    let described = described(&pairs, &[&shapes, &beside, &released, &after]);
    // A renamed table is the one that was there.
    let after = after.called_as_before(&drafted);
    let named = |states: [&Shapes; 2], other| {
        let names = states.map(|state| state.names_without(other));
        let [one, two] = names;
        joined(one, two)
    };
    // What goes during expand is free from then on.
    let mut drops = named([&beside, &released], &after);
    for names in drops.values_mut() {
        names.references.clear();
    }
    let brought = after.names_without(&shapes);
    let creates = joined(named([&beside, &released], &shapes), brought);
    let steps = lower::steps([&drafted[..], &views].concat(), shapes, request.dialect);
    Plan {
        dialect: request.dialect.name().to_owned(),
        route,
        reversible: !pairs.iter().any(Pair::is_one_way),
        tables: tables.into_iter().collect(),
        changes: lines,
        explained,
        reasons,
        creates,
        drops,
        retyped: retyped(&drafted),
        described,
        merged: moves
            .iter()
            .filter(|moved| moved.to == Ends::Main && !moved.part_stays)
            .map(|moved| moved.part.clone())
            .collect(),
        renames: renamed_tables(&drafted),
        renamed_keys,
        exchanged_keys: exchanged_keys(&steps),
        nets: nets(&steps),
        refers: referring::put_back(&steps),
        unkeyed: BTreeMap::new(),
        acts: referring::acting(&steps),
        exchanges: exchange::exchanged(&drafted),
        enums: exchange::named(&drafted, request.to, request.dialect),
        steps,
        pairs,
        moves,
        keep,
        no_keep: false,
        direct: request.direct.to_vec(),
    }
}

/// The views through which these pairs' tables are reached from expand until contract, and those that have the names which
/// tables get.
fn views(
    (pairs, renamed_keys): (&[Pair], &[RenamedKey]),
    [beside, after]: [&Shapes; 2],
    drafted: &[Drafted],
    last: Section,
) -> Vec<Drafted> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for drafted in drafted {
        let table = &drafted.table;
        match &drafted.alteration {
            Alteration::Name(Naming::Columns(_)) if seen.insert(table) => {
                let renamed = renamed_keys.iter().find(|key| key.table == *table);
                let mut pairs = pairs.iter().filter(|pair| pair.table == *table);
                let of_pairs = || pairs.find_map(|pair| pair.view.clone());
                let name = renamed.map(|key| key.view.clone()).or_else(of_pairs);
                let Some(name) = name else {
                    continue;
                };
                let view = View {
                    name,
                    columns: shown(column_names(beside, table), renamed),
                    is_own: true,
                };
                all.push(at(drafted, last, Naming::DropView(view.clone())));
                all.push(at(drafted, Section::Expand, Naming::CreateView(view)));
            }
            // What goes is named by no code that calls the table by its new name.
            Alteration::Name(Naming::Table(name)) => {
                let view = View {
                    name: name.clone(),
                    columns: Shown::all(column_names(after, name)),
                    is_own: false,
                };
                all.push(at(drafted, Section::Expand, Naming::CreateView(view)));
            }
            _ => {}
        }
    }
    all
}

/// The indexes and constraints of the tables with pairs, at any moment of the version.
fn described(pairs: &[Pair], states: &[&Shapes]) -> BTreeMap<String, Vec<String>> {
    let of_table = |table: &String| {
        let states = states.iter();
        let names: BTreeSet<String> = states.flat_map(|state| state.standing_on(table)).collect();
        (table.clone(), names.into_iter().collect())
    };
    pairs.iter().map(|pair| of_table(&pair.table)).collect()
}

/// Columns of a view, those of a renamed key by the names that these get.
fn shown(names: Vec<String>, renamed: Option<&RenamedKey>) -> Vec<Shown> {
    let mut columns = Shown::all(names);
    for (old, new) in renamed.into_iter().flat_map(|key| &key.columns) {
        for column in columns.iter_mut().filter(|column| column.name == *old) {
            column.shown = Some(new.clone());
        }
    }
    columns
}

fn renamed_tables(drafted: &[Drafted]) -> BTreeMap<String, String> {
    let renamed = drafted
        .iter()
        .filter_map(|drafted| match &drafted.alteration {
            Alteration::Name(Naming::Table(name)) => Some((drafted.table.clone(), name.clone())),
            _ => None,
        });
    renamed.collect()
}

/// The unique indexes that go from under foreign keys, and the keys that go for others.
fn exchanged_keys(steps: &[PlanStep]) -> BTreeMap<String, Vec<ExchangedKey>> {
    let mut exchanged: BTreeMap<String, Vec<ExchangedKey>> = BTreeMap::new();
    for step in steps {
        let (table, name, columns, remade) = match &step.action.statement {
            Statement::SetPrimaryKey {
                table,
                replaced: Some((name, columns)),
                remade,
                ..
            } => (table, name, columns, remade),
            Statement::DropReferenced { table, referenced } => {
                let Referenced {
                    name,
                    columns,
                    remade,
                    ..
                } = referenced;
                (table, name, columns, remade)
            }
            _ => continue,
        };
        let names = remade.foreign_keys.iter();
        exchanged
            .entry(table.clone())
            .or_default()
            .push(ExchangedKey {
                index: name.clone(),
                columns: columns.clone(),
                foreign_keys: names
                    .map(|(table, key)| (table.clone(), key.name.clone()))
                    .collect(),
            });
    }
    exchanged
}

/// The tables with a net, and what counts for it.
fn nets(steps: &[PlanStep]) -> BTreeMap<String, String> {
    let nets = steps
        .iter()
        .filter_map(|step| match &step.action.statement {
            Statement::Net(step) if !step.goes => Some((step.table.clone(), step.net.name.clone())),
            _ => None,
        });
    nets.collect()
}

fn retyped(drafted: &[Drafted]) -> BTreeMap<String, Vec<String>> {
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for drafted in drafted {
        let column = match &drafted.alteration {
            Alteration::SetType(column, ..) => column,
            Alteration::ReplaceGenerated(column) => &column.name,
            _ => continue,
        };
        let of_table = columns.entry(drafted.table.clone()).or_default();
        of_table.push(column.clone());
    }
    columns
}

/// Something else that is needed for an alteration.
fn at(drafted: &Drafted, section: Section, naming: Naming) -> Drafted {
    Drafted {
        section,
        alteration: Alteration::Name(naming),
        late: false,
        ..drafted.clone()
    }
}

fn column_names(shapes: &Shapes, table: &str) -> Vec<String> {
    let shape = shapes.table(table);
    let columns = shape.into_iter().flat_map(|shape| &shape.columns);
    columns.map(|column| column.name.clone()).collect()
}

/// The phases that have something to do for a change, or that writers and readers go through because of it.
fn explained(change: &Change) -> Explained {
    let drafted = change.alterations.iter();
    let mut phases: BTreeSet<Phase> = drafted.map(|drafted| drafted.section.phase()).collect();
    phases.extend(change.reasons.iter().map(|(phase, _)| *phase));
    let reasons = |phase: Phase| {
        let reasons = change.reasons.iter();
        let of_phase = reasons.filter(|(needed, _)| *needed == phase);
        of_phase.map(|(_, reason)| reason.clone()).collect()
    };
    Explained {
        kind: change.kind,
        line: change.line.clone(),
        route: change.route,
        phases: phases
            .into_iter()
            .map(|phase| (phase, reasons(phase)))
            .collect(),
    }
}

/// Phase by phase, each reason once.
fn reasons(changes: &[Change]) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let mut reasons = Vec::new();
    for phase in Phase::ALL {
        for (_, reason) in changes
            .iter()
            .flat_map(|change| &change.reasons)
            .filter(|(needed, reason)| *needed == phase && seen.insert((phase.name(), reason)))
        {
            reasons.push((phase.name().to_owned(), reason.clone()));
        }
    }
    reasons
}
