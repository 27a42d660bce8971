//! Another expression by which the database computes a column.

use zdm_model::{Column, Table};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind, at_once, refusal, refused_writes};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, column_shape};

pub(super) const KIND: Kind = Kind {
    name: "change_generated",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::GeneratedChanged(at, old, new) = delta else {
        return Ok(None);
    };
    let stays = old.generated.is_some() && !old.is_virtual && !new.is_virtual;
    let (Some(expression), true) = (&new.generated, stays) else {
        return Ok(None);
    };
    if !context.dialect.capabilities().alter_in_place {
        return Ok(None);
    }
    let refused = refusal::of(context, delta);
    let Some(small) = context.small(&at.table) else {
        return Err(refused.unless_small());
    };
    let tables = [context.before(&at.table), context.to.table(&at.table)];
    let mut tables = tables.into_iter().flatten();
    if let Some(name) = tables.find_map(|table| context.stands_on(table, &new.name)) {
        return Err(holds_on(at, new, &name));
    }
    let subject = format!("{}.{}", at.table, new.name);
    // Whether it may be NULL is a change of its own: old code cannot read one before contract.
    let kept = Column {
        nullable: old.nullable,
        ..new.clone()
    };
    let shape = column_shape(&kept, context.dialect);
    let change = Change::new(
        at,
        Route::Direct,
        format!("compute the column `{subject}` by `{expression}`"),
    )
    .because(
        Phase::Expand,
        format!("old code reads in {subject} what `{expression}` gives, from now on"),
    )
    .because(Phase::Expand, at_once(small));
    let change = match refused_writes(context, &kept) {
        Some(reason) => change.because(Phase::Expand, reason),
        None => change,
    };
    Ok(Some(change.alter(
        Section::Expand,
        at,
        Alteration::ReplaceGenerated(shape),
    )))
}

fn holds_on(at: &Place, column: &Column, name: &str) -> ChangeError {
    ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: format!("{}.{}", at.table, column.name),
        problem: format!(
            "{name} stands on it, and would go with the column that is computed as before"
        ),
        way_on: format!("Drop {name} in a version before, and add it again in one after"),
    }
}

impl Context<'_> {
    /// What stands on a column: an index, a constraint, the key.
    fn stands_on(&self, table: &Table, column: &str) -> Option<String> {
        let names = |columns: Vec<String>| columns.iter().any(|name| name == column);
        let indexes = table.indexes.iter();
        let indexes = indexes.map(|index| (index.name.clone(), self.indexed(index)));
        let uniques = table.uniques.iter();
        let uniques = uniques.map(|unique| {
            let columns = [unique.columns.clone(), unique.include.clone()];
            (unique.name.clone(), columns.concat())
        });
        let checks = table.checks.iter();
        let checks =
            checks.map(|check| (check.name.clone(), self.columns_of(&[], Some(&check.expr))));
        let keys = table.foreign_keys.iter();
        let keys = keys.map(|key| (key.name.clone(), key.columns.clone()));
        let exclusions = table.exclusions.iter();
        let exclusions =
            exclusions.map(|exclusion| (exclusion.name.clone(), self.excluded(exclusion)));
        let key = [("the primary key".to_owned(), table.primary_key.clone())];
        let mut all = indexes
            .chain(uniques)
            .chain(checks)
            .chain(keys)
            .chain(exclusions)
            .chain(key);
        all.find(|(_, columns)| names(columns.clone()))
            .map(|(name, _)| name)
    }
}
