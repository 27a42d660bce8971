//! `init [--baseline]`: `zdm.toml`, `mod zdm;` and the first version.

use std::path::Path;

use serde_json::json;

use super::project::{options, put, utf8};
use crate::config::{self, Config, FILE};
use crate::context::{Context, Project};
use crate::error::Failure;
use crate::files::{FileTree, finish};
use crate::pipeline::Options;
use crate::terminal::Answer;

/// What comes after a baseline.
pub(super) const BASELINE_NEXT: &str =
    "next: commit, then `cargo zdm expand` on each database records the tables as they are";

/// Set a crate up: zdm.toml, `mod zdm;` and the first version from the structs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm init --dialect postgres
  cargo zdm init --dialect sqlite --baseline      the tables exist already

Needs no database; with --database-url or DATABASE_URL the dialect follows from its scheme.")]
pub(crate) struct Init {
    /// The tables exist already: record them as applied instead of creating them
    #[arg(long)]
    baseline: bool,
    /// postgres or sqlite
    #[arg(long, value_parser = ["postgres", "sqlite"])]
    dialect: Option<String>,
    /// Show which files would be written
    #[arg(long)]
    dry_run: bool,
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        if let Some(finished) = finished(context)? {
            return Ok(finished);
        }
        let file = context.folder()?.join(FILE);
        let is_there = file.exists();
        let mut config = if is_there {
            config::read(&file)?
        } else {
            Config::default()
        };
        let dialect = match &config.database.dialect {
            Some(dialect) => dialect.clone(),
            None => self.dialect(context)?,
        };
        config.database.dialect = Some(dialect.clone());
        let options = first_version(context, config, self.baseline)?;
        let mut generated = crate::generate(&options)?;
        if !is_there {
            generated.files.insert(FILE, text(&dialect));
        }
        keep_line_endings(&mut generated.files, &options);
        let (lines, files) = put(&generated.files, &options, self.dry_run)?;
        let next = if generated.version.is_none() {
            "next: derive `Migratable` on a struct, then `cargo zdm generate` writes the first version"
        } else if self.baseline {
            BASELINE_NEXT
        } else {
            "next: commit, then `cargo zdm expand` creates the tables"
        };
        let object = json!({
            "dialect": dialect, "baseline": self.baseline, "files": files, "dry_run": self.dry_run,
            "version": generated.version.map(|(manifest, _)| manifest.folder()),
        });
        Answer::done(format!("{lines}{next}"), object)
    }

    fn dialect(&self, context: &Context) -> Result<String, Failure> {
        let of_url = |url: &str| match url.split(':').next() {
            Some("postgres" | "postgresql") => Some("postgres".to_owned()),
            Some("sqlite") => Some("sqlite".to_owned()),
            _ => None,
        };
        let url = context
            .database_url(&Config::default())
            .ok()
            .and_then(|url| of_url(&url));
        self.dialect.clone().or(url).ok_or_else(|| {
            Failure::usage(
                "for which database is SQL to be written?",
                "give --dialect postgres or --dialect sqlite",
            )
        })
    }
}

/// Git's rule for files that are compared byte for byte.
const AS_COMMITTED: &str =
    "# These files are compared byte for byte, so git leaves their line endings alone.\n* -text\n";

/// What an earlier command was killed at is ended first; that is all this run does then.
pub(super) fn finished(context: &Context) -> Result<Option<Answer>, Failure> {
    if !finish(&utf8(context.folder()?)?)? {
        return Ok(None);
    }
    let text = "an earlier command was interrupted; what it had written is in place now";
    Answer::done(text, json!({ "finished": true })).map(Some)
}

/// A crate is set up once.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn refuse_project(context: &Context) -> Result<(), Failure> {
    let file = context.folder()?.join(FILE);
    if !file.exists() {
        return Ok(());
    }
    Err(Failure::usage(
        format!("{} is there already", file.display()),
        "run `cargo zdm generate`; to begin anew, remove the file and the versions' folder first",
    )
    .safe("nothing has been written"))
}

/// The pipeline's options for the first version of a crate that is being set up.
pub(super) fn first_version(
    context: &Context,
    config: Config,
    baseline: bool,
) -> Result<Options, Failure> {
    let project = Project {
        root: context.folder()?,
        config,
    };
    refuse_versions(&project.versions())?;
    let mut options = options(context, &project)?;
    options.name = Some(if baseline { "baseline" } else { "init" }.to_owned());
    options.baseline = baseline;
    options.add_module = true;
    Ok(options)
}

/// The rule, in the folders that it is for.
pub(super) fn keep_line_endings(files: &mut FileTree, options: &Options) {
    for folder in [&options.versions, &options.code] {
        files.insert(folder.join(".gitattributes"), AS_COMMITTED);
    }
}

fn refuse_versions(versions: &Path) -> Result<(), Failure> {
    if !versions.exists() {
        return Ok(());
    }
    Err(Failure::usage(
        format!("{} is there already", versions.display()),
        "run `cargo zdm generate`; to begin anew, remove the folder first",
    )
    .safe("nothing has been written"))
}

/// `zdm.toml`
pub(super) fn text(dialect: &str) -> String {
    format!(
        "[database]
dialect = \"{dialect}\"
url_env = \"DATABASE_URL\"

[generate]
# models = [\"src/models.rs\"]    # default: every module of the crate
code = \"src/zdm\"
versions = \"zdm\"
# client = \"diesel-async\"      # PostgreSQL: whose types the repositories speak, else sqlx's
# templates = \"zdm/templates\"   # your own in place of built-in ones: `cargo zdm templates eject`
# tests = true                  # tests of each migration in transition, run by `cargo test`
# dual_write = \"both\"          # PostgreSQL: triggers keep both sides for writers outside the application

[policy]
soak = \"1d\"                     # before writes leave old, and before old is dropped
ramp = [\"1%\", \"10%\", \"50%\", \"100%\"]
# ramp_by = \"instance\"          # the ramp's are shares of the instances, not of the keys
# step_back = 10                # so many rows that differ make advance take all reads back to old
ramp_dwell = \"10m\"              # how long `advance` stays on each share
# instances = 2                 # how many run at least: nothing moves while fewer are seen
# approvals = 1                 # people who `approve` that old is dropped, beside whoever runs `contract`
# backup_hook = \"make backup\"   # its success stands for a backup, before contract
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_is_written_says_what_the_defaults_are() {
        let written: Config = toml::from_str(&text("sqlite")).unwrap();
        let mut expected = Config::default();
        expected.database.dialect = Some("sqlite".to_owned());
        assert_eq!(written, expected);
    }
}
