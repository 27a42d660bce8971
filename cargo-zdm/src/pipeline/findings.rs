//! What `check` finds: generated files that are not what would be generated now, and attributes that are spent.
//!
//! Comes in: the same stages as of `generate`. Goes out: findings, in a stable order.
//! Must not know: the disk's other files.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use zdm_model::{Enumeration, Schema, names};

use super::code::{self, Compared};
use super::transitions::InTransition;
use super::version::Planned;
use super::{Options, PipelineError};
use crate::plan::Move;
use crate::render::rust::State;
use crate::versions::{History, Snapshot};

/// Something that is not as it should be, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name of the kind of finding: `stale`, `edited`, `missing`, `superfluous`, `ungenerated`, `spent`, `template`,
    /// `named`.
    pub kind: &'static str,
    /// A file relative to the root, or `file:line`.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub next: String,
}

const GENERATE: &str = "run `cargo zdm generate`";

/// The structs differ from the last version.
pub(crate) fn ungenerated(planned: &Planned) -> Vec<Finding> {
    let changes = &planned.plan.changes;
    changes
        .iter()
        .map(|change| Finding {
            kind: "ungenerated",
            place: String::new(),
            message: format!("no version has this change of the structs: {change}"),
            next: GENERATE.to_owned(),
        })
        .collect()
}

/// Files that are not what would be generated now.
pub(crate) fn of_files(options: &Options, code: &Compared) -> Result<Vec<Finding>, PipelineError> {
    let mut findings = Vec::new();
    for (file, state) in &code.differing {
        let (kind, message) = match state {
            State::Missing => ("missing", "the generated file is missing"),
            State::Stale => ("stale", "something else would be generated now"),
            State::Edited => ("edited", "the file was edited after it was generated"),
        };
        findings.push(finding(kind, &options.code.join(&file.path), message));
    }
    for path in code::superfluous(options, &code.paths)? {
        findings.push(finding(
            "superfluous",
            &path,
            "the file would not be generated any more",
        ));
    }
    Ok(findings)
}

/// Transition attributes of migrations that are over.
pub(crate) fn spent(
    declared: &Schema,
    transitions: &[InTransition],
    planned: Option<&Planned>,
) -> Vec<Finding> {
    let needed = |table: &str, column: &str| {
        let pairs = transitions.iter().flat_map(|transition| &transition.pairs);
        let planned = planned.iter().flat_map(|planned| &planned.plan.pairs);
        pairs.chain(planned).any(|pair| {
            let last = pair.final_name().map(|names| &names.last);
            pair.table == table && last.unwrap_or(&pair.new.name) == column
        })
    };
    let moves = transitions.iter().flat_map(|transition| &transition.moves);
    let planned_moves = planned.iter().flat_map(|planned| &planned.plan.moves);
    let keepers: Vec<&str> = moves.chain(planned_moves).map(Move::keeper).collect();
    let mut findings = Vec::new();
    let exchanges = transitions
        .iter()
        .flat_map(|transition| &transition.exchanges);
    let planned_exchanges = planned.iter().flat_map(|planned| &planned.plan.exchanges);
    let exchanges: Vec<&String> = exchanges.chain(planned_exchanges).collect();
    let is_spent =
        |found: &&Enumeration| !found.taken.is_empty() && !exchanges.contains(&&found.name);
    for found in declared.enums.iter().filter(is_spent) {
        findings.push(Finding {
            kind: "spent",
            place: found.source.clone(),
            message: format!(
                "what the variants of the enum {} take over is spent: the migration is final",
                found.name
            ),
            next: "remove `renamed_from` and `from` from its variants, they would be read as a wish if the values came back".to_owned(),
        });
    }
    for table in &declared.tables {
        let moves = keepers.contains(&table.name.as_str());
        let words = [
            ("split_from", table.split_from.is_some()),
            ("merged_from", table.merged_from.is_some()),
        ];
        for (word, _) in words.iter().filter(|(_, given)| *given && !moves) {
            findings.push(Finding {
                kind: "spent",
                place: table.source.clone(),
                message: format!(
                    "`{word}` of {} is spent: the migration is final",
                    table.name
                ),
                next: "remove it, it would be read as a wish if the table's name came back"
                    .to_owned(),
            });
        }
        for column in &table.columns {
            let given = column.transition.is_some() || column.moved_from.is_some();
            if given && !moves && !needed(&table.name, &column.name) {
                findings.push(Finding {
                    kind: "spent",
                    place: column.source.clone(),
                    message: format!(
                        "the transition attributes of {}.{} are spent: the migration is final",
                        table.name, column.name
                    ),
                    next:
                        "remove them, they would be read as a wish if the column's name came back"
                            .to_owned(),
                });
            }
        }
    }
    findings
}

/// `drops` of columns, and `renamed_from` of tables, that are long gone. It is needed until the version is neither the last one,
/// which `--amend` plans again, nor in transition.
pub(crate) fn dropped(
    declared: &Snapshot<'_>,
    history: &History,
) -> Result<Vec<Finding>, PipelineError> {
    let mut recent = vec![history.last_schema(declared)?];
    for version in history.in_transition().chain(history.last()) {
        if let Some(before) = history.before(version) {
            recent.push(history.after(before, declared)?.schema());
        }
    }
    let needed = |table: &str, column: &str| {
        recent
            .iter()
            .filter_map(|schema| schema.table(table))
            .any(|table| table.column(column).is_some())
    };
    let mut findings = Vec::new();
    let has_table = |name: &str| recent.iter().any(|schema| schema.table(name).is_some());
    for table in &declared.schema.tables {
        if let Some(old) = table.renamed_from.as_ref().filter(|old| !has_table(old)) {
            findings.push(Finding {
                kind: "spent",
                place: table.source.clone(),
                message: format!(
                    "`renamed_from = \"{}\"` of {} is spent: no version at work has that table",
                    names::bare(old),
                    table.name
                ),
                next: "remove it, it would be read as a wish if the table's name came back"
                    .to_owned(),
            });
        }
        for drop in &table.drops {
            if !needed(&table.name, &drop.column) {
                findings.push(Finding {
                    kind: "spent",
                    place: table.source.clone(),
                    message: format!(
                        "`drops(\"{}\")` of {} is spent: no version at work has that column",
                        drop.column, table.name
                    ),
                    next: "remove it, it would be read as a wish if the column's name came back"
                        .to_owned(),
                });
            }
        }
    }
    Ok(findings)
}

pub(crate) fn finding(kind: &'static str, path: &Utf8Path, message: &str) -> Finding {
    let place: Utf8PathBuf = path.to_owned();
    Finding {
        kind,
        place: place.into_string(),
        message: message.to_owned(),
        next: GENERATE.to_owned(),
    }
}
