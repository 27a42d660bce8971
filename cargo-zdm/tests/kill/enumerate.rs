//! Every command of the way at every moment at which it can be killed.
//!
//! Comes in: a kind of database that knows how to leave a command's work at a moment. Goes out: a failed assertion, or
//! nothing. Must not know: how a command is killed.

use std::process::{Output, Stdio};

use zdm_runtime::database::Connection;

use crate::code::{Problem, Version, Visit, visit};
use crate::likeness;
use crate::rows::Rows;
use crate::way::{Act, Step};

/// How much of a line that differs is shown.
const WIDTH: usize = 160;

/// A moment at which a command can be killed.
#[derive(Debug)]
pub(crate) struct Moment {
    /// Counted as the site counts.
    pub(crate) at: usize,
    /// What would have happened next.
    pub(crate) before: String,
    /// A transaction is open: the kill takes everything back to the last moment outside of one.
    pub(crate) inside: bool,
}

/// A database at one place of the way, which can be copied.
pub(crate) trait Site {
    /// The database at this place.
    fn url(&self) -> String;

    /// Runs a command on a copy to its end; the copy, and the moments at which the command could have been killed: before
    /// it did anything, …, when all was done.
    async fn passed(&mut self, act: &Act) -> (String, Vec<Moment>);

    /// A copy on which the command was killed at that moment, and whoever worked for it is gone.
    async fn killed(&mut self, act: &Act, moment: &Moment) -> String;

    /// Runs a command here and kills it as soon as what it does is on record: when the audit log holds an entry more, in
    /// the middle of its work. `false`: it came to its end, and nothing was left to do.
    async fn killed_at_the_next_entry(&mut self, act: &Act) -> bool;

    /// Throws a copy away.
    async fn forget(&mut self, url: &str);

    /// Goes on from the copy on which the last command passed.
    async fn go_on(&mut self);
}

/// Travels two parts of the way, and enumerates on the second.
pub(crate) async fn travel(site: &mut impl Site, before: &[Step], enumerated: &[Step]) {
    let mut rows = Rows::default();
    let mut problems = Vec::new();
    let here = before.iter().map(|step| (step, false));
    for (step, kills) in here.chain(enumerated.iter().map(|step| (step, true))) {
        match step {
            Step::Seed => {
                let (seed, sql) = Rows::seed();
                rows = seed;
                let mut connection = Connection::open(&site.url()).await.unwrap();
                connection.run_file(&sql).await.unwrap();
            }
            Step::Mend => {
                let mended = visit(&site.url(), Version::V2, Visit::Mend, &mut rows).await;
                mended.unwrap();
            }
            Step::Run(act) if kills => {
                problems.extend(at_every_moment(site, act, &rows).await);
                site.go_on().await;
            }
            Step::Run(act) | Step::Again(act) => {
                site.passed(act).await;
                site.go_on().await;
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// Kills one command at every moment; what went wrong then.
async fn at_every_moment(site: &mut impl Site, act: &Act, rows: &Rows) -> Vec<String> {
    let mut problems = Vec::new();
    let (reference, moments) = site.passed(act).await;
    let reference = likeness::of(&reference).await;
    println!("{:?}: {} moments", act.arguments, moments.len());
    let outside = moments.iter().filter(|moment| !moment.inside).count();
    assert!(outside > 1 && moments.len() > 3, "{moments:?}");
    let mut before = Vec::new();
    for moment in &moments {
        let url = site.killed(act, moment).await;
        let left = likeness::with_rows(&url).await;
        let checked = if moment.inside {
            same(&left, &before)
        } else {
            before = left;
            check(&url, act, &reference, rows.clone()).await
        };
        if let Err(problem) = checked {
            problems.push(format!(
                "{:?} killed at {moment:?}: {problem}",
                act.arguments
            ));
        }
        site.forget(&url).await;
    }
    problems
}

/// After a kill the application works on, the same command succeeds, and all is as if nothing had happened.
async fn check(url: &str, act: &Act, reference: &[String], mut rows: Rows) -> Result<(), Problem> {
    for version in act.meanwhile {
        let served = visit(url, *version, Visit::Write, &mut rows).await;
        served.map_err(|problem| format!("{version:?} meanwhile: {problem}"))?;
    }
    if act.relative && likeness::of(url).await == reference {
        let asked = run(url, act);
        if ![Some(0), Some(2)].contains(&asked.status.code()) {
            return Err(format!("run once more: {}", said(&asked)).into());
        }
        return same(&likeness::of(url).await, reference);
    }
    let output = run(url, act);
    if !output.status.success() {
        return Err(format!("run again: {}", said(&output)).into());
    }
    same(&likeness::of(url).await, reference)
        .map_err(|problem| format!("run again, {problem}; {}", said(&output)))?;
    for version in act.afterwards {
        let served = visit(url, *version, Visit::Read, &mut rows).await;
        served.map_err(|problem| format!("{version:?} afterwards: {problem}"))?;
    }
    if rows != Rows::default() && likeness::rows_that_differ(url).await > 0 {
        return Err("rows have sides that differ".into());
    }
    Ok(())
}

fn same(found: &[String], reference: &[String]) -> Result<(), Problem> {
    let only = |one: &[String], other: &[String]| {
        let only = one.iter().filter(|line| !other.contains(line));
        let only: Vec<String> = only
            .map(|line| line.chars().take(WIDTH).collect())
            .collect();
        format!("{only:#?}")
    };
    if found == reference {
        return Ok(());
    }
    let (has, lacks) = (only(found, reference), only(reference, found));
    Err(format!("has {has} and lacks {lacks}").into())
}

/// Without anything in between.
pub(crate) fn run(url: &str, act: &Act) -> Output {
    act.command(url).stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
