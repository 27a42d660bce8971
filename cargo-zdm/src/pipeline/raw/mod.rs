//! The user's own SQL as steps of a version: functions, triggers, views, in any section, before or after what is generated.
//!
//! Comes in: the files of `zdm/raw/<section>/`, named `before_….up.sql` or `after_….up.sql`, each with its `….down.sql`, and
//! those of a version that is generated again. Goes out: steps in the plan, and the files in the version's own `raw/`, from
//! where `--amend` and `--rebase` take them again.
//! Must not know: how steps are executed.

mod effect;
mod policies;

use camino::{Utf8Path, Utf8PathBuf};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::Section;

use super::{Options, PipelineError};
use crate::files::{FileTree, entries, read_if_there};
use crate::plan::{Action, Plan, PlanStep, Raw as RawSql, Statement, Undo};
use crate::statements::{self, Statement as Written};
use crate::versions::History;

/// The folder of files that no version has taken in yet, below that of the versions; and of those that one has, in its own.
const FOLDER: &str = "raw";
const UP: &str = ".up.sql";
const DOWN: &str = ".down.sql";
const IRREVERSIBLE: &str = "-- irreversible:";
const OUTSIDE: &str = "-- no transaction";

/// The user's own SQL, as one step of a version.
#[derive(Debug, Clone)]
pub struct Raw {
    section: Section,
    after: bool,
    /// `expand/before_10_view`
    name: String,
    up: String,
    /// The undo, or why there is none.
    down: Result<String, String>,
    /// Below the root; they go once a version has them.
    files: Vec<Utf8PathBuf>,
}

impl Raw {
    /// A step of expand, before the generated ones. `down`: the undo, or why there is none.
    pub fn before_expand(name: &str, up: String, down: Result<String, String>) -> Self {
        Self {
            section: Section::Expand,
            after: false,
            name: format!("{}/before_{name}", Section::Expand.name()),
            up,
            down,
            files: Vec::new(),
        }
    }
}

/// The files that wait, and those of the version that is generated again.
pub(crate) fn waiting(options: &Options, history: &History) -> Result<Vec<Raw>, PipelineError> {
    let mut folders = vec![options.versions.join(FOLDER)];
    if let Some(again) = history.taken_out() {
        folders.push(options.versions.join(again.folder()).join(FOLDER));
    }
    let mut found = Vec::new();
    for folder in folders {
        for path in entries(&options.root.join(&folder))? {
            let name = path.file_name().unwrap_or_default();
            let section = Section::ALL
                .into_iter()
                .find(|section| section.name() == name);
            let Some(section) = section.filter(|_| path.is_dir()) else {
                let names = Section::ALL.map(Section::name).join(", ");
                return Err(refused(
                    &folder.join(name),
                    format!("your own SQL stands in a folder per section: {names}"),
                ));
            };
            of_section(options, &folder.join(name), section, &mut found)?;
        }
    }
    found.sort_by(|left: &Raw, right| left.name.cmp(&right.name));
    if let Some(twice) = found.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(refused(
            &twice[1].files[0],
            format!("{} has the same name", twice[0].files[0]),
        ));
    }
    Ok(found)
}

