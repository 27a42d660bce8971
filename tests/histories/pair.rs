//! One step of a history: taken over, generated, executed phase by phase, compared.

use std::collections::BTreeSet;
use std::process::Output;

use cargo_zdm::catalogue::Schemas;
use cargo_zdm::import::{Imported, LeftOut};
use sqlx::{Connection as _, PgConnection};
use zdm_model::Schema;
use zdm_tests::postgres::Server;
use zdm_tests::project::{self, Project};

use super::declare::Declared;
use super::history::{History, Step};
use super::{between, compare, rows, schema, unmanaged};

/// What became of a step.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing that zdm manages changes.
    Unchanged,
    /// The database is as the next version, rows included; what was done.
    Converged(String),
    /// It was said beforehand that and why it cannot be done.
    Refused(String),
    /// Everything else.
    Failed(String),
}

/// Waiting times are for people who watch.
const HASTY: &str = "\n[policy]\nsoak = \"0s\"\nramp_dwell = \"0s\"\nsleepers = \"0s\"\n";

/// The step in each schema that has tables: a project of its own, as the guide says. What one of them refuses, the step does.
pub(crate) async fn run(server: &Server, history: &History, step: &Step) -> Outcome {
    let mut converged = Vec::new();
    let mut refused = Vec::new();
    for schema in step.schemas(&history.schema()) {
        match in_schema(server, history, step, &schema).await {
            Outcome::Unchanged => {}
            Outcome::Converged(changes) => converged.push(changes),
            Outcome::Refused(reason) => refused.push(reason),
            failed @ Outcome::Failed(_) => return failed,
        }
    }
    match (converged.is_empty(), refused.is_empty()) {
        (_, false) => Outcome::Refused(refused.join("; ")),
        (false, true) => Outcome::Converged(converged.join("; ")),
        (true, true) => Outcome::Unchanged,
    }
}

async fn in_schema(server: &Server, history: &History, step: &Step, search_path: &str) -> Outcome {
    let database = |side: &str| {
        let project = history.project.replace('-', "_");
        let name = format!("{project}_{}_{search_path}_{side}", step.number);
        format!(
            "{}&options=-csearch_path%3D{search_path}",
            server.database(&name)
        )
    };
    let (here, there) = (database("here"), database("there"));
    // A dump empties the path, and some functions in it name types of their own schema bare.
    let path = format!("'search_path', '{search_path}, public'");
    let restorable = |dump: String| dump.replace("'search_path', ''", &path);
    project::execute(&here, &restorable(step.before())).await;
    project::execute(&there, &restorable(step.after())).await;
    for url in [&here, &there] {
        let schema = format!("CREATE SCHEMA IF NOT EXISTS {search_path}");
        project::execute(url, &schema).await;
    }
    let mut before = PgConnection::connect(&here).await.unwrap();
    let mut after = PgConnection::connect(&there).await.unwrap();
    let lines = [
        schema::lines(&mut before).await,
        schema::lines(&mut after).await,
    ];
    if lines[0] == lines[1] {
        return Outcome::Unchanged;
    }
    let walk = Walk {
        project: Project::new(here.clone()),
        step,
        from: project::imported_of(&here, &Schemas::Own).await,
        to: project::imported_of(&there, &Schemas::Own).await,
        schema: search_path,
    };
    walk.run(&mut before, &mut after, lines).await
}

pub(super) struct Walk<'a> {
    pub(super) project: Project,
    /// The one whose tables it has.
    schema: &'a str,
    step: &'a Step,
    from: Imported,
    to: Imported,
}

/// What a version is, for the project and the databases.
struct Version<'a> {
    name: String,
    from: &'a Schema,
    to: &'a Schema,
    step: &'a Step,
}

/// A version that `generate` has made.
struct Generated {
    declared: Declared,
    /// What else it was told, which `--amend` is told again.
    options: Vec<String>,
    changes: String,
}

