//! Executes the reviewed statements of a section, one step at a time, so that it can be interrupted anywhere.
//!
//! Comes in: a connection, a checked [`Migration`], a section and a direction. Goes out: the database changed, every
//! step recorded in the same transaction. Must not know: stages, gates, what a statement means.

mod building;
mod dependents;
mod error;
mod explain;
mod failure;
mod index;
mod limited;
mod outside;
mod patience;
mod rebuild;
mod record;
mod small;
mod transaction;
mod turn;
mod unasked;
mod undescribed;
mod unfit;
mod words;

use std::time::{Duration, Instant};

pub use building::{Building, building};
pub use error::{ExecutorError, StepName};
pub use limited::Limited;

use crate::audit::{self, Entry};
use crate::database::blockers::{self, Blocker};
use crate::database::{Connection, DatabaseError};
use crate::manifest::{Direction, Step};
use crate::migration::Migration;
use crate::operator::{Lease, LeaseError};
use crate::pauses::Pauses;
use crate::phase::Section;
use failure::Failure;
use record::Effect;

/// How patient the executor is, and in whose name it acts.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// Who acts, for the audit log.
    pub actor: String,
    /// The claims under which the gates were found open. A step whose transaction finds one lost does nothing.
    pub leases: Vec<Lease>,
    /// How long a statement that blocks writers may wait for its lock: writers queue behind it meanwhile.
    pub lock_timeout: Duration,
    /// From when on a transaction counts as long.
    pub long: Duration,
    /// How long transactions that are long already are waited for before a statement that blocks writers is tried; zero: not at all.
    pub patience: Duration,
    /// How often a step is tried.
    pub attempts: u32,
    /// The pause after the first refused try; it doubles, with jitter, up to `longest_pause`.
    pub first_pause: Duration,
    /// The longest pause between two tries.
    pub longest_pause: Duration,
    /// How long a statement that does not block writers may run.
    pub deadline: Duration,
    /// The undo of expand may drop rows and values that are nowhere else.
    pub drop_rows: bool,
    /// The entry before which it stops, for what has to be asked between two of them.
    pub before: Option<u32>,
}

impl ExecutorOptions {
    /// The defaults, in somebody's name.
    pub fn of(actor: impl Into<String>) -> Self {
        Self {
            actor: actor.into(),
            leases: Vec::new(),
            lock_timeout: Duration::from_secs(1),
            long: Duration::from_secs(5),
            patience: Duration::from_mins(5),
            attempts: 10,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            deadline: Duration::from_hours(4),
            drop_rows: false,
            before: None,
        }
    }
}

/// What happens while a section is executed.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The step was done in an earlier run, or there is nothing to undo.
    AlreadyDone {
        /// The step.
        step: &'a Step,
    },
    /// The step begins.
    Started {
        /// The step.
        step: &'a Step,
    },
    /// Long transactions are in the way: the step is tried when they are gone.
    Waiting {
        /// The step.
        step: &'a Step,
        /// How long they are waited for.
        patience: Duration,
        /// Who is in the way.
        blockers: &'a [Blocker],
    },
    /// The lock was not to be had; another try follows after the pause.
    Retrying {
        /// The step.
        step: &'a Step,
        /// The try that was refused, 1-based.
        attempt: u32,
        /// How long until the next.
        pause: Duration,
        /// Who was in the way.
        blockers: &'a [Blocker],
        /// Said once, after a few tries: each waits for a shorter time than it might.
        limited: Option<Limited>,
    },
    /// The step is done and recorded.
    Done {
        /// The step.
        step: &'a Step,
        /// How long its last try took.
        duration: Duration,
        /// How long the tries before waited for the lock.
        lock_wait: Duration,
    },
}

/// Receives events.
pub type OnEvent<'a> = &'a mut (dyn FnMut(Event<'_>) + Send);

/// What was executed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Steps executed now.
    pub executed: u32,
    /// Steps that were done before.
    pub already_done: u32,
}

/// Executes a section's `up.sql` or takes it back by its `down.sql`. Whatever interrupts it, running again goes on.
pub async fn run(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
    direction: Direction,
    options: &ExecutorOptions,
    on_event: OnEvent<'_>,
) -> Result<Outcome, ExecutorError> {
    let (recorded, turned) = recorded(connection, migration, section, direction).await?;
    if connection.is_pooled()
        && let Some(step) = first_outside(migration, &recorded, (section, direction))
    {
        return Err(ExecutorError::Pooled { step: step.into() });
    }
    if let Some(turned) = turned {
        turned
            .put_on_record(connection, migration, section, options)
            .await?;
    }
    let mut outcome = Outcome::default();
    let steps = migration.manifest().steps_of(section, direction);
    for step in steps.take_while(|step| options.before != Some(step.number)) {
        let Some(effect) = record::effect(migration, &recorded, step) else {
            outcome.already_done += 1;
            on_event(Event::AlreadyDone { step });
            continue;
        };
        on_event(Event::Started { step });
        let task = Task {
            migration,
            step,
            sql: migration.sql(step),
            effect,
            begun: recorded
                .up
                .contains_key(&i64::from(step.undoes.unwrap_or(step.number))),
            options,
        };
        task.run(connection, on_event).await?;
        outcome.executed += 1;
    }
    if direction == Direction::Down {
        record::forget_section(connection, migration, section).await?;
    }
    Ok(outcome)
}

/// The first step outside a transaction: its limits are settings of the session, which a pooler would give to the next client.
fn first_outside<'a>(
    migration: &'a Migration,
    recorded: &record::Recorded,
    (section, direction): (Section, Direction),
) -> Option<&'a Step> {
    let mut steps = migration.manifest().steps_of(section, direction);
    steps.find(|step| !step.transactional && record::effect(migration, recorded, step).is_some())
}

