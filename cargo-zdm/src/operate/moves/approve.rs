//! Approve: somebody agrees that a migration's old side is dropped.
//!
//! Comes in: the session, a migration, a note. Goes out: an entry of the audit log.
//! Must not know: who drops it. It takes no claim: it moves nothing, and reaches a command that waits for it.

use std::collections::BTreeSet;
use std::time::Duration;

use zdm_runtime::audit::{self, APPROVE, person};

use crate::error::Failure;
use crate::operate::position::{Position, known};
use crate::operate::session::Session;
use crate::terminal::Answer;

/// Puts the approval of the migration's present content on record, once per person; once more where old is kept since, for whoever ends
/// that time.
pub(crate) async fn record(
    session: &mut Session,
    place: usize,
    note: &str,
) -> Result<Answer, Failure> {
    has_something_to_drop(session, place).await?;
    session.upgrade().await?;
    let actor = session.actor.clone();
    let already = others_and_own(session, place).await?.1;
    if !already {
        let migration = &session.migrations[place];
        let entry = audit::Entry {
            actor: &actor,
            migration: migration.id(),
            content_hash: Some(migration.content_hash()),
            action: APPROVE,
            statement: None,
            outcome: "done",
            duration: Duration::ZERO,
            detail: note,
        };
        audit::record(&mut session.connection, entry).await?;
    }
    let (others, _) = others_and_own(session, place).await?;
    let (folder, count, demanded) = (session.folder(place), others + 1, session.policy.approvals);
    let done = if already {
        format!("{folder} is approved by {actor} already")
    } else {
        format!("{folder} is approved by {actor}")
    };
    let text = match demanded {
        0 => format!("{done}; [policy] in zdm.toml asks for no approval (`approvals`)"),
        _ => format!("{done}: {count} of {demanded}, for anybody else who runs `contract`"),
    };
    let object = serde_json::json!({
        "migration": folder, "id": session.manifest(place).id, "actor": actor, "approvals": count, "demanded": demanded,
        "changed": !already,
    });
    Answer::done(text, object)
}

async fn has_something_to_drop(session: &mut Session, place: usize) -> Result<(), Failure> {
    let folder = session.folder(place);
    let (problem, next) = match session.position(place).await? {
        Position::At(..) | Position::Kept(_) | Position::Dropping(..) => return Ok(()),
        Position::Absent | Position::Begun(..) => (
            format!("{folder} is not in this database yet: there is nothing to drop"),
            "run `cargo zdm expand` first",
        ),
        Position::Expanded | Position::Contracted => (
            format!("{folder}: nothing is left to contract"),
            "`cargo zdm status` shows which migrations are in transition",
        ),
    };
    Err(Failure::usage(problem, next).safe("nothing was put on record"))
}

/// How many other people's approvals count, and whether this person's is among those that do. Who has agreed before contract has not
/// agreed that the time ends for which old is kept, and may say so as well.
async fn others_and_own(session: &mut Session, place: usize) -> Result<(usize, bool), Failure> {
    let me = person(&session.actor);
    let facts = session.facts(place).await?;
    let since = known(&facts.record)?.kept_since.unwrap_or(i64::MIN);
    let counting = known(&facts.approvals)?.iter();
    let counting = counting.filter(|approval| approval.counts());
    let (own, others): (Vec<_>, Vec<_>) =
        counting.partition(|approval| person(&approval.actor) == me);
    let others: BTreeSet<_> = others.iter().map(|other| person(&other.actor)).collect();
    let own = own.iter().any(|own| own.recorded_at >= since);
    Ok((others.len(), own))
}
