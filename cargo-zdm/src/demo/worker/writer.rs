//! Writes under load: a few rows that every writer wants, and others anywhere in the table.
//!
//! Comes in: orders. Goes out: an event per committed write. Must not know: what readers do.

use std::time::Duration;

use zdm_runtime::phase::Phase;

use super::super::error::WorkError;
use super::super::message::{Event, Order, Plant};
use super::super::oracle;
use super::super::person::{Person, fresh_name};
use super::{Channel, Failures, Session};
use crate::load::random::Random;

/// Every writer wants these.
const HOT_KEYS: u64 = 12;
/// Between two writes, so that `SQLite`'s write lock is free for others: it is not handed over in order.
const BREATH: Duration = Duration::from_millis(2);
/// A key below every one that is written or read under load: only the comparison of all rows comes across it.
const PLANTED_KEY: i64 = 0;

/// What one transaction does.
#[derive(Debug)]
enum Write {
    Insert(Person),
    Upsert(Person),
    Update(Person),
    SetName(i64, String),
    SetAge(Person),
    Delete(i64),
    Replace(Person),
}

impl Write {
    fn key(&self) -> i64 {
        match self {
            Self::Insert(person)
            | Self::Upsert(person)
            | Self::Update(person)
            | Self::SetAge(person)
            | Self::Replace(person) => person.id,
            Self::SetName(key, _) | Self::Delete(key) => *key,
        }
    }
}

/// Which writes come, in which order.
#[derive(Debug)]
struct Choice {
    random: Random,
    slot: u32,
    rows: i64,
    number: u64,
    inserted: i64,
}

impl Choice {
    fn next(&mut self) -> Write {
        self.number += 1;
        let kind = self.random.below(100);
        if kind < 10 {
            let key = self.own_key();
            return Write::Insert(self.person_at(key));
        }
        let key = self.key();
        match kind {
            10..30 => Write::Upsert(self.person_at(key)),
            30..60 => Write::Update(self.person_at(key)),
            60..72 => Write::SetName(key, fresh_name(self.slot, self.number)),
            72..85 => Write::SetAge(self.person_at(key)),
            85..90 => Write::Delete(key),
            _ => Write::Replace(self.person_at(key)),
        }
    }

    fn person_at(&mut self, key: i64) -> Person {
        Person::fresh(key, self.slot, self.number, &mut self.random)
    }

    /// A key that no other process inserts.
    fn own_key(&mut self) -> i64 {
        self.inserted += 1;
        self.rows + (i64::from(self.slot) << 32) + self.inserted
    }

    fn key(&mut self) -> i64 {
        let bound = match self.random.below(10) {
            0..6 => HOT_KEYS.min(self.rows.unsigned_abs()),
            _ => self.rows.unsigned_abs(),
        };
        i64::try_from(self.random.below(bound) + 1).unwrap_or(1)
    }
}

/// Writes until it is told to stop.
pub(super) async fn write(session: &mut Session, channel: &mut Channel) -> Result<(), String> {
    let slot = session.assignment.slot;
    let mut choice = Choice {
        random: Random::new(u64::from(slot)),
        slot,
        rows: session.assignment.rows,
        number: 0,
        inserted: 0,
    };
    let mut failures = Failures::default();
    let mut phase: Option<Phase> = None;
    loop {
        let order = match phase {
            Some(_) => channel.order(),
            None => channel.next_order().await,
        };
        match order {
            Some(Order::Phase(next)) => phase = Some(next),
            Some(Order::Stop) => return Ok(()),
            Some(Order::Hang) => return hang(session, channel, &choice.person_at(1)).await,
            Some(Order::Plant(plant)) => {
                let phase = phase.unwrap_or(Phase::Expand);
                if let Err(error) = make_mistake(session, channel, plant, phase, &mut choice).await
                {
                    failures.tell(&error, "planted statement", channel)?;
                }
            }
            Some(Order::Compare) | None => {}
        }
        let Some(phase) = phase else { continue };
        let write = choice.next();
        match commit(session, &write).await {
            Ok(Some(count)) => {
                failures.forget();
                channel.tell(&Event::Wrote {
                    phase,
                    key: write.key(),
                    count,
                });
            }
            // There was no such row: nothing was promised.
            Ok(None) => failures.forget(),
            Err(error) => failures.tell(&error, &format!("{write:?}"), channel)?,
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// One transaction: the write and its record. Returns how often the key was written, `None` where there is no such row.
async fn commit(session: &mut Session, write: &Write) -> Result<Option<i64>, WorkError> {
    session.connection.begin().await?;
    let result = apply(session, write).await;
    session.connection.end(result).await
}

async fn apply(session: &mut Session, write: &Write) -> Result<Option<i64>, WorkError> {
    let Session {
        connection,
        repository,
        ..
    } = session;
    let done = match write {
        Write::Insert(person) => {
            repository.insert(connection, person).await?;
            true
        }
        Write::Upsert(person) => {
            repository.upsert(connection, person).await?;
            true
        }
        Write::Update(person) => repository.update(connection, person).await?,
        Write::SetName(key, name) => repository.set_name(connection, *key, name).await?,
        Write::SetAge(person) => repository.set_age(connection, person).await?,
        Write::Delete(key) => repository.delete(connection, *key).await?,
        Write::Replace(person) => {
            if repository.delete(connection, person.id).await? {
                repository.insert(connection, person).await?;
            } else {
                repository.upsert(connection, person).await?;
            }
            true
        }
    };
    if !done {
        return Ok(None);
    }
    let count = match write {
        Write::Insert(person)
        | Write::Upsert(person)
        | Write::Update(person)
        | Write::Replace(person) => oracle::record(connection, person).await,
        Write::SetName(key, name) => oracle::record_name(connection, *key, name).await,
        Write::SetAge(person) => oracle::record_age(connection, person).await,
        Write::Delete(key) => oracle::record_delete(connection, *key).await,
    };
    count.map(Some)
}

/// Leaves a transaction open that holds a row which everybody wants, until somebody ends this process.
async fn hang(session: &mut Session, channel: &Channel, person: &Person) -> Result<(), String> {
    let held = async {
        session.connection.begin().await?;
        let write = Write::Upsert(person.clone());
        apply(session, &write).await
    };
    held.await.map_err(|error| format!("{person:?}: {error}"))?;
    channel.tell(&Event::Hanging);
    std::future::pending().await
}

/// The demo must find each of these.
async fn make_mistake(
    session: &mut Session,
    channel: &Channel,
    plant: Plant,
    phase: Phase,
    choice: &mut Choice,
) -> Result<(), WorkError> {
    match plant {
        Plant::LostWrite => {
            let person = choice.person_at(PLANTED_KEY);
            let count = oracle::record(&mut session.connection, &person).await?;
            channel.tell(&Event::Wrote {
                phase,
                key: person.id,
                count,
            });
        }
        Plant::FailedStatement => {
            session
                .connection
                .run_file("UPDATE cargo_zdm_demo_users SET a_column_that_never_was = 1")
                .await?;
        }
        // A reader's mistake.
        Plant::StaleRead => {}
    }
    Ok(())
}
