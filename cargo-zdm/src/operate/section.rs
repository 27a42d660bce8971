//! Executing a folder of reviewed SQL, told step by step.
//!
//! Comes in: the session, a version, a section, a direction. Goes out: the database changed, every step recorded.
//! Must not know: gates, stages.

use zdm_runtime::executor::{self, Event, ExecutorError, ExecutorOptions, Outcome};
use zdm_runtime::facts::{Facts, Steps};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::section_file;
use zdm_runtime::phase::Section;

use super::position::known;
use super::rights;
use super::session::Session;
use crate::error::Failure;

/// Executes `up.sql` or `down.sql` of a section; steps done before are skipped.
pub(crate) async fn run(
    session: &mut Session,
    place: usize,
    section: Section,
    direction: Direction,
) -> Result<Outcome, Failure> {
    let options = ExecutorOptions {
        lease: session.lease.clone(),
        lock_timeout: session.policy.lock_timeout,
        deadline: session.policy.ddl_deadline,
        ..ExecutorOptions::of(session.actor.clone())
    };
    let terminal = session.terminal;
    let mut tell = |event: Event<'_>| {
        if let Some(line) = line(event) {
            terminal.say(&line);
        }
    };
    let tables = &session.migrations[place].manifest().tables;
    rights::to_alter(&mut session.connection, tables).await?;
    let outcome = executor::run(
        &mut session.connection,
        &session.migrations[place],
        section,
        direction,
        &options,
        &mut tell,
    )
    .await?;
    Ok(outcome)
}

/// The SQL that a run would execute, for `--dry-run`.
pub(crate) fn preview(
    session: &Session,
    place: usize,
    section: Section,
    direction: Direction,
) -> String {
    let migration = &session.migrations[place];
    let mut text = String::new();
    for step in migration.manifest().steps_of(section, direction) {
        if text.is_empty() {
            text = format!(
                "-- {}/{}\n",
                migration.manifest().folder(),
                section_file(section, direction)
            );
        }
        text.push_str(migration.sql(step));
    }
    text
}

fn line(event: Event<'_>) -> Option<String> {
    match event {
        Event::AlreadyDone { .. } | Event::Started { .. } => None,
        Event::Retrying {
            step,
            attempt,
            pause,
            blockers,
        } => {
            let holders: Vec<_> = blockers.iter().map(ToString::to_string).collect();
            Some(format!(
                "  wait  {}: try {attempt} did not get the lock ({} on {}){}; next try in {} ms",
                step.summary,
                step.lock,
                step.table,
                if holders.is_empty() {
                    String::new()
                } else {
                    format!(", held by {}", holders.join("; "))
                },
                pause.as_millis()
            ))
        }
        Event::Done { step, duration, .. } => Some(format!(
            "  done  {} ({} ms)",
            step.summary,
            duration.as_millis()
        )),
    }
}

impl From<ExecutorError> for Failure {
    fn from(error: ExecutorError) -> Self {
        let next = match &error {
            ExecutorError::Overtaken { .. } => {
                return Self::gate(
                    error,
                    "run `cargo zdm status` to see where the migration stands, then the same command again",
                );
            }
            // The gate before the section says it first, unless the undo began after it was looked at.
            ExecutorError::HalfUndone { .. } => {
                return Self::gate(
                    error,
                    "run `cargo zdm rollback`, which ends what was begun, then go forward again",
                );
            }
            ExecutorError::EditedAfterExecution { .. } | ExecutorError::WrongDialect { .. } => {
                "bring the versions' folder back to what was reviewed, then run the command again"
            }
            _ => {
                "mend the cause and run the same command again: it continues after the last finished step"
            }
        };
        Self::environment(error, next).safe("finished steps are recorded and are not repeated")
    }
}

/// How many of a section's steps are in effect, as a whole or by half.
pub(crate) fn in_effect(facts: &Facts, section: Section) -> Result<i64, Failure> {
    Ok(steps(facts, section)?.done)
}

/// Some of a section's steps are not in effect as a whole.
pub(crate) fn is_pending(facts: &Facts, section: Section) -> Result<bool, Failure> {
    let steps = steps(facts, section)?;
    Ok(steps.done - steps.half < steps.planned)
}

/// Some of a section's steps are taken back by half.
pub(crate) fn is_half_undone(facts: &Facts, section: Section) -> Result<bool, Failure> {
    Ok(steps(facts, section)?.half > 0)
}

fn steps(facts: &Facts, section: Section) -> Result<Steps, Failure> {
    let sections = known(&facts.sections)?;
    Ok(sections.get(&section).copied().unwrap_or_default())
}
