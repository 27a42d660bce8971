//! The plan of a version: what happens in which section, how it is undone, and the pairs that code writes meanwhile.
//!
//! Pure data between [`crate::changes`], which decides, and [`crate::render`], which writes it down.
//! Must not know: templates, files, any connection.

mod alteration;
mod build;
mod direct;
pub(crate) mod exchange;
pub(crate) mod interim;
mod keep;
mod lower;
mod moved;
mod net;
mod pair;
mod parents_first;
mod raw;
mod referring;
mod shape;
mod shapes;
mod statement;
mod together;

pub use alteration::{
    Alteration, Cast, Columns, Counting, EnumValue, Function, Growing, Growth, Naming, Renaming,
    Shown, View,
};
pub use build::{BuildError, Request, build};
pub(crate) use direct::{Computed, pointless};
pub(crate) use exchange::Exchange;
pub(crate) use keep::kept_name;
pub use keep::{KeepStep, Keeping, Kept, Upkeep};
pub use lower::Drafted;
pub(crate) use lower::not_null_name;
pub use moved::{Ends, Merging, Move, Triggers};
pub use net::{Net, NetStep, Netting};
pub use pair::{Pair, Part};
pub use raw::Raw;
pub use referring::Refers;
pub(crate) use shape::same_columns;
pub use shape::{
    CheckShape, ColumnShape, ExclusionShape, ForeignKeyShape, IndexShape, KeyShape, Origin,
    TableShape, UniqueShape,
};
pub(crate) use shapes::{column_shape, table_shape};
pub use statement::{Nullable, Referenced, Remade, Statement};
pub use together::Together;
pub use zdm_runtime::manifest::Route;

use std::collections::BTreeMap;

use zdm_runtime::manifest::{ExchangedKey, Keep, NamesByTable, SmallTable};
use zdm_runtime::phase::{Phase, Section};

/// What a version does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The dialect whose SQL the plan holds: `postgres`.
    pub dialect: String,
    /// Which phases it goes through.
    pub route: Route,
    /// Every pair has a way back.
    pub reversible: bool,
    /// Tables whose writers the migration concerns, ordered by name.
    pub tables: Vec<String>,
    /// What happens, one line per change, for people.
    pub changes: Vec<String>,
    /// Which phases each change goes through, and why: for `diff`, no part of what is written down.
    pub explained: Vec<Explained>,
    /// Why each phase is needed: `(phase or section, reason)`.
    pub reasons: Vec<(String, String)>,
    /// In the order of execution.
    pub steps: Vec<PlanStep>,
    /// Columns with two sides, by table and in the struct's order.
    pub pairs: Vec<Pair>,
    /// Columns that move between two tables; such a version has no pairs.
    pub moves: Vec<Move>,
    /// The names that are there after it and were not before.
    pub creates: NamesByTable,
    /// The names that are gone once it is contracted.
    pub drops: NamesByTable,
    /// The columns that get another type or another expression in place, by table.
    pub retyped: BTreeMap<String, Vec<String>>,
    /// The indexes and constraints that are described of every table with pairs.
    pub described: BTreeMap<String, Vec<String>>,
    /// The tables that go because all of them has come into others.
    pub merged: Vec<String>,
    /// The tables that contract gives another name: before, after.
    pub renames: BTreeMap<String, String>,
    /// The keys whose columns get other names.
    pub renamed_keys: Vec<RenamedKey>,
    /// The unique indexes that go from under foreign keys, by table.
    pub exchanged_keys: BTreeMap<String, Vec<ExchangedKey>>,
    /// What foreign keys name and stand on that a way back puts back.
    pub refers: Refers,
    /// The columns of the keys and unique indexes that it takes away, by table.
    pub unkeyed: BTreeMap<String, Vec<Vec<String>>>,
    /// The columns that foreign keys which come set by themselves, by table.
    pub acts: BTreeMap<String, Vec<String>>,
    /// The enums whose types exchange their names with others.
    pub exchanges: Vec<String>,
    /// The enums that expand names.
    pub enums: Vec<String>,
    /// The tables with a trigger that keeps their pairs, and what counts the writes that it has completed.
    pub nets: BTreeMap<String, String>,
    /// Contract renames old away and drops it after a time.
    pub keep: Option<Keep>,
    /// It was asked not to.
    pub no_keep: bool,
    /// The tables that steps write anew at once, because they are small.
    pub direct: Vec<SmallTable>,
}

