//! `finalize [MIGRATION]`: the code forgets the old names.

use serde_json::json;
use zdm_runtime::manifest::Manifest;

use super::project::{options, put};
use crate::choose;
use crate::context::Context;
use crate::error::Failure;
use crate::pipeline::Options;
use crate::terminal::Answer;
use crate::versions::History;

/// Regenerate the code without the old names, when the migration is complete everywhere
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm finalize --dry-run
  cargo zdm finalize users_full_name

Needs no database. Transition attributes are removed from the structs; commit the result, the second pull request.")]
pub(crate) struct Finalize {
    /// Number, folder, name or id; default: every migration in transition
    migration: Option<String>,
    /// Show which files would be written
    #[arg(long)]
    dry_run: bool,
}

impl Finalize {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let options = options(context, &context.project()?)?;
        let named = self
            .migration
            .map(|argument| folder_of(&options, &argument))
            .transpose()?;
        let finalized = crate::finalize(&options, named.as_deref())?;
        if finalized.versions.is_empty() {
            return Answer::done(
                "no migration is in transition",
                json!({ "finalized": [], "files": [] }),
            );
        }
        let (lines, files) = put(&finalized.files, &options, self.dry_run)?;
        let text = format!(
            "{}\n{lines}next: commit, and roll the code out once the migration is complete in every environment",
            finalized.versions.join(", ")
        );
        let object =
            json!({ "finalized": finalized.versions, "files": files, "dry_run": self.dry_run });
        Answer::done(text, object)
    }
}

/// The one word that the pipeline calls a migration by.
fn folder_of(options: &Options, argument: &str) -> Result<String, Failure> {
    let history = History::open(&options.root.join(&options.versions))?;
    let versions: Vec<&Manifest> = history.versions().iter().collect();
    Ok(versions[choose::named(&versions, argument)?].folder())
}
