//! A version's files out of its plan.
//!
//! Comes in: the plan, the history. Goes out: the manifest and everything in the version's folder.
//! Must not know: Rust code.

use camino::Utf8Path;
use zdm_model::Schema;
use zdm_runtime::manifest::{Manifest, shared};
use zdm_runtime::migration;

use super::raw::{self, Raw};
use super::{Options, PipelineError, transitions};
use crate::changes::{self, ChangeError};
use crate::dialect::Dialect;
use crate::diff::{self, Delta, Place};
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
    let interim = interim::Interim::of(&from, &known, dialect);
    let mut deltas = diff::diff(&from, &interim.schema).map_err(BuildError::from)?;
    deltas.extend(interim.renames.iter().cloned());
    let raws = if options.baseline {
        options.needed.iter().cloned().collect()
    } else {
        raw::waiting(options, history)?
    };
    let unseen = unseen_takeovers(history, &from, &known);
    if !unseen.is_empty() {
        return Err(BuildError::Changes(unseen).into());
    }
    let contradicts = !interim::contradictions(&from, &known).is_empty();
    if deltas.is_empty() && raws.is_empty() && !contradicts {
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
    // Decided once for a version.
    let no_keep = options.no_keep
        || history
            .taken_out()
            .is_some_and(|taken_out| taken_out.no_keep);
    let mut plan = plan::build(&plan::Request {
        from: &from,
        to: declared.schema,
        dialect,
        id: &identity.id,
        dropped_tables: &options.dropped_tables,
        direct: &options.direct,
        nets: options.nets,
        keep: options.keep.filter(|_| !no_keep),
    })?;
    plan.no_keep = no_keep && options.keep.is_some();
    raw::put_into(&mut plan, &raws)?;
    let filling = history
        .versions()
        .iter()
        .filter(|version| version.route.has_final_code());
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

/// A column that takes over the name of one with the same type and nullability cannot be told from it: no version would follow,
/// and nothing be converted. It is refused unless a version has done that already.
fn unseen_takeovers(history: &History, from: &Schema, to: &Schema) -> Vec<ChangeError> {
    let done = |table: &str, last: &str| {
        let mut pairs = history.versions().iter().flat_map(|version| &version.pairs);
        pairs.any(|pair| {
            let released = pair.released.as_ref();
            pair.table == table && released.is_some_and(|released| released.column == last)
        })
    };
    let mut unseen = Vec::new();
    for table in &to.tables {
        for column in &table.columns {
            let names = column
                .transition
                .as_ref()
                .and_then(|found| found.final_name.as_ref());
            let before = from
                .table(&table.name)
                .and_then(|before| before.column(&column.name));
            let (Some(names), Some(before)) = (names, before) else {
                continue;
            };
            if diff::takes_over(before, column) || done(&table.name, &names.last) {
                continue;
            }
            unseen.push(ChangeError::Declaration {
                at: Box::new(Place {
                    table: table.name.clone(),
                    source: column.source.clone(),
                }),
                subject: format!("{}.{}", table.name, names.last),
                problem: "it takes over the name of a column of the same type, from which it could not be told".to_owned(),
                way_on: format!(
                    "Leave `final_name` out and let it live on under its own name: `column = \"{}\"`",
                    names.interim
                ),
            });
        }
    }
    unseen
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
