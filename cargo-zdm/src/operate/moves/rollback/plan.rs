//! Where a rollback leads, and by which ways.
//!
//! Comes in: the session, a migration, perhaps a place. Goes out: a [`Plan`], or why there is no way.
//! Must not know: how a way is taken.

use zdm_runtime::Stage;
use zdm_runtime::facts::{Facts, Record};
use zdm_runtime::gates;
use zdm_runtime::manifest::{Manifest, Route};
use zdm_runtime::phase::Section;

use crate::error::Failure;
use crate::operate::position::{Position, WayBack, known};
use crate::operate::rest::Rest;
use crate::operate::section;
use crate::operate::session::Session;

/// From where to where, and by which ways. None where it is there already.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) from: Position,
    pub(super) goal: Rest,
    pub(super) ways: Vec<WayBack>,
    /// A rollback to this goal is on record already.
    pub(super) held: bool,
}

/// Looks where the migration stands, and what an earlier way back has left to be ended.
pub(super) async fn plan(
    session: &mut Session,
    place: usize,
    to: Option<Rest>,
) -> Result<Plan, Failure> {
    let from = session.position(place).await?;
    let (mut begun, mut record) = (None, Record::default());
    if from != Position::Absent {
        let facts = session.facts(place).await?;
        record = known(&facts.record)?.clone();
        if let Position::At(stage, _) = from {
            begun = self::begun(stage, session.manifest(place).route, &facts)?;
        }
    }
    let manifest = session.manifest(place);
    let all = from.ways_back(manifest.route, manifest.reversible);
    let goal = match to {
        Some(to) => to,
        None => goal(manifest, from, begun, &record, &all)?,
    };
    let mut ways: Vec<WayBack> = begun.into_iter().collect();
    if from.rest() != Some(goal) {
        let Some(last) = all.iter().position(|(_, rest)| *rest == goal) else {
            return Err(no_way(manifest, from, goal, &all));
        };
        ways.extend(all[..=last].iter().map(|(way, _)| way));
    }
    if ways.contains(&WayBack::UndoExpand)
        && let Some(reason) = session.kept_by(place).await?
    {
        return Err(gone(
            &session.folder(place),
            &reason,
            "go on forward; what it added can go by a change of the models and a new migration",
        ));
    }
    Ok(Plan {
        from,
        goal,
        ways,
        held: record.rolled_back_at.is_some() && said(&record) == Some(goal),
    })
}

/// Where a rollback leads that names no place: one step back, or to the end of one that was interrupted. One that has come to
/// its end may have been killed before it could say so, and then a second step was never asked for.
fn goal(
    manifest: &Manifest,
    from: Position,
    begun: Option<WayBack>,
    record: &Record,
    all: &[(WayBack, Rest)],
) -> Result<Rest, Failure> {
    let held = record.rolled_back_at.is_some();
    if held {
        let unfinished = said(record).filter(|said| all.iter().any(|(_, rest)| rest == said));
        let ends_here = begun.and_then(|_| from.rest());
        if let Some(goal) = unfinished.or(ends_here) {
            return Ok(goal);
        }
    }
    match (all.first(), held) {
        (Some((_, next)), true) => Err(Failure::usage(
            format!(
                "{} was rolled back and stands at {}: whether it is to go further back, nothing but --to can say",
                manifest.folder(),
                from.name()
            ),
            format!(
                "nothing, if it is to stand there; else `cargo zdm rollback {} --to {}`",
                manifest.name,
                next.name()
            ),
        )
        .safe("nothing was changed")),
        (Some((_, next)), false) => Ok(*next),
        (None, _) => match from.rest() {
            Some(Rest::Absent) => Ok(Rest::Absent),
            _ => Err(no_way(manifest, from, Rest::Absent, all)),
        },
    }
}

/// Where the last rollback was to lead, if it was one that said so.
fn said(record: &Record) -> Option<Rest> {
    record.rolled_back_to.as_deref().and_then(Rest::named)
}