fn of_section(
    options: &Options,
    folder: &Utf8Path,
    section: Section,
    found: &mut Vec<Raw>,
) -> Result<(), PipelineError> {
    let paths = entries(&options.root.join(folder))?;
    let names: Vec<&str> = paths.iter().filter_map(|path| path.file_name()).collect();
    for name in &names {
        let file = folder.join(name);
        let (stem, is_up) = match (name.strip_suffix(UP), name.strip_suffix(DOWN)) {
            (Some(stem), _) => (stem, true),
            (_, Some(stem)) => (stem, false),
            _ => {
                return Err(refused(
                    &file,
                    format!("the name ends in {UP}, and that of its undo in {DOWN}"),
                ));
            }
        };
        let after = stem.starts_with("after_");
        if !after && !stem.starts_with("before_") {
            return Err(refused(
                &file,
                "the name begins with before_ or after_: on which side of the generated statements it runs",
            ));
        }
        if !is_up {
            if !names.contains(&format!("{stem}{UP}").as_str()) {
                return Err(refused(
                    &file,
                    format!("there is no {stem}{UP} that it takes back"),
                ));
            }
            continue;
        }
        let up = text(options, &file)?;
        let undo = folder.join(format!("{stem}{DOWN}"));
        let reason = up
            .lines()
            .find_map(|line| line.trim().strip_prefix(IRREVERSIBLE));
        let reason = reason
            .map(|reason| reason.trim().to_owned())
            .filter(|reason| !reason.is_empty());
        let (down, files) = match (names.contains(&format!("{stem}{DOWN}").as_str()), reason) {
            (true, None) => (Ok(text(options, &undo)?), vec![file.clone(), undo]),
            (false, Some(reason)) => (Err(reason), vec![file.clone()]),
            (true, Some(_)) => {
                return Err(refused(
                    &file,
                    format!("it says `{IRREVERSIBLE}` and has an undo: take one away"),
                ));
            }
            (false, None) => {
                return Err(refused(
                    &file,
                    format!(
                        "it has no undo: write {undo}, or say in it `{IRREVERSIBLE} the reason`"
                    ),
                ));
            }
        };
        check(&file, &up, &options.dialect)?;
        if let (Ok(down), Some(undo)) = (&down, files.get(1)) {
            check(undo, down, &options.dialect)?;
        }
        found.push(Raw {
            section,
            after,
            name: format!("{}/{stem}", section.name()),
            up,
            down,
            files,
        });
    }
    Ok(())
}

/// What would take the step out of its transaction, or its record with it.
fn check(file: &Utf8Path, sql: &str, dialect: &str) -> Result<(), PipelineError> {
    let written = statements::statements(sql);
    if written.is_empty() {
        return Err(refused(file, "it has no statement"));
    }
    for statement in &written {
        let first = first_word(statement);
        if statement.is_for_psql() {
            return Err(refused(
                file,
                format!("line {}: a command of psql is no SQL", statement.line),
            ));
        }
        let ends = [
            "begin",
            "start",
            "commit",
            "rollback",
            "end",
            "abort",
            "savepoint",
            "release",
            "prepare",
        ];
        if ends.contains(&first.as_str()) {
            return Err(refused(
                file,
                format!(
                    "line {}: {} is not for a step, which runs in a transaction together with its record; `{OUTSIDE}` in the first line lets it run outside of any",
                    statement.line,
                    first.to_uppercase()
                ),
            ));
        }
    }
    if !is_outside(sql) {
        return Ok(());
    }
    if written.len() > 1 {
        return Err(refused(
            file,
            "outside of a transaction a step is one statement, so that it can be repeated: make several files",
        ));
    }
    let facts = effect::of(&written, false, dialect).1;
    if facts.blocks_writers && dialect != "sqlite" {
        return Err(refused(
            file,
            format!(
                "it may wait for the lock {} outside of a transaction, where no lock_timeout keeps writers from waiting behind it; leave `{OUTSIDE}` out",
                facts.lock
            ),
        ));
    }
    Ok(())
}

fn is_outside(sql: &str) -> bool {
    sql.lines()
        .next()
        .is_some_and(|line| line.trim() == OUTSIDE)
}

fn first_word(statement: &Written<'_>) -> String {
    let tokens = statement.tokens();
    tokens
        .first()
        .map_or_else(String::new, |token| token.text.to_lowercase())
}

