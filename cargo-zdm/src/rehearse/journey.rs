//! The way of the version under load: the same moves that the commands make, forward and back along every edge, each left when every
//! instance that may run has written and read there.
//!
//! Comes in: the fleet, the project. Goes out: the version contracted, or what stopped it. Nothing waits for a time.
//! Must not know: how moves, writes and reads are made.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::Phase;
use zdm_runtime::{Share, quarantine};

use super::fleet::Fleet;
use super::ledger;
use super::oracle;
use super::project::Project;
use super::tally::part;
use super::way::{Edges, after, before, both, crew, phase, shown, words};
use crate::config::Policy;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::operate::moves::{advance, rollback};
use crate::operate::position::{Move, Position, WayBack, percent};
use crate::operate::session::{Missing, Session};
use crate::terminal::Terminal;
use crate::versions::State;

/// How long a gate may stay shut: longer than any lease of an instance or command that was killed.
const PATIENCE: Duration = Duration::from_mins(3);
/// How many times as much is seen before the version.
const MEASURED: u32 = 5;
/// Between two tries at a shut gate.
const RETRY: Duration = Duration::from_millis(50);

/// Everything that travels.
pub(super) struct Journey {
    pub(super) fleet: Fleet,
    pub(super) project: Project,
    /// For the steps: another project, another database.
    pub(super) context: Context,
    pub(super) policy: Policy,
    pub(super) terminal: Terminal,
    pub(super) place: usize,
    pub(super) edges: Edges,
    /// The phases that were gone through.
    pub(super) passed: BTreeSet<usize>,
    /// The phases in which a writer has lost its connection.
    cut: BTreeSet<usize>,
    pub(super) ended: bool,
}

impl Journey {
    pub(super) fn new(
        fleet: Fleet,
        project: Project,
        context: Context,
        (policy, terminal): (&Policy, Terminal),
    ) -> Self {
        Self {
            place: fleet.shared.subject.rehearsed.place,
            fleet,
            project,
            context,
            // As fast as a scratch database allows; what guards data stays as the project has it.
            policy: Policy {
                soak: Duration::ZERO,
                waive: [policy.waive.clone(), vec!["kept_long_enough".to_owned()]].concat(),
                ramp_dwell: Duration::ZERO,
                sleepers: Duration::ZERO,
                instances: 0,
                backup_hook: None,
                // Nobody has to agree to what is dropped from a scratch database.
                approvals: 0,
                ..policy.clone()
            },
            terminal,
            edges: Edges::default(),
            passed: BTreeSet::new(),
            cut: BTreeSet::new(),
            ended: false,
        }
    }

    /// All versions before it, finished.
    pub(super) async fn arrive(&mut self) -> Result<(), Failure> {
        let mut session = self.session().await?;
        for schema in self.fleet.shared.subject.rehearsed.schemas() {
            // No version creates one.
            let create = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
            session.connection.run_file(&create).await?;
        }
        drop(session);
        for place in 0..self.place {
            while let Some((position, step)) = self.next(place).await? {
                let mut session = self.session().await?;
                advance::take(&mut session, place, position, step).await?;
            }
        }
        Ok(())
    }

    /// The whole way.
    pub(super) async fn travel(&mut self) -> Result<(), Failure> {
        loop {
            let mut session = self.session().await?;
            let position = session.position(self.place).await?;
            let (route, reversible) = {
                let manifest = session.manifest(self.place);
                (manifest.route, manifest.reversible)
            };
            drop(session);
            let way = position.way_back(route, reversible);
            if self.edges.is_due(position, way) {
                if way != WayBack::UndoExpand {
                    self.stay(position, route).await?;
                }
                self.back(position, route, way).await?;
                continue;
            }
            self.stay(position, route).await?;
            let Some(step) = position.next(route) else {
                self.ended = true;
                return Ok(());
            };
            self.forward(position, route, step).await?;
        }
    }

    /// Every form that may run here has written and read, and all rows are what was written.
    async fn stay(&mut self, position: Position, route: Route) -> Result<(), Failure> {
        self.fleet.run(&crew(position, route)).await?;
        let now = self.fleet.shared.part();
        // What all the others are held against has to be seen more often.
        for _ in 0..if now == 0 { MEASURED } else { 1 } {
            self.fleet.seen().await?;
        }
        self.look().await?;
        self.passed.insert(now);
        let forms: Vec<_> = self.fleet.forms().iter().map(|form| words(*form)).collect();
        let tally = self.fleet.shared.tally();
        let statements: usize = tally.counts.iter().map(|count| count.times.len()).sum();
        self.terminal.say(&format!(
            "{:<13} {} under load; {statements} statements, {} rows compared; {} failed, {} lost, {} stale",
            shown(position),
            forms.join(" and "),
            tally.rows_compared,
            tally.failed(),
            tally.lost(),
            tally.stale,
        ));
        Ok(())
    }

    /// Compares everything; what was found ends the way.
    async fn look(&mut self) -> Result<(), Failure> {
        self.fleet.compare().await?;
        let shared = &self.fleet.shared;
        // In this order: what is acknowledged meanwhile must not be looked for in an older answer.
        let acknowledged = shared.tally().acknowledged();
        let mut session = self.session().await?;
        let written = oracle::counts(&mut session.connection).await?;
        let inconsistent = self.inconsistent(&mut session).await?;
        let mut tally = shared.tally();
        tally.compare_acknowledged(&acknowledged, &written);
        tally.differ(inconsistent);
        if tally.has_findings() {
            return Err(found("what was found ends the way here"));
        }
        Ok(())
    }

