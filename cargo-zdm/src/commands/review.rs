//! `review [MIGRATION] [--pr]`: a version's review page, or the pull request that holds it.

use zdm_runtime::manifest::{Manifest, Route};
use zdm_runtime::migration::Migration;

use super::pull_request;
use crate::choose;
use crate::context::Context;
use crate::error::Failure;
use crate::terminal::Answer;

/// The page in a version's folder.
const PAGE: &str = "README.md";
/// Where the page tells what to run.
const RUNBOOK: &str = "## Runbook\n\n";

/// Print the review page of a version as Markdown: values, phases, locks, undo, runbook, gates
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm review
  cargo zdm review users_full_name | gh pr comment --body-file -
  cargo zdm review --pr --dry-run

--pr makes the branch zdm/<version's folder> from where you are and commits there what `generate` has written and the
changed files of models, nothing else. The body is written beside, the commands that push and open the request are printed.
Nothing is pushed.")]
pub(crate) struct Review {
    /// Number, folder, name or id; default: the last version
    migration: Option<String>,
    /// Make a branch, a commit and the body of a pull request, with git
    #[arg(long)]
    pr: bool,
    /// Show what would be committed, and the body
    #[arg(long, requires = "pr")]
    dry_run: bool,
}

impl Review {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let project = context.project()?;
        let versions = project.versions();
        let migrations = Migration::load_all(&versions)?;
        let manifests: Vec<&Manifest> = migrations.iter().map(Migration::manifest).collect();
        let place = choose::named_or_last(&manifests, self.migration.as_deref())?;
        let Some(manifest) = place.and_then(|place| manifests.get(place)) else {
            return Answer::done(
                "there is no version yet: run `cargo zdm generate`",
                serde_json::json!({ "migration": null }),
            );
        };
        let folder = manifest.folder();
        let path = versions.join(&folder).join(PAGE);
        let page = std::fs::read_to_string(&path).map_err(|error| {
            Failure::environment(
                format!("{} cannot be read: {error}", path.display()),
                "restore it from version control, or run `cargo zdm generate`",
            )
        })?;
        let page = match asked(manifest, project.config.policy.approvals) {
            Some(asked) => agreed(&page, manifest, &asked),
            None => page,
        };
        if self.pr {
            return pull_request::run(context, &project, manifest, &page, self.dry_run);
        }
        let object = serde_json::json!({ "migration": folder, "id": manifest.id, "page": page });
        Answer::done(page.clone(), object)
    }
}

/// What the project asks for beside the page, which knows no `[policy]`: that people agree before old goes.
fn asked(manifest: &Manifest, approvals: u32) -> Option<String> {
    if approvals == 0 || manifest.route == Route::Direct {
        return None;
    }
    let people = match approvals {
        1 => "somebody other than who runs it agrees".to_owned(),
        more => format!("{more} people other than who runs it agree"),
    };
    let again = match manifest.keep {
        Some(_) => {
            " Contract asks for that, and so does the drop of what was kept; one approval is for both, unless the migration is rolled \
             back in between."
        }
        None => "",
    };
    Some(format!(
        "Contract waits until {people} (`approvals = {approvals}` below `[policy]`).{again}\n\n",
    ))
}

/// The page with what is asked for, and the command among the others, where it has something to agree to: before contract.
fn agreed(page: &str, manifest: &Manifest, asked: &str) -> String {
    let page = page.replacen(RUNBOOK, &format!("{RUNBOOK}{asked}"), 1);
    let contracts = |line: &str| {
        line.starts_with(&format!("cargo zdm contract {}", manifest.name))
            || line.starts_with("cargo zdm advance") && line.contains("# contract,")
    };
    let start = page.find(RUNBOOK).unwrap_or(page.len());
    let Some(line) = page[start..].lines().find(|line| contracts(line)) else {
        return page;
    };
    let approve = format!(
        "cargo zdm approve {}   # before contract, by each of them\n{line}",
        manifest.name
    );
    let (before, runbook) = page.split_at(start);
    format!("{before}{}", runbook.replacen(line, &approve, 1))
}
