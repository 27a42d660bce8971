//! What goes in one transaction: the triggers that keep both sides, and the side that goes. Between the two, whoever writes old would
//! write it alone, and old goes.
//!
//! Comes in: the steps of contract. Goes out: the same, with one in the place of those.
//! Must not know: how a dialect spells them.

use std::collections::BTreeSet;

use serde::Serialize;
use zdm_runtime::phase::Section;

use super::{Action, Ends, PlanStep, Statement, Undo};
use crate::dialect::{Dialect, DialectError, StatementFacts};

/// Statements of one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Together {
    /// The tables, each once, in the order in which they are locked; none where the first statement locks all that is needed.
    pub locked: Vec<String>,
    /// In the order of execution; the last is what the others are for.
    pub parts: Vec<Statement>,
}

impl Together {
    /// What all of them do.
    pub(crate) fn facts(&self, dialect: &Dialect) -> Result<StatementFacts, DialectError> {
        let parts = self.parts.iter();
        let parts: Vec<&StatementFacts> = parts
            .map(|part| dialect.statement(part.name()))
            .collect::<Result<_, _>>()?;
        let any = |fact: fn(&StatementFacts) -> bool| parts.iter().any(|facts| fact(facts));
        let (scans, rewrites) = (any(|facts| facts.scans), any(|facts| facts.rewrites));
        let Some(last) = parts.last() else {
            return dialect.statement("drop_column").cloned();
        };
        Ok(StatementFacts {
            scans,
            rewrites,
            ..(*last).clone()
        })
    }
}

/// Joins them, table by table. What stands between them in the section comes before.
pub(super) fn join(mut steps: Vec<PlanStep>, dialect: &Dialect) -> Vec<PlanStep> {
    let tables: BTreeSet<String> = steps
        .iter()
        .filter(|step| step.section == Section::Drop)
        .filter_map(|step| losing(&step.action.statement))
        .cloned()
        .collect();
    for table in tables {
        let (parts, others): (Vec<_>, Vec<_>) = steps
            .into_iter()
            .enumerate()
            .partition(|(_, step)| is_part(step, &table, dialect));
        let last = parts.last().map_or(0, |(position, _)| *position);
        let before = others.iter().filter(|(position, _)| *position < last);
        let place = before.count();
        let mut all: Vec<PlanStep> = others.into_iter().map(|(_, step)| step).collect();
        let parts: Vec<PlanStep> = parts.into_iter().map(|(_, step)| step).collect();
        let joined = if parts.iter().any(|step| goes(&step.action.statement)) {
            vec![one(&table, parts, dialect)]
        } else {
            parts
        };
        all.splice(place..place, joined);
        steps = all;
    }
    steps
}

/// The table whose side goes with this trigger.
fn losing(statement: &Statement) -> Option<&String> {
    match statement {
        Statement::Net(step) if step.goes => Some(&step.table),
        Statement::DropTriggers { triggers, .. } => {
            let loses = if triggers.merging.is_some() {
                Ends::Part
            } else {
                Ends::Main
            };
            Some(if triggers.on == loses {
                &triggers.table
            } else {
                &triggers.other
            })
        }
        _ => None,
    }
}

fn goes(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::DropColumn { .. } | Statement::DropTable { .. }
    )
}

fn is_part(step: &PlanStep, table: &String, dialect: &Dialect) -> bool {
    let statement = &step.action.statement;
    let is_its = || {
        let in_transaction = || {
            let facts = dialect.statement(statement.name());
            facts.is_ok_and(|facts| facts.transactional)
        };
        // An index may have to go before its column does.
        let is_index = matches!(statement, Statement::DropIndex { .. }) && in_transaction();
        statement.table() == table && (goes(statement) || is_index)
    };
    step.section == Section::Drop
        && matches!(step.undo, Undo::Impossible(_))
        && (losing(statement) == Some(table) || is_its())
}

fn one(table: &str, steps: Vec<PlanStep>, dialect: &Dialect) -> PlanStep {
    let summaries = steps.iter().map(|step| step.action.summary.as_str());
    let summary = summaries.collect::<Vec<_>>().join("; ");
    let source = steps.last().map(|step| step.source.clone());
    let parts: Vec<Statement> = steps
        .into_iter()
        .map(|step| step.action.statement)
        .collect();
    PlanStep {
        section: Section::Drop,
        undo: Undo::Impossible(lost(table, &parts)),
        action: Action {
            summary,
            statement: Statement::Together(Together {
                locked: locked(&parts, dialect),
                parts,
            }),
        },
        source: source.unwrap_or_default(),
    }
}

fn lost(table: &str, parts: &[Statement]) -> String {
    let columns = parts.iter().filter_map(|part| match part {
        Statement::DropColumn { column, .. } => Some(format!("{table}.{column}")),
        _ => None,
    });
    let columns: Vec<String> = columns.collect();
    if columns.is_empty() {
        format!("the rows of {table} are gone; a backup brings them back")
    } else {
        let columns = columns.join(", ");
        format!("the values of {columns} are gone; a backup brings them back")
    }
}

/// Main before part, as the foreign key has it. Where the whole file is locked, no table is.
fn locked(parts: &[Statement], dialect: &Dialect) -> Vec<String> {
    let is_of_tables = dialect.capabilities().alter_in_place;
    let mut triggers = parts.iter().filter_map(|part| match part {
        Statement::DropTriggers { triggers, .. } => Some(triggers),
        _ => None,
    });
    let first = triggers.next().filter(|_| is_of_tables);
    first.map_or_else(Vec::new, |first| {
        let (main, part) = match first.on {
            Ends::Main => (&first.table, &first.other),
            Ends::Part => (&first.other, &first.table),
        };
        let mut locked = vec![main.clone(), part.clone()];
        for other in triggers.flat_map(|triggers| [&triggers.table, &triggers.other]) {
            if !locked.contains(other) {
                locked.push(other.clone());
            }
        }
        locked
    })
}