/// The steps that [`run`] would execute now, in their order.
pub async fn pending<'a>(
    connection: &mut Connection,
    migration: &'a Migration,
    section: Section,
    direction: Direction,
) -> Result<Vec<&'a Step>, ExecutorError> {
    let (recorded, _) = recorded(connection, migration, section, direction).await?;
    let steps = migration.manifest().steps_of(section, direction);
    Ok(steps
        .filter(|step| record::effect(migration, &recorded, step).is_some())
        .collect())
}

/// The record of a section, where it can be executed in this direction; forward, what of it is turned round for that.
async fn recorded(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
    direction: Direction,
) -> Result<(record::Recorded, Option<turn::Turned>), ExecutorError> {
    let plan = migration.manifest();
    if plan.dialect != connection.dialect().name() {
        return Err(ExecutorError::WrongDialect {
            migration: plan.id.clone(),
            plan: plan.dialect.clone(),
            connection: connection.dialect(),
        });
    }
    let mut recorded = record::read(connection, migration, section).await?;
    if direction == Direction::Down {
        return Ok((recorded, None));
    }
    let turned = turn::turn(migration, section, &mut recorded);
    let turned = turned.map_err(|number| ExecutorError::HalfUndone { section, number })?;
    Ok((recorded, Some(turned)))
}

/// Stops where another command line has taken over since the gates were found open.
async fn hold(connection: &mut Connection, leases: &[Lease]) -> Result<(), LeaseError> {
    for lease in leases {
        lease.renew(connection).await?;
    }
    Ok(())
}

/// One step with all that its execution needs.
struct Task<'a> {
    migration: &'a Migration,
    step: &'a Step,
    sql: &'a str,
    effect: Effect,
    /// An earlier attempt has begun it.
    begun: bool,
    options: &'a ExecutorOptions,
}

impl Task<'_> {
    async fn run(
        &self,
        connection: &mut Connection,
        on_event: OnEvent<'_>,
    ) -> Result<(), ExecutorError> {
        self.wait_for_long_transactions(connection, on_event)
            .await?;
        let mut pauses = Pauses::new(self.options.first_pause, self.options.longest_pause);
        let mut lock_wait = Duration::ZERO;
        for attempt in 1.. {
            let started = Instant::now();
            let failure = match self.attempt(connection, started, lock_wait).await {
                Ok(()) => {
                    on_event(Event::Done {
                        step: self.step,
                        duration: started.elapsed(),
                        lock_wait,
                    });
                    break;
                }
                Err(failure) => failure,
            };
            let duration = started.elapsed();
            let Failure::Database(refusal @ DatabaseError::Busy(_)) = &failure else {
                let failure = unfit::named(self, connection, failure).await;
                self.log(connection, "failed", duration, &failure.to_string())
                    .await;
                return Err(self.explain(failure));
            };
            lock_wait += duration;
            let blockers = self
                .blockers(connection)
                .await
                .map_err(|source| self.explain(Failure::Database(source)))?;
            let detail = blockers::who(&blockers, refusal);
            self.log(connection, "refused", duration, &detail).await;
            let is_last = attempt >= self.options.attempts;
            let limited = self.limited(connection, attempt, is_last).await;
            if is_last {
                return Err(self.blocked(failure, attempt, (blockers, limited)));
            }
            let pause = pauses.next();
            on_event(Event::Retrying {
                step: self.step,
                attempt,
                pause,
                blockers: &blockers,
                limited,
            });
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    async fn attempt(
        &self,
        connection: &mut Connection,
        started: Instant,
        lock_wait: Duration,
    ) -> Result<(), Failure> {
        if self.step.transactional {
            transaction::attempt(self, connection, started, lock_wait).await
        } else {
            outside::attempt(self, connection, started, lock_wait).await
        }
    }

    /// Stops where another command line has taken the migration over since the gates were found open. Inside a transaction
    /// it also keeps everybody else from taking over until the commit.
    async fn hold(&self, connection: &mut Connection) -> Result<(), Failure> {
        match hold(connection, &self.options.leases).await {
            Err(LeaseError::Database(error)) => return Err(error.into()),
            held => held?,
        }
        Ok(())
    }

    /// Takes the record over and logs the success; the last that the step's transaction does.
    async fn record(
        &self,
        connection: &mut Connection,
        started: Instant,
        lock_wait: Duration,
    ) -> Result<(), DatabaseError> {
        record::apply(connection, self.migration, self.step.section, &self.effect).await?;
        let detail = format!(
            "{}; waited {} ms for locks in refused tries",
            self.step.summary,
            lock_wait.as_millis()
        );
        audit::append(connection, self.entry("done", started.elapsed(), &detail)).await
    }

    /// Logs what did not succeed. The failure itself is reported to the caller, so a log that cannot be written then
    /// must not take its place.
    async fn log(
        &self,
        connection: &mut Connection,
        outcome: &str,
        duration: Duration,
        detail: &str,
    ) {
        if let Err(error) = audit::record(connection, self.entry(outcome, duration, detail)).await {
            tracing::warn!(%error, detail, "the audit log could not be written");
        }
    }

    fn entry<'a>(&'a self, outcome: &'a str, duration: Duration, detail: &'a str) -> Entry<'a> {
        Entry {
            actor: &self.options.actor,
            migration: self.migration.id(),
            content_hash: None,
            action: "step",
            statement: Some(self.sql),
            outcome,
            duration,
            detail,
        }
    }
}
