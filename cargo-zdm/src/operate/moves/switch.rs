//! Switch: a hop of the stage forward, with the reviewed SQL that belongs before it, or another share of the reads.
//!
//! Comes in: the session, a migration, a target. Goes out: the stage moved and older transactions waited for.
//! Must not know: how to fill or verify.

use zdm_runtime::facts::{Fact, Facts};
use zdm_runtime::gates::{self, Gate};
use zdm_runtime::hop::{self, HopError, Moved};
use zdm_runtime::manifest::{Direction, Manifest, Route};
use zdm_runtime::operator::Lease;
use zdm_runtime::phase::Section;
use zdm_runtime::{By, Share, Stage};

use crate::error::Failure;
use crate::operate::gate;
use crate::operate::position::{Move, Position, WayBack};
use crate::operate::readers::{self, Readers};
use crate::operate::section;
use crate::operate::session::Session;
use crate::operate::target::Target;
use crate::terminal::Answer;

/// The gate that the move itself opens, by executing the section.
const OPENED_HERE: &[&str] = &["section_done"];

/// Whether `target` is what comes next from here.
pub(crate) fn is_next(position: Position, route: Route, target: Target) -> bool {
    let next = match target.stage {
        Stage::Off => return false,
        Stage::DualWrite => Move::DualWrite,
        Stage::Shadow => Move::Shadow,
        Stage::Live => return matches!(position.next(route), Some(Move::Live { .. })),
        Stage::RampDown => Move::RampDown,
        Stage::Complete => Move::Complete,
    };
    position.next(route) == Some(next)
}

/// The target with its share counted as was asked for, else as it is counted now, at first as the policy says.
pub(crate) async fn counted(
    session: &mut Session,
    place: usize,
    target: Target,
    by: Option<By>,
) -> Result<Target, Failure> {
    if target.stage != Stage::Live {
        return Ok(target);
    }
    let at_first = session.policy.ramp_by;
    let as_now = session.position(place).await?.counted_by(at_first);
    Ok(target.counted_by(by.unwrap_or(as_now)))
}

/// Moves, or says which gate is shut.
pub(crate) async fn run(
    session: &mut Session,
    place: usize,
    target: Target,
) -> Result<Answer, Failure> {
    let position = session.position(place).await?;
    let moved = from(session, place, position, target).await?;
    moved.ok_or_else(|| gate::overtaken(&what(session, place, target)))
}

/// Moves from where the migration was seen. `None`: another command has moved it since, and the same target may lead back by now.
pub(crate) async fn from(
    session: &mut Session,
    place: usize,
    position: Position,
    target: Target,
) -> Result<Option<Answer>, Failure> {
    refuse_odd_ways(session, place, position, target)?;
    refuse_share_of_nothing(session, place, target)?;
    let moved = session
        .claimed_at(place, position, async |session, lease| {
            if goes_back(position, target) {
                return back(session, place, lease, target).await;
            }
            let facts = session.facts(place).await?;
            let gates = gates_of(session, &facts, position, target)?;
            gate::pass(&what(session, place, target), &gates, OPENED_HERE)?;
            if let Some(section) = section_before(target.stage) {
                run_section(session, place, section).await?;
            }
            forward(session, place, lease, target).await
        })
        .await?;
    let Some(moved) = moved else {
        return Ok(None);
    };
    let readers = match session.facts(place).await {
        Ok(facts) => readers::of(&facts, target),
        // The hop is done all the same.
        Err(_) => None,
    };
    answer(session, place, target, (&moved, readers)).map(Some)
}

/// Finishes the wait for older transactions that a command has begun and not ended, killed or out of patience.
pub(crate) async fn settle(
    session: &mut Session,
    place: usize,
    position: Position,
) -> Result<(), Failure> {
    let facts = session.facts(place).await?;
    let (Fact::Known(Some(standing)), Position::At(stage, share)) = (&facts.standing, position)
    else {
        return Ok(());
    };
    if standing.drained_epoch >= standing.epoch {
        return Ok(());
    }
    session
        .claimed_at(place, position, async |session, lease| {
            forward(session, place, lease, Target { stage, share }).await
        })
        .await?;
    Ok(())
}