    /// How often a read of the application found the sides of a row to differ.
    async fn inconsistent(&self, session: &mut Session) -> Result<u64, Failure> {
        use zdm_runtime::database::Value;
        let sql = "SELECT CAST(coalesce(sum(mismatches), 0) AS bigint) FROM {zdm}mismatch WHERE migration = $1";
        let id = session.manifest(self.place).id.clone();
        let answer = session.connection.query(sql, &[id.into()]).await?;
        Ok(match answer.first().map(Vec::as_slice) {
            Some([Value::Int(Some(count))]) => count.unsigned_abs(),
            _ => 0,
        })
    }

    async fn forward(&mut self, from: Position, route: Route, step: Move) -> Result<(), Failure> {
        self.fleet.shared.enter(part(Some(phase(step))));
        let to = after(step);
        let sleepers = self.fleet.sleepers();
        self.fleet.run(&both(from, to, route)).await?;
        self.kill(step).await?;
        if step == Move::Contract {
            let shared = &self.fleet.shared;
            self.project
                .deploy(&shared.subject.rehearsed, State::Final)?;
        }
        self.take(from, step).await?;
        self.fleet.wake(sleepers).await?;
        self.passed.insert(self.fleet.shared.part());
        if step == Move::Shadow {
            self.edges.filled = true;
            self.fleet.shared.enter(part(Some(Phase::SwitchReads)));
        }
        Ok(())
    }

    /// What dies on the way to this step: once in every phase the connection of a writer, an instance where both sides are written, and
    /// the backfill.
    async fn kill(&mut self, step: Move) -> Result<(), Failure> {
        if self.cut.insert(self.fleet.shared.part()) {
            self.fleet.cut().await?;
        }
        if step != Move::Shadow || self.edges.filled {
            return Ok(());
        }
        self.fleet.kill().await?;
        let backfill = ledger::kill_backfill(self.session().await?, self.place);
        let killed = Box::pin(backfill).await?;
        self.fleet.shared.tally().killed.backfills += u64::from(killed);
        Ok(())
    }

    /// One step, tried again as long as a gate is shut.
    async fn take(&mut self, from: Position, step: Move) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let mut session = self.session().await?;
            if matches!(
                step,
                Move::RampDown | Move::Complete | Move::Contract | Move::DropKept
            ) {
                self.waive(&mut session).await?;
            }
            // A step that was interrupted has moved the migration perhaps.
            let position = session.position(self.place).await?;
            if position != from && position.next(session.manifest(self.place).route) != Some(step) {
                return Ok(());
            }
            let taken = advance::take(&mut session, self.place, position, step).await;
            drop(session);
            match taken {
                Ok(Some(answer)) if answer.kind != Some(Kind::Gate) => return Ok(()),
                Err(failure) if failure.kind != Kind::Gate => return Err(failure),
                Ok(_) => {}
                Err(failure) if begun.elapsed() > PATIENCE => return Err(failure),
                Err(_) => self.look_at_mismatches().await?,
            }
            self.fleet.beat().await?;
            tokio::time::sleep(RETRY).await;
        }
    }

    /// A gate that a mismatch shuts opens no more.
    async fn look_at_mismatches(&mut self) -> Result<(), Failure> {
        let mut session = self.session().await?;
        let inconsistent = self.inconsistent(&mut session).await?;
        if inconsistent > 0 {
            self.fleet.shared.tally().differ(inconsistent);
            return Err(found("reads found sides that differ"));
        }
        Ok(())
    }

    /// Values that `up` cannot convert may go: the version says what becomes of them.
    async fn waive(&self, session: &mut Session) -> Result<(), Failure> {
        let migration = &session.migrations[self.place];
        let reason = "rehearsed: a value that cannot be converted may go";
        quarantine::waive(
            &mut session.connection,
            migration,
            None,
            &session.actor,
            reason,
        )
        .await?;
        Ok(())
    }

    async fn back(&mut self, from: Position, route: Route, way: WayBack) -> Result<(), Failure> {
        let to = before(from, way);
        let sleepers = self.fleet.sleepers();
        self.fleet.run(&both(from, to, route)).await?;
        let begun = Instant::now();
        loop {
            let mut session = self.session().await?;
            match rollback::run(&mut session, self.place, to.rest(), true).await {
                Ok(_) => break,
                Err(failure) if failure.kind != Kind::Gate || begun.elapsed() > PATIENCE => {
                    return Err(failure);
                }
                Err(_) => {}
            }
            drop(session);
            self.fleet.beat().await?;
            tokio::time::sleep(RETRY).await;
        }
        self.fleet.wake(sleepers).await?;
        self.terminal
            .say(&format!("{:<13} taken back to {}", shown(from), shown(to)));
        Ok(())
    }

    async fn next(&mut self, place: usize) -> Result<Option<(Position, Move)>, Failure> {
        let mut session = self.session().await?;
        let position = session.position(place).await?;
        let step = position.next(session.manifest(place).route);
        Ok(step.map(|step| (position, step)))
    }

    /// As a command of its own would open it.
    pub(super) async fn session(&self) -> Result<Session, Failure> {
        let mut session = Session::open(&self.context, Missing::NewFile).await?;
        session.policy = self.policy.clone();
        if self.edges.is_ramped() {
            session.policy.ramp = vec![percent(Share::ALL.basis_points())];
        }
        Ok(session)
    }
}

fn found(what: &str) -> Failure {
    Failure::findings(
        what,
        "see the problems above; the scratch database alone was touched",
    )
}
