//! Backfill: rows from before get their new side, or, on the way back from `complete`, their old side.
//!
//! Comes in: the session, a migration, the effort. Goes out: filled columns, and how fast it went.
//! Must not know: how a batch is made.

mod application;
mod crew;

use std::time::Duration;

use zdm_runtime::backfill::{self, BackfillError, BackfillOptions, MOST_ROWS, Outcome, Way};
use zdm_runtime::gates::{self, Side};
use zdm_runtime::manifest::Backfill;
use zdm_runtime::operator;

use crate::error::{Failure, Kind};
use crate::operate::session::Session;
use crate::operate::{gate, rights, section};
use crate::terminal::Answer;
use crew::Total;

/// Between two looks whether the tables are cut.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How hard to work.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Effort {
    /// Connections that work at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) workers: u32,
    /// Do not go slower while other sessions wait for the backfill
    #[arg(long)]
    pub(crate) no_throttle: bool,
    /// Rows of the first batch; later ones adapt. Default: [policy] batch_rows in zdm.toml
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_rows: Option<u32>,
    /// No batch is larger
    #[arg(long, value_name = "N", default_value_t = MOST_ROWS, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_ROWS)))]
    pub(crate) most_rows: u32,
}

impl Effort {
    /// One worker that gives way, as zdm.toml has it.
    pub(crate) fn gentle() -> Self {
        Self {
            workers: 1,
            no_throttle: false,
            batch_rows: None,
            most_rows: MOST_ROWS,
        }
    }
}

/// Fills new from old, or says which gate is shut.
pub(crate) async fn run(
    session: &mut Session,
    place: usize,
    effort: Effort,
) -> Result<Answer, Failure> {
    let total = work(session, place, &effort).await?;
    let answer = answer(session, place, &total)?;
    match total.stopped {
        None => application::is_done(session, place).await.map(|()| answer),
        Some(_) => Ok(answer),
    }
}

