//! Pause, cancel and resume: a migration is held where it stands, or let go.
//!
//! Comes in: the session, a migration, the reason. Goes out: a migration that is held or not.
//! Must not know: who looks at the pause. It takes no claim, so that it reaches a command that is at work.

use zdm_runtime::backfill::{self, Way};
use zdm_runtime::gates;
use zdm_runtime::hop;

use crate::error::Failure;
use crate::operate::position::Position;
use crate::operate::session::Session;
use crate::terminal::Answer;

/// Holds the migration.
pub(crate) async fn hold(
    session: &mut Session,
    place: usize,
    reason: &str,
) -> Result<Answer, Failure> {
    let position = standing(session, place).await?;
    session.upgrade().await?;
    let id = session.manifest(place).id.clone();
    let already = hop::is_paused(&mut session.connection, &id).await?;
    if !already {
        hop::pause(&mut session.connection, &id, &session.actor, reason).await?;
    }
    let folder = session.folder(place);
    let (held, stage) = (
        if already {
            "is paused already"
        } else {
            "is paused"
        },
        position.name(),
    );
    let text = format!(
        "{folder} {held}, at {stage}: reads and writes stay as they are; a running backfill stops before its next batch; \
         `cargo zdm resume {}` lets it go on",
        session.manifest(place).name
    );
    answer(session, place, position, (true, !already), text)
}

/// Ends the backfill for good and holds the migration.
pub(crate) async fn cancel(
    session: &mut Session,
    place: usize,
    reason: &str,
) -> Result<Answer, Failure> {
    let position = standing(session, place).await?;
    let id = session.manifest(place).id.clone();
    if !backfill::is_open(&mut session.connection, &id, Way::Up).await? {
        return Err(Failure::usage(
            format!(
                "no backfill of {} is under way: there is nothing to cancel",
                session.folder(place)
            ),
            "`cargo zdm pause` holds a migration where it stands, `cargo zdm rollback` takes it back",
        )
        .safe("nothing was changed"));
    }
    hop::cancel(&mut session.connection, &id, &session.actor, reason).await?;
    let name = session.manifest(place).name.clone();
    let text = format!(
        "{}: the backfill is cancelled, and the migration is held at {}; reads and writes stay as they are. `cargo zdm rollback {name}` takes it back; after `cargo zdm resume {name}` a backfill begins at the beginning",
        session.folder(place),
        position.name()
    );
    answer(session, place, position, (true, true), text)
}

/// Lets the migration go on, after a pause or a rollback.
pub(crate) async fn release(
    session: &mut Session,
    place: usize,
    reason: &str,
) -> Result<Answer, Failure> {
    session.upgrade().await?;
    let facts = session.facts(place).await?;
    let rolled_back = !gates::all_open(&gates::for_advance(&facts));
    let position = if rolled_back {
        Position::of(&facts)?
    } else {
        standing(session, place).await?
    };
    let id = session.manifest(place).id.clone();
    let held = rolled_back || hop::is_paused(&mut session.connection, &id).await?;
    if held {
        hop::resume(&mut session.connection, &id, &session.actor, reason).await?;
    }
    let (folder, stage) = (session.folder(place), position.name());
    let text = if held {
        format!("{folder} may go on, from {stage}: `cargo zdm advance` does")
    } else {
        format!("{folder} was neither paused nor rolled back; it is at {stage}")
    };
    answer(session, place, position, (false, held), text)
}

/// Where it stands, or why there is nothing to hold.
async fn standing(session: &mut Session, place: usize) -> Result<Position, Failure> {
    let position = session.position(place).await?;
    match position {
        Position::At(..) | Position::Kept(_) | Position::Dropping(..) => Ok(position),
        Position::Absent | Position::Begun(..) | Position::Expanded | Position::Contracted => {
            Err(Failure::usage(
                format!(
                    "{} is {}: it has no stage that could be held",
                    session.folder(place),
                    position.name()
                ),
                "`cargo zdm status` shows which migrations are in transition",
            )
            .safe("nothing was changed"))
        }
    }
}

fn answer(
    session: &Session,
    place: usize,
    position: Position,
    (paused, changed): (bool, bool),
    text: String,
) -> Result<Answer, Failure> {
    let object = serde_json::json!({
        "migration": session.folder(place), "id": session.manifest(place).id, "stage": position.name(),
        "paused": paused, "changed": changed,
    });
    Answer::done(text, object)
}
