//! `generate [NAME]`: a version of SQL where the structs have changed, and the Rust code.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use zdm_runtime::manifest::SmallTable;

use super::direct::Asking;
use super::fate::asked;
use super::measured;
use super::project::{options, put};
use crate::choose;
use crate::context::{Context, shown_url};
use crate::error::Failure;
use crate::pipeline::{Draft, Mode, Options, PipelineError};
use crate::terminal::Answer;

/// Generate five reviewed phases of SQL, the Rust code and the review page from the structs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm generate
  cargo zdm generate users_full_name
  cargo zdm generate --amend            the last version again, before it is merged
  cargo zdm generate --database-url postgres://reader@db/shop
                                        count there first what cannot be converted and what is lost

Needs no database. Run it after every change of a struct, and commit what it writes. A rename
that nobody declared is never guessed: on a terminal it asks and writes the answer into the
struct, else it stops.

With --database-url every conversion that is not built in is tried on the rows of its table before
anything is written; the variable of zdm.toml does not count. One query per column reads the table
once, in a transaction that can write nothing and is rolled back. It ends after --count-timeout;
what was not counted says why. Rows that cannot be converted stop the command with exit code 1
where no `on_invalid` says what becomes of them. The review page names what was found: numbers and
keys, no values.

Some changes would write a whole table anew while nobody can use it, and are refused for that alone. Where
the table is empty or tiny on the database of --database-url (`direct_rows` and `direct_bytes` below [policy]
in zdm.toml), --direct TABLE does it in one step of expand. That step counts again under its own lock, and
changes nothing where the table has outgrown the limit.")]
pub(crate) struct Generate {
    /// The version's name; default: after what changes
    name: Option<String>,
    /// Generate the last version again, under the same id; it must not be merged
    #[arg(long, conflicts_with = "rebase")]
    amend: bool,
    /// Put your version behind the one that was merged first; NAME says which is yours
    #[arg(long)]
    rebase: bool,
    /// Agree to drop a table whose struct is gone; may be given more than once
    #[arg(long, value_name = "TABLE")]
    drop_table: Vec<String>,
    /// Write this table anew at once where a change needs that; it has to be small on the database named by --database-url; may
    /// be given more than once
    #[arg(long, value_name = "TABLE")]
    direct: Vec<String>,
    /// Let contract drop old at once in this version, although `keep` in zdm.toml asks for a way back; `--amend` keeps to it
    #[arg(long)]
    no_keep: bool,
    /// How long counting on the database may take, per column
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = humantime::parse_duration)]
    count_timeout: Duration,
    /// What the version starts from: the last version, which is the default
    #[arg(long, value_name = "SIDE")]
    from: Option<String>,
    /// What the version ends with: `models`, which is the default
    #[arg(long, value_name = "SIDE")]
    to: Option<String>,
    /// Show which files would be written
    #[arg(long)]
    dry_run: bool,
}

/// What a database told before anything was written.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Indented lines for people; empty where no database was named.
    pub(super) lines: String,
    /// One object per pair for programs; NULL where no database was named.
    pub(super) object: Value,
}

