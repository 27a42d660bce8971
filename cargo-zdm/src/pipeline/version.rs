//! A version's files out of its plan.
//!
//! Comes in: the plan, the history. Goes out: the manifest and everything in the version's folder.
//! Must not know: Rust code.

use camino::Utf8Path;
use zdm_runtime::manifest::{Manifest, Route, shared};
use zdm_runtime::migration;

use super::raw::{self, Raw};
use super::{Options, PipelineError, transitions};
use crate::changes;
use crate::dialect::Dialect;
use crate::diff::{self, Delta};
use crate::files::FileTree;
use crate::plan::{self, BuildError, Plan, interim};
use crate::render::review;
use crate::render::sql::{self, Identity};
use crate::versions::{self, History, Snapshot, naming, snapshot};

/// A plan with the version that it belongs to.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) identity: Identity,
    /// The ids of earlier versions that fill what it drops.
    after: Vec<String>,
    /// The text of the declared schema.
    snapshot: String,
    /// The user's own SQL that it takes in.
    raws: Vec<Raw>,
}

/// The plan from the last version to the declared schema; `None` where they are the same.
pub(crate) fn plan(
    options: &Options,
    history: &History,
    dialect: &Dialect,
    declared: &Snapshot<'_>,
) -> Result<Option<Planned>, PipelineError> {
    let from = history.last_schema(declared)?;
    let known = changes::with_known_defaults(declared.schema, &from, dialect);
    let interim = interim::schema(&from, &known, dialect);
    let mut deltas = diff::diff(&from, &interim).map_err(BuildError::from)?;
    deltas.extend(interim::renames(&from, &known));
    let raws = if options.baseline {
        Vec::new()
    } else {
        raw::waiting(options, history)?
    };
    if deltas.is_empty() && raws.is_empty() {
        return match history.taken_out() {
            Some(taken_out) => Err(PipelineError::NothingLeft {
                folder: taken_out.folder(),
            }),
            None => Ok(None),
        };
    }
    let snapshot = declared.text();
    let name = name(options, history, &deltas, &raws);
    let identity = identity(
        history,
        name,
        &snapshot,
        transitions::hash(&from, declared.schema),
    );
    let mut plan = plan::build(&plan::Request {
        from: &from,
        to: declared.schema,
        dialect,
        id: &identity.id,
        dropped_tables: &options.dropped_tables,
    })?;
    raw::put_into(&mut plan, &raws)?;
    let filling = history
        .versions()
        .iter()
        .filter(|version| version.route == Route::FivePhases);
    let after = filling
        .filter(|version| !shared(&version.creates, &plan.drops).is_empty())
        .map(|version| version.id.clone())
        .collect();
    Ok(Some(Planned {
        plan,
        identity,
        after,
        snapshot,
        raws,
    }))
}

/// The manifest and the files of the version's folder.
pub(crate) fn render(
    planned: &Planned,
    dialect: &Dialect,
) -> Result<(Manifest, FileTree), PipelineError> {
    let mut rendered = sql::render(&planned.plan, dialect, &planned.identity)?;
    rendered.manifest.after.clone_from(&planned.after);
    let mut files = raw::kept(&planned.raws);
    let hashes = files
        .files()
        .map(|(path, text)| (path.to_string(), migration::hash(text)));
    rendered.manifest.files.extend(hashes);
    files.insert(versions::PLAN_FILE, toml::to_string(&rendered.manifest)?);
    files.insert(snapshot::FILE, planned.snapshot.clone());
    files.insert(review::FILE, review::page(&rendered.manifest));
    for (path, text) in rendered.files {
        files.insert(path, text);
    }
    Ok((rendered.manifest, files))
}

/// The files that the version has now, and that go where they were.
pub(crate) fn taken<'a>(
    planned: &'a Planned,
    versions: &'a Utf8Path,
) -> impl Iterator<Item = &'a Utf8Path> {
    raw::taken(&planned.raws, versions)
}

fn name(options: &Options, history: &History, deltas: &[Delta], raws: &[Raw]) -> String {
    match (&options.name, history.taken_out()) {
        (Some(name), _) => naming::legal(name.trim_start_matches(|c: char| c.is_ascii_digit())),
        (None, Some(taken_out)) => taken_out.name.clone(),
        (None, None) => match raw::name_of(raws).filter(|_| deltas.is_empty()) {
            Some(name) => naming::legal(&name),
            None => naming::automatic(deltas),
        },
    }
}

fn identity(history: &History, name: String, snapshot: &str, transitions: String) -> Identity {
    let parent = history.last().map(|last| last.id.clone());
    let id = match history.taken_out() {
        Some(taken_out) => taken_out.id.clone(),
        None => versions::id(parent.as_deref(), &name, snapshot),
    };
    Identity {
        id,
        version: history.last().map_or(0, |last| last.version) + 1,
        name,
        parent,
        transitions,
    }
}
