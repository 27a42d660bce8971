//! One step of a history: taken over, generated, executed phase by phase, compared.

use std::collections::BTreeSet;
use std::process::Output;

use cargo_zdm::import::{Imported, LeftOut};
use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;
use zdm_tests::project::{self, Project};

use super::declare::Declared;
use super::history::{History, Step};
use super::{compare, dependents, rows, schema, unmanaged};

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

impl Walk<'_> {
    async fn run(
        &self,
        before: &mut PgConnection,
        after: &mut PgConnection,
        lines: [BTreeSet<String>; 2],
    ) -> Outcome {
        let without = unmanaged::bring(before, after).await;
        let empty = rows::fill(before, after).await;
        if let Err(reason) = self.taken_over() {
            return Outcome::Failed(reason);
        }
        unmanaged::without_triggers(before).await;
        compare::keep(before, &self.from.schema).await;
        let declared = Declared::of(&self.from.schema, &self.to.schema, self.step);
        self.write(&declared);
        let mut arguments = vec!["generate", "step", "--format", "json"];
        for table in &declared.dropped {
            arguments.extend(["--drop-table", table]);
        }
        let generated = self.project.zdm(&arguments);
        match generated.status.code() {
            Some(0) => {}
            Some(1) => return Outcome::Refused(said(&generated)),
            _ => return Outcome::Failed(format!("generate: {}", said(&generated))),
        }
        match self.expanded(before, after, &declared.dropped).await {
            Ok(()) => {}
            Err(outcome) => return outcome,
        }
        if let Err(reason) = self.executed() {
            return Outcome::Failed([vec![reason], without].concat().join("\n    "));
        }
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
        wrong.extend(
            compare::differences(before, &self.from.schema, &self.to.schema, &declared).await,
        );
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
        Outcome::Converged(format!("{}{empty}", changes(&generated)))
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

    fn write(&self, declared: &Declared) {
        let models = self.project.path("src/models");
        let _ = std::fs::remove_dir_all(&models);
        std::fs::create_dir(&models).unwrap();
        for (path, text) in declared.files(&self.to.schema) {
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
        let run = self.project.zdm(&command);
        let named = dependents::named(&String::from_utf8_lossy(&run.stderr));
        if run.status.success() {
            return Ok(());
        }
        if run.status.code() != Some(4) || named.is_empty() {
            return Err(Outcome::Failed(format!("expand: {}", said(&run))));
        }
        for object in &named {
            let Some((drop, create)) = dependents::recreated(before, after, object).await else {
                return Err(Outcome::Refused(said(&run)));
            };
            self.raw(&format!("before_{}", object.1), &drop);
            if let Some(create) = create {
                self.raw(&format!("after_{}", object.1), &create);
            }
        }
        let mut again = vec!["generate", "--amend"];
        for table in dropped {
            again.extend(["--drop-table", table]);
        }
        self.does(&again)
            .and_then(|()| self.does(&command))
            .map_err(Outcome::Failed)
    }

    /// A step of the version's own, around what contract drops.
    fn raw(&self, name: &str, up: &str) {
        std::fs::create_dir_all(self.project.path("zdm/raw/drop")).unwrap();
        let path = format!("zdm/raw/drop/{name}");
        let up = format!("-- irreversible: what it names is gone\n{up};\n");
        self.project.write(&format!("{path}.up.sql"), &up);
    }

    /// Every phase, to the end of contract.
    fn executed(&self) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..3 {
            let run = self.project.zdm(&["advance"]);
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
