//! What code names by hand of what a version takes away or fills: where, and what stands for it.
//!
//! Comes in: the history, the last version's tables, a name that somebody asks for. Goes out: [`Sought`], and each place as [`Named`].
//! Must not know: how sources are read.

mod version;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use zdm_model::Schema;
use zdm_runtime::manifest::Manifest;

use super::{Finding, Options, PipelineError};
use crate::dialect::Dialect;
use crate::references::{self, Access, Certainty, Known, Target};
use crate::versions::{History, State};
use version::OfVersion;
use words::Code;

/// A column or a table that is looked for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sought {
    pub(crate) target: Target,
    /// The version's id and folder; `None`: somebody asks for it by name.
    version: Option<(String, String)>,
    why: Why,
    /// What takes its place.
    instead: Vec<Instead>,
}

/// What a version does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// It goes, and the code of now serves both sides.
    Old,
    /// It comes, and the code of now serves both sides.
    New,
    /// The old column has the name until the new one takes it.
    Shared,
    /// It goes, or is gone.
    Gone,
    /// Somebody asks.
    Asked,
}

/// A column or a table in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Instead {
    name: String,
    /// The table and the field that generated code calls after it.
    code: Option<(String, String)>,
}

/// A place in the sources that names what is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Relative to the folder of `zdm.toml` where it is below it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub at: usize,
    /// `users.age`, or a table.
    pub name: String,
    /// `reads`, `writes`, or `names` where that cannot be told.
    pub access: Access,
    /// `certain`, `perhaps` where it may be another table's column, `unread` where the text is not understood.
    pub certainty: Certainty,
    /// It names all columns of the table.
    pub every: bool,
    /// Only tests, examples or benches compile it.
    pub aside: bool,
    /// A comment says that it is meant so.
    pub allowed: bool,
    /// The version that takes the column away or fills it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The line.
    pub text: String,
    /// What it does.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Named {
    /// Whether an application would fail by it, or read and write what is stale.
    pub fn counts(&self) -> bool {
        !self.aside && !self.allowed
    }

    /// `src/queries.rs:12`
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

type ByName = BTreeMap<(String, Option<String>), Sought>;

/// What code should not name by hand: what any version takes away, and both sides of those whose code is in transition.
pub(crate) fn sought(history: &History, schema: &Schema) -> Vec<Sought> {
    let mut found = ByName::new();
    for manifest in history.versions() {
        let state = history.code().of(&manifest.id);
        if state == Some(State::Baseline) {
            continue;
        }
        let of = OfVersion {
            manifest,
            schema,
            in_transition: state == Some(State::Transition),
        };
        of.going(&mut found);
        if of.in_transition {
            of.coming(&mut found);
        }
    }
    found.into_values().collect()
}

/// The one that `TABLE` or `TABLE.COLUMN` means, and whether any version knows of it.
pub(crate) fn asked(history: &History, schema: &Schema, argument: &str) -> (Sought, bool) {
    let is_table = |name: &str| {
        let mut versions = history.versions().iter();
        schema.table(name).is_some()
            || versions.any(|version| {
                version.creates.contains_key(name) || version.drops.contains_key(name)
            })
    };
    let (table, column) = match argument.rsplit_once('.') {
        Some((table, column)) if !is_table(argument) => (table, Some(column.to_owned())),
        _ => (argument, None),
    };
    let known = sought(history, schema);
    let same = |found: &&Sought| found.target.table == table && found.target.column == column;
    if let Some(found) = known.iter().find(same) {
        let mut found = found.clone();
        found.target.counts_every = true;
        return (found, true);
    }
    let has_column = |column: &String| {
        let declared = schema.table(table);
        declared.is_some_and(|declared| declared.column(column).is_some())
    };
    let is_known = is_table(table) && column.as_ref().is_none_or(has_column);
    let asked = Sought {
        target: target(table, column, true),
        version: None,
        why: Why::Asked,
        instead: Vec::new(),
    };
    (asked, is_known)
}

/// Refuses where production code names what some versions take away.
pub(crate) fn none_names_old(
    options: &Options,
    history: &History,
    schema: &Schema,
    ids: &[String],
) -> Result<(), PipelineError> {
    let sought = going_with(history, schema, ids);
    let named = find(options, schema, &sought)?;
    let mut places = String::new();
    for named in named.iter().filter(|named| named.counts()) {
        let next = named.next.as_deref().unwrap_or_default();
        let _ = write!(
            places,
            "\n  {}: {}\n    {next}",
            named.place(),
            named.message
        );
    }
    if places.is_empty() {
        return Ok(());
    }
    let versions = history.versions().iter();
    let folders: Vec<String> = versions
        .filter(|version| ids.contains(&version.id))
        .map(Manifest::folder)
        .collect();
    Err(PipelineError::StillNamed {
        migrations: folders.join(", "),
        places,
    })
}

/// Those of some versions that go.
fn going_with(history: &History, schema: &Schema, ids: &[String]) -> Vec<Sought> {
    let mut found = sought(history, schema);
    found.retain(|found| {
        let of_them = found
            .version
            .as_ref()
            .is_some_and(|(id, _)| ids.contains(id));
        of_them && matches!(found.why, Why::Old | Why::Gone)
    });
    for found in &mut found {
        found.why = Why::Gone;
    }
    found
}

/// Every place that names one of them.
pub(crate) fn find(
    options: &Options,
    schema: &Schema,
    sought: &[Sought],
) -> Result<Vec<Named>, PipelineError> {
    let dialect = Dialect::named(&options.dialect)?;
    let columns = |table: &zdm_model::Table| {
        let columns = table.columns.iter().map(|column| column.name.clone());
        (table.name.clone(), columns.collect())
    };
    let known: Known = schema.tables.iter().map(columns).collect();
    let targets: Vec<Target> = sought.iter().map(|found| found.target.clone()).collect();
    let found = references::search(&references::Request {
        source: &options.source,
        project: &options.root,
        dialect: &dialect,
        targets: &targets,
        known: &known,
    })?;
    let code = Code { options };
    let named = found.into_iter();
    Ok(named
        .map(|reference| code.named(&sought[reference.target], reference))
        .collect())
}

/// What of them `check` tells.
pub(crate) fn findings(named: &[Named]) -> Vec<Finding> {
    let counting = named.iter().filter(|named| named.counts());
    counting
        .map(|named| Finding {
            kind: "named",
            place: named.place(),
            message: named.message.clone(),
            next: named.next.clone().unwrap_or_default(),
        })
        .collect()
}

fn target(table: &str, column: Option<String>, counts_every: bool) -> Target {
    Target {
        table: table.to_owned(),
        column,
        counts_every,
    }
}
