//! The record of executed steps: what a step changes in it, and whether the files are still what was executed.

use std::collections::{BTreeMap, BTreeSet};

use super::ExecutorError;
use crate::database::{Connection, DatabaseError, Value};
use crate::manifest::{Direction, Step};
use crate::migration::{Migration, hash};
use crate::phase::Section;

/// What is on record of a section.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorded {
    /// The `up` steps, by number.
    pub(super) up: BTreeMap<i64, State>,
    /// The `down` steps that are done of undos that have not ended.
    pub(super) down: BTreeSet<i64>,
}

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
    /// The step is in effect, and these entries of an undo that had begun count no more.
    Insert {
        number: i64,
        hash: String,
        down: Vec<i64>,
    },
    /// The step's undo takes further statements after this one of `down.sql`.
    Half {
        number: i64,
        down: i64,
        hash: String,
    },
    /// These steps are no longer in effect, and nothing more is known of their undo.
    Delete { numbers: Vec<i64>, down: Vec<i64> },
}

/// Reads the record and compares it with the files.
pub(super) async fn read(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
) -> Result<Recorded, ExecutorError> {
    let mut recorded = Recorded::default();
    for direction in [Direction::Up, Direction::Down] {
        let stored = rows(connection, migration, &recorded_under(section, direction)).await;
        for (number, stored, done_at) in stored.map_err(ExecutorError::Control)? {
            let found = text_hash(migration, section, direction, number);
            if found != stored {
                return Err(ExecutorError::EditedAfterExecution {
                    section,
                    number,
                    recorded: stored,
                    found,
                });
            }
            if direction == Direction::Down {
                recorded.down.insert(number);
                continue;
            }
            let state = match done_at.signum() {
                -1 => State::Begun,
                0 => State::HalfUndone,
                _ => State::Whole,
            };
            recorded.up.insert(number, state);
        }
    }
    Ok(recorded)
}

/// The steps of `down.sql` are on record while the undo that they belong to goes on.
pub(super) fn recorded_under(section: Section, direction: Direction) -> String {
    match direction {
        Direction::Up => section.name().to_owned(),
        Direction::Down => format!("{}/down", section.name()),
    }
}

/// Number, hash and `done_at` of the recorded steps.
async fn rows(
    connection: &mut Connection,
    migration: &Migration,
    section: &str,
) -> Result<Vec<(i64, String, i64)>, DatabaseError> {
    let rows = connection
        .query(
            "SELECT number, content_hash, done_at FROM {zdm}step WHERE migration = $1 AND section = $2 ORDER BY number",
            &[migration.id().into(), section.into()],
        )
        .await?;
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [
                Value::Int(Some(number)),
                Value::Text(Some(stored)),
                Value::Int(Some(done_at)),
            ] => Ok((*number, stored.clone(), *done_at)),
            _ => Err(DatabaseError::unexpected("which steps are recorded", &row)),
        })
        .collect()
}

fn text_hash(migration: &Migration, section: Section, direction: Direction, number: i64) -> String {
    let mut steps = migration.manifest().steps_of(section, direction);
    steps
        .find(|step| i64::from(step.number) == number)
        .map_or_else(
            || "none, the step is not there".to_owned(),
            |step| hash(migration.sql(step)),
        )
}

/// What the step will change in the record; `None` where there is nothing to do.
pub(super) fn effect(migration: &Migration, recorded: &Recorded, step: &Step) -> Option<Effect> {
    let number = i64::from(step.number);
    match step.direction {
        Direction::Up => {
            let state = recorded.up.get(&number);
            let again = step.repeatable && state == Some(&State::HalfUndone);
            let is_done = !again && !matches!(state, None | Some(State::Begun));
            (!is_done).then(|| Effect::Insert {
                number,
                hash: hash(migration.sql(step)),
                down: if again {
                    undo_of(migration, step.section, number)
                } else {
                    Vec::new()
                },
            })
        }
        Direction::Down => {
            let undone = i64::from(step.undoes?);
            if !recorded.up.contains_key(&undone) || recorded.down.contains(&number) {
                return None;
            }
            let down = undo_of(migration, step.section, undone);
            Some(if down.last() == Some(&number) {
                Effect::Delete {
                    numbers: taken_along(migration, step.section, undone),
                    down,
                }
            } else {
                Effect::Half {
                    number: undone,
                    down: number,
                    hash: hash(migration.sql(step)),
                }
            })
        }
    }
}

