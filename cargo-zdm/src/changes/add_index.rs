//! A new index or unique constraint on a table that exists.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, IndexShape, UniqueShape};

pub(super) const KIND: Kind = Kind {
    name: "add_index",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let (at, kind, name, columns, alteration) = match delta {
        Delta::IndexAdded(at, index) => (
            at,
            if index.unique {
                "unique index"
            } else {
                "index"
            },
            &index.name,
            context.indexed(index),
            Alteration::CreateIndex(IndexShape::from(index)),
        ),
        Delta::UniqueAdded(at, unique) => (
            at,
            "unique constraint",
            &unique.name,
            [&unique.columns[..], &unique.include].concat(),
            Alteration::AddUnique(UniqueShape::from(unique)),
        ),
        _ => return Ok(None),
    };
    refuse_the_name_of_another(context, at, name)?;
    let line = format!("add the {kind} `{name}` to `{}`", at.table);
    let waits = columns
        .iter()
        .any(|column| context.arrives_in_phases(&at.table, column));
    Ok(Some(if waits {
        Change::new(at, Route::FivePhases, line)
            .because(
                Phase::SwitchReads,
                format!("{name} is built when every row has its new side"),
            )
            .alter(Section::SwitchReads, at, alteration)
    } else {
        let reason = if kind == "index" {
            format!("{name} is there before code that relies on it")
        } else {
            format!(
                "{name} refuses duplicates from now on; where there are some already, it says so and is taken away again"
            )
        };
        Change::new(at, Route::Direct, line)
            .because(Phase::Expand, reason)
            .alter(Section::Expand, at, alteration)
    }))
}

/// A unique index and a unique constraint are two things to the database, and cannot share a name while both are there.
fn refuse_the_name_of_another(
    context: &Context<'_>,
    at: &Place,
    name: &str,
) -> Result<(), ChangeError> {
    let Some(before) = context.before(&at.table) else {
        return Ok(());
    };
    let taken = before.indexes.iter().any(|index| index.name == name)
        || before.uniques.iter().any(|unique| unique.name == name);
    if !taken {
        return Ok(());
    }
    Err(ChangeError::Unclaimed {
        at: Box::new(at.clone()),
        what: format!("that {name} becomes a unique constraint, or an index in its place,"),
        reason: "the old one has to stay until the new one is there, and two cannot share a name"
            .to_owned(),
        way_on: "Give the new one another name".to_owned(),
    })
}
