//! A plan as reviewed SQL files and the manifest that describes them.
//!
//! Comes in: a plan and who it is. Goes out: [`Manifest`] and the files below the version's directory.
//! Must not know: where that directory stands, what a change means.

mod about;
mod address;
mod backfill;
mod checksums;
mod computed;
mod fallible;
mod moved;
mod pairs;
mod section;
mod statement;
mod writer;

use std::collections::BTreeMap;

use zdm_runtime::manifest::{FORMAT, Manifest, Route};
use zdm_runtime::migration;
use zdm_runtime::phase::Section;

use crate::dialect::{Dialect, DialectError};
use crate::plan::{Move, Plan};

/// Which version a plan belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Stable id, 12 hexadecimal digits.
    pub id: String,
    /// Orders the versions, 1-based.
    pub version: u32,
    /// `users_full_name`
    pub name: String,
    /// Id of the version before.
    pub parent: Option<String>,
    /// Hash of the transition attributes.
    pub transitions: String,
}

/// What a version's directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// `plan.toml`
    pub manifest: Manifest,
    /// Path below the version's directory and text, ordered by path.
    pub files: BTreeMap<String, String>,
}

/// The files of a plan.
pub fn render(
    plan: &Plan,
    dialect: &Dialect,
    identity: &Identity,
) -> Result<Rendered, DialectError> {
    let mut files = BTreeMap::new();
    let mut steps = Vec::new();
    for section in Section::ALL {
        if is_written(plan, section) {
            let rendered = section::render(plan, dialect, identity, section)?;
            steps.extend(rendered.steps);
            files.extend(rendered.files);
        }
    }
    let mut backfills = Vec::new();
    for table in &plan.tables {
        if let Some(rendered) = backfill::render(plan, dialect, identity, table)? {
            backfills.push(rendered.backfill);
            files.extend(rendered.texts);
        }
    }
    for moved in &plan.moves {
        let rendered = moved::render(plan, dialect, identity, moved)?;
        backfills.push(rendered.backfill);
        files.extend(rendered.texts);
    }
    let hashes = files
        .iter()
        .map(|(path, text)| (path.clone(), migration::hash(text)))
        .collect();
    let manifest = Manifest {
        format: FORMAT,
        id: identity.id.clone(),
        version: identity.version,
        name: identity.name.clone(),
        parent: identity.parent.clone(),
        after: Vec::new(),
        needed_by: Vec::new(),
        for_good: Vec::new(),
        dialect: plan.dialect.clone(),
        route: plan.route,
        reversible: plan.reversible,
        tables: plan.tables.clone(),
        reasons: plan.reasons.clone(),
        changes: plan.changes.clone(),
        transitions: identity.transitions.clone(),
        steps,
        backfills,
        pairs: pairs::entries(plan, dialect),
        creates: plan.creates.clone(),
        drops: plan.drops.clone(),
        retyped: plan.retyped.clone(),
        described: plan.described.clone(),
        merged: plan.merged.clone(),
        moved: plan.moves.iter().map(Move::entry).collect(),
        renames: plan.renames.clone(),
        renamed_keys: renamed_keys(plan),
        exchanged_keys: plan.exchanged_keys.clone(),
        nets: plan.nets.clone(),
        refers: plan.refers.columns.clone(),
        refers_to: plan.refers.keys.clone(),
        unkeyed: plan.unkeyed.clone(),
        acts: plan.acts.clone(),
        keep: plan.keep.clone(),
        no_keep: plan.no_keep,
        exchanges: plan.exchanges.clone(),
        enums: plan.enums.clone(),
        files: hashes,
    };
    Ok(Rendered { manifest, files })
}

fn renamed_keys(plan: &Plan) -> BTreeMap<String, Vec<(String, String)>> {
    let keys = plan.renamed_keys.iter();
    keys.map(|key| (key.table.clone(), key.columns.clone()))
        .collect()
}

/// Sections of the route are written even where they have nothing to do, and say so: a reviewer should not have to guess.
fn is_written(plan: &Plan, section: Section) -> bool {
    let drops = match section {
        Section::Drop => plan.keep.is_none(),
        Section::Keep | Section::DropKept => plan.keep.is_some(),
        _ => false,
    };
    let on_route = match plan.route {
        Route::Direct => section == Section::Expand,
        Route::ExpandContract => section == Section::Expand || drops,
        Route::Rename => matches!(section, Section::Expand | Section::Release) || drops,
        Route::FivePhases => {
            let before = matches!(
                section,
                Section::Expand | Section::SwitchReads | Section::Release
            );
            before || drops
        }
    };
    on_route || plan.steps_of(section).next().is_some()
}

/// The first lines of every file: where it comes from and how to make it anew. Of our own words all are ASCII in SQL: a server whose
/// encoding lacks a character refuses the whole file.
fn header(plan: &Plan, identity: &Identity, about: &str) -> String {
    let mut sources: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| step.source.as_str())
        .filter(|source| !source.is_empty())
        .collect();
    sources.sort_unstable();
    sources.dedup();
    let version = identity.version;
    let before = version.saturating_sub(1);
    format!(
        "-- @generated by cargo zdm from {}; version {before:04} to {version:04} ({}, {}).\n\
         -- Do not edit: change the struct, then `cargo zdm generate --amend`.\n\
         -- {about}\n",
        sources.join(", "),
        identity.name,
        identity.id,
    )
}
