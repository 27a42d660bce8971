//! `ci github | hook | pre-commit`: files that have the tool run by others.

use serde_json::json;

use super::project::utf8;
use crate::context::Context;
use crate::error::Failure;
use crate::files::{FileTree, read_if_there};
use crate::git::Git;
use crate::render::ci::{Kind, Known};
use crate::terminal::Answer;

/// Write a workflow for GitHub Actions, a hook for git, or the configuration of pre-commit
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm ci github
  cargo zdm ci hook --dry-run

The files are yours to change: one that is there is never overwritten.")]
pub(crate) struct Ci {
    /// github: .github/workflows/zdm.yml; hook: .git-hooks/pre-commit; pre-commit: .pre-commit-config.yaml
    #[arg(value_enum)]
    what: What,
    /// Show the file
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    Github,
    Hook,
    PreCommit,
}

impl Ci {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let project = context.project()?;
        let Some(dialect) = project.config.database.dialect.clone() else {
            return Err(Failure::usage(
                format!(
                    "{} does not say which database this is for",
                    crate::config::FILE
                ),
                "add dialect = \"postgres\" or dialect = \"sqlite\" under [database]",
            ));
        };
        let git = Git::around(&project.root).map_err(|error| {
            Failure::environment(
                error,
                "run it where git is installed, in a clone of the repository",
            )
            .safe("nothing has been written")
        })?;
        let folder = git.name(&project.root).unwrap_or_default();
        let known = Known {
            folder: if folder.is_empty() {
                ".".to_owned()
            } else {
                folder
            },
            dialect,
            url_env: project.config.database.url_env,
        };
        let kind = match self.what {
            What::Github => Kind::Github,
            What::Hook => Kind::Hook,
            What::PreCommit => Kind::PreCommit,
        };
        let text = kind
            .text(&known)
            .map_err(|error| Failure::environment(error, "please report this as a bug"))?;
        let root = utf8(git.root().to_owned())?;
        let path = root.join(kind.path());
        let found = read_if_there(&path)?;
        if found
            .as_deref()
            .is_some_and(|found| found != text.as_bytes())
        {
            return Err(Failure::usage(
                format!("{} is there already", kind.path()),
                format!("add to it what you want of this:\n\n{text}"),
            )
            .safe("nothing has been written"));
        }
        let written = found.is_none() && !self.dry_run;
        if written {
            let mut files = FileTree::default();
            files.insert(kind.path(), text.as_str());
            files.write(&root)?;
            if kind == Kind::Hook {
                may_run(&path)?;
            }
        }
        let next = match kind {
            Kind::Github => "next: read it, set the steps of your deploy, commit",
            Kind::Hook => {
                "next: `git config core.hooksPath .git-hooks`, once in every clone; commit it"
            }
            Kind::PreCommit => "next: `pre-commit install`, once in every clone; commit it",
        };
        let shown = match (self.dry_run, written) {
            (true, _) => format!("{}\n\n{text}\n{next}", kind.path()),
            (_, true) => format!("  new      {}\n{next}", kind.path()),
            _ => format!("{} is there as it would be written", kind.path()),
        };
        Answer::done(
            shown,
            json!({ "path": kind.path(), "text": text, "written": written, "dry_run": self.dry_run }),
        )
    }
}

/// git runs no hook that may not be executed.
#[cfg(unix)]
fn may_run(path: &camino::Utf8Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, executable).map_err(|error| {
        Failure::environment(
            format!("{path} cannot be made executable: {error}"),
            format!("chmod +x {path}"),
        )
    })
}

#[cfg(not(unix))]
fn may_run(_: &camino::Utf8Path) -> Result<(), Failure> {
    Ok(())
}
