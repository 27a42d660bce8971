//! `cargo zdm demo`: the whole way of a migration on a database of its own, under load.
//!
//! Comes in: how many rows, which database. Goes out: lines about what each phase proved, and a [`Report`].
//! Writers and readers are processes that run the code which `cargo zdm generate` wrote ([`app`]); the migration is moved by
//! the command line's own commands; an oracle in the same database tells what every read must return.

pub(crate) mod app;
mod command;
mod error;
mod fleet;
mod journey;
mod ledger;
mod message;
mod oracle;
mod person;
mod project;
mod report;
mod repository;
mod seed;
mod show;
mod tally;
mod target;
mod worker;

use std::time::{Duration, Instant};

use zdm_runtime::database::Connection;

pub(crate) use message::Plant;
pub(crate) use report::Report;
pub(crate) use worker::work;

use crate::error::Failure;
use crate::load::interrupted;
use crate::terminal::Terminal;
use command::Commands;
use error::DemoError;
use fleet::Fleet;
use journey::Journey;
use project::Project;
use show::Show;
use target::Target;

/// How long the demo's load waits for the one write lock of `SQLite`, which is not handed over in the order of asking.
const PATIENT: Duration = Duration::from_mins(1);

/// What the demo is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Rows that are there at the start.
    pub(crate) rows: i64,
    /// The database; `None`: an embedded `SQLite` file.
    pub(crate) database_url: Option<String>,
    /// Leave the tables and files behind.
    pub(crate) keep: bool,
    /// A mistake to make.
    pub(crate) plant: Option<Plant>,
    /// Kill every command once, and a writer in every phase.
    pub(crate) kill: bool,
}

/// Runs the demo.
pub(crate) async fn run(options: &Options, terminal: Terminal) -> Result<Report, Failure> {
    let mut target = Target::prepare(options.database_url.as_deref())
        .await
        .map_err(|error| error.failure(shown(options)))?;
    let shown = target.shown();
    let end = stay(options, &mut target, terminal).await;
    end.map_err(|error| error.failure(&shown))
}

/// The way, and the clean-up whatever its end.
async fn stay(
    options: &Options,
    target: &mut Target,
    terminal: Terminal,
) -> Result<Report, DemoError> {
    let project = Project::write(target.dialect)?;
    let migrations = project.migrations()?;
    let five_phases = migrations.last().cloned().unwrap_or_default();
    let end = travel(options, target, project, five_phases, terminal).await;
    if options.keep {
        terminal.say(&format!("left behind as asked: {}", target.shown()));
        target.keep();
    } else {
        target.clean(&migrations).await?;
    }
    end
}

fn shown(options: &Options) -> &str {
    match &options.database_url {
        Some(_) => "the database that --database-url names",
        None => "an embedded SQLite file",
    }
}

/// The way itself. Whatever its end, no process is left behind.
async fn travel(
    options: &Options,
    target: &Target,
    project: Project,
    migration: String,
    terminal: Terminal,
) -> Result<Report, DemoError> {
    let begun = Instant::now();
    let connection = Connection::open(&target.url).await?;
    let commands = Commands::new(project, &target.url, options.kill)?;
    let mut journey = Journey {
        fleet: Fleet::new(&target.url, options.rows)?,
        commands,
        show: Show::new(terminal),
        connection,
        migration,
        rows: options.rows,
        plant: options.plant,
        kill: options.kill,
        passed: Vec::new(),
    };
    let end = tokio::select! {
        end = journey.travel() => end,
        () = interrupted() => Err(DemoError::Interrupted),
    };
    if let Err(DemoError::Shut { .. }) = end {
        journey.count_differences().await?;
    }
    journey.show.end();
    let report = Report::new(
        &journey.fleet.tally(),
        &journey.passed,
        options.rows,
        begun.elapsed(),
    );
    journey.fleet.end().await;
    match end {
        Ok(()) => Ok(report),
        // What was found explains why the way ended early.
        Err(error) if report.has_findings() => {
            terminal.say(&format!("stopped: {error}"));
            Ok(report)
        }
        Err(error) => Err(error),
    }
}