/// The gates and the SQL.
pub(crate) async fn preview(
    session: &mut Session,
    place: usize,
    target: Target,
) -> Result<Answer, Failure> {
    let position = session.position(place).await?;
    refuse_odd_ways(session, place, position, target)?;
    refuse_share_of_nothing(session, place, target)?;
    let facts = session.facts(place).await?;
    let gates = gate::show_all(&gates_of(session, &facts, position, target)?);
    let sql = match section_before(target.stage) {
        Some(section) => section::preview(session, place, section, Direction::Up).await?,
        None => String::new(),
    };
    let no_return = match position {
        Position::At(Stage::Off, _) => gates::no_return(target.stage, &facts),
        _ => None,
    };
    let told = no_return.map(|told| format!("  {told}\n"));
    let readers = readers::of(&facts, target);
    let read = readers.as_ref().map(|readers| readers.line() + "\n");
    let text = format!(
        "{}\n{}{}{}{sql}",
        what(session, place, target),
        told.unwrap_or_default(),
        read.unwrap_or_default(),
        gate::lines(&gates)
    );
    let object = serde_json::json!({
        "dry_run": true, "migration": session.folder(place), "from": position.name(),
        "to": target.name(), "reads_by": target.share.by().name(), "readers": readers,
        "no_return": no_return, "gates": gates, "sql": sql,
    });
    Answer::done(text, object)
}

/// Executes a section that is not in effect yet, after its own gates.
pub(crate) async fn run_section(
    session: &mut Session,
    place: usize,
    section: Section,
) -> Result<(), Failure> {
    let facts = session.facts(place).await?;
    if !section::is_pending(&facts, section)? {
        return Ok(());
    }
    let gates = gates::for_section(
        section,
        Direction::Up,
        &facts,
        &gate::policy(&session.policy, &session.actor)?,
    );
    let what = format!("{}/{}", session.folder(place), section.folder());
    gate::pass(&what, &gates, &[])?;
    section::run(session, place, section, Direction::Up).await?;
    Ok(())
}

/// The hop itself, gates judged once more inside its transaction.
async fn forward(
    session: &mut Session,
    place: usize,
    lease: &Lease,
    target: Target,
) -> Result<Moved, Failure> {
    let policy = gate::policy(&session.policy, &session.actor)?;
    let patience = session.policy.drain_timeout;
    let manifest = session.migrations[place].manifest();
    let connection = &mut session.connection;
    Ok(hop::advance(connection, lease, manifest, to(target)?, &policy, patience).await?)
}

/// Fewer reads on new, at once.
pub(crate) async fn back(
    session: &mut Session,
    place: usize,
    lease: &Lease,
    target: Target,
) -> Result<Moved, Failure> {
    let patience = session.policy.drain_timeout;
    let manifest = session.migrations[place].manifest();
    Ok(hop::back(
        &mut session.connection,
        lease,
        manifest,
        to(target)?,
        patience,
    )
    .await?)
}

fn to(target: Target) -> Result<hop::Target, HopError> {
    match target.stage {
        Stage::Live => hop::Target::live_by(target.share.basis_points(), target.share.by()),
        stage => Ok(hop::Target::stage(stage)),
    }
}

/// What stands between a position and a target; empty where it is reached.
pub(crate) fn gates_of(
    session: &Session,
    facts: &Facts,
    position: Position,
    target: Target,
) -> Result<Vec<Gate>, Failure> {
    let Position::At(from, _) = position else {
        return Ok(Vec::new());
    };
    if goes_back(position, target) {
        return Ok(gates::for_back(from, target.stage, facts));
    }
    let already = position == Position::At(target.stage, target.share)
        || (from == target.stage && from != Stage::Live);
    if already {
        return Ok(Vec::new());
    }
    let policy = gate::policy(&session.policy, &session.actor)?;
    Ok(gates::for_hop(from, target.stage, facts, &policy))
}

/// Reads go back any number of stages; writes only by `rollback`.
fn goes_back(position: Position, target: Target) -> bool {
    match position {
        Position::At(Stage::Live, share) if target.stage == Stage::Live => {
            target.share.is_below(share)
        }
        Position::At(stage @ (Stage::Shadow | Stage::Live | Stage::RampDown), _) => {
            target.stage < stage
        }
        _ => false,
    }
}

