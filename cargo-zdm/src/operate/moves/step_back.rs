//! What a ramp does by itself when it goes wrong: all reads go back to old, and stay there until somebody decides.
//!
//! Comes in: the session, where a migration stands, the policy. Goes out: the rollback with its reason, where there was one.
//! Must not know: who counts rows that differ.

use std::time::Duration;

use zdm_runtime::facts::Fact;
use zdm_runtime::{Stage, audit};

use super::rollback;
use crate::error::Failure;
use crate::operate::position::Position;
use crate::operate::rest::Rest;
use crate::operate::session::Session;
use crate::terminal::Answer;

/// Back to `dual_write` from where reads are compared, if instances saw as many rows that differ as the policy says. What could not be
/// counted leads nowhere: the gate `no_shadow_mismatch` keeps it from going on.
pub(crate) async fn if_rows_differ(
    session: &mut Session,
    place: usize,
    position: Position,
) -> Result<Option<(String, Answer)>, Failure> {
    let most = i64::from(session.policy.step_back);
    let compares = matches!(position, Position::At(Stage::Shadow | Stage::Live, _));
    if most == 0 || !compares {
        return Ok(None);
    }
    let seen = match session.facts(place).await?.shadow_mismatches {
        Fact::Known(seen) if seen >= most => seen,
        _ => return Ok(None),
    };
    let why = format!(
        "instances saw {seen} times a row whose sides differ, and step_back = {most}: all reads go back to old"
    );
    let folder = session.folder(place);
    session.terminal.say(&format!("{folder}: {why}"));
    // The hop takes the counts away: the log keeps what moved it.
    session.upgrade().await?;
    let entry = audit::Entry {
        actor: &session.actor,
        migration: &session.migrations[place].manifest().id,
        content_hash: None,
        action: "step back",
        statement: None,
        outcome: "done",
        duration: Duration::ZERO,
        detail: &why,
    };
    audit::record(&mut session.connection, entry).await?;
    rollback::run(session, place, Some(Rest::DualWrite), false)
        .await
        .map(|answer| Some((why, answer)))
}
