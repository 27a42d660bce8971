//! What a further version may do to a table that a migration has in transition: bring what stands aside from the pairs, and
//! pairs that have no column in common with them. It moves when the earlier one is complete.
//!
//! Comes in: the version's plan, the schema before it, the migrations in transition. Goes out: nothing, or the reason against it.
//! Must not know: how code follows several migrations.

use zdm_model::{Schema, Table};
use zdm_runtime::phase::Section;

use super::PipelineError;
use super::transitions::InTransition;
use crate::plan::{ForeignKeyShape, IndexShape, Pair, Plan, PlanStep, Route, Statement};

/// Refuses what would meet a transition.
pub(crate) fn check_free(
    plan: &Plan,
    before: &Schema,
    transitions: &[InTransition],
) -> Result<(), PipelineError> {
    for transition in transitions {
        let mut enums = plan.enums.iter();
        if let Some(name) = enums.find(|name| transition.exchanges.contains(name)) {
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
        if let Some((table, change)) = renamed(plan, before, transition) {
            return Err(PipelineError::TableInTransition {
                table,
                migration: transition.manifest.folder(),
                change,
            });
        }
        let of_transition = |table: &&String| transition.manifest.tables.contains(table);
        for table in plan.tables.iter().filter(of_transition) {
            let meeting = Meeting {
                plan,
                name: table,
                before: before.table(table),
                transition,
                theirs: transition
                    .pairs
                    .iter()
                    .filter(|pair| pair.table == *table)
                    .collect(),
                own: plan.pairs_of(table).collect(),
            };
            if let Some(change) = meeting.obstacle() {
                return Err(PipelineError::TableInTransition {
                    table: table.clone(),
                    migration: transition.manifest.folder(),
                    change,
                });
            }
        }
    }
    Ok(())
}

/// The foreign keys that come.
fn foreign_keys(plan: &Plan) -> impl Iterator<Item = &ForeignKeyShape> {
    let steps = plan.steps.iter();
    steps.flat_map(|step| match &step.action.statement {
        Statement::AddForeignKey { foreign_key, .. } => std::slice::from_ref(foreign_key),
        Statement::CreateTable { table } => &table.foreign_keys,
        _ => &[],
    })
}

/// A key whose columns get other names on the one side, and what names it on the other.
fn renamed(plan: &Plan, before: &Schema, transition: &InTransition) -> Option<(String, String)> {
    for key in &transition.renamed_keys {
        let mut coming = foreign_keys(plan).filter(|coming| coming.references == key.table);
        if let Some(coming) = coming.next() {
            let change = format!(
                "refers by the foreign key {} to its key, whose columns get other names",
                coming.name
            );
            return Some((key.table.clone(), change));
        }
    }
    let refers = |pair: &Pair, parent: &str| {
        let keys = before.table(&pair.table).into_iter();
        let mut keys = keys.flat_map(|table| &table.foreign_keys);
        keys.any(|key| {
            let mut columns = key.columns.iter();
            key.references == parent && columns.any(|name| name_is_of(pair, name))
        })
    };
    for key in &plan.renamed_keys {
        let mut pairs = transition.pairs.iter();
        if let Some(pair) = pairs.find(|pair| refers(pair, &key.table)) {
            let change = format!(
                "gives other names to the key of {}, to which its {} refers",
                key.table, pair.new.name
            );
            return Some((pair.table.clone(), change));
        }
    }
    None
}

/// Whether the name is one that a side of a pair has, now or in the end.
fn name_is_of(pair: &Pair, name: &String) -> bool {
    let last = pair.final_name().map(|names| &names.last);
    last == Some(name) || sides_of(pair).any(|side| side == name)
}

/// A foreign key that comes and names a side of a pair, which goes, or is not filled yet.
fn referring<'a>(plan: &'a Plan, pairs: &'a [Pair]) -> Option<(&'a Pair, &'a str)> {
    let mut named = foreign_keys(plan).flat_map(|key| {
        let of_table = pairs
            .iter()
            .filter(move |pair| pair.table == key.references);
        of_table.map(move |pair| (pair, key))
    });
    let (pair, key) = named.find(|(pair, key)| {
        let mut columns = key.referenced_columns.iter();
        columns.any(|name| name_is_of(pair, name))
    })?;
    Some((pair, &key.name))
}