fn no_way(manifest: &Manifest, from: Position, goal: Rest, all: &[(WayBack, Rest)]) -> Failure {
    let folder = manifest.folder();
    let last = all.last().map_or(from, |(_, rest)| rest.position());
    let reason = match last.way_back(manifest.route, manifest.reversible) {
        WayBack::Gone(reason) => Some(reason),
        _ => None,
    };
    if let (Some(reason), []) = (reason, all) {
        if let Position::Dropping(..) = from {
            let end = format!("`cargo zdm contract {}` ends what has begun", manifest.name);
            return gone(&folder, reason, &end);
        }
        return if from.rest() == Some(Rest::DualWrite) {
            gone(
                &folder,
                reason,
                "stay here as long as it takes to mend the cause, nothing reads new; then go on forward",
            )
            .safe("nothing was changed: reads take old, and every write keeps both sides")
        } else if from.rest() == Some(Rest::Complete) {
            gone(
                &folder,
                reason,
                "go on forward; until contract old holds what writes left in it, for whoever looks",
            )
        } else {
            gone(
                &folder,
                reason,
                "go on forward; a change of the model and a new migration can bring the column back, empty",
            )
        };
    }
    let rests: Vec<_> = all.iter().map(|(_, rest)| rest.name()).collect();
    let next = if rests.is_empty() {
        "`cargo zdm status` shows where each migration stands".to_owned()
    } else {
        format!("--to {}", rests.join(", --to "))
    };
    let (from, goal) = (from.name(), goal.name());
    let why = reason.map(|reason| format!(": {reason}"));
    Failure::usage(
        format!(
            "{folder} is at {from}: no way back leads from there to {goal}{}",
            why.unwrap_or_default()
        ),
        next,
    )
    .safe("nothing was changed")
}

fn gone(folder: &str, reason: &str, next: &str) -> Failure {
    Failure::usage(format!("{folder} has no way back: {reason}"), next).safe("nothing was changed")
}

/// What is left of an earlier way back to this stage that was interrupted.
fn begun(stage: Stage, route: Route, facts: &Facts) -> Result<Option<WayBack>, Failure> {
    Ok(match stage {
        // Nothing is filled on the way back of names alone.
        Stage::RampDown if route == Route::Rename && !is_drained(facts)? => Some(WayBack::Finish),
        // The next way back needs the wait anyway. Elsewhere reads go back at once, whoever still writes.
        Stage::Off | Stage::DualWrite if !is_drained(facts)? => Some(WayBack::Finish),
        // On the way forward that is a step from `off` which was interrupted.
        Stage::Off
            if known(&facts.record)?.rolled_back_at.is_some()
                && (section::in_effect(facts, Section::DualWrite)? > 0
                    || section::in_effect(facts, Section::Release)? > 0) =>
        {
            Some(WayBack::Finish)
        }
        Stage::RampDown if route != Route::Rename && old_waits(facts) => Some(WayBack::ReviveOld),
        Stage::RampDown if section::is_half_undone(facts, Section::Release)? => {
            Some(WayBack::Finish)
        }
        // On the way forward that is a step to `complete` which was interrupted: reads go back at once all the same.
        Stage::RampDown
            if known(&facts.record)?.rolled_back_at.is_some()
                && section::in_effect(facts, Section::Release)? > 0 =>
        {
            Some(WayBack::Finish)
        }
        _ => None,
    })
}

/// An earlier way back from `complete` ended before old was filled and verified.
fn old_waits(facts: &Facts) -> bool {
    !gates::all_open(&gates::for_back(Stage::RampDown, Stage::DualWrite, facts))
}

pub(super) fn is_drained(facts: &Facts) -> Result<bool, Failure> {
    let standing = known(&facts.standing)?;
    Ok(standing.is_none_or(|standing| standing.drained_epoch >= standing.epoch))
}
