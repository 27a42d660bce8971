//! The way forward over an undo that has begun and not ended.
//!
//! Comes in: the record of a section, a manifest that says which steps allow it. Goes out: the record as forward goes on from it.
//! Must not know: what a statement means.

use super::record::{self, Recorded, State};
use super::{ExecutorError, ExecutorOptions};
use crate::database::{Connection, DatabaseError};
use crate::manifest::{Direction, Step};
use crate::migration::Migration;
use crate::operator::LeaseError;
use crate::phase::Section;

/// How an undo that has begun and not ended is left behind on the way forward.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Turned {
    /// The steps that are in effect after all.
    whole: Vec<i64>,
    /// What is done again.
    again: Vec<i64>,
    /// The entries of `down.sql` that count no more.
    down: Vec<i64>,
}

impl Turned {
    /// Puts on record, while the claims are held, that an undo which was begun does not go on.
    pub(super) async fn put_on_record(
        &self,
        connection: &mut Connection,
        migration: &Migration,
        section: Section,
        options: &ExecutorOptions,
    ) -> Result<(), ExecutorError> {
        let Some(step) = self.first(migration, section) else {
            return Ok(());
        };
        connection.begin().await.map_err(ExecutorError::Control)?;
        let done = match super::hold(connection, &options.leases).await {
            Ok(()) => self
                .apply(connection, migration, section)
                .await
                .map_err(LeaseError::Database),
            lost => lost,
        };
        match connection.end(done).await {
            Ok(()) => Ok(()),
            Err(LeaseError::Database(error)) => Err(ExecutorError::Control(error)),
            Err(source) => {
                let step = step.into();
                Err(ExecutorError::Overtaken { step, source })
            }
        }
    }

    async fn apply(
        &self,
        connection: &mut Connection,
        migration: &Migration,
        section: Section,
    ) -> Result<(), DatabaseError> {
        for number in &self.whole {
            connection
                .execute(
                    "UPDATE {zdm}step SET done_at = {now} WHERE migration = $1 AND section = $2 AND number = $3",
                    &[migration.id().into(), section.name().into(), (*number).into()],
                )
                .await?;
        }
        record::delete(connection, migration, section.name(), &self.again).await?;
        let down = record::recorded_under(section, Direction::Down);
        record::delete(connection, migration, &down, &self.down).await
    }

    /// A step whose undo had begun, if there is one.
    fn first<'a>(&self, migration: &'a Migration, section: Section) -> Option<&'a Step> {
        let number = self.whole.first()?;
        let mut steps = migration.manifest().steps_of(section, Direction::Up);
        steps.find(|step| i64::from(step.number) == *number)
    }
}

/// Takes the record as the way forward finds it; or the step whose undo has to end first.
pub(super) fn turn(
    migration: &Migration,
    section: Section,
    recorded: &mut Recorded,
) -> Result<Turned, i64> {
    let mut turned = Turned::default();
    let manifest = migration.manifest();
    for step in manifest.steps_of(section, Direction::Up) {
        let number = i64::from(step.number);
        // What is done again stays on record as half undone until it is: an undo goes on there, whatever interrupts this.
        if recorded.up.get(&number) != Some(&State::HalfUndone) || step.repeatable {
            continue;
        }
        if !manifest.leads_forward(section, number) {
            return Err(number);
        }
        turned.whole.push(number);
        let mut along = record::taken_along(migration, section, number);
        along.retain(|other| step.prepared && *other != number);
        turned.again.extend(along);
        turned
            .down
            .extend(record::undo_of(migration, section, number));
    }
    for number in &turned.whole {
        recorded.up.insert(*number, State::Whole);
    }
    recorded
        .up
        .retain(|number, _| !turned.again.contains(number));
    recorded.down.retain(|number| !turned.down.contains(number));
    let steps = manifest.steps_of(section, Direction::Up);
    let pending = steps.filter(|step| !recorded.up.contains_key(&i64::from(step.number)));
    let used: Vec<i64> = pending
        .flat_map(|step| &step.uses)
        .map(|used| i64::from(*used))
        .collect();
    for number in used {
        // On record as begun it is, for whoever takes it back.
        if let Some(state) = recorded.up.get_mut(&number) {
            *state = State::Begun;
        }
    }
    Ok(turned)
}
