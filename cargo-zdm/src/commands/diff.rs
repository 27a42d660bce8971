//! `diff [FROM] [TO]`: what differs, with the phases that each change goes through and why each is needed.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use zdm_model::Schema;
use zdm_runtime::phase::Phase;

use super::direct::Asking;
use super::project::options;
use super::sides::{self, Left, Side};
use crate::context::Context;
use crate::dialect::Dialect;
use crate::diff;
use crate::error::Failure;
use crate::parallel;
use crate::pipeline::Options;
use crate::plan::{self, BuildError, Explained, Plan, Request};
use crate::terminal::Answer;

/// How long a table may be counted up to the limit of what is small.
const COUNT_TIMEOUT: Duration = Duration::from_secs(10);

/// What is said where the schemas agree.
const NOTHING: &str = "nothing differs\n";

/// Show what differs between the structs and the last version, or between any two schemas
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm diff
  cargo zdm diff --from 0001_init --to 0003_ages
  cargo zdm diff --from postgres://reader@db/shop --to models     has the database drifted?
  cargo zdm diff --from old.sql --to new.sql

A side is a version (its number, name, folder or id), `models`, the URL of a database, or a file that
ends in .sql: `pg_dump --schema-only`, or CREATE statements written by hand. A database is only read. A
file needs no server; a statement in it that is not understood is refused with its line. Of several
schemas in it `?schema=NAME` behind the file's name chooses one. What structs cannot say of a database
or a file (functions, views, triggers) is listed, and is no difference; a domain or a collation that two
databases define otherwise is.

With --database-url, a change that is refused because it would write a whole table anew says whether the
table is small there, so that `generate --direct` would do it at once.

Writes nothing. Exit code 0 whether or not something differs.")]
pub(crate) struct Diff {
    /// The version to start from; default: the last one
    #[arg(value_name = "FROM")]
    from_version: Option<String>,
    /// The version to end with; default: the structs
    #[arg(value_name = "TO")]
    to_version: Option<String>,
    /// What to start from: a version, `models`, a URL, a .sql file
    #[arg(long, value_name = "SIDE", conflicts_with_all = ["from_version", "to_version"])]
    from: Option<String>,
    /// What to end with
    #[arg(long, value_name = "SIDE", conflicts_with_all = ["from_version", "to_version"])]
    to: Option<String>,
}

impl Diff {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let project = context.project()?;
        let options = options(context, &project)?;
        let from = || match self.from.as_ref().or(self.from_version.as_ref()) {
            Some(argument) => sides::read(argument, &options),
            None => sides::of_last_version(&options),
        };
        let to = || match self.to.as_ref().or(self.to_version.as_ref()) {
            Some(argument) => sides::read(argument, &options),
            None => sides::of_models(&options),
        };
        let (from, to) = parallel::both(from, to);
        let (mut from, mut to) = sides::imported(from?, to?, &options)?;
        let not_compared = sides::aligned(&mut from, &mut to, &options)?;
        let planned = plan(&options, &from.schema, &to.schema)?;
        let asking = Asking {
            context,
            policy: &project.config.policy,
            dialect: &options.dialect,
            deadline: COUNT_TIMEOUT,
        };
        let offers = match &planned {
            Ok(_) => String::new(),
            Err((_, refused)) => asking.offers(refused),
        };
        answer(planned, &offers, &from, &to, &not_compared)
    }
}

/// A plan, or the differences that no plan can be made of, with the reason.
type Planned = Result<Plan, (Vec<String>, BuildError)>;

/// Tables that go are shown, not asked about.
fn plan(options: &Options, from: &Schema, to: &Schema) -> Result<Planned, Failure> {
    let dropped_tables: Vec<String> = from
        .tables
        .iter()
        .filter(|table| to.table(&table.name).is_none())
        .map(|table| table.name.clone())
        .collect();
    let dialect = Dialect::named(&options.dialect).map_err(crate::pipeline::PipelineError::from)?;
    let planned = plan::build(&Request {
        from,
        to,
        dialect: &dialect,
        id: "000000000000",
        dropped_tables: &dropped_tables,
        direct: &[],
        nets: options.nets,
        keep: None,
    });
    match planned {
        Ok(plan) => Ok(Ok(plan)),
        Err(error) => {
            let deltas = diff::diff(from, to).map_err(BuildError::from)?;
            let lines = deltas.iter().map(ToString::to_string).collect();
            Ok(Err((lines, error)))
        }
    }
}

