//! `demo`: the whole way of a migration under load, and the hidden command that its processes run.

use crate::context::Context;
use crate::demo::{self, Options, Plant};
use crate::error::{Failure, Kind};
use crate::terminal::Answer;

/// Go through all five phases on an embedded database while writers and readers run
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm demo
  cargo zdm demo --rows 100000 --database-url postgres://localhost/scratch

Every acknowledged write is compared with what is read back. Exit code 0 where nothing was lost, stale or refused, else 1.")]
pub(crate) struct Demo {
    /// Rows that are there before the migration
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1..=100_000_000))]
    rows: i64,
    /// Leave the demo's tables and files behind
    #[arg(long)]
    keep: bool,
    /// Have a process make a mistake that the demo must find
    #[arg(long, value_enum, hide = true)]
    plant: Option<Plant>,
    /// Kill every command of the migration once with SIGKILL, and a writer in every phase
    #[arg(long, hide = true)]
    kill: bool,
}

impl Demo {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let options = Options {
            rows: self.rows,
            database_url: context.named_database_url().map(str::to_owned),
            keep: self.keep,
            plant: self.plant,
            kill: self.kill,
        };
        let report = demo::run(&options, context.terminal).await?;
        let kind = (!report.is_clean()).then_some(Kind::Findings);
        Answer::ending(kind, report.text(), &report)
    }
}

/// A process of the demo: reads its assignment and its orders from its input
#[derive(Debug, clap::Args)]
#[command(
    hide = true,
    after_help = "Example:\n  started by `cargo zdm demo` only"
)]
pub(crate) struct Worker {}

impl Worker {
    pub(crate) async fn run(self) -> Result<Answer, Failure> {
        let Self {} = self;
        demo::work()
            .await
            .map_err(|error| Failure::environment(error, "see what the demo says about it"))?;
        Answer::done("", serde_json::json!({}))
    }
}
