//! What the code of a table says of the migrations in transition on it.
//!
//! Must not know: statements of the last one.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::Column;

use super::Header;
use super::computed::{self, Entry};
use crate::render::rust::names::{self, RustType};
use crate::render::rust::statements::Statements;
use crate::render::rust::{Model, RenderError, Transition};

/// What a migration in transition has of a table whose statements stand with those of a later one.
#[derive(Debug, Serialize)]
pub(in crate::render::rust) struct Earlier {
    header: Header,
    table: String,
    migration: MigrationView,
    sql: BTreeMap<&'static str, String>,
    statements_in: Option<String>,
    entry: Option<Entry>,
}

#[derive(Debug, Serialize)]
pub(super) struct MigrationView {
    id: String,
    name: String,
    folder: String,
    path: String,
    backfill_folder: String,
    changes: Vec<String>,
}

pub(super) fn header(model: &Model<'_>) -> Header {
    let last = model.transition.as_ref();
    let first = model.earlier.first().or(last);
    between(model, first.zip(last))
}

fn between(model: &Model<'_>, ends: Option<(&Transition<'_>, &Transition<'_>)>) -> Header {
    Header {
        source: format!("`{}`", model.path),
        regenerate: "change the struct and run `cargo zdm generate`",
        versions: ends.map(|(first, last)| {
            let parent = first.parent.as_deref().unwrap_or("nothing");
            format!("From {parent} to {}.", last.folder)
        }),
    }
}

pub(super) fn earlier<'t>(
    statements: &Statements<'_>,
    model: &Model<'_>,
    rust: &impl Fn(&Column) -> &'t RustType,
) -> Result<Vec<Earlier>, RenderError> {
    let last = model.transition.as_ref();
    let last = last.map(|last| migration(last, model).path);
    let views = model.earlier.iter().map(|transition| {
        let above = if transition.shared {
            "super::super"
        } else {
            "super"
        };
        let statements_in = last.as_ref().map(|last| format!("{above}::{last}"));
        let beside = statements_in
            .as_ref()
            .map_or_else(|| "super".to_owned(), |module| format!("super::{module}"));
        Ok(Earlier {
            entry: computed::entry(&statements.sides.words, transition, rust, &beside),
            header: between(model, Some((transition, transition))),
            table: model.table.name.clone(),
            migration: migration(transition, model),
            sql: BTreeMap::from([("pending", statements.pending(&transition.pairs)?)]),
            statements_in,
        })
    });
    views.collect()
}

pub(super) fn migration(transition: &Transition<'_>, model: &Model<'_>) -> MigrationView {
    let module = names::module(&model.table.name);
    MigrationView {
        id: transition.id.to_owned(),
        name: transition.name().to_owned(),
        path: transition.files(&module).replace('/', "::"),
        backfill_folder: format!("{}/{}/3_backfill", transition.versions, transition.folder),
        folder: transition.folder.clone(),
        changes: transition.changes.to_vec(),
    }
}
