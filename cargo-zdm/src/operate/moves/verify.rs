//! Verify: every row's two sides are compared, and the result is recorded for the gates.
//!
//! Comes in: the session, a migration. Goes out: a passed verification, or the keys of the rows that differ.
//! Must not know: how rows are compared.

use std::fmt::Write as _;

use indicatif::ProgressBar;
use zdm_runtime::Stage;
use zdm_runtime::caught::{self, Caught};
use zdm_runtime::facts::{Fact, Facts};
use zdm_runtime::gates::{self, Side};
use zdm_runtime::manifest::Manifest;
use zdm_runtime::phase::Section;
use zdm_runtime::progress::Progress;
use zdm_runtime::verification::{self, VerificationError, VerificationOptions, Verified};

use crate::error::{Failure, Kind};
use crate::operate::checksums;
use crate::operate::gate;
use crate::operate::report;
use crate::operate::rights;
use crate::operate::section;
use crate::operate::session::Session;
use crate::terminal::Answer;

/// Compares, or says which gate is shut.
pub(crate) async fn run(
    session: &mut Session,
    place: usize,
    repair: bool,
) -> Result<Answer, Failure> {
    let facts = session.facts(place).await?;
    let side = side(&facts);
    let mut verified = compare(session, place, side, repair).await?;
    // What cannot be repaired, the backfill has to go over, which has been made to begin anew for it.
    let again = verified.right_by_now() > 0 && verified.right_by_now() >= verified.mismatches;
    if again {
        session.terminal.say(&repaired(session, place, &verified));
        let before = verified;
        verified = compare(session, place, side, false).await?;
        (verified.repaired, verified.by_others) = (before.repaired, before.by_others);
    }
    let manifest = session.manifest(place).clone();
    let caught = caught::of(&mut session.connection, &manifest).await?;
    let at = (side, stage(&facts));
    if verified.passed() {
        return passed(session, place, side, &verified, &caught);
    }
    let text = differ(session, place, at, &verified, again).to_string();
    let object = object(session, place, side, &verified, &caught);
    Answer::ending(Some(Kind::Findings), text, object)
}

fn repaired(session: &Session, place: usize, verified: &Verified) -> String {
    format!(
        "{}: {} of {} rows that differ were filled anew ({}){}; now all rows are compared once more",
        session.folder(place),
        verified.repaired,
        verified.mismatches,
        listed(verified),
        by_others(verified)
    )
}

/// What several commands that repair at once leave to each other.
fn by_others(verified: &Verified) -> String {
    match verified.by_others {
        0 => String::new(),
        rows => format!(", {rows} by others meanwhile"),
    }
}

fn listed(verified: &Verified) -> String {
    let keys: Vec<_> = verified
        .first
        .iter()
        .map(|row| format!("{} ({}) in {}", row.table, row.key, row.columns.join(", ")))
        .collect();
    keys.join(", ")
}

/// Compares, and stops where rows differ.
pub(crate) async fn must_pass(
    session: &mut Session,
    place: usize,
    side: Side,
) -> Result<(), Failure> {
    let verified = compare(session, place, side, false).await?;
    if verified.passed() {
        return Ok(());
    }
    let stage = stage(&session.facts(place).await?);
    Err(differ(session, place, (side, stage), &verified, false))
}

/// Compares what moves between tables once more, as long as contract has dropped nothing of it: a value that has no place on the new
/// side goes with the old one.
pub(crate) async fn nothing_is_lost(session: &mut Session, place: usize) -> Result<(), Failure> {
    let facts = session.facts(place).await?;
    if section::in_effect(&facts, Section::Drop)? > 0 {
        return Ok(());
    }
    let options = VerificationOptions::of(session.actor.clone(), recorded_as(Side::New));
    let bar = session.terminal.progress("verify", 0);
    let mut last = None;
    let mut on_progress = |progress: &Progress| show(&bar, progress, &mut last);
    let migration = &session.migrations[place];
    let compared = verification::of_moves(
        &mut session.connection,
        migration,
        &options,
        &mut on_progress,
    )
    .await;
    bar.finish_and_clear();
    let compared = compared?;
    if compared.passed() {
        return Ok(());
    }
    let first = compared.first.iter();
    let keys: Vec<_> = first
        .map(|row| format!("{} ({})", row.table, row.key))
        .collect();
    Err(Failure::gate(
        format!(
            "contract of {} would lose what {} of {} rows hold on the old side alone: {}",
            session.folder(place),
            compared.mismatches,
            compared.rows,
            keys.join(", ")
        ),
        "give each of these values its place on the new side, or set it to NULL on the old one, and run the same command again",
    )
    .safe("nothing was dropped"))
}

