//! Every migration, in order, as far as gates and policy allow; idempotent.
//!
//! Comes in: the session. Goes out: where every migration stands now, with the first shut gate of each, or what failed.
//! Must not know: what a move does.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use zdm_runtime::gates::{self, Side};
use zdm_runtime::{By, Share, Stage};

use super::backfill::{self, Effort};
use super::{contract, expand, step_back, switch, verify};
use crate::error::{Failure, Kind, ShownGate};
use crate::operate::gate;
use crate::operate::position::{Move, Position};
use crate::operate::session::Session;
use crate::operate::target::Target;
use crate::terminal::Answer;

/// How long `--watch` waits before it looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug, Default, Serialize)]
struct Advanced {
    migration: String,
    stage: String,
    done: bool,
    moves: u32,
    /// Why all reads went back to old by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    stepped_back: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shut: Vec<ShownGate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

/// Advances until nothing more is possible now; with `watch` until everything is done or something fails.
pub(crate) async fn run(
    session: &mut Session,
    before_deploy: bool,
    watch: bool,
) -> Result<Answer, Failure> {
    session.by_itself = true;
    let expanded = expand::every(session).await?;
    if before_deploy {
        return expanded.map_err(|(_, failure)| failure);
    }
    // A version that has to wait for a contract keeps nobody from contracting, and may be expanded then.
    let mut not_expanded = expanded
        .err()
        .filter(|(_, failure)| failure.kind != Kind::Gate);
    let mut said = Vec::new();
    loop {
        let all = every(session, not_expanded.take()).await;
        let done = all.iter().all(|migration| migration.done);
        let worst = Kind::worst(all.iter().filter_map(Advanced::kind));
        if !watch || worst != Some(Kind::Gate) {
            let object = serde_json::json!({ "done": done, "migrations": all });
            return Answer::ending(worst, text(&all), object);
        }
        // What only counts on is no news.
        let waits: Vec<String> = all.iter().map(Advanced::waits_for).collect();
        if said != waits {
            session.terminal.say(&text(&all));
            said = waits;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Every migration, whatever becomes of the others; only where the database itself is gone the rest is left.
async fn every(session: &mut Session, mut not_expanded: Option<(usize, Failure)>) -> Vec<Advanced> {
    let mut all = Vec::new();
    for place in 0..session.migrations.len() {
        let mut migration = Advanced {
            migration: session.folder(place),
            stage: "unknown".to_owned(),
            ..Advanced::default()
        };
        let end = one(session, place, &mut not_expanded, &mut migration).await;
        if let Err(failure) = end {
            if let Ok(position) = session.position(place).await {
                migration.stage = position.name();
            }
            migration.end(failure);
        }
        let failed = migration.error.is_some();
        all.push(migration);
        if failed && session.is_cut_off().await {
            break;
        }
    }
    all
}

/// One migration up to its first shut gate, or to its end.
async fn one(
    session: &mut Session,
    place: usize,
    not_expanded: &mut Option<(usize, Failure)>,
    migration: &mut Advanced,
) -> Result<(), Failure> {
    let route = session.migrations[place].manifest().route;
    loop {
        let position = session.position(place).await?;
        migration.stage = position.name();
        let Some(step) = position.next(route) else {
            migration.done = true;
            return Ok(());
        };
        if step == Move::Expand {
            if let Some((_, failure)) = not_expanded.take_if(|(failed, _)| *failed == place) {
                return Err(failure);
            }
            if let Some(first) = expand::first_missing(session).await?
                && first < place
            {
                let first = session.folder(first);
                return Err(gate::refusal(&format!("expand, after that of {first},")));
            }
        }
        if let Some((why, answer)) = step_back::if_rows_differ(session, place, position).await? {
            migration.moves += 1;
            migration.stepped_back = Some(why);
            session.terminal.say(&answer.text);
            continue;
        }
        if let Some(answer) = take(session, place, position, step).await? {
            migration.moves += 1;
            session.terminal.say(&answer.text);
        }
    }
}

impl Advanced {
    /// Where it stands and which gates are shut.
    fn waits_for(&self) -> String {
        let gates: Vec<_> = self.shut.iter().map(|gate| gate.gate.as_str()).collect();
        format!("{} {} {}", self.migration, self.stage, gates.join(" "))
    }

    /// Why it does not go on: a shut gate opens later, anything else has to be mended.
    fn end(&mut self, failure: Failure) {
        if failure.kind != Kind::Gate {
            self.error = Some(failure);
            return;
        }
        self.waits = Some(failure.message);
        self.next = Some(failure.next);
        self.shut = failure.gates;
        self.shut.retain(|gate| !gate.open);
    }

    fn kind(&self) -> Option<Kind> {
        match &self.error {
            Some(failure) => Some(failure.kind),
            None => (!self.done).then_some(Kind::Gate),
        }
    }
}

/// One step, with what belongs to it: a backfill, a verification. `None`: another command has moved the migration meanwhile, and what comes
/// next is to be decided again.
pub(crate) async fn take(
    session: &mut Session,
    place: usize,
    position: Position,
    step: Move,
) -> Result<Option<Answer>, Failure> {
    switch::settle(session, place, position).await?;
    match step {
        Move::Expand => expand::run(session, Some(place)).await.map(Some),
        Move::DualWrite => {
            switch::from(session, place, position, Target::at(Stage::DualWrite)).await
        }
        Move::Shadow => {
            let target = Target::at(Stage::Shadow);
            if shut(session, place, position, target)
                .await?
                .contains(&"backfilled")
            {
                let filled = backfill::run(session, place, Effort::gentle()).await?;
                session.terminal.say(&filled.text);
            }
            verify_if_only_that(session, place, position, target).await?;
            switch::from(session, place, position, target).await
        }
        Move::Live { above } => {
            let mut ramp = session.policy.ramp_shares()?.into_iter();
            let by = position.counted_by(session.policy.ramp_by);
            let has_shares =
                by == By::Instance || !switch::is_without_keys(session.manifest(place));
            let share = ramp.find(|share| has_shares && share.basis_points() > above);
            let target = Target::live(share.unwrap_or(Share::ALL)).counted_by(by);
            switch::from(session, place, position, target).await
        }
        Move::RampDown => {
            let target = Target::at(Stage::RampDown);
            verify_if_only_that(session, place, position, target).await?;
            switch::from(session, place, position, target).await
        }
        Move::Complete => switch::from(session, place, position, Target::at(Stage::Complete)).await,
        Move::Contract | Move::DropKept => contract::run(session, place, contract::Window::Lasts)
            .await
            .map(Some),
    }
}

/// A full comparison is long: it is made when nothing else is in the way.
async fn verify_if_only_that(
    session: &mut Session,
    place: usize,
    position: Position,
    target: Target,
) -> Result<(), Failure> {
    let shut = shut(session, place, position, target).await?;
    let verifies = |name: &&str| matches!(*name, "verified" | "verified_again");
    let only = shut
        .iter()
        .all(|name| verifies(name) || *name == "section_done");
    if only && shut.iter().any(verifies) {
        session.terminal.say(&format!(
            "{}: comparing both sides of every row",
            session.folder(place)
        ));
        verify::must_pass(session, place, Side::New).await?;
    }
    Ok(())
}

async fn shut(
    session: &mut Session,
    place: usize,
    position: Position,
    target: Target,
) -> Result<Vec<&'static str>, Failure> {
    let facts = session.facts(place).await?;
    let mut gates = switch::gates_of(session, &facts, position, target)?;
    gates.extend(gates::for_advance(&facts));
    Ok(gate::shut(&gates))
}

fn text(all: &[Advanced]) -> String {
    let mut text = String::new();
    for migration in all {
        let Advanced {
            migration: folder,
            stage,
            ..
        } = migration;
        if migration.done {
            let _ = writeln!(text, "{folder}: {stage}, done");
            continue;
        }
        if let Some(failure) = &migration.error {
            let _ = writeln!(text, "{folder}: {stage}; {failure}");
            continue;
        }
        let waits = migration.waits.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{folder}: {stage}; {waits}");
        for gate in &migration.shut {
            let _ = writeln!(text, "  shut: {}: {}", gate.gate, gate.reason);
            if let Some(opens) = &gate.opens_when {
                let _ = writeln!(text, "        opens: {opens}");
            }
        }
    }
    text
}
