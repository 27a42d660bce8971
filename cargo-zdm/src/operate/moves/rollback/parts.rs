//! What a way back consists of, executed or shown.
//!
//! Comes in: the session, a migration, a way. Goes out: the way taken, or its SQL.
//! Must not know: which ways lead to a goal.

use std::collections::BTreeSet;

use zdm_runtime::Stage;
use zdm_runtime::gates::{self, Gate, Side};
use zdm_runtime::history;
use zdm_runtime::manifest::{Direction, Route};
use zdm_runtime::operator::Lease;
use zdm_runtime::phase::Section;
use zdm_runtime::room;

use super::plan::is_drained;
use crate::error::Failure;
use crate::operate::gate;
use crate::operate::moves::{backfill, switch, verify};
use crate::operate::position::{Position, WayBack};
use crate::operate::section;
use crate::operate::session::Session;
use crate::operate::target::Target;

/// What a way back consists of.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// A section's `down.sql`, where its `up.sql` is in effect.
    Undo(Section),
    /// Expand's `down.sql`, and the version is on record no more.
    UndoExpand,
    /// Code may name old again.
    Readmit,
    /// The stage moves.
    Back(Stage),
    /// Old is filled from new.
    FillOld,
    /// Old is compared with new.
    VerifyOld,
}

/// What a way back does, in its order: [`take`] does it, [`preview`] shows it.
fn parts(way: WayBack, from: Position) -> Vec<Part> {
    use Part::{Back, FillOld, Readmit, Undo, UndoExpand, VerifyOld};
    match way {
        WayBack::Nothing | WayBack::Gone(_) => vec![],
        WayBack::UndoExpand => vec![Undo(Section::DualWrite), Undo(Section::Release), UndoExpand],
        WayBack::WriteOld => vec![
            Undo(Section::Release),
            Undo(Section::SwitchReads),
            Back(Stage::Off),
            Undo(Section::DualWrite),
        ],
        WayBack::ReadOld => vec![Back(Stage::DualWrite)],
        // A contract that has begun to rename old away and is not on record.
        WayBack::ReviveOld => vec![
            Undo(Section::Keep),
            Back(Stage::RampDown),
            FillOld,
            VerifyOld,
            Undo(Section::Release),
        ],
        WayBack::BringBack => vec![Undo(Section::Keep), Readmit],
        WayBack::Reopen => vec![
            Undo(Section::Keep),
            Back(Stage::Off),
            Undo(Section::Release),
        ],
        WayBack::NameOld => vec![Back(Stage::RampDown), Undo(Section::Release)],
        WayBack::Readmit => vec![Undo(Section::Release), Back(Stage::Off)],
        WayBack::Finish => match from {
            Position::At(Stage::Off, _) => vec![
                Back(Stage::Off),
                Undo(Section::Release),
                Undo(Section::DualWrite),
            ],
            Position::At(stage, _) => vec![Back(stage), Undo(Section::Release)],
            _ => vec![Undo(Section::Release)],
        },
    }
}

/// Takes a way, part by part.
pub(super) async fn take(
    session: &mut Session,
    place: usize,
    lease: &Lease,
    way: WayBack,
    drop_rows: bool,
) -> Result<(), Failure> {
    let from = session.position(place).await?;
    for part in parts(way, from) {
        match part {
            Part::Undo(Section::Release) => {
                let undone = undo(session, place, Section::Release).await;
                or_forward(session, place, from, undone).await?;
            }
            Part::Undo(section) => undo(session, place, section).await?,
            Part::UndoExpand => {
                session
                    .versions_claimed(async |session| undo_expand(session, place, drop_rows).await)
                    .await?;
            }
            Part::Readmit => {
                let id = session.manifest(place).id.clone();
                history::brought_back(&mut session.connection, &id).await?;
            }
            Part::Back(stage) => {
                switch::back(session, place, lease, Target::at(stage)).await?;
            }
            Part::FillOld => {
                let filled = backfill::revive_old(session, place).await;
                or_forward(session, place, from, filled).await?;
            }
            Part::VerifyOld => {
                let compared = verify::must_pass(session, place, Side::Old).await;
                or_forward(session, place, from, compared).await?;
            }
        }
    }
    Ok(())
}

/// What could not be put back stands in nobody's way further on, unless half of it is in force and no step takes it away.
async fn or_forward(
    session: &mut Session,
    place: usize,
    from: Position,
    done: Result<(), Failure>,
) -> Result<(), Failure> {
    let Err(mut failure) = done else {
        return Ok(());
    };
    let released = matches!(from, Position::At(Stage::RampDown | Stage::Complete, _));
    if released && leads_forward(session, place).await {
        let name = &session.manifest(place).name;
        let forward = format!("; or go forward again: `cargo zdm switch --to complete {name}`");
        failure.next.push_str(&forward);
    }
    Err(failure)
}

/// Where that cannot be told, nothing is promised.
async fn leads_forward(session: &mut Session, place: usize) -> bool {
    let facts = session.facts(place).await;
    facts.is_ok_and(|facts| section::is_stuck(&facts, Section::Release).is_ok_and(|stuck| !stuck))
}

/// The gates of what comes first, before anything is on record. Each part looks at its own again.
pub(super) async fn must_be_open(
    session: &mut Session,
    place: usize,
    ways: &[WayBack],
) -> Result<(), Failure> {
    for (what, gates) in first_gates(session, place, ways).await? {
        gate::pass(&what, &gates, &[])?;
    }
    Ok(())
}

