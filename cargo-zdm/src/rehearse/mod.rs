//! `cargo zdm rehearse`: a version on a scratch database, with the code from before it and of it at once, under load, through every
//! phase and along every edge back.
//!
//! Comes in: the version. Goes out: a [`Report`]. The statements are those of generated code, executed by the runtime's own flags and
//! fence; the moves are those of the commands.

mod compare;
mod couple;
mod error;
mod fleet;
mod handle;
mod identity;
mod instance;
mod journey;
mod ledger;
mod like;
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
mod spell;
mod subject;
mod table;
mod tally;
mod value;
mod waits;
mod way;
mod work;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

pub(crate) use report::Report;

use crate::config::Policy;
use crate::context::Context;
use crate::error::Failure;
use crate::load::interrupted;
use crate::pipeline::rehearsed::{Form, Rehearsed};
use fleet::Fleet;
use journey::Journey;
use like::Likeness;
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
    /// A database whose row counts and values the rows are like.
    pub(crate) like: Option<String>,
    /// Leave everything behind.
    pub(crate) keep: bool,
    /// The same choices come with the same number.
    pub(crate) seed: u64,
}

/// What a rehearsal would do, and with which tables.
pub(crate) fn preview(
    rehearsed: Rehearsed,
    policy: &Policy,
    options: &Options,
) -> Result<(String, serde_json::Value), Failure> {
    let subject = Subject::of(rehearsed).map_err(meaning::MeaningError::from)?;
    let manifest = subject.rehearsed.manifest();
    let ramp = policy.ramp_shares()?;
    let steps = way::plan(
        manifest.route,
        (manifest.reversible, manifest.keep.is_some()),
        &ramp,
    );
    let tables: Vec<_> = { subject.tabs.iter() }
        .map(|tab| {
            let role = if tab.driven { "driven" } else { "referred to" };
            format!("{:<13} {} ({role})", "table", tab.name)
        })
        .collect();
    let left = subject.left.iter();
    let left = left.map(|left| format!("{:<13} {}: {}", "not driven", left.table, left.reason));
    let head = format!(
        "rehearsal of {} with {} rows of each table",
        manifest.folder(),
        options.rows
    );
    let all: Vec<_> = std::iter::once(head)
        .chain(tables)
        .chain(left)
        .chain(steps.clone())
        .collect();
    let object = serde_json::json!({
        "dry_run": true, "migration": manifest.folder(), "steps": steps, "not_driven": subject.left,
        "tables": subject.tabs.iter().map(|tab| &tab.name).collect::<Vec<_>>(),
    });
    Ok((all.join("\n"), object))
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
    let rows = match &options.like {
        None => vec![options.rows; subject.tabs.len()],
        Some(url) => {
            let like = like::look(subject, url, options.rows).await?;
            take(&shared, context, like)
        }
    };
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
        "{:<13} {} rows in {}",
        "start",
        counted.values().sum::<u64>(),
        counted.keys().cloned().collect::<Vec<_>>().join(", ")
    ));
    let waits = Waits::watch(Arc::clone(&shared)).await?;
    let end = journey.travel().await;
    drop(waits);
    let stopped = end.err();
    if stopped.is_none() {
        journey.fleet.end().await?;
    }
    let mut tally = shared.tally();
    Ok(Report::new(
        &mut tally,
        End {
            migration: subject.rehearsed.manifest().folder(),
            rows: counted,
            passed: std::mem::take(&mut journey.passed),
            edges: std::mem::take(&mut journey.edges),
            ended: journey.ended,
            stopped: stopped.map(|failure| failure.message),
            losses: shared.maker.losses(),
            not_driven: shared.left(),
            seed: options.seed,
            seconds: begun.elapsed().as_secs_f64(),
        },
    ))
}

/// Rows are made as they were seen elsewhere.
fn take(shared: &Shared, context: &Context, like: Likeness) -> Vec<u64> {
    for missing in like.missing {
        let told = format!(
            "{:<13} made as if nothing were known of it: {missing}",
            "like"
        );
        context.terminal.say(&told);
    }
    for (tab, columns) in like.seen.into_iter().enumerate() {
        for (column, seen) in columns.into_iter().enumerate() {
            if let Some(seen) = seen {
                shared.maker.take(tab, column, seen);
            }
        }
    }
    like.rows
}

/// Rows by table.
fn counted(shared: &Shared) -> BTreeMap<String, u64> {
    let tabs = shared.subject.tabs.iter().enumerate();
    tabs.map(|(at, tab)| (tab.name.clone(), shared.maker.stable(at) as u64))
        .collect()
}
