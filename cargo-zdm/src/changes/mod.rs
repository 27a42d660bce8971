//! The kinds of change that we know. Each claims deltas and says what happens in which section; undo, order and the
//! dialect's statements follow from that.
//!
//! To add one: a file here with a [`Kind`], a line in [`KINDS`], and its page in `docs/changes/`, which is called as the kind.

mod add_column;
mod add_constraint;
mod add_index;
mod change_auto;
mod change_comment;
mod change_default;
mod change_enum;
mod change_generated;
mod change_part;
mod change_primary_key;
mod conversion;
mod create_table;
mod declared;
mod drop_column;
mod drop_constraint;
mod drop_index;
mod drop_not_null;
mod drop_table;
mod error;
mod expressions;
mod fill_column;
mod grow_key;
mod moves;
mod named;
mod references;
mod refusal;
mod rename;
mod rename_key;
mod rename_table;
mod replace_column;
mod set_not_null;
mod validate_constraint;
mod widen_type;

use zdm_model::{Column, Schema, Table, names};
use zdm_runtime::manifest::{Route, SmallTable};
use zdm_runtime::phase::{Phase, Section};

pub(crate) use conversion::own_name;
pub(crate) use declared::check_schema;
pub use error::ChangeError;
pub(crate) use expressions::{spelled, with_known_defaults};
pub(crate) use references::check_references;
pub(crate) use refusal::reference_cycle;

use crate::dialect::Dialect;
use crate::diff::{self, Delta, Place};
use crate::plan::{Alteration, Drafted, Exchange, Move, Pair, RenamedKey};

/// A kind of change.
#[derive(Debug)]
pub struct Kind {
    /// `add_column`
    pub name: &'static str,
    claim: fn(&Context<'_>, &Delta) -> Result<Option<Change>, ChangeError>,
}

/// Every kind, in the order in which a delta is offered to them.
pub const KINDS: [&Kind; 28] = [
    &change_enum::KIND,
    &moves::SPLIT,
    &moves::MERGE,
    &moves::COLUMNS,
    &create_table::KIND,
    &drop_table::KIND,
    &rename_table::KIND,
    &rename_key::KIND,
    &replace_column::KIND,
    &fill_column::KIND,
    &add_column::KIND,
    &drop_column::KIND,
    &grow_key::KIND,
    &widen_type::KIND,
    &set_not_null::KIND,
    &drop_not_null::KIND,
    &change_default::KIND,
    &change_auto::KIND,
    &change_primary_key::KIND,
    &change_generated::KIND,
    &change_comment::KIND,
    &add_index::KIND,
    &drop_index::KIND,
    &add_constraint::KIND,
    &drop_constraint::KIND,
    &rename::KIND,
    &validate_constraint::KIND,
    &change_part::KIND,
];

/// What a kind may look at.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The last snapshot.
    pub from: &'a Schema,
    /// What the structs declare now.
    pub to: &'a Schema,
    /// The database.
    pub dialect: &'a Dialect,
    /// The version's id.
    pub id: &'a str,
    /// Tables that the user has agreed to drop.
    pub dropped_tables: &'a [String],
    /// Tables that the user lets be written anew at once, because they are small.
    pub direct: &'a [SmallTable],
    /// The enums whose types exchange their names.
    pub(crate) exchanges: &'a [Exchange],
}

/// The recognised meaning of a delta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The kind that has claimed it.
    pub kind: &'static str,
    /// What happens, for people: "rename users.name to full_name".
    pub line: String,
    /// The table.
    pub table: String,
    /// Other tables whose writers it concerns.
    pub others: Vec<String>,
    /// Which phases it needs.
    pub route: Route,
    /// Why each of them is needed.
    pub reasons: Vec<(Phase, String)>,
    /// What is asked for, section by section.
    pub alterations: Vec<Drafted>,
    /// The two sides, where there are two.
    pub pair: Option<Pair>,
    /// The columns that move between two tables.
    pub moved: Option<Move>,
    /// The columns of a key that get other names.
    pub renamed_key: Option<RenamedKey>,
}

impl Change {
    fn new(at: &Place, route: Route, line: String) -> Self {
        Self {
            kind: "",
            line,
            table: at.table.clone(),
            others: Vec::new(),
            route,
            reasons: Vec::new(),
            alterations: Vec::new(),
            pair: None,
            moved: None,
            renamed_key: None,
        }
    }

    fn because(mut self, phase: Phase, reason: impl Into<String>) -> Self {
        self.reasons.push((phase, reason.into()));
        self
    }

    /// Nothing of a version creates the schema that something new is in.
    fn in_schema_of(self, name: &str) -> Self {
        match names::schema_of(name) {
            Some(schema) => {
                let reason =
                    format!("the schema {schema} is there before, with the right to create in it");
                self.because(Phase::Expand, reason)
            }
            None => self,
        }
    }

    fn alter(mut self, section: Section, at: &Place, alteration: Alteration) -> Self {
        self.alterations.push(Drafted {
            section,
            table: at.table.clone(),
            alteration,
            no_way_back: None,
            late: false,
            source: at.source.clone(),
        });
        self
    }

    /// Puts a new column's comment behind it.
    fn comment(self, section: Section, at: &Place, column: &Column) -> Self {
        if column.comment.is_none() {
            return self;
        }
        let name = Some(column.name.clone());
        let comment = Alteration::SetComment(name, column.comment.clone());
        self.alter(section, at, comment)
    }