async fn compare(
    session: &mut Session,
    place: usize,
    side: Side,
    repair: bool,
) -> Result<Verified, Failure> {
    let facts = session.facts(place).await?;
    let what = format!("verification of {}", session.folder(place));
    gate::pass(&what, &gates::for_verification(side, &facts), &[])?;
    session.upgrade().await?;
    rights::to_record(&mut session.connection).await?;
    let id = session.manifest(place).id.clone();
    for owner in verification::owners(&mut session.connection, &id).await? {
        if session.is_dead(&owner) {
            verification::take_over(&mut session.connection, &id, &owner).await?;
        }
    }
    let options = VerificationOptions {
        repair,
        checksums: session.policy.checksums,
        worker: format!("{} (pid {})", session.actor, std::process::id()),
        ..VerificationOptions::of(session.actor.clone(), recorded_as(side))
    };
    let bar = session.terminal.progress("verify", 0);
    let mut last = None;
    let mut on_progress = |progress: &Progress| show(&bar, progress, &mut last);
    let verified = verification::run(
        &mut session.connection,
        &session.migrations[place],
        &options,
        &mut on_progress,
    )
    .await;
    bar.finish_and_clear();
    Ok(verified?)
}

/// Old has to be proved only where it was left to itself in between, and new is read already then.
fn side(facts: &Facts) -> Side {
    let Fact::Known(Some(standing)) = &facts.standing else {
        return Side::New;
    };
    let passed = matches!(&facts.verification_of_old, Fact::Known(Some(last))
        if last.passed && standing.old_since.is_some_and(|since| last.epoch >= since));
    match standing.old_since {
        Some(since) if since > 0 && standing.stage == Stage::RampDown && !passed => Side::Old,
        _ => Side::New,
    }
}

fn stage(facts: &Facts) -> Option<Stage> {
    match &facts.standing {
        Fact::Known(Some(standing)) => Some(standing.stage),
        _ => None,
    }
}

const fn recorded_as(side: Side) -> verification::Side {
    match side {
        Side::New => verification::Side::New,
        Side::Old => verification::Side::Old,
    }
}

fn object(
    session: &Session,
    place: usize,
    side: Side,
    verified: &Verified,
    caught: &[Caught],
) -> serde_json::Value {
    let first: Vec<_> = verified
        .first
        .iter()
        .map(|row| serde_json::json!({ "table": row.table, "key": row.key.to_string(), "columns": row.columns }))
        .collect();
    let mut object = serde_json::json!({
        "migration": session.folder(place), "id": session.manifest(place).id, "side": recorded_as(side).name(),
        "verified": verified.passed(), "rows": verified.rows, "mismatches": verified.mismatches,
        "skipped": verified.skipped, "released": verified.released, "repaired": verified.repaired,
        "by_others": verified.by_others, "first": first,
        "checksums": verified.checksums.as_ref().map(checksums::object),
    });
    if !caught.is_empty() {
        object["caught"] = serde_json::json!(caught);
    }
    object
}