fn answer(
    planned: Planned,
    offers: &str,
    from: &Side,
    to: &Side,
    not_compared: &[Left],
) -> Result<Answer, Failure> {
    let outside = from.left_out.is_some() || to.left_out.is_some();
    let (mut text, mut object) = match planned {
        Ok(plan) => of_plan(&plan),
        Err((lines, error)) if outside => (
            format!(
                "{}\nno plan leads there: {error}{offers}\n",
                lines.join("\n")
            ),
            json!({ "changes": lines, "refused": format!("{error}{offers}") }),
        ),
        Err((_, error)) => {
            let mut failure = Failure::from(error);
            failure.message.push_str(offers);
            return Err(failure);
        }
    };
    if outside {
        let unmanaged = sides::unmanaged(from, to);
        if !unmanaged.is_empty() && text == NOTHING {
            text.clear();
        }
        listed(
            &mut text,
            "differs, and no version describes it",
            unmanaged.iter(),
        );
        listed(&mut text, "not compared", not_compared.iter());
        for (name, side, other) in [("from", from, to), ("to", to, from)] {
            let common = |left: &&Left| {
                !not_compared.contains(left)
                    && !other.left_out.iter().flatten().any(|other| other == *left)
            };
            let own = side.left_out.iter().flatten().filter(common);
            listed(&mut text, &format!("--{name} has besides"), own);
        }
        object["unmanaged"] = json!(unmanaged);
        object["not_compared"] = json!(not_compared);
        object["left_out"] = json!({ "from": from.left_out, "to": to.left_out });
    }
    Answer::done(text.trim_end(), object)
}

fn listed<'a>(text: &mut String, heading: &str, left: impl Iterator<Item = &'a Left>) {
    let mut left = left.peekable();
    if left.peek().is_some() {
        let _ = writeln!(text, "{heading}:");
    }
    for Left {
        what,
        object,
        reason,
    } in left
    {
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(": {reason}")
        };
        let _ = writeln!(text, "  {what} {object}{reason}");
    }
}

/// Change by change: its phases, and why each is needed. Then the steps, section by section.
fn of_plan(plan: &Plan) -> (String, Value) {
    let mut text = String::new();
    for change in &plan.explained {
        let _ = writeln!(text, "{}", change.line);
        for (phase, reasons) in &change.phases {
            let _ = writeln!(text, "  {}: {}", phase.name(), reasons.join("; "));
        }
    }
    if plan.explained.is_empty() {
        text.push_str(NOTHING);
    }
    if !plan.steps.is_empty() {
        text.push_str("steps\n");
    }
    let mut section = None;
    for step in &plan.steps {
        if section.replace(step.section) != Some(step.section) {
            let _ = writeln!(text, "  {}", step.section.folder());
        }
        let _ = writeln!(text, "    {}", step.action.summary);
    }
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| json!({ "section": step.section, "summary": step.action.summary, "source": step.source }))
        .collect();
    let explained: Vec<_> = plan.explained.iter().map(explained).collect();
    let object = json!({
        "changes": plan.changes, "explained": explained, "route": plan.route, "reversible": plan.reversible,
        "tables": plan.tables, "steps": steps, "reasons": plan.reasons, "phases": phases(plan),
    });
    (text, object)
}

fn explained(change: &Explained) -> Value {
    let phases = change.phases.iter();
    let phases: Vec<_> = phases
        .map(|(phase, reasons)| json!({ "phase": phase.name(), "reasons": reasons }))
        .collect();
    json!({ "kind": change.kind, "change": change.line, "route": change.route, "phases": phases })
}

/// The phases of all changes together, with their steps.
fn phases(plan: &Plan) -> Vec<Value> {
    let mut phases = Vec::new();
    for phase in Phase::ALL {
        let reasons = plan.reasons.iter();
        let reasons: Vec<&str> = reasons
            .filter(|(needed, _)| needed == phase.name())
            .map(|(_, reason)| reason.as_str())
            .collect();
        let steps = plan.steps.iter();
        let steps: Vec<&str> = steps
            .filter(|step| step.section.phase() == phase)
            .map(|step| step.action.summary.as_str())
            .collect();
        if !reasons.is_empty() || !steps.is_empty() {
            phases.push(json!({ "phase": phase.name(), "reasons": reasons, "steps": steps }));
        }
    }
    phases
}