/// The steps that take one back, in their order: it counts as undone after the last of them. Until then it is in effect by
/// half, only a step that is `repeatable` or `prepared` leads forward, and an undo that was interrupted goes on after what it has done.
pub(super) fn undo_of(migration: &Migration, section: Section, undone: i64) -> Vec<i64> {
    migration
        .manifest()
        .steps_of(section, Direction::Down)
        .filter(|other| other.undoes.map(i64::from) == Some(undone))
        .map(|other| i64::from(other.number))
        .collect()
}

/// A step and the later ones that have no undo of their own: they built on what is taken away now (a validation of a
/// constraint), so they have to run again.
pub(super) fn taken_along(migration: &Migration, section: Section, number: i64) -> Vec<i64> {
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
        Effect::Insert { number, hash, down } => {
            let undo = recorded_under(section, Direction::Down);
            delete(connection, migration, &undo, down).await?;
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
        Effect::Half { number, down, hash } => {
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
            connection
                .execute(
                    "INSERT INTO {zdm}step (migration, section, number, content_hash, done_at)
                     VALUES ($1, $2, $3, $4, {now}) ON CONFLICT (migration, section, number) DO NOTHING",
                    &[
                        migration.id().into(),
                        recorded_under(section, Direction::Down).into(),
                        (*down).into(),
                        hash.as_str().into(),
                    ],
                )
                .await?;
        }
        Effect::Delete { numbers, down } => {
            delete(connection, migration, section.name(), numbers).await?;
            delete(
                connection,
                migration,
                &recorded_under(section, Direction::Down),
                down,
            )
            .await?;
        }
    }
    Ok(())
}

pub(super) async fn delete(
    connection: &mut Connection,
    migration: &Migration,
    section: &str,
    numbers: &[i64],
) -> Result<(), DatabaseError> {
    for number in numbers {
        connection
            .execute(
                "DELETE FROM {zdm}step WHERE migration = $1 AND section = $2 AND number = $3",
                &[migration.id().into(), section.into(), (*number).into()],
            )
            .await?;
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
    let Effect::Insert { number, hash, .. } = effect else {
        return half(connection, migration, section, effect, true).await;
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

/// The undo of a step that is one entry outside a transaction has begun, or nothing is left of that: forward, which does such a step again,
/// leads over what is there by then.
async fn half(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
    effect: &Effect,
    begun: bool,
) -> Result<(), DatabaseError> {
    let Effect::Delete { numbers, down } = effect else {
        return Ok(());
    };
    let ([number, ..], [_]) = (numbers.as_slice(), down.as_slice()) else {
        return Ok(());
    };
    let mut steps = migration.manifest().steps_of(section, Direction::Up);
    if !steps.any(|step| i64::from(step.number) == *number && step.repeatable) {
        return Ok(());
    }
    let state = if begun { "0" } else { "{now}" };
    connection
        .execute(
            &format!("UPDATE {{zdm}}step SET done_at = {state} WHERE migration = $1 AND section = $2 AND number = $3"),
            &[migration.id().into(), section.name().into(), (*number).into()],
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
        return half(connection, migration, section, effect, false).await;
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
            "DELETE FROM {zdm}step WHERE migration = $1 AND section IN ($2, $3)",
            &[
                migration.id().into(),
                section.name().into(),
                recorded_under(section, Direction::Down).into(),
            ],
        )
        .await
        .map_err(ExecutorError::Control)?;
    Ok(())
}
