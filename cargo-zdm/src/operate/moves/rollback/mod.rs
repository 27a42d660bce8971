//! Rollback: the right way back from where a migration stands.
//!
//! Comes in: the session, a migration, perhaps a place. Goes out: the migration there, or one safe position further back.
//! Must not know: what the SQL says.

mod described;
mod parts;
mod plan;

use std::fmt::Write as _;

use zdm_runtime::hop;
use zdm_runtime::losses::{self, Loss};
use zdm_runtime::operator::Lease;
use zdm_runtime::phase::Section;

use self::described::describe;
use self::plan::{Plan, plan};
use crate::error::Failure;
use crate::operate::gate;
use crate::operate::position::{Position, WayBack};
use crate::operate::rest::Rest;
use crate::operate::session::Session;
use crate::terminal::Answer;

/// Takes the way back to `to`, else one step; or says why there is none. What holds rows or values of its own is dropped only
/// with `drop_rows`.
pub(crate) async fn run(
    session: &mut Session,
    place: usize,
    to: Option<Rest>,
    drop_rows: bool,
) -> Result<Answer, Failure> {
    let Plan {
        from,
        goal,
        ways,
        held,
    } = plan(session, place, to).await?;
    let folder = session.folder(place);
    if ways.first() == Some(&WayBack::UndoExpand) {
        let what = format!("undo of {folder}/{}", Section::Expand.folder());
        gate::pass(
            &what,
            &parts::gates_before(session, place, &ways).await?,
            &[],
        )?;
    }
    if ways.contains(&WayBack::UndoExpand) {
        let losses = session.losses(place).await?;
        if !drop_rows && !losses.is_empty() {
            return Err(unasked(&folder, &session.manifest(place).name, &losses)
                .safe("nothing was changed"));
        }
    }
    let is_there = ways.is_empty() && (held || from == Position::Absent);
    let did = if is_there {
        Vec::new()
    } else {
        let told = told(session, place, &ways);
        session
            .terminal
            .say(&format!("{folder} ({}): {told}", from.name()));
        session
            .claimed(place, async |session, lease| {
                go(session, place, lease, goal, drop_rows).await
            })
            .await?
    };
    let to = session.position(place).await?;
    let mut text = if ways.is_empty() {
        format!("{folder} is at {} already", to.name())
    } else {
        format!("{folder}: {} → {}", from.name(), to.name())
    };
    let held = held || !is_there;
    if held {
        let name = &session.manifest(place).name;
        let _ = write!(
            text,
            "; `cargo zdm advance` leaves it there until `cargo zdm resume {name}` or a step forward by hand"
        );
    }
    let object = serde_json::json!({
        "migration": folder, "id": session.manifest(place).id,
        "from": from.name(), "to": to.name(), "did": told(session, place, &did), "held": held,
    });
    Answer::done(text, object)
}

/// All ways to the goal, while nobody else moves the migration.
async fn go(
    session: &mut Session,
    place: usize,
    lease: &Lease,
    goal: Rest,
    drop_rows: bool,
) -> Result<Vec<WayBack>, Failure> {
    let ways = plan(session, place, Some(goal)).await?.ways;
    parts::must_be_open(session, place, &ways).await?;
    // The claim keeps everybody else away until here. From now on, whatever stops what follows, nothing automatic goes forward
    // meanwhile, and the next rollback ends it.
    let id = session.migrations[place].id();
    hop::hold(&mut session.connection, id, goal.name()).await?;
    for way in &ways {
        parts::take(session, place, lease, *way, drop_rows).await?;
    }
    Ok(ways)
}

/// What [`run`] would do.
pub(crate) async fn preview(
    session: &mut Session,
    place: usize,
    to: Option<Rest>,
) -> Result<Answer, Failure> {
    let Plan {
        from, goal, ways, ..
    } = plan(session, place, to).await?;
    let folder = session.folder(place);
    let sql = parts::preview(session, place, &ways, from).await?;
    let would = told(session, place, &ways);
    let mut text = format!("{folder} ({}): {would}\n", from.name());
    let mut losses = Vec::new();
    // What later parts wait for is asked when they are reached, but for the undo of expand, which may stand in the way from the start.
    let mut asked = Vec::new();
    if ways.first() != Some(&WayBack::UndoExpand) {
        let first = parts::first_gates(session, place, &ways).await?;
        for gate in first.into_iter().flat_map(|(_, gates)| gates) {
            if !asked.contains(&gate) {
                asked.push(gate);
            }
        }
    }
    if ways.contains(&WayBack::UndoExpand) {
        let before = parts::gates_before(session, place, &ways).await?;
        asked.retain(|gate| before.iter().all(|other| other.name != gate.name));
        asked.extend(before);
        losses = session.losses(place).await?;
    }
    let gates = gate::show_all(&asked);
    text.push_str(&gate::lines(&gates));
    let losses: Vec<String> = losses.iter().map(ToString::to_string).collect();
    for loss in &losses {
        let _ = writeln!(text, "  {loss}: this needs --drop-rows");
    }
    text.push_str(&sql);
    let object = serde_json::json!({
        "dry_run": true, "migration": folder, "from": from.name(), "to": goal.name(), "would": would, "sql": sql,
        "gates": gates, "loses": losses,
    });
    Answer::done(text, object)
}

fn told(session: &Session, place: usize, ways: &[WayBack]) -> String {
    if ways.is_empty() {
        return "it is there already".to_owned();
    }
    let described: Vec<_> = ways
        .iter()
        .map(|way| describe(session, place, *way))
        .collect();
    described.join("; then ")
}

/// Nobody has agreed to losing what is nowhere else.
fn unasked(folder: &str, name: &str, losses: &[Loss]) -> Failure {
    Failure::usage(
        format!("rollback of {folder} drops {}", losses::listed(losses)),
        format!(
            "if nobody needs them: `cargo zdm rollback {name} --to absent --drop-rows`; nothing brings them back but a backup"
        ),
    )
}