/// The columns of a key that get other names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedKey {
    /// The table.
    pub table: String,
    /// The view through which the code of the transition reaches it: the name without its schema, unquoted.
    pub view: String,
    /// Before, after.
    pub columns: Vec<(String, String)>,
}

/// A change with the phases that it goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The kind of change: `add_column`.
    pub kind: &'static str,
    /// What happens: "add the column `users.age`".
    pub line: String,
    /// Which phases it needs.
    pub route: Route,
    /// These phases in their order, each with why it is needed.
    pub phases: Vec<(Phase, Vec<String>)>,
}

impl Plan {
    /// The steps of a section, in the order of execution.
    pub fn steps_of(&self, section: Section) -> impl Iterator<Item = &PlanStep> {
        self.steps
            .iter()
            .filter(move |step| step.section == section)
    }

    /// The pairs of a table, in the struct's order.
    pub fn pairs_of<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a Pair> {
        self.pairs.iter().filter(move |pair| pair.table == table)
    }
}

/// A statement with its undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    /// Where it belongs.
    pub section: Section,
    /// What is asked for.
    pub action: Action,
    /// How it is taken back.
    pub undo: Undo,
    /// The declaration that asked for it, `src/models.rs:12`.
    pub source: String,
}

impl PlanStep {
    /// Its undo puts something back in several statements, or in one outside a transaction, and compares the rows, which may fail:
    /// whatever is there of it by then, the step takes away.
    pub(crate) fn drops_what_its_undo_adds(&self) -> bool {
        let Undo::By { actions, .. } = &self.undo else {
            return false;
        };
        let statement = &self.action.statement;
        let dropped = match statement {
            Statement::DropIndex { index, .. } => Some(index.as_str()),
            Statement::DropNotNull(nullable) => nullable.check.as_deref(),
            other => other.dropped_constraint(),
        };
        let is_index = matches!(
            statement,
            Statement::DropIndex { .. } | Statement::DropConstraint { index: true, .. }
        );
        let Some(dropped) = dropped else {
            return false;
        };
        let is_of_it = |action: &Action| match &action.statement {
            Statement::CreateIndex { index, .. } => is_index && index.name == dropped,
            Statement::AddUnique { unique, .. } => is_index && unique.name == dropped,
            Statement::AddCheck { check, .. } => check.name == dropped,
            Statement::AddExclusion { exclusion, .. } => exclusion.name == dropped,
            Statement::AddForeignKey { foreign_key, .. } => foreign_key.name == dropped,
            Statement::ValidateConstraint { constraint, .. } => constraint == dropped,
            Statement::SetNotNull { column, .. } => matches!(
                statement, Statement::DropNotNull(nullable) if nullable.column == *column),
            other => other.dropped_constraint() == Some(dropped),
        };
        let is_at_once = actions.len() == 1 && !matches!(statement, Statement::DropIndex { .. });
        !is_at_once && !actions.is_empty() && actions.iter().all(is_of_it)
    }
}

/// A statement and what it does in plain English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// "add the column users.full_name"
    pub summary: String,
    /// What is asked for.
    pub statement: Statement,
}

/// The way back from a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Statements that take it back; each may run again. `loses` says what does not come back with them.
    By {
        /// The statements, in the order of execution.
        actions: Vec<Action>,
        /// What cannot come back.
        loses: Option<String>,
    },
    /// There is nothing to take back: another step's undo covers it.
    Covered,
    /// Nothing brings it back, and why.
    Impossible(String),
}