impl Walk<'_> {
    async fn run(
        &self,
        before: &mut PgConnection,
        after: &mut PgConnection,
        lines: [BTreeSet<String>; 2],
    ) -> Outcome {
        let without = unmanaged::bring(before, after).await;
        let empty = rows::fill(before, after, self.step).await;
        if let Err(reason) = self.taken_over() {
            return Outcome::Failed(reason);
        }
        unmanaged::without_triggers(before).await;
        let done = match self.versions(before, after).await {
            Ok(done) => done,
            Err(Outcome::Failed(reason)) => {
                return Outcome::Failed([vec![reason], without].concat().join("\n    "));
            }
            Err(outcome) => return outcome,
        };
        let now = schema::lines(before).await;
        let mut wrong = Vec::new();
        let mut left_out = Vec::new();
        for line in now.symmetric_difference(&lines[1]) {
            let sign = if now.contains(line) { '+' } else { '-' };
            match self.named(line) {
                Some(found) => {
                    left_out.push(format!("{} {}: {}", found.what, found.object, found.reason));
                }
                None => wrong.push(format!("{sign} {line}")),
            }
        }
        // The records of a migration tool are its own, as functions are their authors'.
        left_out.retain(|said| !said.contains("keeps its own records"));
        left_out.dedup();
        if !wrong.is_empty() {
            return Outcome::Failed(wrong.join("\n    "));
        }
        if !left_out.is_empty() {
            return Outcome::Refused(left_out.join("; "));
        }
        let empty = match empty.len() {
            0 => String::new(),
            _ => format!(" (without rows: {})", empty.join(", ")),
        };
        Outcome::Converged(format!("{done}{empty}"))
    }

    /// One version to the next, or, where that is refused, the versions that a person would make of it; what was done.
    async fn versions(
        &self,
        before: &mut PgConnection,
        after: &mut PgConnection,
    ) -> Result<String, Outcome> {
        let (from, to) = (&self.from.schema, &self.to.schema);
        let whole = Version {
            name: "step".to_owned(),
            from,
            to,
            step: self.step,
        };
        let refused = match self.version(&whole, before, after).await {
            Err(Outcome::Refused(reason)) => reason,
            done => return done,
        };
        let versions = between::versions(from, to, self.step);
        if versions.len() < 2 {
            return Err(Outcome::Refused(refused));
        }
        let mut done = Vec::new();
        let mut last = from;
        for (at, (schema, step)) in versions.iter().enumerate() {
            let version = Version {
                name: format!("step_{}", at + 1),
                from: last,
                to: schema,
                step,
            };
            match self.version(&version, before, after).await {
                Ok(changes) => done.push(changes),
                Err(Outcome::Refused(reason)) if at == 0 => {
                    return Err(Outcome::Refused(format!(
                        "{refused} | in versions: {reason}"
                    )));
                }
                Err(Outcome::Refused(reason) | Outcome::Failed(reason)) => {
                    let place = format!("version {} of {}", at + 1, versions.len());
                    return Err(Outcome::Failed(format!("{place}: {reason}")));
                }
                Err(outcome) => return Err(outcome),
            }
            last = schema;
        }
        Ok(format!("in {} versions: {}", done.len(), done.join("; ")))
    }

    /// One version through every phase; what it changes.
    async fn version(
        &self,
        version: &Version<'_>,
        before: &mut PgConnection,
        after: &mut PgConnection,
    ) -> Result<String, Outcome> {
        let last = &self.to.schema;
        let declare =
            |narrows: &str| Declared::of((version.from, version.to), last, version.step, narrows);
        let declared = declare("");
        let generated = match self.generated(version, declared)? {
            Ok(generated) => generated,
            Err(reason) => match self.generated(version, declare(&reason))? {
                Ok(generated) => generated,
                Err(then) if then == reason => return Err(Outcome::Refused(reason)),
                Err(then) => {
                    let reason = format!("{reason} | converted: {then}");
                    return Err(Outcome::Refused(reason));
                }
            },
        };
        compare::keep(before, version.from).await;
        self.expanded(before, after, &generated.options).await?;
        self.executed(before).await.map_err(Outcome::Failed)?;
        let (from, to) = (version.from, version.to);
        let wrong = compare::differences(before, from, to, &generated.declared).await;
        if !wrong.is_empty() {
            return Err(Outcome::Failed(wrong.join("\n    ")));
        }
        Ok(generated.changes)
    }

    /// What `generate` made of the declarations, the direct way where a table's size alone stands in the way; or why it refused.
    fn generated(
        &self,
        version: &Version<'_>,
        declared: Declared,
    ) -> Result<Result<Generated, String>, Outcome> {
        self.write(&declared, version.to);
        let tables = declared.dropped.iter();
        let mut options: Vec<String> = tables
            .flat_map(|table| ["--drop-table".to_owned(), table.clone()])
            .collect();
        let arguments = [version.name.as_str(), "--format", "json"];
        let mut output = self.generate(&arguments, &options);
        let direct = offered(&output);
        if !direct.is_empty() {
            options.extend(["--database-url".to_owned(), self.project.url.clone()]);
            let direct = direct.iter();
            options.extend(direct.flat_map(|table| ["--direct".to_owned(), table.clone()]));
            output = self.generate(&arguments, &options);
        }
        match output.status.code() {
            Some(0) => {}
            Some(1) => return Ok(Err(said(&output))),
            _ => return Err(Outcome::Failed(format!("generate: {}", said(&output)))),
        }
        let mut changes = changes(&output);
        if !direct.is_empty() {
            changes = format!("{changes} (--direct: {})", direct.join(", "));
        }
        Ok(Ok(Generated {
            declared,
            options,
            changes,
        }))
    }

    pub(super) fn generate(&self, arguments: &[&str], options: &[String]) -> Output {
        let mut command = vec!["generate"];
        command.extend(arguments);
        command.extend(options.iter().map(String::as_str));
        self.project.zdm(&command)
    }

    /// The project as it is before the step, with its baseline recorded.
    fn taken_over(&self) -> Result<(), String> {
        let command: &[&str] = if self.from.schema.tables.is_empty() {
            &["init", "--dialect", "postgres"]
        } else {
            &["import", "--schema", self.schema]
        };
        self.does(command)?;
        let config = self.project.text("zdm.toml");
        let head = config.split("\n[policy]").next().unwrap_or_default();
        self.project.write("zdm.toml", &format!("{head}{HASTY}"));
        if self.from.schema.tables.is_empty() {
            return Ok(());
        }
        self.does(&["expand"])
    }

    fn write(&self, declared: &Declared, schema: &Schema) {
        let models = self.project.path("src/models");
        let _ = std::fs::remove_dir_all(&models);
        std::fs::create_dir(&models).unwrap();
        for (path, text) in declared.files(schema) {
            self.project.write(&format!("src/models/{path}"), &text);
        }
        let library = self.project.text("src/lib.rs");
        if !library.contains("mod models") {
            self.project
                .write("src/lib.rs", &format!("{library}\npub mod models;\n"));
        }
    }

    /// What import said beforehand about the object of a line, or about its table.
    fn named(&self, line: &str) -> Option<&LeftOut> {
        let (table, object) = schema::subject(line);
        let mut found = self.from.left_out.iter().chain(&self.to.left_out);
        let whole = found.clone().find(|found| found.object == object);
        whole.or_else(|| found.find(|found| found.what == "table" && found.object == table))
    }
}

/// The tables whose size alone stands in the way, as `generate` says.
fn offered(generated: &Output) -> Vec<String> {
    let said = said(generated);
    let tables = said.split("`--direct ").skip(1);
    let tables = tables.filter_map(|rest| rest.split_once('`'));
    let tables: BTreeSet<&str> = tables.map(|(table, _)| table).collect();
    tables.into_iter().map(str::to_owned).collect()
}

/// What a version changes, as `generate` says.
fn changes(generated: &Output) -> String {
    let object: serde_json::Value = serde_json::from_slice(&generated.stdout).unwrap();
    let changes = object["version"]["changes"].as_array();
    let changes: Vec<_> = changes
        .into_iter()
        .flatten()
        .filter_map(|change| change.as_str())
        .collect();
    changes.join(", ")
}

pub(super) fn said(output: &Output) -> String {
    let text = [&output.stderr[..], &output.stdout].map(String::from_utf8_lossy);
    let text = text.join("\n");
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(" | ")
}
