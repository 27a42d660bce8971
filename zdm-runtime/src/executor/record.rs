//! The record of executed steps: what a step changes in it, and whether the files are still what was executed.

use std::collections::BTreeMap;

use super::ExecutorError;
use crate::database::{Connection, DatabaseError, Value};
use crate::manifest::{Direction, Step};
use crate::migration::{Migration, hash};
use crate::phase::Section;

/// Recorded `up` steps of a section, by number.
pub(super) type Recorded = BTreeMap<i64, State>;

/// How far a step is, as `done_at` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has begun outside a transaction, and its end is not on record: below 0.
    Begun,
    /// Its undo has begun and not ended: 0.
    HalfUndone,
    /// It is in effect as a whole: when it was done.
    Whole,
}

/// What a step changes in the record, in its own transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// The step is in effect.
    Insert { number: i64, hash: String },
    /// The step's undo has begun and takes further statements.
    Half { number: i64 },
    /// These steps are no longer in effect.
    Delete { numbers: Vec<i64> },
}

/// Reads the record and compares it with the files.
pub(super) async fn read(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
) -> Result<Recorded, ExecutorError> {
    let rows = connection
        .query(
            "SELECT number, content_hash, done_at FROM {zdm}step WHERE migration = $1 AND section = $2 ORDER BY number",
            &[migration.id().into(), section.name().into()],
        )
        .await
        .map_err(ExecutorError::Control)?;
    let mut recorded = Recorded::new();
    for row in rows {
        let [
            Value::Int(Some(number)),
            Value::Text(Some(stored)),
            Value::Int(Some(done_at)),
        ] = row.as_slice()
        else {
            return Err(ExecutorError::Control(DatabaseError::unexpected(
                "which steps are recorded",
                &row,
            )));
        };
        let found = migration
            .manifest()
            .steps_of(section, Direction::Up)
            .find(|step| i64::from(step.number) == *number)
            .map_or_else(
                || "none, the step is not there".to_owned(),
                |step| hash(migration.sql(step)),
            );
        if found != *stored {
            return Err(ExecutorError::EditedAfterExecution {
                section,
                number: *number,
                recorded: stored.clone(),
                found,
            });
        }
        let state = match done_at.signum() {
            -1 => State::Begun,
            0 => State::HalfUndone,
            _ => State::Whole,
        };
        recorded.insert(*number, state);
    }
    Ok(recorded)
}

/// What the step will change in the record; `None` where there is nothing to do.
pub(super) fn effect(migration: &Migration, recorded: &Recorded, step: &Step) -> Option<Effect> {
    match step.direction {
        Direction::Up => {
            let number = i64::from(step.number);
            let is_done = !matches!(recorded.get(&number), None | Some(State::Begun));
            (!is_done).then(|| Effect::Insert {
                number,
                hash: hash(migration.sql(step)),
            })
        }
        Direction::Down => {
            let number = i64::from(step.undoes?);
            let effect = || {
                if goes_on(migration, step) {
                    Effect::Half { number }
                } else {
                    Effect::Delete {
                        numbers: taken_along(migration, step.section, number),
                    }
                }
            };
            recorded.contains_key(&number).then(effect)
        }
    }
}

/// Whether a later step takes back the same one: it counts as undone after the last of them, so that an interrupted undo
/// begins again with the first. Until then it is in effect by half, and the way forward is shut.
fn goes_on(migration: &Migration, step: &Step) -> bool {
    migration
        .manifest()
        .steps_of(step.section, Direction::Down)
        .any(|other| other.number > step.number && other.undoes == step.undoes)
}

/// A step and the later ones that have no undo of their own: they built on what is taken away now (a validation of a
/// constraint), so they have to run again.
fn taken_along(migration: &Migration, section: Section, number: i64) -> Vec<i64> {
    let undone: Vec<i64> = migration
        .manifest()
        .steps_of(section, Direction::Down)
        .filter_map(|step| step.undoes.map(i64::from))
        .collect();
    let later = migration
        .manifest()
        .steps_of(section, Direction::Up)
        .map(|step| i64::from(step.number))
        .filter(|other| *other > number && !undone.contains(other));
    std::iter::once(number).chain(later).collect()
}

/// Changes the record.
pub(super) async fn apply(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
    effect: &Effect,
) -> Result<(), DatabaseError> {
    match effect {
        Effect::Insert { number, hash } => {
            connection
                .execute(
                    "INSERT INTO {zdm}step (migration, section, number, content_hash, done_at)
                     VALUES ($1, $2, $3, $4, {now})
                     ON CONFLICT (migration, section, number) DO UPDATE SET done_at = excluded.done_at",
                    &[
                        migration.id().into(),
                        section.name().into(),
                        (*number).into(),
                        hash.as_str().into(),
                    ],
                )
                .await?;
        }
        Effect::Half { number } => {
            connection
                .execute(
                    "UPDATE {zdm}step SET done_at = 0 WHERE migration = $1 AND section = $2 AND number = $3",
                    &[
                        migration.id().into(),
                        section.name().into(),
                        (*number).into(),
                    ],
                )
                .await?;
        }
        Effect::Delete { numbers } => {
            for number in numbers {
                connection
                    .execute(
                        "DELETE FROM {zdm}step WHERE migration = $1 AND section = $2 AND number = $3",
                        &[
                            migration.id().into(),
                            section.name().into(),
                            (*number).into(),
                        ],
                    )
                    .await?;
            }
        }
    }
    Ok(())
}

/// Says that a step begins which is not done and recorded in one transaction: whatever interrupts it, its undo takes it back.
pub(super) async fn begin(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
    effect: &Effect,
) -> Result<(), DatabaseError> {
    let Effect::Insert { number, hash } = effect else {
        return Ok(());
    };
    connection
        .execute(
            "INSERT INTO {zdm}step (migration, section, number, content_hash, done_at)
             VALUES ($1, $2, $3, $4, -1) ON CONFLICT (migration, section, number) DO NOTHING",
            &[
                migration.id().into(),
                section.name().into(),
                (*number).into(),
                hash.as_str().into(),
            ],
        )
        .await?;
    Ok(())
}

/// Nothing is left of a step that had begun.
pub(super) async fn abandon(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
    effect: &Effect,
) -> Result<(), DatabaseError> {
    let Effect::Insert { number, .. } = effect else {
        return Ok(());
    };
    connection
        .execute(
            "DELETE FROM {zdm}step WHERE migration = $1 AND section = $2 AND number = $3 AND done_at < 0",
            &[
                migration.id().into(),
                section.name().into(),
                (*number).into(),
            ],
        )
        .await?;
    Ok(())
}

/// After the last undo: what is still recorded has no undo, and forward starts from the beginning.
pub(super) async fn forget_section(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
) -> Result<(), ExecutorError> {
    connection
        .execute(
            "DELETE FROM {zdm}step WHERE migration = $1 AND section = $2",
            &[migration.id().into(), section.name().into()],
        )
        .await
        .map_err(ExecutorError::Control)?;
    Ok(())
}
