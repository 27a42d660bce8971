//! `cargo zdm rehearse`: a version on a scratch database, with the code from before it and of it at once, under load, through every
//! phase and along every edge back.
//!
//! Comes in: the version. Goes out: a [`Report`]. The statements are those of generated code, executed by the runtime's own flags and
//! fence; the moves are those of the commands.

mod compare;
mod error;
mod fleet;
mod instance;
mod journey;
mod ledger;
mod line;
mod make;
mod meaning;
mod oracle;
mod project;
mod report;
mod repository;
mod scratch;
mod seed;
mod shape;
mod subject;
mod table;
mod tally;
mod value;
mod waits;
mod work;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

pub(crate) use report::Report;

use crate::config::Policy;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::load::interrupted;
use crate::pipeline::rehearsed::{Form, Rehearsed};
use fleet::Fleet;
use journey::Journey;
use make::Maker;
use meaning::Meaning;
use project::Project;
use report::End;
use scratch::Scratch;
use subject::Subject;
use waits::Waits;
use work::Shared;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Rows of each table at the start.
    pub(crate) rows: u64,
    /// The database to rehearse on; `None`: an embedded `SQLite` file.
    pub(crate) scratch_url: Option<String>,
    /// Leave everything behind.
    pub(crate) keep: bool,
    /// The same choices come with the same number.
    pub(crate) seed: u64,
}

/// Rehearses a version.
pub(crate) async fn run(
    context: &Context,
    rehearsed: Rehearsed,
    policy: &Policy,
    options: &Options,
) -> Result<Report, Failure> {
    let subject = Arc::new(Subject::of(rehearsed).map_err(meaning::MeaningError::from)?);
    let url = options.scratch_url.as_deref();
    let scratch = Scratch::prepare(url, &subject.rehearsed.options.dialect, options.keep).await?;
    context.terminal.say(&format!(
        "rehearsing {} on {}",
        subject.rehearsed.manifest().folder(),
        scratch.shown()
    ));
    let end = tokio::select! {
        end = rehearse(context, &subject, policy, options, &scratch.url) => end,
        () = interrupted() => Err(Failure::environment("the rehearsal was interrupted", "run it again")),
    };
    scratch.end().await?;
    end
}

async fn rehearse(
    context: &Context,
    subject: &Arc<Subject>,
    policy: &Policy,
    options: &Options,
    url: &str,
) -> Result<Report, Failure> {
    let begun = Instant::now();
    let project = Project::write(&subject.rehearsed)?;
    let meaning = Arc::new(Meaning::of(subject, url).await?);
    let columns = seed::columns(subject);
    let maker = Maker::new(Arc::clone(subject), Arc::clone(&meaning), columns);
    let shared = Arc::new(Shared::new(url, Arc::clone(subject), meaning, maker));
    let fleet = Fleet::new(Arc::clone(&shared), options.seed);
    let elsewhere = context.elsewhere(project.manifest(), url.to_owned());
    let mut journey = Journey::new(fleet, project, elsewhere, (policy, context.terminal));
    journey.arrive().await?;
    let rows: Vec<u64> = subject.tabs.iter().map(|_| options.rows).collect();
    {
        let first = journey.fleet.instance(Form::Old).await?;
        for (at, reason) in seed::seed(&shared, &first, &rows, options.seed).await? {
            shared.leave(at, reason);
        }
        first.zdm.close().await.map_err(error::WorkError::from)?;
    }
    shared.tally().begin();
    let counted = counted(&shared);
    context.terminal.say(&format!(
        "{:<13} {} rows in {} tables",
        "start",
        counted.values().sum::<u64>(),
        counted.len()
    ));
    let waits = Waits::watch(Arc::clone(&shared)).await?;
    let end = journey.travel().await;
    drop(waits);
    let stopped = match end {
        Ok(()) => None,
        Err(failure) => Some(failure),
    };
    if stopped.is_none() {
        journey.fleet.end().await?;
    }
    let mut tally = shared.tally();
    if let Some(failure) = &stopped
        && !tally.has_findings()
        && failure.kind == Kind::Environment
        && failure.message.contains("interrupted")
    {
        return Err(failure.clone());
    }
    Ok(Report::new(
        &mut tally,
        End {
            migration: subject.rehearsed.manifest().folder(),
            rows: counted,
            passed: std::mem::take(&mut journey.passed),
            edges: std::mem::take(&mut journey.edges),
            no_way_back: std::mem::take(&mut journey.no_way_back),
            ended: journey.ended,
            stopped: stopped.map(|failure| failure.message),
            losses: shared.maker.losses(),
            not_driven: shared.left(),
            seed: options.seed,
            seconds: begun.elapsed().as_secs_f64(),
        },
    ))
}

/// Rows by table.
fn counted(shared: &Shared) -> BTreeMap<String, u64> {
    let tabs = shared.subject.tabs.iter().enumerate();
    tabs.map(|(at, tab)| (tab.name.clone(), shared.maker.stable(at) as u64))
        .collect()
}