fn refuse_odd_ways(
    session: &Session,
    place: usize,
    position: Position,
    target: Target,
) -> Result<(), Failure> {
    let folder = session.folder(place);
    let (problem, next) = match position {
        Position::Absent => (
            "is not in this database yet",
            "run `cargo zdm expand` first",
        ),
        Position::Begun(..) => (
            "is half expanded in this database",
            "run `cargo zdm expand`, which goes on, or `cargo zdm rollback`",
        ),
        Position::Expanded => (
            "is done with expand: nothing is to be switched",
            "nothing is left to do for it",
        ),
        Position::Kept(_) => (
            "is contracted: old is kept under another name, and no stage is left",
            "run `cargo zdm rollback`, which gives old its name back, at `complete`",
        ),
        Position::Dropping(..) => (
            "is contracted, and the drop of what was kept has begun",
            "run `cargo zdm contract`, which ends it",
        ),
        Position::Contracted => ("is finished: old is gone", "nothing is left to do for it"),
        Position::At(Stage::Complete, _) if target.stage != Stage::Complete => {
            let manifest = session.manifest(place);
            match position.way_back(manifest.route, manifest.reversible) {
                WayBack::Gone(_) => (
                    "is complete, and the migration is one-way: nothing fills old from new",
                    "go on forward",
                ),
                WayBack::NameOld => (
                    "is complete: the way back gives the columns their old names first",
                    "run `cargo zdm rollback`",
                ),
                _ => (
                    "is complete: the way back fills old from new first",
                    "run `cargo zdm rollback`",
                ),
            }
        }
        Position::At(..) => return Ok(()),
    };
    Err(Failure::usage(format!("{folder} {problem}"), next))
}

/// A share of the keys, where no table has any.
fn refuse_share_of_nothing(session: &Session, place: usize, target: Target) -> Result<(), Failure> {
    let is_part = target.stage == Stage::Live && target.share != Share::ALL;
    if !is_part || target.share.by() != By::Key || !is_without_keys(session.manifest(place)) {
        return Ok(());
    }
    let (name, share) = (&session.manifest(place).name, target.name());
    Err(Failure::usage(
        format!(
            "{}: {share} is a share of the keys, and nothing tells rows of {} apart: no read would go to new",
            session.folder(place),
            session.manifest(place).tables.join(", ")
        ),
        format!(
            "`cargo zdm switch {name} --to {share} --by instance` has so many of the instances read new, \
             `cargo zdm switch {name} --to 100%` all of them"
        ),
    )
    .safe("nothing was changed"))
}

/// Nothing tells rows apart in any of its tables, so that the only shares by key are none and all.
pub(crate) fn is_without_keys(manifest: &Manifest) -> bool {
    let mut tables = manifest.backfills.iter();
    tables.len() > 0 && tables.all(|backfill| backfill.address.is_some())
}

const fn section_before(stage: Stage) -> Option<Section> {
    match stage {
        Stage::DualWrite => Some(Section::DualWrite),
        Stage::Shadow => Some(Section::SwitchReads),
        Stage::Complete => Some(Section::Release),
        Stage::Off | Stage::Live | Stage::RampDown => None,
    }
}

fn what(session: &Session, place: usize, target: Target) -> String {
    format!("{} → {}", session.folder(place), target.name())
}

fn answer(
    session: &Session,
    place: usize,
    target: Target,
    (moved, readers): (&Moved, Option<Readers>),
) -> Result<Answer, Failure> {
    let mut text = if moved.moved {
        format!(
            "{}: {} → {} (waited {} ms for older transactions)",
            session.folder(place),
            moved.from,
            target.name(),
            moved.waited.as_millis()
        )
    } else {
        format!("{} is at {} already", session.folder(place), target.name())
    };
    if let Some(readers) = &readers {
        text.push('\n');
        text.push_str(&readers.line());
    }
    let object = serde_json::json!({
        "migration": session.folder(place), "id": session.manifest(place).id,
        "from": moved.from.name(), "to": moved.to.name(),
        "reads_basis_points": target.share.basis_points(), "reads_by": target.share.by().name(), "readers": readers,
        "moved": moved.moved, "waited_ms": u64::try_from(moved.waited.as_millis()).unwrap_or(u64::MAX),
    });
    Answer::done(text, object)
}

impl From<HopError> for Failure {
    fn from(error: HopError) -> Self {
        match error {
            HopError::Shut { from, to, gates } => {
                gate::refusal(&format!("{from} → {to}")).with_gates(gate::show_all(&gates))
            }
            HopError::Lease(error) => error.into(),
            HopError::Control(error) => error.into(),
            HopError::NotDrained { .. } => Self::gate(
                error,
                "end the transactions named, then run the same command again: it goes on waiting",
            ),
            other => Self::usage(other, "see `cargo zdm status`"),
        }
    }
}