/// Holds the migration and cuts its tables, or works beside whoever has. Of several that begin at the same moment one holds it, and the
/// others wait until it has cut all tables: a table that is not cut looks like one whose backfill was cancelled.
async fn work(session: &mut Session, place: usize, effort: &Effort) -> Result<Total, Failure> {
    let mut told = false;
    loop {
        if let Some(owner) = session.moved_by(place).await? {
            if is_cut(session, place).await? {
                return join(session, place, effort, &owner).await;
            }
            if operator::backfills(&owner) {
                if !told {
                    session.terminal.say(&format!(
                        "waiting until {owner} has cut the tables into chunks"
                    ));
                    told = true;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
        }
        let worked = session
            .claimed_to_backfill(place, async |session| {
                fill(session, place, effort, Side::New).await
            })
            .await?;
        if let Some(total) = worked {
            return Ok(total);
        }
    }
}

async fn is_open(session: &mut Session, place: usize) -> Result<bool, Failure> {
    let id = session.manifest(place).id.clone();
    Ok(backfill::is_open(&mut session.connection, &id, Way::Up).await?)
}

async fn is_cut(session: &mut Session, place: usize) -> Result<bool, Failure> {
    let migration = &session.migrations[place];
    Ok(backfill::is_cut(&mut session.connection, migration, Way::Up).await?)
}

/// Works beside another command that holds the migration, on chunks that it has cut. Nothing that the claim keeps apart is done here:
/// a chunk that is taken away ends the work on it.
async fn join(
    session: &mut Session,
    place: usize,
    effort: &Effort,
    owner: &str,
) -> Result<Total, Failure> {
    may_fill(session, place, Side::New).await?;
    if is_open(session, place).await? {
        session
            .terminal
            .say(&format!("joining the backfill of {owner}"));
    }
    let options = options(session, effort, Side::New);
    crew::work(session, place, effort, options).await
}

/// The gates and the SQL of a batch.
pub(crate) async fn preview(session: &mut Session, place: usize) -> Result<Answer, Failure> {
    let facts = session.facts(place).await?;
    let gates = gate::show_all(&gates::for_backfill(Side::New, &facts));
    let sql = sql(session, place, |backfill| Some(&backfill.batch));
    let text = format!(
        "backfill of {}\n{}{sql}",
        session.folder(place),
        gate::lines(&gates)
    );
    let object = serde_json::json!({
        "dry_run": true, "migration": session.folder(place), "gates": gates, "sql": sql,
    });
    Answer::done(text, object)
}

/// Fills old from new, while the caller holds the migration.
pub(crate) async fn revive_old(session: &mut Session, place: usize) -> Result<(), Failure> {
    let total = fill(session, place, &Effort::gentle(), Side::Old).await?;
    match total.stopped {
        None => Ok(()),
        Some(reason) => Err(Failure::gate(
            format!(
                "{}: old is not filled from new yet: {reason}",
                session.folder(place)
            ),
            "run `cargo zdm rollback` again when that has ended: it goes on at the cursors",
        )
        .safe("reads stay on new, and both sides are written")),
    }
}

/// The SQL of [`revive_old`], which is executed batch by batch.
pub(crate) fn preview_of_old(session: &Session, place: usize) -> String {
    sql(session, place, |backfill| backfill.reverse.as_ref())
}

fn sql(
    session: &Session,
    place: usize,
    statement: impl Fn(&Backfill) -> Option<&String>,
) -> String {
    let migration = &session.migrations[place];
    let mut sql = String::new();
    for file in migration.manifest().backfills.iter().filter_map(statement) {
        sql.push_str(&section::heading(session, place, file));
        sql.push_str(migration.file(file));
    }
    sql
}

async fn fill(
    session: &mut Session,
    place: usize,
    effort: &Effort,
    side: Side,
) -> Result<Total, Failure> {
    may_fill(session, place, side).await?;
    let mut options = options(session, effort, side);
    let migration = session.migrations[place].clone();
    for owner in backfill::owners(&mut session.connection, migration.id(), options.way).await? {
        if session.is_dead(&owner) {
            backfill::take_over(&mut session.connection, migration.id(), options.way, &owner)
                .await?;
        }
    }
    backfill::plan_chunks(&mut session.connection, &migration, &options).await?;
    let vacuum = crew::Vacuum::start(session, place, options.way).await?;
    options.vacuum_lags = vacuum.lags();
    let total = crew::work(session, place, effort, options).await;
    vacuum.end(session).await;
    total
}

async fn may_fill(session: &mut Session, place: usize, side: Side) -> Result<(), Failure> {
    let facts = session.facts(place).await?;
    let what = format!("backfill of {}", session.folder(place));
    gate::pass(&what, &gates::for_backfill(side, &facts), &[])?;
    let tables = session.migrations[place].manifest().backfills.iter();
    rights::to_fill(
        &mut session.connection,
        tables.map(|backfill| backfill.table.as_str()),
    )
    .await
}

fn options(session: &Session, effort: &Effort, side: Side) -> BackfillOptions {
    let worker = format!("{} (pid {})", session.actor, std::process::id());
    BackfillOptions {
        workers: effort.workers,
        enters: false,
        target: session.policy.statement_target,
        target_beside: session.policy.statement_beside,
        way: match side {
            Side::New => Way::Up,
            Side::Old => Way::Reverse,
        },
        first_batch: effort.batch_rows.unwrap_or(session.policy.batch_rows),
        most_rows: effort.most_rows,
        throttle: !effort.no_throttle,
        kill_switch: session.policy.throttle.kill_switch.clone(),
        lock_timeout: session.policy.lock_timeout,
        ..BackfillOptions::of(session.actor.clone(), worker)
    }
}

fn answer(session: &Session, place: usize, total: &Total) -> Result<Answer, Failure> {
    let Outcome {
        rows,
        changed,
        batches,
        quarantined,
        ..
    } = total.outcome;
    let seconds = total.took.as_secs_f64();
    // A rate needs no exactness.
    #[allow(clippy::cast_precision_loss)]
    let rate = rows as f64 / seconds.max(1e-6);
    let object = serde_json::json!({
        "migration": session.folder(place), "id": session.manifest(place).id, "rows": rows,
        "changed": changed, "batches": batches, "quarantined": quarantined, "seconds": seconds,
        "rows_per_second": rate, "stopped": total.stopped,
        "continues": total.stopped.is_some() && !total.forgotten,
    });
    let text = format!(
        "{}: {rows} rows in {batches} batches, {changed} changed, {quarantined} into quarantine; {seconds:.1} s, {rate:.0} rows/s",
        session.folder(place)
    );
    match &total.stopped {
        None => Answer::done(text, object),
        Some(reason) => Answer::ending(
            Some(Kind::Gate),
            format!(
                "{text}\nstopped: {reason}; {}",
                way_on(session, place, total)
            ),
            object,
        ),
    }
}

/// What the next backfill does.
fn way_on(session: &Session, place: usize, total: &Total) -> String {
    if !total.forgotten {
        return "the same command continues at the cursors".to_owned();
    }
    format!(
        "the cursors are forgotten, what was filled stays filled: after `cargo zdm resume {}` a backfill begins at the beginning",
        session.manifest(place).name
    )
}

impl From<BackfillError> for Failure {
    fn from(error: BackfillError) -> Self {
        match error {
            BackfillError::Unconvertible { .. } => Self::findings(
                error,
                "mend these rows (or declare on_invalid), then run `cargo zdm backfill` again: it goes on there",
            ),
            BackfillError::Function { .. } => Self::findings(
                error,
                "mend the function or the row, then run the application's part of the backfill again: it goes on there",
            ),
            BackfillError::Stalled { .. } => Self::findings(
                error,
                "find out who writes one side alone (`[generate] dual_write = \"both\"` keeps it for them), or what `up` makes of these rows; \
                 then run the same command again",
            ),
            BackfillError::OneWay { .. } => Self::usage(error, "restore from a backup"),
            other => Self::environment(
                other,
                "mend the cause, then run the same command again: it continues at the cursors",
            ),
        }
        .safe("data and cursor are committed together: nothing is half done, and reads stay where they are")
    }
}
