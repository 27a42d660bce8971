//! Rollback: the right way back from where a migration stands.
//!
//! Comes in: the session, a migration. Goes out: the migration one safe position further back.
//! Must not know: what the SQL says.

use std::fmt::Write as _;

use zdm_runtime::Stage;
use zdm_runtime::facts::Facts;
use zdm_runtime::gates::{self, Side};
use zdm_runtime::history;
use zdm_runtime::hop;
use zdm_runtime::manifest::Direction;
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

/// Takes the way back, or says why there is none. A table with rows in it is dropped only with `drop_rows`.
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
        gate::pass(&what, &session.gates_of_undo(place).await?, &[])?;
        let full = session.created_with_rows(place).await?;
        if !drop_rows && !full.is_empty() {
            return Err(Failure::usage(
                format!(
                    "rollback of {folder} drops the table {}, which holds rows",
                    full.join(" and the table ")
                ),
                "if nobody needs them: `cargo zdm rollback --drop-rows`; nothing brings them back but a backup",
            )
            .safe("nothing was changed"));
        }
    }
    session
        .terminal
        .say(&format!("{folder} ({}): {described}", from.name()));
    if way != WayBack::Nothing {
        session
            .claimed(place, async |session, lease| {
                take(session, place, lease, way).await
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
    let sections: &[Section] = match way {
        WayBack::UndoExpand => &[Section::Expand],
        WayBack::WriteOld => &[Section::SwitchReads, Section::DualWrite],
        WayBack::Reopen | WayBack::ReviveOld => &[Section::Release],
        WayBack::Nothing | WayBack::ReadOld | WayBack::Finish | WayBack::Gone(_) => &[],
    };
    let sql: String = sections
        .iter()
        .map(|section| section::preview(session, place, *section, Direction::Down))
        .collect();
    let folder = session.folder(place);
    let described = describe(session, place, way);
    let mut text = format!("{folder} ({}): {described}\n", from.name());
    let (mut gates, mut full) = (Vec::new(), Vec::new());
    if way == WayBack::UndoExpand {
        gates = gate::show_all(&session.gates_of_undo(place).await?);
        full = session.created_with_rows(place).await?;
        text.push_str(&gate::lines(gates.iter().filter(|gate| !gate.open)));
    }
    for table in &full {
        let _ = writeln!(
            text,
            "  the table {table} holds rows: this needs --drop-rows"
        );
    }
    text.push_str(&sql);
    let object = serde_json::json!({
        "dry_run": true, "migration": folder, "from": from.name(), "would": described, "sql": sql,
        "gates": gates, "tables_with_rows": full,
    });
    Answer::done(text, object)
}

/// What the way back will do. The undo of a created table is no small thing.
fn describe(session: &Session, place: usize, way: WayBack) -> String {
    let lost: Vec<String> = session
        .created_tables(place)
        .map(|table| format!("the table {table} with every row of {table}"))
        .collect();
    if way != WayBack::UndoExpand || lost.is_empty() {
        return way.describe().to_owned();
    }
    format!(
        "expand is undone (1_expand/down.sql), which drops {}",
        lost.join(" and ")
    )
}

async fn way(session: &mut Session, place: usize) -> Result<WayBack, Failure> {
    let position = session.position(place).await?;
    if let Position::At(stage, _) = position
        && let Some(begun) = begun(stage, &session.facts(place).await?)?
    {
        return Ok(begun);
    }
    let manifest = session.manifest(place);
    match position.way_back(manifest.route, manifest.reversible) {
        WayBack::Gone(reason) => Err(Failure::usage(
            format!("{} has no way back: {reason}", manifest.folder()),
            "go on forward; a change of the model and a new migration can bring the column back, empty",
        )
        .safe("nothing was changed")),
        way => Ok(way),
    }
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

async fn take(
    session: &mut Session,
    place: usize,
    lease: &Lease,
    way: WayBack,
) -> Result<(), Failure> {
    // First of all: whatever stops what follows, nothing automatic goes forward meanwhile.
    hop::hold(&mut session.connection, session.migrations[place].id()).await?;
    match way {
        WayBack::Nothing | WayBack::Gone(_) => {}
        WayBack::UndoExpand => {
            undo(session, place, Section::DualWrite).await?;
            undo(session, place, Section::Release).await?;
            pass(session, place, Section::Expand).await?;
            let id = session.manifest(place).id.clone();
            history::unexpanding(&mut session.connection, &id).await?;
            section::run(session, place, Section::Expand, Direction::Down).await?;
            let migration = &session.migrations[place];
            let (manifest, hash) = (migration.manifest(), migration.content_hash());
            history::unexpanded(&mut session.connection, manifest, hash).await?;
        }
        WayBack::WriteOld => {
            undo(session, place, Section::Release).await?;
            undo(session, place, Section::SwitchReads).await?;
            switch::back(session, place, lease, Target::at(Stage::Off)).await?;
            undo(session, place, Section::DualWrite).await?;
        }
        WayBack::ReadOld => {
            switch::back(session, place, lease, Target::at(Stage::DualWrite)).await?;
        }
        WayBack::ReviveOld => {
            switch::back(session, place, lease, Target::at(Stage::RampDown)).await?;
            backfill::revive_old(session, place).await?;
            verify::must_pass(session, place, Side::Old).await?;
            undo(session, place, Section::Release).await?;
        }
        WayBack::Reopen => {
            switch::back(session, place, lease, Target::at(Stage::Off)).await?;
            undo(session, place, Section::Release).await?;
        }
        WayBack::Finish => {
            if let Position::At(stage, _) = session.position(place).await? {
                switch::back(session, place, lease, Target::at(stage)).await?;
            }
            undo(session, place, Section::Release).await?;
        }
    }
    Ok(())
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
