//! `rehearse [MIGRATION]`: a version under load on a scratch database.

use serde_json::json;
use zdm_runtime::manifest::Manifest;

use crate::choose;
use crate::commands::project::options;
use crate::context::{Context, Project};
use crate::error::{Failure, Kind};
use crate::pipeline::rehearsed;
use crate::rehearse::{self, Options};
use crate::terminal::Answer;
use crate::versions::{History, State};

/// Go through a version on a scratch database: old and new code at once, under load, every phase, every way back
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm rehearse
  cargo zdm rehearse users_full_name --scratch-url postgres://localhost/scratch

The scratch database has to be empty; no other is written. Exit code 0 where nothing was lost, stale or failed, else 1.")]
pub(crate) struct Rehearse {
    /// Number, folder, name or id; default: the last version
    migration: Option<String>,
    /// An empty database to rehearse on; default for SQLite: a file in a temporary folder
    #[arg(long, value_name = "URL")]
    scratch_url: Option<String>,
    /// A database that the rows are like: how many there are, and how their values look. It is only read
    #[arg(long, value_name = "URL")]
    like: Option<String>,
    /// Rows of each table at the start; with --like, of the largest
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rows: u64,
    /// The same choices again
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Leave the scratch database as it is in the end
    #[arg(long)]
    keep: bool,
    /// End with exit code 0 where the version is one that cannot be rehearsed, and say why: the first one, one whose code is
    /// final, one that calls a function of the application
    #[arg(long)]
    if_possible: bool,
    /// Show the tables and the steps, touch no database
    #[arg(long)]
    dry_run: bool,
}

impl Rehearse {
    /// The application's own database is never rehearsed on. Elsewhere `--database-url` names it; here it can only mean the scratch.
    fn scratch(&self, context: &Context, project: &Project) -> Result<Option<String>, Failure> {
        let named = context.named_database_url().map(str::to_owned);
        if let (Some(scratch), Some(named)) = (&self.scratch_url, &named)
            && scratch != named
        {
            return Err(Failure::usage(
                "--scratch-url and --database-url name two databases",
                "name the empty one, by --scratch-url",
            ));
        }
        let scratch = self.scratch_url.clone().or(named);
        let variable = &project.config.database.url_env;
        if scratch.is_some() && scratch == std::env::var(variable).ok() {
            return Err(Failure::usage(
                format!("that is the application's own database, the one that {variable} names"),
                "name another one, which is empty, by --scratch-url",
            )
            .safe("nothing was changed"));
        }
        Ok(scratch)
    }

    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let project = context.project()?;
        let options = options(context, &project)?;
        let scratch_url = self.scratch(context, &project)?;
        let history = options.history()?;
        let manifests: Vec<_> = history.versions().iter().collect();
        let place = match &self.migration {
            Some(argument) => choose::named(&manifests, argument)?,
            None => manifests.len().checked_sub(1).ok_or_else(|| {
                Failure::usage(
                    "there is no version to rehearse",
                    "run `cargo zdm generate`",
                )
            })?,
        };
        let version = manifests[place];
        if let Some(impossible) = impossible(version, place, &history) {
            return if self.if_possible {
                passed_over(version, &impossible)
            } else {
                Err(impossible)
            };
        }
        let rehearsed = rehearsed::rehearsed(&options, place)?;
        let wanted = Options {
            rows: self.rows,
            scratch_url,
            like: self.like,
            keep: self.keep,
            seed: self.seed,
        };
        if self.dry_run {
            let (text, object) = rehearse::preview(rehearsed, &project.config.policy, &wanted)?;
            return Answer::done(text, object);
        }
        let report = Box::pin(rehearse::run(
            context,
            rehearsed,
            &project.config.policy,
            &wanted,
        ))
        .await?;
        let kind = (!report.is_clean()).then_some(Kind::Findings);
        Answer::ending(kind, report.text(), &report)
    }
}

/// What a version is that no rehearsal can go through, whatever the database.
fn impossible(version: &Manifest, place: usize, history: &History) -> Option<Failure> {
    if place == 0 {
        return Some(Failure::usage(
            format!(
                "{} is the first version: no code runs before it",
                version.folder()
            ),
            "change a struct and run `cargo zdm generate`, then rehearse that version",
        ));
    }
    if version.route.has_final_code() && history.code().of(&version.id) == Some(State::Final) {
        return Some(Failure::usage(
            format!(
                "the code of {} is final: what says how old becomes new is gone from the structs",
                version.folder()
            ),
            "rehearse a version before `cargo zdm finalize`",
        ));
    }
    let mut backfills = version.backfills.iter();
    let computed = backfills.find_map(|backfill| backfill.computed.as_ref())?;
    Some(
        Failure::usage(
            format!(
                "{} calls {}, a function of the application, which a rehearsal does not have",
                version.folder(),
                computed.function
            ),
            "rehearse it in a test of the application: `cargo zdm advance` up to the backfill on a scratch database, then the generated \
             `backfill` of the version, then `advance` again",
        )
        .safe("nothing was changed"),
    )
}

fn passed_over(version: &Manifest, impossible: &Failure) -> Result<Answer, Failure> {
    let reason = &impossible.message;
    Answer::done(
        format!("not rehearsed: {reason}\n  {}", impossible.next),
        json!({ "migration": version.folder(), "rehearsed": false, "reason": reason }),
    )
}
