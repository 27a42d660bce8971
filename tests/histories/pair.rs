//! One step of a history: taken over, generated, executed phase by phase, compared.

use std::collections::BTreeSet;
use std::process::Output;

use cargo_zdm::import::{Imported, LeftOut};
use sqlx::{Connection as _, PgConnection};
use zdm_model::Schema;
use zdm_tests::postgres::Server;
use zdm_tests::project::{self, Project};

use super::declare::Declared;
use super::history::{History, Step};
use super::{between, compare, dependents, later, rows, schema, unmanaged};

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

pub(crate) async fn run(server: &Server, history: &History, step: &Step) -> Outcome {
    let search_path = history.schema();
    let database = |side: &str| {
        let name = format!(
            "{}_{}_{side}",
            history.project.replace('-', "_"),
            step.number
        );
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
        from: project::imported(&here).await,
        to: project::imported(&there).await,
    };
    walk.run(&mut before, &mut after, lines).await
}

struct Walk<'a> {
    project: Project,
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
            |narrows| Declared::of((version.from, version.to), last, version.step, narrows);
        let declared = declare(false);
        let (declared, generated) = match self.generated(version, declared)? {
            Ok(generated) => generated,
            Err(reason) => {
                let declared = declare(true);
                match self.generated(version, declared)? {
                    Ok(generated) => generated,
                    Err(then) if then == reason => return Err(Outcome::Refused(reason)),
                    Err(then) => {
                        return Err(Outcome::Refused(format!("{reason} | converted: {then}")));
                    }
                }
            }
        };
        compare::keep(before, version.from).await;
        self.expanded(before, after, &declared.dropped).await?;
        self.executed(before).await.map_err(Outcome::Failed)?;
        let wrong = compare::differences(before, version.from, version.to, &declared).await;
        if !wrong.is_empty() {
            return Err(Outcome::Failed(wrong.join("\n    ")));
        }
        Ok(changes(&generated))
    }

    /// What `generate` made of the declarations, or why it refused.
    fn generated(
        &self,
        version: &Version<'_>,
        declared: Declared,
    ) -> Result<Result<(Declared, Output), String>, Outcome> {
        self.write(&declared, version.to);
        let mut arguments = vec!["generate", version.name.as_str(), "--format", "json"];
        for table in &declared.dropped {
            arguments.extend(["--drop-table", table]);
        }
        let generated = self.project.zdm(&arguments);
        match generated.status.code() {
            Some(0) => Ok(Ok((declared, generated))),
            Some(1) => Ok(Err(said(&generated))),
            _ => Err(Outcome::Failed(format!("generate: {}", said(&generated)))),
        }
    }

    /// The project as it is before the step, with its baseline recorded.
    fn taken_over(&self) -> Result<(), String> {
        let command: &[&str] = if self.from.schema.tables.is_empty() {
            &["init", "--dialect", "postgres"]
        } else {
            &["import"]
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

    /// Expand. What names something that goes is dropped and made anew around it.
    async fn expanded(
        &self,
        before: &mut PgConnection,
        after: &mut PgConnection,
        dropped: &[String],
    ) -> Result<(), Outcome> {
        let command = ["advance", "--before-deploy"];
        let run = self.repeated(&command, before).await;
        let named = dependents::named(&String::from_utf8_lossy(&run.stderr));
        if run.status.success() {
            return Ok(());
        }
        if run.status.code() != Some(4) || named.is_empty() {
            return Err(Outcome::Failed(format!("expand: {}", said(&run))));
        }
        let mut made = Vec::new();
        for (at, object) in named.iter().enumerate() {
            let Some((drop, create)) = dependents::recreated(before, after, object).await else {
                return Err(Outcome::Refused(said(&run)));
            };
            self.raw(
                &object.section,
                &format!("before_{at:03}_{}", object.name),
                &drop,
            );
            made.extend(create.map(|(order, create)| (order, create, object)));
        }
        made.sort_by_key(|(order, ..)| *order);
        let last = if named.iter().any(|object| object.section == "drop") {
            "drop"
        } else {
            "expand"
        };
        for (at, (_, create, object)) in made.iter().enumerate() {
            self.raw(last, &format!("after_{at:03}_{}", object.name), create);
        }
        let mut again = vec!["generate", "--amend"];
        for table in dropped {
            again.extend(["--drop-table", table]);
        }
        self.does(&again).map_err(Outcome::Failed)?;
        let run = self.repeated(&command, before).await;
        if run.status.success() {
            return Ok(());
        }
        Err(Outcome::Failed(format!("expand: {}", said(&run))))
    }

    /// The command, again after rows have been added that others refer to and that are not there.
    async fn repeated(&self, command: &[&str], before: &mut PgConnection) -> Output {
        let mut run = self.project.zdm(command);
        for _ in 0..9 {
            if run.status.success() || !later::add_missing(before, &said(&run)).await {
                break;
            }
            run = self.project.zdm(command);
        }
        run
    }

    /// A step of the version's own, around what contract drops.
    fn raw(&self, section: &str, name: &str, up: &str) {
        std::fs::create_dir_all(self.project.path(&format!("zdm/raw/{section}"))).unwrap();
        let path = format!("zdm/raw/{section}/{name}");
        let up = format!("-- irreversible: what it names is gone\n{up};\n");
        self.project.write(&format!("{path}.up.sql"), &up);
    }

    /// Every phase, to the end of contract.
    async fn executed(&self, before: &mut PgConnection) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..3 {
            let run = self.repeated(&["advance"], before).await;
            match run.status.code() {
                Some(0) => return Ok(()),
                Some(4) => last = said(&run),
                _ => return Err(format!("advance: {}", said(&run))),
            }
            self.does(&["finalize"])?;
        }
        Err(format!("advance: {last}"))
    }

    fn does(&self, arguments: &[&str]) -> Result<(), String> {
        let run = self.project.zdm(arguments);
        if run.status.success() {
            return Ok(());
        }
        Err(format!("{}: {}", arguments.join(" "), said(&run)))
    }

    /// What import said beforehand about the object of a line, or about its table.
    fn named(&self, line: &str) -> Option<&LeftOut> {
        let (table, object) = schema::subject(line);
        let mut found = self.from.left_out.iter().chain(&self.to.left_out);
        let whole = found.clone().find(|found| found.object == object);
        whole.or_else(|| found.find(|found| found.what == "table" && found.object == table))
    }
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

fn said(output: &Output) -> String {
    let text = [&output.stderr[..], &output.stdout].map(String::from_utf8_lossy);
    let text = text.join("\n");
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(" | ")
}
