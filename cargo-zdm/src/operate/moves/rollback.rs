//! Rollback: the right way back from where a migration stands.
//!
//! Comes in: the session, a migration. Goes out: the migration one safe position further back.
//! Must not know: what the SQL says.

use std::fmt::Write as _;

use zdm_runtime::Stage;
use zdm_runtime::facts::Facts;
use zdm_runtime::gates::{self, Gate, Side};
use zdm_runtime::history;
use zdm_runtime::hop;
use zdm_runtime::losses::{self, Loss};
use zdm_runtime::manifest::{Direction, Manifest};
use zdm_runtime::operator::Lease;
use zdm_runtime::phase::Section;

use super::{backfill, switch, verify};
use crate::error::Failure;
use crate::operate::gate;
use crate::operate::position::{Position, WayBack, known};
use crate::operate::section;
use crate::operate::session::Session;
use crate::operate::target::Target;
use crate::terminal::Answer;

/// Takes the way back, or says why there is none. What holds rows or values of its own is dropped only with `drop_rows`.
pub(crate) async fn run(
    session: &mut Session,
    place: usize,
    drop_rows: bool,
) -> Result<Answer, Failure> {
    let from = session.position(place).await?;
    let way = way(session, place).await?;
    let folder = session.folder(place);
    let described = describe(session, place, way);
    if way == WayBack::UndoExpand {
        let what = format!("undo of {folder}/{}", Section::Expand.folder());
        gate::pass(&what, &gates_before(session, place).await?, &[])?;
        let losses = session.losses(place).await?;
        if !drop_rows && !losses.is_empty() {
            return Err(unasked(&folder, &session.manifest(place).name, &losses)
                .safe("nothing was changed"));
        }
    }
    session
        .terminal
        .say(&format!("{folder} ({}): {described}", from.name()));
    if way != WayBack::Nothing {
        session
            .claimed(place, async |session, lease| {
                take(session, place, lease, way, drop_rows).await
            })
            .await?;
    }
    let to = session.position(place).await?;
    let mut text = format!("{folder}: {} → {}", from.name(), to.name());
    if way != WayBack::Nothing {
        let name = &session.manifest(place).name;
        let _ = write!(
            text,
            "; `cargo zdm advance` leaves it there until `cargo zdm resume {name}` or a step forward by hand"
        );
    }
    let object = serde_json::json!({
        "migration": folder, "id": session.manifest(place).id,
        "from": from.name(), "to": to.name(), "did": described, "held": way != WayBack::Nothing,
    });
    Answer::done(text, object)
}

/// What [`run`] would do.
pub(crate) async fn preview(session: &mut Session, place: usize) -> Result<Answer, Failure> {
    let from = session.position(place).await?;
    let way = way(session, place).await?;
    let mut sql = String::new();
    for part in parts(way, from) {
        sql.push_str(&preview_of(session, place, part).await?);
    }
    let folder = session.folder(place);
    let described = describe(session, place, way);
    let mut text = format!("{folder} ({}): {described}\n", from.name());
    let (mut gates, mut losses) = (Vec::new(), Vec::new());
    if way == WayBack::UndoExpand {
        gates = gate::show_all(&gates_before(session, place).await?);
        losses = session.losses(place).await?;
        text.push_str(&gate::lines(gates.iter().filter(|gate| !gate.open)));
    }
    let losses: Vec<String> = losses.iter().map(ToString::to_string).collect();
    for loss in &losses {
        let _ = writeln!(text, "  {loss}: this needs --drop-rows");
    }
    text.push_str(&sql);
    let object = serde_json::json!({
        "dry_run": true, "migration": folder, "from": from.name(), "would": described, "sql": sql,
        "gates": gates, "loses": losses,
    });
    Answer::done(text, object)
}

/// Nobody has agreed to losing what is nowhere else.
fn unasked(folder: &str, name: &str, losses: &[Loss]) -> Failure {
    Failure::usage(
        format!("rollback of {folder} drops {}", losses::listed(losses)),
        format!(
            "if nobody needs them: `cargo zdm rollback {name} --drop-rows`; nothing brings them back but a backup"
        ),
    )
}

/// What the way back will do. The undo of an expand names all that goes.
fn describe(session: &Session, place: usize, way: WayBack) -> String {
    let mut text = way.describe().to_owned();
    if way == WayBack::UndoExpand {
        text.push_str(&goes(session.manifest(place)));
    }
    text
}

fn goes(manifest: &Manifest) -> String {
    let (mut alone, mut copies, mut stay) = (Vec::new(), Vec::new(), Vec::new());
    let mut goes = Vec::new();
    for (table, names) in &manifest.creates {
        if names.table {
            goes.push(format!("the table {table} with every row of {table}"));
            continue;
        }
        for column in &names.columns {
            let name = format!("the column {table}.{column}");
            match manifest.pair_of(table, column) {
                Some(pair) if !pair.old.is_empty() => {
                    copies.push(name);
                    stay.extend(pair.old.iter().map(|old| format!("{table}.{}", old.column)));
                }
                _ => alone.push(name),
            }
        }
    }
    if !alone.is_empty() {
        let values = if alone.len() == 1 { "it" } else { "them" };
        goes.push(format!(
            "{} with every value in {values}",
            alone.join(" and ")
        ));
    }
    goes.extend(copies);
    let stay = match stay.len() {
        0 => String::new(),
        1 => format!("; {} stays", stay[0]),
        _ => format!("; {} stay", stay.join(" and ")),
    };
    if goes.is_empty() {
        return String::new();
    }
    format!(", which drops {}{stay}", goes.join(" and "))
}

