//! `diff [FROM] [TO]`: what differs, with the plan's phases.

use std::fmt::Write as _;

use serde_json::json;
use zdm_model::Schema;
use zdm_runtime::manifest::Manifest;

use super::project::options;
use crate::choose;
use crate::context::Context;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::pipeline::Options;
use crate::plan::{self, Plan, Request};
use crate::source;
use crate::terminal::Answer;
use crate::versions::{History, Snapshot};

/// Show what differs between the structs and the last version, or between two versions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm diff
  cargo zdm diff 0001_init 0003_ages

Needs no database and writes nothing. Exit code 0 whether or not something differs.")]
pub(crate) struct Diff {
    /// The version to start from; default: the last one
    from: Option<String>,
    /// The version to end with; default: the structs
    to: Option<String>,
}

impl Diff {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let options = options(context, &context.project()?)?;
        let history = History::open(&options.root.join(&options.versions))?;
        let from = match &self.from {
            Some(name) => of_version(&history, name)?,
            None => history.last_schema(&Snapshot::EMPTY)?,
        };
        let to = match &self.to {
            Some(name) => of_version(&history, name)?,
            None => source::read(&options.source)?.schema,
        };
        answer(&plan(&options, &from, &to)?)
    }
}

fn of_version(history: &History, argument: &str) -> Result<Schema, Failure> {
    let versions: Vec<&Manifest> = history.versions().iter().collect();
    let place = choose::named(&versions, argument)?;
    Ok(history.after(versions[place], &Snapshot::EMPTY)?.schema())
}

/// Tables that go are shown, not asked about.
fn plan(options: &Options, from: &Schema, to: &Schema) -> Result<Plan, Failure> {
    let dropped_tables: Vec<String> = from
        .tables
        .iter()
        .filter(|table| to.table(&table.name).is_none())
        .map(|table| table.name.clone())
        .collect();
    let dialect = Dialect::named(&options.dialect).map_err(crate::pipeline::PipelineError::from)?;
    Ok(plan::build(&Request {
        from,
        to,
        dialect: &dialect,
        id: "000000000000",
        dropped_tables: &dropped_tables,
    })?)
}

fn answer(plan: &Plan) -> Result<Answer, Failure> {
    let mut text = String::new();
    for change in &plan.changes {
        let _ = writeln!(text, "{change}");
    }
    let mut section = None;
    for step in &plan.steps {
        if section.replace(step.section) != Some(step.section) {
            let _ = writeln!(text, "  {}", step.section.folder());
        }
        let _ = writeln!(text, "    {}", step.action.summary);
    }
    for (phase, reason) in &plan.reasons {
        let _ = writeln!(text, "  {phase}: {reason}");
    }
    if plan.changes.is_empty() {
        text.push_str("nothing differs");
    }
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| json!({ "section": step.section, "summary": step.action.summary, "source": step.source }))
        .collect();
    let object = json!({
        "changes": plan.changes, "route": plan.route, "reversible": plan.reversible,
        "tables": plan.tables, "steps": steps, "reasons": plan.reasons,
    });
    Answer::done(text, object)
}
