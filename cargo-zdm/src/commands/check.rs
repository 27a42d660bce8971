//! `check`: for CI: nothing stale, nothing edited, nothing forgotten.

use std::fmt::Write as _;

use serde_json::json;

use super::project::options;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::pipeline::templates;
use crate::terminal::Answer;

/// Check that what is generated fits the structs and that no version was edited: for CI
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cargo zdm check --format json

Needs no database. Exit code 1 where something was found.")]
pub(crate) struct Check {}

impl Check {
    pub(crate) fn run(context: &Context) -> Result<Answer, Failure> {
        let options = options(context, &context.project()?)?;
        let findings = crate::check(&options)?;
        let overrides = templates::read(&options)?;
        let same: Vec<_> = templates::same(&overrides).collect();
        let mut text = String::new();
        for finding in &findings {
            let place = if finding.place.is_empty() {
                String::new()
            } else {
                format!("{}: ", finding.place)
            };
            let _ = writeln!(
                text,
                "{}: {place}{}\n  next: {}",
                finding.kind, finding.message, finding.next
            );
        }
        for path in &same {
            let _ = writeln!(
                text,
                "note: {path}: it says what the built-in template says, so it can go"
            );
        }
        if findings.is_empty() {
            text.push_str("everything is as it would be generated now");
        }
        let kind = (!findings.is_empty()).then_some(Kind::Findings);
        Answer::ending(
            kind,
            text,
            json!({ "findings": findings, "superfluous_templates": same }),
        )
    }
}