/// The same with what they stand before, for whoever asks what a rollback would wait for.
pub(super) async fn first_gates(
    session: &mut Session,
    place: usize,
    ways: &[WayBack],
) -> Result<Vec<(String, Vec<Gate>)>, Failure> {
    let mut asked = Vec::new();
    if let Some(room) = room_in_old(session, place, ways).await? {
        asked.push((format!("rollback of {}", session.folder(place)), vec![room]));
    }
    let Some(way) = ways.first() else {
        return Ok(asked);
    };
    let from = session.position(place).await?;
    let mut facts = session.facts(place).await?;
    for part in parts(*way, from) {
        match part {
            Part::Undo(section) if section::in_effect(&facts, section)? == 0 => {}
            // Half a contract comes back, and then the hop is made: what keeps that from being made is known from the start.
            Part::Undo(section @ Section::Keep) => {
                asked.push(before_undo(session, place, section).await?);
                facts = section::as_if_undone(facts, section);
            }
            Part::Undo(section) => {
                asked.push(before_undo(session, place, section).await?);
                break;
            }
            Part::UndoExpand => {
                asked.push(before_undo(session, place, Section::Expand).await?);
                break;
            }
            Part::Back(to) => match from {
                Position::At(stage, _) if stage != to => {
                    let gates = gates::for_back(stage, to, &facts);
                    asked.push((format!("{stage} → {to}"), gates));
                    break;
                }
                // The hop was made and its wait not ended: that comes first, and opens what follows.
                Position::At(..) if !is_drained(&facts)? => break,
                _ => {}
            },
            Part::Readmit | Part::FillOld | Part::VerifyOld => break,
        }
    }
    Ok(asked)
}

/// Whether old can hold what new holds, where ways lead back to it.
pub(super) async fn room_in_old(
    session: &mut Session,
    place: usize,
    ways: &[WayBack],
) -> Result<Option<Gate>, Failure> {
    let facts = session.facts(place).await?;
    let released = section::in_effect(&facts, Section::Release)? > 0;
    let leads_there = ways.contains(&WayBack::ReviveOld)
        || released && matches!(ways, [WayBack::Finish | WayBack::WriteOld, ..]);
    if !leads_there || session.manifest(place).route != Route::FivePhases {
        return Ok(None);
    }
    let migration = &session.migrations[place];
    let beyond = room::beyond(&mut session.connection, migration.manifest()).await?;
    let name = &session.manifest(place).name;
    Ok(Some(gates::for_old_again(&beyond, &facts, name)))
}

/// The SQL that ways would execute one after the other. What one has taken back is not there for the next.
pub(super) async fn preview(
    session: &mut Session,
    place: usize,
    ways: &[WayBack],
    from: Position,
) -> Result<String, Failure> {
    let (mut sql, mut undone) = (String::new(), BTreeSet::new());
    for part in ways.iter().flat_map(|way| parts(*way, from)) {
        if let Part::Undo(section) = part
            && !undone.insert(section)
        {
            continue;
        }
        sql.push_str(&match part {
            Part::Undo(section) => {
                section::preview(session, place, section, Direction::Down).await?
            }
            Part::UndoExpand => {
                section::preview(session, place, Section::Expand, Direction::Down).await?
            }
            Part::FillOld => backfill::preview_of_old(session, place),
            Part::Back(_) | Part::Readmit | Part::VerifyOld => String::new(),
        });
    }
    Ok(sql)
}

async fn undo_expand(session: &mut Session, place: usize, drop_rows: bool) -> Result<(), Failure> {
    pass(session, place, Section::Expand).await?;
    let id = session.manifest(place).id.clone();
    let was_whole = history::unexpanding(&mut session.connection, &id).await?;
    // Nobody starts any more whose code names new; whoever started before that is seen now.
    if let Err(shut) = pass(session, place, Section::Expand).await {
        if was_whole {
            history::not_unexpanding(&mut session.connection, &id).await?;
        }
        return Err(shut);
    }
    section::undo_expand(session, place, drop_rows).await?;
    let migration = &session.migrations[place];
    let (manifest, hash) = (migration.manifest(), migration.content_hash());
    Ok(history::unexpanded(&mut session.connection, manifest, hash).await?)
}

/// Executes a section's `down.sql` where its `up.sql` is in effect, after its gates.
async fn undo(session: &mut Session, place: usize, section: Section) -> Result<(), Failure> {
    if section::in_effect(&session.facts(place).await?, section)? == 0 {
        return Ok(());
    }
    pass(session, place, section).await?;
    section::run(session, place, section, Direction::Down).await?;
    Ok(())
}

/// The gates before the undo of expand, without those that the ways open themselves: what is in effect of later sections goes
/// first, and so does the way to `off`.
pub(super) async fn gates_before(
    session: &mut Session,
    place: usize,
    ways: &[WayBack],
) -> Result<Vec<Gate>, Failure> {
    let opened: &[&str] = match ways {
        [WayBack::UndoExpand] => &["section_undone"],
        _ => &["section_undone", "standing", "drained"],
    };
    let mut gates = session.gates_of_undo(place).await?;
    gates.retain(|gate| gate.open || !opened.contains(&gate.name));
    Ok(gates)
}

/// Asks the gates before a section's `down.sql`.
async fn pass(session: &mut Session, place: usize, section: Section) -> Result<(), Failure> {
    let (what, gates) = before_undo(session, place, section).await?;
    gate::pass(&what, &gates, &[])
}

/// The gates before a section's `down.sql`, and what they stand before.
async fn before_undo(
    session: &mut Session,
    place: usize,
    section: Section,
) -> Result<(String, Vec<Gate>), Failure> {
    let gates = if section == Section::Expand {
        session.gates_of_undo(place).await?
    } else {
        let facts = session.facts(place).await?;
        let policy = gate::policy(&session.policy, &session.actor)?;
        gates::for_section(section, Direction::Down, &facts, &policy)
    };
    let what = format!("undo of {}/{}", session.folder(place), section.folder());
    Ok((what, gates))
}
