//! From alterations to the statements of a dialect, section by section, each with its undo.
//!
//! A database that alters in place gets [`in_place`]; one that cannot gets its table rebuilt ([`rebuild`]).

mod foreign_keys;
mod growth;
mod in_place;
mod left;
mod rebuild;

pub(crate) use in_place::not_null_name;

use std::collections::BTreeSet;

use zdm_runtime::phase::Section;

use super::alteration::Alteration;
use super::shapes::Shapes;
use super::{Action, ColumnShape, PlanStep, Statement, Undo, together};
use crate::dialect::Dialect;

/// An alteration with its place in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// Where it belongs.
    pub section: Section,
    /// The table.
    pub table: String,
    /// What is asked for.
    pub alteration: Alteration,
    /// Why it cannot be taken back, where that does not follow from the alteration alone: what it needs is gone too.
    pub no_way_back: Option<String>,
    /// It comes after the rest of its section, because it makes room for what came in that.
    pub late: bool,
    /// The declaration that asked for it.
    pub source: String,
}

/// The steps of all sections. `shapes` are the tables before the first.
pub(super) fn steps(
    mut drafted: Vec<Drafted>,
    mut shapes: Shapes,
    dialect: &Dialect,
) -> Vec<PlanStep> {
    drafted.sort_by_key(|drafted| {
        let shape = shapes.table(&drafted.table);
        // What is computed goes before what it is computed from.
        let is_computed = matches!(&drafted.alteration, Alteration::DropColumn(name)
            if shape.and_then(|shape| shape.column(name)).is_some_and(|column| column.generated.is_some()));
        (
            drafted.section,
            drafted.late,
            drafted.alteration.rank(shape.is_none()),
            !is_computed,
        )
    });
    let mut steps = Vec::new();
    for section in Section::ALL {
        let mut lowering = Lowering {
            section,
            dialect,
            shapes,
            steps: Vec::new(),
            new_tables: BTreeSet::new(),
            rebuilds: Vec::new(),
        };
        for drafted in drafted.iter().filter(|drafted| drafted.section == section) {
            lowering.take(drafted);
        }
        lowering.finish_rebuilds();
        steps.append(&mut lowering.steps);
        shapes = lowering.shapes;
    }
    together::join(steps, dialect)
}

/// One section on its way.
struct Lowering<'a> {
    section: Section,
    dialect: &'a Dialect,
    /// The tables before the alteration that is being taken.
    shapes: Shapes,
    steps: Vec<PlanStep>,
    /// Tables that this section created, which hold no row yet.
    new_tables: BTreeSet<String>,
    rebuilds: Vec<rebuild::Rebuild>,
}

impl Lowering<'_> {
    fn take(&mut self, drafted: &Drafted) {
        let capabilities = self.dialect.capabilities();
        let is_comment = matches!(drafted.alteration, Alteration::SetComment(..));
        // Values of enums are texts there, and comments are for the source alone.
        if drafted.alteration.is_of_enum() && !capabilities.enum_types
            || is_comment && !capabilities.comments
        {
            return;
        }
        if self.dialect.capabilities().alter_in_place {
            self.alter(drafted);
        } else {
            self.alter_or_rebuild(drafted);
        }
        self.shapes.apply(&drafted.table, &drafted.alteration);
        if matches!(drafted.alteration, Alteration::CreateTable(_)) {
            self.new_tables.insert(drafted.table.clone());
        }
    }

    fn push(&mut self, drafted: &Drafted, action: Action, undo: Undo) {
        let undo = match (&drafted.no_way_back, &action.statement) {
            (Some(reason), _) => Undo::Impossible(reason.clone()),
            // The index goes with its table.
            (None, Statement::CreateIndexOnEmpty { .. }) => Undo::Covered,
            (None, _) => undo,
        };
        self.steps.push(PlanStep {
            section: self.section,
            action,
            undo,
            source: drafted.source.clone(),
        });
    }

    /// Whether every row that is there gets a value of its own. A default that cannot be read has been refused.
    fn fills_rows(&self, column: &ColumnShape) -> bool {
        let is_stored = |default: &String| matches!(self.dialect.is_stored_once(default), Ok(true));
        let default = column.default.as_ref();
        column.auto
            || column.generated.is_some() && !column.is_virtual
            || default.is_some_and(|default| !is_stored(default))
    }

    /// The statement of an alteration that every dialect has one for.
    fn common(&self, table: &str, alteration: &Alteration) -> Option<Action> {
        let named = || table.to_owned();
        let statement = match alteration {
            Alteration::CreateTable(shape) => Statement::CreateTable {
                table: shape.clone(),
            },
            Alteration::DropTable(references) => Statement::DropTable {
                table: named(),
                references: *references,
            },
            Alteration::AddColumn(column) => Statement::AddColumn {
                table: named(),
                column: column.clone(),
                rewrites: self.dialect.capabilities().alter_in_place && self.fills_rows(column),
            },
            Alteration::DropColumn(column) => Statement::DropColumn {
                table: named(),
                column: column.clone(),
            },
            Alteration::CreateIndex(index) if self.new_tables.contains(table) => {
                Statement::CreateIndexOnEmpty {
                    table: named(),
                    index: index.clone(),
                }
            }
            Alteration::CreateIndex(index) => Statement::CreateIndex {
                table: named(),
                index: index.clone(),
            },
            Alteration::DropIndex(index) => Statement::DropIndex {
                table: named(),
                index: index.clone(),
            },
            Alteration::CreateTriggers(triggers) => Statement::CreateTriggers {
                table: named(),
                triggers: triggers.clone(),
            },
            Alteration::DropTriggers(triggers) => Statement::DropTriggers {
                table: named(),
                triggers: triggers.clone(),
            },
            _ => return None,
        };
        Some(Action {
            summary: alteration.summary(table),
            statement,
        })
    }
}