/// A version and a migration in transition on one table.
struct Meeting<'a> {
    plan: &'a Plan,
    name: &'a str,
    before: Option<&'a Table>,
    transition: &'a InTransition,
    /// The pairs of the migration.
    theirs: Vec<&'a Pair>,
    /// The pairs of the version.
    own: Vec<&'a Pair>,
}

impl Meeting<'_> {
    /// What the version would do that has to wait.
    fn obstacle(&self) -> Option<String> {
        let mut steps = self.transition.manifest.steps.iter();
        if steps.any(|step| step.table == *self.name && !step.expects.is_empty()) {
            return Some(
                "changes it, which the transition builds anew as it is declared there".to_owned(),
            );
        }
        if !self.transition.moves.is_empty() {
            return Some("changes it while columns move out of it or into it".to_owned());
        }
        if self.theirs.iter().any(|pair| pair.view.is_some()) {
            return Some(
                "changes it, whose statements go through a view of the columns that there were (`final_name`)".to_owned(),
            );
        }
        let mut renamed = self.transition.renamed_keys.iter();
        if renamed.any(|key| key.table == *self.name) {
            return Some(
                "changes it, whose statements go through a view in which the key has other names"
                    .to_owned(),
            );
        }
        let mut renamed = self.plan.renamed_keys.iter();
        if renamed.any(|key| key.table == *self.name) {
            return Some(
                "gives other names to its key, by which the transition finds rows".to_owned(),
            );
        }
        let one_way = self.theirs.iter().any(|pair| pair.is_one_way());
        if one_way && self.plan.route == Route::FivePhases {
            return Some(
                "goes through all five phases, while writes of the transition take the values of both sides (`one_way`)".to_owned(),
            );
        }
        if let Some(change) = self.own.iter().find_map(|pair| self.refused(pair)) {
            return Some(change);
        }
        let mut steps = self.plan.steps.iter();
        let obstacle = steps.find(|step| {
            step.action.statement.table() == self.name
                && !self.stands_aside(&step.action.statement)
                && !self.is_of_own_pairs(step)
        });
        obstacle.map(|step| format!("would {}", step.action.summary))
    }

    /// Why a pair cannot come while the others are in transition.
    fn refused(&self, pair: &Pair) -> Option<String> {
        let new = &pair.new.name;
        if pair.view.is_some() {
            return Some(format!(
                "takes over a name for {new} by way of a view (`final_name`), through which the statements of the transition do not go"
            ));
        }
        if pair.is_one_way() {
            return Some(format!(
                "writes both sides of {new}, whose values both have to be given (`one_way`)"
            ));
        }
        let crosses = |one: &Pair, other: &Pair| {
            let mut key = other.key.iter();
            key.any(|key| sides_of(one).any(|name| name == key.name))
        };
        if self
            .theirs
            .iter()
            .any(|their| crosses(pair, their) || crosses(their, pair))
        {
            return Some(format!(
                "writes both sides of {new}: the key, by which rows are found, is one of the columns"
            ));
        }
        let met = names_of(pair).find(|name| self.is_theirs(name))?;
        Some(format!(
            "writes both sides of {new} by way of {met}, which belongs to the transition"
        ))
    }

    /// Whether a pair of the migration names the column.
    fn is_named(&self, column: &str) -> bool {
        let mut pairs = self.theirs.iter();
        pairs.any(|pair| names_of(pair).any(|name| name == column))
    }

    /// The same, or a statement of the migration changes it.
    fn is_theirs(&self, column: &str) -> bool {
        let mut altered = self.transition.altered.iter();
        self.is_named(column) || altered.any(|(table, name)| table == self.name && name == column)
    }

    fn is_own(&self, column: &str) -> bool {
        let mut pairs = self.own.iter();
        pairs.any(|pair| sides_of(pair).any(|name| name == column))
    }

    /// Whether a statement changes nothing that the statements of the migration's pairs name.
    fn stands_aside(&self, statement: &Statement) -> bool {
        let is_named = |column: &String| self.is_named(column);
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

    /// Whether a step changes what stands on the version's own pairs. A table is built anew after expand alone: by then it has to
    /// be what the versions describe, which the executor compares, so that the migration is contracted.
    fn is_of_own_pairs(&self, step: &PlanStep) -> bool {
        let mut parts = step.action.statement.parts().iter();
        !self.own.is_empty() && parts.all(|part| self.is_of_own(part, step.section))
    }

    fn is_of_own(&self, statement: &Statement, section: Section) -> bool {
        match statement {
            Statement::CreateFunction { .. } | Statement::DropFunction { .. } => true,
            Statement::RebuildTable { .. } => section != Section::Expand,
            Statement::AddForeignKey { foreign_key, .. } => self.stand_on_own(&foreign_key.columns),
            Statement::AddUnique { unique, .. } => self.stand_on_own(&unique.columns),
            Statement::AddCheck { check, .. } => self.constrains_own(&check.name),
            Statement::ValidateConstraint { constraint, .. }
            | Statement::DropConstraint { constraint, .. }
            | Statement::DropForeignKey { constraint, .. } => self.constrains_own(constraint),
            Statement::RenameConstraint { from, .. } => self.constrains_own(from),
            Statement::DropIndex { index, .. } => self.orders_own(index),
            Statement::RenameIndex { from, .. } => self.orders_own(from),
            Statement::ReplaceIndex { before, .. } => self.is_index_of_own(before),
            statement => statement
                .altered_column()
                .is_some_and(|name| self.is_own(name)),
        }
    }

    fn stand_on_own(&self, columns: &[String]) -> bool {
        columns.iter().any(|name| self.is_own(name))
            && !columns.iter().any(|name| self.is_theirs(name))
    }

    /// An index of that name, as the table had it or gets it.
    fn orders_own(&self, name: &str) -> bool {
        let had = self.before.into_iter().flat_map(|table| &table.indexes);
        let had = had.map(IndexShape::from);
        let steps = self.plan.steps.iter();
        let gets = steps.flat_map(|step| match &step.action.statement {
            Statement::CreateIndex { index, .. } => std::slice::from_ref(index),
            Statement::RebuildTable { after, .. } => &after.indexes,
            _ => &[],
        });
        let mut found = had.chain(gets.cloned()).filter(|index| index.name == name);
        found.any(|index| self.is_index_of_own(&index))
    }

    fn is_index_of_own(&self, index: &IndexShape) -> bool {
        index.elements.is_empty()
            && index.predicate.is_none()
            && self.stand_on_own(&index.columns)
            && !index.include.iter().any(|name| self.is_theirs(name))
    }

    /// A constraint of that name, the one that proves NOT NULL among them.
    fn constrains_own(&self, name: &str) -> bool {
        let added = self
            .plan
            .steps
            .iter()
            .any(|step| match &step.action.statement {
                Statement::AddForeignKey { foreign_key, .. } if foreign_key.name == name => {
                    self.stand_on_own(&foreign_key.columns)
                }
                Statement::AddUnique { unique, .. } if unique.name == name => {
                    self.stand_on_own(&unique.columns)
                }
                Statement::SetNotNull { table, column } => {
                    self.is_own(column) && name == crate::plan::not_null_name(table, column)
                }
                _ => false,
            });
        let was_there = self.before.is_some_and(|table| {
            let keys = table
                .foreign_keys
                .iter()
                .map(|key| (&key.name, &key.columns));
            let uniques = table
                .uniques
                .iter()
                .map(|unique| (&unique.name, &unique.columns));
            let mut all = keys.chain(uniques);
            all.any(|(found, columns)| found == name && self.stand_on_own(columns))
        });
        added || was_there
    }
}

/// The columns of both sides of a pair.
fn sides_of(pair: &Pair) -> impl Iterator<Item = &str> {
    let columns = pair.old.iter().chain([&pair.new]);
    columns.map(|column| column.name.as_str())
}

/// Every column that the statements of a pair name.
fn names_of(pair: &Pair) -> impl Iterator<Item = &str> {
    let inputs = pair.inputs.iter().map(|column| column.name.as_str());
    sides_of(pair).chain(inputs).chain(pair.seal.as_deref())
}