    /// The last alteration comes after the rest of its section.
    fn late(mut self) -> Self {
        if let Some(last) = self.alterations.last_mut() {
            last.late = true;
        }
        self
    }

    fn alter_for_good(
        mut self,
        section: Section,
        at: &Place,
        alteration: Alteration,
        reason: String,
    ) -> Self {
        self = self.alter(section, at, alteration);
        if let Some(last) = self.alterations.last_mut() {
            last.no_way_back = Some(reason);
        }
        self
    }
}

/// How a column goes, which decides when what constrains it has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    /// New code does not name it from the first day on.
    Dropped,
    /// Writes keep it until `complete`, where it goes stale.
    Replaced,
}

/// The meaning of every delta, or everything that stands in the way.
pub fn recognise(context: &Context<'_>, deltas: &[Delta]) -> Result<Vec<Change>, Vec<ChangeError>> {
    let mut changes = Vec::new();
    let mut errors = Vec::new();
    for delta in deltas
        .iter()
        .filter(|delta| !is_told_already(context, delta, deltas))
        .filter(|delta| !moves::is_part_of_move(context, delta))
    {
        match claim(context, delta) {
            Ok(change) => changes.push(change),
            // Columns that share their old one share what is wrong with it.
            Err(error) if errors.contains(&error) => {}
            Err(error) => errors.push(error),
        }
    }
    errors.extend(moves::nothing_merges(context, deltas));
    errors.extend(moves::nothing_moves(context));
    // What is wrong with a move itself leaves columns behind that would be asked for once more.
    if errors.is_empty() {
        errors = moves::mistakes(context, deltas);
    }
    if errors.is_empty() {
        Ok(changes)
    } else {
        Err(errors)
    }
}

/// What to do about another type covers NULL and the default too.
fn is_told_already(context: &Context<'_>, delta: &Delta, deltas: &[Delta]) -> bool {
    let (Delta::NullabilityChanged(_, _, column) | Delta::DefaultChanged(_, _, column)) = delta
    else {
        return false;
    };
    let at = delta.place();
    deltas.iter().any(|other| {
        matches!(other, Delta::TypeChanged(place, old, new)
            if place.table == at.table && new.name == column.name && !context.widens(&at.table, old, new))
    })
}

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Change, ChangeError> {
    for kind in KINDS {
        if let Some(change) = (kind.claim)(context, delta)? {
            let kind = kind.name;
            return Ok(Change { kind, ..change });
        }
    }
    Err(refusal::of(context, delta))
}

/// Why the function of a filled column goes in contract.
fn no_longer_called(function: &str) -> String {
    format!("code of the transition reads by the function {function}, and no other does")
}

/// Why a step may go through all rows of a table at once.
fn at_once(small: &SmallTable) -> String {
    format!(
        "nobody can use {} while all its rows are gone through, so the step is refused where it holds more than it may: {} (it held \
         {})",
        small.table,
        small.limit(),
        small.held()
    )
}

/// What a stored column that is computed refuses, by whatever code it is written.
fn refused_writes(context: &Context<'_>, column: &Column) -> Option<String> {
    let expression = column.generated.as_ref()?;
    let folded = expression.to_lowercase();
    let is_cast = folded.contains("::") || folded.contains("cast");
    let may_fail = is_cast || !matches!(context.dialect.may_fail(expression), Ok(None));
    let what = match (may_fail, column.nullable) {
        (false, true) => return None,
        (true, true) => "fails",
        (false, false) => "gives NULL",
        (true, false) => "fails or gives NULL",
    };
    Some(format!(
        "a write for which `{expression}` {what} is refused from then on, old code's too"
    ))
}

impl Context<'_> {
    /// What the table held, where the user lets it be written anew at once.
    fn small(&self, table: &str) -> Option<&SmallTable> {
        self.direct.iter().find(|small| small.table == table)
    }

    /// The table before.
    fn before(&self, table: &str) -> Option<&Table> {
        self.from.table(table)
    }

    /// Whether the column comes with this version by way of five phases, or becomes NOT NULL by them, so that its
    /// constraints and indexes wait until every row has been compared.
    fn arrives_in_phases(&self, table: &str, column: &str) -> bool {
        let after = self.to.table(table).and_then(|after| after.column(column));
        let (Some(before), Some(after)) = (self.before(table), after) else {
            return false;
        };
        match before.column(column) {
            Some(_) => diff::is_under_way(before, after),
            None => after.transition.is_some(),
        }
    }

    /// What becomes of a column that goes while its table stays.
    fn leaving(&self, table: &str, column: &str) -> Option<Leaving> {
        let after = self.to.table(table)?;
        if !self.goes(table, column) {
            return None;
        }
        let replaced = after
            .columns
            .iter()
            .filter(|new| self.arrives_in_phases(table, &new.name))
            .filter_map(|new| new.transition.as_ref())
            .any(|transition| transition.from.iter().any(|name| name == column));
        Some(if replaced {
            Leaving::Replaced
        } else {
            Leaving::Dropped
        })
    }

    /// Whether the column goes with this version.
    fn goes(&self, table: &str, column: &str) -> bool {
        self.before(table)
            .is_some_and(|before| before.column(column).is_some())
            && self
                .to
                .table(table)
                .is_none_or(|after| after.column(column).is_none())
    }
}