/// The plan with these steps: before and after the generated ones of their sections, and what follows for its route.
pub(crate) fn put_into(plan: &mut Plan, raws: &[Raw]) -> Result<(), PipelineError> {
    for raw in raws {
        refuse_beside_kept(plan, raw)?;
        let needs = match raw.section {
            Section::Expand => Route::Direct,
            Section::Drop | Section::Keep | Section::DropKept => Route::ExpandContract,
            Section::Release => Route::Rename,
            Section::DualWrite | Section::SwitchReads => Route::FivePhases,
        };
        let has_it = match needs {
            Route::FivePhases => plan.route == needs,
            Route::Rename => plan.route.has_final_code(),
            Route::Direct | Route::ExpandContract => true,
        };
        if !has_it {
            return Err(refused(
                &raw.files[0],
                format!(
                    "this version replaces no column, so it has no {}; put the file into {FOLDER}/expand or {FOLDER}/drop",
                    raw.section.name()
                ),
            ));
        }
        if plan.route == Route::Direct {
            plan.route = needs;
        }
        plan.changes.push(format!("your own SQL: {}", raw.name));
        let phase = raw.section.phase().name().to_owned();
        let reason = format!("your own SQL is executed here: {}", raw.name);
        plan.reasons.push((phase, reason));
    }
    policies::leave(plan, raws);
    let generated = std::mem::take(&mut plan.steps);
    for section in Section::ALL {
        let own = |after: bool| {
            raws.iter()
                .filter(move |raw| raw.section == section && raw.after == after)
        };
        let steps =
            |after: bool| -> Vec<PlanStep> { own(after).map(|raw| step(raw, plan)).collect() };
        let (before, after) = (steps(false), steps(true));
        plan.steps.extend(before);
        plan.steps.extend(
            generated
                .iter()
                .filter(|step| step.section == section)
                .cloned(),
        );
        plan.steps.extend(after);
    }
    Ok(())
}

/// A version that keeps what goes has two sections where others have one.
fn refuse_beside_kept(plan: &Plan, raw: &Raw) -> Result<(), PipelineError> {
    let reason = match (raw.section, &plan.keep) {
        (Section::Drop, Some(_)) => {
            "this version keeps what goes for a time, so it has no drop: put the file into raw/keep, which runs when the names go and is \
             taken back with them, or into raw/drop_kept, which runs when the time is over"
        }
        (Section::Keep | Section::DropKept, None) => {
            "this version keeps nothing (`keep` in zdm.toml), so it has no such section; put the file into raw/drop"
        }
        _ => return Ok(()),
    };
    Err(refused(&raw.files[0], reason))
}

fn step(raw: &Raw, plan: &Plan) -> PlanStep {
    let source = format!("{FOLDER}/{}{UP}", raw.name);
    PlanStep {
        section: raw.section,
        action: action(&raw.up, format!("run your own SQL {}", raw.name), plan),
        undo: match &raw.down {
            Ok(down) => Undo::By {
                actions: vec![action(
                    down,
                    format!("take your own SQL {} back", raw.name),
                    plan,
                )],
                loses: None,
            },
            Err(reason) => Undo::Impossible(reason.clone()),
        },
        source,
    }
}

fn action(sql: &str, summary: String, plan: &Plan) -> Action {
    let (table, facts) = effect::of(
        &statements::statements(sql),
        !is_outside(sql),
        &plan.dialect,
    );
    Action {
        summary,
        statement: Statement::Raw(RawSql {
            sql: sql.to_owned(),
            table,
            facts,
        }),
    }
}

/// The same files, in the version's folder.
pub(crate) fn kept(raws: &[Raw]) -> FileTree {
    let mut files = FileTree::default();
    for raw in raws {
        files.insert(format!("{FOLDER}/{}{UP}", raw.name), raw.up.as_str());
        if let Ok(down) = &raw.down {
            files.insert(format!("{FOLDER}/{}{DOWN}", raw.name), down.as_str());
        }
    }
    files
}

/// The files that waited and that a version has now, below the root.
pub(crate) fn taken<'a>(
    raws: &'a [Raw],
    versions: &'a Utf8Path,
) -> impl Iterator<Item = &'a Utf8Path> {
    let files = raws.iter().flat_map(|raw| &raw.files);
    files
        .map(Utf8PathBuf::as_path)
        .filter(move |file| file.starts_with(versions.join(FOLDER)))
}

/// What a version that changes nothing else is called after.
pub(crate) fn name_of(raws: &[Raw]) -> Option<String> {
    let stem = raws.first()?.name.split_once('/')?.1;
    let name = stem.split_once('_').map_or(stem, |(_, name)| name);
    Some(
        name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
            .to_owned(),
    )
}

fn text(options: &Options, file: &Utf8Path) -> Result<String, PipelineError> {
    let bytes = read_if_there(&options.root.join(file))?.unwrap_or_default();
    String::from_utf8(bytes).map_err(|_| refused(file, "it is not UTF-8"))
}

fn refused(file: &Utf8Path, reason: impl Into<String>) -> PipelineError {
    PipelineError::Raw {
        file: file.to_owned(),
        reason: reason.into(),
    }
}
