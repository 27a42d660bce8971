//! `references [TABLE.COLUMN]`: what names a column past the generated code.

use std::fmt::Write as _;

use serde_json::json;

use super::project::options;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::pipeline::Named;
use crate::terminal::Answer;

/// Find the queries that name a migrating column by hand, past the generated code
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm references
  cargo zdm references users.age --format json

Needs no database. Looks through string literals, the queries of sqlx and diesel, included SQL files and diesel's schema, tests and examples
too. Exit code 1 where something was found.")]
pub(crate) struct References {
    /// TABLE.COLUMN or TABLE; default: every column and table that a version takes away, and the new columns of those in transition
    name: Option<String>,
}

impl References {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let options = options(context, &context.project()?)?;
        let found = crate::references(&options, self.name.as_deref())?;
        let mut text = String::new();
        for named in &found.named {
            let _ = write!(text, "{}:{}: {}", named.place(), named.at, named.message);
            text.push_str(remark(named));
            let _ = write!(text, "\n  {}\n", named.text);
            if let Some(next) = named.next.as_ref().filter(|_| named.counts()) {
                let _ = writeln!(text, "  next: {next}");
            }
        }
        if let Some(unknown) = &found.unknown {
            let _ = writeln!(text, "no version knows of {unknown}");
        }
        if found.named.is_empty() {
            match &found.looked_for[..] {
                [] => text.push_str("no version takes anything away: there is nothing to look for"),
                names => {
                    let _ = write!(text, "nothing names {} by hand", names.join(", "));
                }
            }
        }
        let kind = (!found.named.is_empty()).then_some(Kind::Findings);
        let object = json!({ "references": found.named, "looked_for": found.looked_for });
        Answer::ending(kind, text, object)
    }
}

/// Why it does not keep anybody from anything.
fn remark(named: &Named) -> &'static str {
    match (named.aside, named.allowed) {
        (_, true) => " (allowed by a comment)",
        (true, false) => " (in tests or examples)",
        (false, false) => "",
    }
}
