//! A new table, with its indexes.

use zdm_model::Table;
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, ForeignKeyShape, IndexShape, UniqueShape, table_shape};

pub(super) const KIND: Kind = Kind {
    name: "create_table",
    claim,
};

pub(super) fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::TableAdded(table) = delta else {
        return Ok(None);
    };
    let at = Place {
        table: table.name.clone(),
        source: table.source.clone(),
    };
    refuse_a_rename_of_nothing(context, &at, table)?;
    let mut shape = table_shape(table, context.dialect);
    shape.indexes.clear();
    let (waiting, present): (Vec<_>, Vec<_>) = shape
        .foreign_keys
        .into_iter()
        .partition(|key| waits(context, key));
    let (own, present): (Vec<_>, Vec<_>) = present
        .into_iter()
        .partition(|key| needs_own_index(context, table, key));
    let (late, present): (Vec<_>, Vec<_>) = present.into_iter().partition(|key| key.not_valid);
    shape.foreign_keys = present;
    // A database takes what comes with a new table for validated.
    let (late_checks, checks): (Vec<_>, Vec<_>) =
        shape.checks.into_iter().partition(|check| check.not_valid);
    shape.checks = checks;
    // Of constraints that say the same a new table gets one.
    let (repeated, uniques): (Vec<_>, Vec<_>) = table
        .uniques
        .iter()
        .partition(|unique| unique.repeats(table) && context.dialect.capabilities().alter_in_place);
    shape.uniques = uniques.into_iter().map(UniqueShape::from).collect();
    let line = format!("create the table `{}`", table.name);
    let route = if waiting.is_empty() {
        Route::Direct
    } else {
        Route::FivePhases
    };
    let mut change = Change::new(&at, route, line)
        .because(
            Phase::Expand,
            format!("{} has to be there before code that uses it", table.name),
        )
        .in_schema_of(&table.name)
        .alter(Section::Expand, &at, Alteration::CreateTable(shape));
    if table.comment.is_some() {
        let comment = Alteration::SetComment(None, table.comment.clone());
        change = change.alter(Section::Expand, &at, comment);
    }
    for column in &table.columns {
        change = change.comment(Section::Expand, &at, column);
    }
    for index in &table.indexes {
        change = change.alter(
            Section::Expand,
            &at,
            Alteration::CreateIndex(IndexShape::from(index)),
        );
    }
    for unique in repeated {
        let add = Alteration::AddUnique(UniqueShape::from(unique));
        change = change.alter(Section::Expand, &at, add);
    }
    for check in late_checks {
        change = change.alter(Section::Expand, &at, Alteration::AddCheck(check));
    }
    for key in own.into_iter().chain(late) {
        change = change.alter(Section::Expand, &at, Alteration::AddForeignKey(key));
    }
    for key in waiting {
        let reason = format!(
            "the foreign key `{}` comes when every row of {} has its new side",
            key.name, key.references
        );
        change = change.because(Phase::SwitchReads, reason).alter(
            Section::SwitchReads,
            &at,
            Alteration::AddForeignKey(key),
        );
    }
    Ok(Some(change))
}

/// A table that was to be renamed is not created beside the one that has its rows.
fn refuse_a_rename_of_nothing(
    context: &Context<'_>,
    at: &Place,
    table: &Table,
) -> Result<(), ChangeError> {
    let Some(old) = &table.renamed_from else {
        return Ok(());
    };
    let (problem, way_on) = if context.to.table(old).is_some() {
        (
            format!("it is renamed from `{old}`, which another struct still is"),
            format!(
                "Remove the struct of `{old}`, or `renamed_from` where this is a table of its own"
            ),
        )
    } else {
        (
            format!("it is renamed from `{old}`, and there was no such table"),
            "Name a table of the version before, or remove `renamed_from`".to_owned(),
        )
    };
    Err(ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: table.name.clone(),
        problem,
        way_on,
    })
}

fn waits(context: &Context<'_>, key: &ForeignKeyShape) -> bool {
    let mut referenced = key.referenced_columns.iter();
    referenced.any(|column| context.arrives_in_phases(&key.references, column))
}

/// Whether the key references the table itself by one of its unique indexes, which can only follow the table. A database
/// that does not alter in place looks for the index when rows are written, so there the key may come first.
fn needs_own_index(context: &Context<'_>, table: &Table, key: &ForeignKeyShape) -> bool {
    context.dialect.capabilities().alter_in_place
        && key.references == table.name
        && key.referenced_columns != table.primary_key
}