impl Generate {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let project = context.project()?;
        let mut options = options(context, &project)?;
        options.name.clone_from(&self.name);
        options.dropped_tables.clone_from(&self.drop_table);
        options.no_keep = self.no_keep;
        options.mode = match (self.amend, self.rebase) {
            (true, _) => Mode::Amend,
            (_, true) => Mode::Rebase,
            _ => Mode::Append,
        };
        self.refuse_sides(&options)?;
        let dialect = options.dialect.clone();
        let asking = Asking {
            context,
            policy: &project.config.policy,
            dialect: &dialect,
            deadline: self.count_timeout,
        };
        options.direct = asking.named(&self.direct)?;
        let mut answered = false;
        let drafted = self.draft(asking, &options, &mut answered);
        let (draft, told) = drafted.map_err(|failure| {
            if answered {
                failure.safe("your answers stand in the structs; nothing else has been written")
            } else {
                failure
            }
        })?;
        let generated = draft.finish(&options)?;
        let (lines, files) = put(&generated.files, &options, self.dry_run)?;
        let version = generated.version.map(|(manifest, _)| manifest);
        let text = match &version {
            None if files.is_empty() => "nothing has changed".to_owned(),
            None => format!("the structs are as the last version left them\n{lines}"),
            Some(version) => {
                let changes = version.changes.join("\n  ");
                let folder = version.folder();
                let page = options.versions.join(&folder).join("README.md");
                let direct = at_once(&options.direct);
                format!(
                    "{folder}\n  {changes}\n{direct}{}{lines}next: review {page}, commit, and open the pull request",
                    told.lines
                )
            }
        };
        let undeclared = generated.undeclared;
        let text = match &undeclared {
            None => text,
            Some(missing) => format!(
                "{text}\n{} has no module for the code, so it is no part of the crate: add\n{}",
                missing.file, missing.line
            ),
        };
        let undeclared =
            undeclared.map(|missing| json!({ "file": missing.file, "line": missing.line }));
        let version = version.map(|version| {
            json!({
                "folder": version.folder(), "id": version.id, "route": version.route,
                "reversible": version.reversible, "changes": version.changes,
            })
        });
        Answer::done(
            text,
            json!({
                "version": version, "measured": told.object, "direct": options.direct, "files": files, "undeclared": undeclared,
                "dry_run": self.dry_run,
            }),
        )
    }
    /// A version leads from the one before it to the structs, wherever it is executed.
    fn refuse_sides(&self, options: &Options) -> Result<(), Failure> {
        let refused = |problem: String, next: &str| {
            Err(Failure::usage(problem, next).safe("nothing has been written"))
        };
        if let Some(to) = self.to.as_deref().filter(|to| *to != "models") {
            return refused(
                format!(
                    "--to {}: the code is generated for the structs, so a version ends with them",
                    shown_url(to)
                ),
                "change the structs to what you want, or look at the way with `cargo zdm diff --to …`",
            );
        }
        let Some(from) = &self.from else {
            return Ok(());
        };
        let history = options.history()?;
        let versions: Vec<_> = history.versions().iter().collect();
        let last = versions.len().checked_sub(1);
        if last.is_some() && choose::named(&versions, from).ok() == last {
            return Ok(());
        }
        refused(
            format!(
                "--from {}: every database goes from the last version to the next, so a version that starts elsewhere would fail on all others",
                shown_url(from)
            ),
            "to adopt what one database has beyond the versions, see it with `cargo zdm diff --from … --to models`, write it into the structs, `cargo zdm generate`, and bring that database back to the last version before it is expanded; a database without any version is taken over with `cargo zdm import` or `cargo zdm init --baseline`",
        )
    }

    /// The plan, with what somebody on a terminal and the database have told.
    fn draft(
        &self,
        asking: Asking<'_>,
        options: &Options,
        answered: &mut bool,
    ) -> Result<(Draft, Told), Failure> {
        let context = asking.context;
        let mut draft = loop {
            match crate::draft(options) {
                Ok(draft) => break draft,
                Err(stopped) if !self.dry_run && asked(context, options, &stopped)? => {
                    *answered = true;
                }
                Err(stopped) => {
                    let offers = match &stopped {
                        PipelineError::Plan(refused) => asking.offers(refused),
                        _ => String::new(),
                    };
                    let mut failure = Failure::from(stopped);
                    failure.message.push_str(&offers);
                    return Err(failure);
                }
            }
        };
        asking.compute(&draft)?;
        let told = measured::record(context, &mut draft, self.count_timeout)?;
        Ok((draft, told))
    }
}

/// The tables whose rows the version goes through at once.
fn at_once(direct: &[SmallTable]) -> String {
    let mut lines = String::new();
    for small in direct {
        let (table, held) = (&small.table, small.held());
        let _ = writeln!(lines, "  {table} holds {held}: done at once");
    }
    lines
}