fn passed(
    session: &Session,
    place: usize,
    side: Side,
    verified: &Verified,
    caught: &[Caught],
) -> Result<Answer, Failure> {
    let mut text = format!(
        "{}: {} rows compared, all consistent; {} in quarantine left out\n",
        session.folder(place),
        verified.rows,
        verified.skipped
    );
    if let Some(sums) = &verified.checksums {
        let _ = writeln!(text, "  {}", checksums::line(sums));
    }
    text.extend(report::caught_lines(caught));
    text.truncate(text.trim_end().len());
    Answer::done(text, object(session, place, side, verified, caught))
}

/// Of a comparison that has failed, and has made the backfill begin anew where reads are on the side that it fills from; `again`: of the
/// one that followed a repair of all that differed.
fn differ(
    session: &Session,
    place: usize,
    (side, stage): (Side, Option<Stage>),
    verified: &Verified,
    again: bool,
) -> Failure {
    let mended = match (verified.right_by_now(), again) {
        (0, _) => String::new(),
        (_, true) => format!(
            ", after {} had been filled anew{}",
            verified.repaired,
            by_others(verified)
        ),
        (_, false) => format!(
            ", of which {} were filled anew{}",
            verified.repaired,
            by_others(verified)
        ),
    };
    Failure::findings(
        format!(
            "{}: {} of {} rows have sides that differ{mended}: {}",
            session.folder(place),
            verified.mismatches,
            verified.rows,
            listed(verified)
        ),
        way_on(session.manifest(place), side, stage),
    )
    .safe("the comparison only reads; reads stay where they are")
}

/// The commands that lead on, in their order.
fn way_on(manifest: &Manifest, side: Side, stage: Option<Stage>) -> String {
    let name = &manifest.name;
    let cause = "something writes one side alone";
    let is_computed = manifest
        .backfills
        .iter()
        .any(|table| table.computed.is_some());
    match (side, stage) {
        (Side::Old, _) => format!(
            "{cause}, or old demands a value and `down` gives none: mend these rows where it is so, and run `cargo zdm rollback {name} --to ramp_down` \
             again, which fills old from new once more"
        ),
        (Side::New, None | Some(Stage::DualWrite)) => format!(
            "{cause}, or rows are not filled yet: run `cargo zdm backfill {name}`, which goes over all rows once more, then \
             `cargo zdm verify {name}`"
        ),
        (Side::New, _) if is_computed => format!(
            "{cause}: run `cargo zdm rollback {name} --to dual_write`, then `cargo zdm verify {name}`, which says what fills these rows from \
             old; look first which side of them is right"
        ),
        (Side::New, _) => format!(
            "{cause}: run `cargo zdm rollback {name} --to dual_write`, then `cargo zdm verify {name} --repair`, which fills these rows from \
             old (after another backfill, where instances have seen rows that differ); look first which side of them is right"
        ),
    }
}

/// Draws a moment of one worker's progress; `last` is the worker's number of rows before.
pub(crate) fn show(bar: &ProgressBar, progress: &Progress, last: &mut Option<u64>) {
    match last.replace(progress.rows) {
        Some(before) => bar.inc(progress.rows.saturating_sub(before)),
        None => bar.set_position(progress.rows.max(bar.position())),
    }
    if let Some(total) = progress.total {
        bar.set_length(total.max(bar.position()));
    }
    bar.set_message(match &progress.throttle {
        Some(reason) => format!("{} — slower: {reason}", progress.table),
        None => progress.table.clone(),
    });
}

impl From<VerificationError> for Failure {
    fn from(error: VerificationError) -> Self {
        match error {
            VerificationError::Database(error) => error.into(),
            VerificationError::Computed { .. } => Self::usage(
                error,
                "`cargo zdm verify` without `--repair` at `dual_write`; where it finds rows, `cargo zdm backfill` says what the application runs, which goes over all rows once more",
            )
            .safe("nothing was changed"),
            VerificationError::NotRepairable { .. } => Self::usage(
                error,
                "`cargo zdm rollback --to dual_write` takes reads back to old; then `cargo zdm verify --repair`",
            )
            .safe("nothing was changed"),
            other => Self::environment(other, "see `cargo zdm status`, then verify again")
                .safe("the comparison only reads"),
        }
    }
}