async fn way(session: &mut Session, place: usize) -> Result<WayBack, Failure> {
    let position = session.position(place).await?;
    if let Position::At(stage, _) = position
        && let Some(begun) = begun(stage, &session.facts(place).await?)?
    {
        return Ok(begun);
    }
    let manifest = session.manifest(place);
    let way = position.way_back(manifest.route, manifest.reversible);
    let gone = match way {
        WayBack::Gone(reason) => Some(reason.to_owned()),
        WayBack::UndoExpand => session.kept_by(place).await?,
        _ => None,
    };
    let Some(reason) = gone else {
        return Ok(way);
    };
    let next = match way {
        WayBack::UndoExpand => {
            "go on forward; what it added can go by a change of the models and a new migration"
        }
        _ => {
            "go on forward; a change of the model and a new migration can bring the column back, empty"
        }
    };
    let folder = session.folder(place);
    Err(
        Failure::usage(format!("{folder} has no way back: {reason}"), next)
            .safe("nothing was changed"),
    )
}

/// What is left of an earlier way back to this stage that was interrupted.
fn begun(stage: Stage, facts: &Facts) -> Result<Option<WayBack>, Failure> {
    Ok(match stage {
        // The next way back needs the wait anyway. Elsewhere reads go back at once, whoever still writes.
        Stage::Off | Stage::DualWrite if !is_drained(facts)? => Some(WayBack::Finish),
        Stage::RampDown if old_waits(facts) => Some(WayBack::ReviveOld),
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

fn is_drained(facts: &Facts) -> Result<bool, Failure> {
    let standing = known(&facts.standing)?;
    Ok(standing.is_none_or(|standing| standing.drained_epoch >= standing.epoch))
}

/// What a way back consists of.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// A section's `down.sql`, where its `up.sql` is in effect.
    Undo(Section),
    /// Expand's `down.sql`, and the version is on record no more.
    UndoExpand,
    /// The stage moves.
    Back(Stage),
    /// Old is filled from new.
    FillOld,
    /// Old is compared with new.
    VerifyOld,
}

/// What a way back does, in its order: [`run`] does it, [`preview`] shows it.
fn parts(way: WayBack, from: Position) -> Vec<Part> {
    use Part::{Back, FillOld, Undo, UndoExpand, VerifyOld};
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
        WayBack::ReviveOld => vec![
            Back(Stage::RampDown),
            FillOld,
            VerifyOld,
            Undo(Section::Release),
        ],
        WayBack::Reopen => vec![Back(Stage::Off), Undo(Section::Release)],
        WayBack::Finish => match from {
            Position::At(stage, _) => vec![Back(stage), Undo(Section::Release)],
            _ => vec![Undo(Section::Release)],
        },
    }
}

async fn take(
    session: &mut Session,
    place: usize,
    lease: &Lease,
    way: WayBack,
    drop_rows: bool,
) -> Result<(), Failure> {
    // First of all: whatever stops what follows, nothing automatic goes forward meanwhile.
    hop::hold(&mut session.connection, session.migrations[place].id()).await?;
    let from = session.position(place).await?;
    for part in parts(way, from) {
        match part {
            Part::Undo(section) => undo(session, place, section).await?,
            Part::UndoExpand => undo_expand(session, place, drop_rows).await?,
            Part::Back(stage) => {
                switch::back(session, place, lease, Target::at(stage)).await?;
            }
            Part::FillOld => backfill::revive_old(session, place).await?,
            Part::VerifyOld => verify::must_pass(session, place, Side::Old).await?,
        }
    }
    Ok(())
}

/// The SQL that a part would execute.
async fn preview_of(session: &mut Session, place: usize, part: Part) -> Result<String, Failure> {
    match part {
        Part::Undo(section) => section::preview(session, place, section, Direction::Down).await,
        Part::UndoExpand => {
            section::preview(session, place, Section::Expand, Direction::Down).await
        }
        Part::FillOld => Ok(backfill::preview_of_old(session, place)),
        Part::Back(_) | Part::VerifyOld => Ok(String::new()),
    }
}

async fn undo_expand(session: &mut Session, place: usize, drop_rows: bool) -> Result<(), Failure> {
    pass(session, place, Section::Expand).await?;
    let id = session.manifest(place).id.clone();
    history::unexpanding(&mut session.connection, &id).await?;
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

/// The gates before the undo of expand, without those that it opens itself: what is in effect of later sections goes first.
async fn gates_before(session: &mut Session, place: usize) -> Result<Vec<Gate>, Failure> {
    let mut gates = session.gates_of_undo(place).await?;
    gates.retain(|gate| gate.open || gate.name != "section_undone");
    Ok(gates)
}

/// The gates before a section's `down.sql`.
async fn pass(session: &mut Session, place: usize, section: Section) -> Result<(), Failure> {
    let gates = if section == Section::Expand {
        session.gates_of_undo(place).await?
    } else {
        let facts = session.facts(place).await?;
        let policy = gate::policy(&session.policy)?;
        gates::for_section(section, Direction::Down, &facts, &policy)
    };
    let what = format!("undo of {}/{}", session.folder(place), section.folder());
    gate::pass(&what, &gates, &[])
}
