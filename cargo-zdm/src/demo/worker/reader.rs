//! Reads under load: each answer is compared with the oracle as it stands in the same snapshot.
//!
//! Comes in: orders. Goes out: an event per read. Must not know: what writers do.

use std::time::Duration;

use zdm_runtime::database::Connection;
use zdm_runtime::phase::Phase;

use super::super::error::WorkError;
use super::super::message::{Event, Order, Plant};
use super::super::oracle;
use super::super::person::{Person, fresh_name};
use super::super::repository::Repository;
use super::{Channel, Failures, Session};
use crate::load::random::Random;

/// Between two reads.
const BREATH: Duration = Duration::from_millis(2);
/// Rows of a list, and of a page of the full comparison.
const LIST_ROWS: i64 = 20;
const PAGE_ROWS: i64 = 500;
/// How many differences a full comparison names.
const NAMED: usize = 20;

/// Reads until it is told to stop.
pub(super) async fn read(session: &mut Session, channel: &mut Channel) -> Result<(), String> {
    let mut random = Random::new(u64::from(session.assignment.slot));
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
            Some(Order::Compare) => {
                let compared = compare_all(session).await;
                match compared {
                    Ok(compared) => channel.tell(&compared),
                    Err(error) => {
                        return Err(format!("the comparison of every row: {error}"));
                    }
                }
            }
            Some(Order::Plant(Plant::StaleRead)) => {
                let phase = phase.unwrap_or(Phase::Expand);
                match stale_read(session).await {
                    Ok(mismatch) => channel.tell(&Event::Read { phase, mismatch }),
                    Err(error) => failures.tell(&error, "planted read", channel)?,
                }
            }
            Some(Order::Plant(_) | Order::Hang) | None => {}
        }
        let Some(phase) = phase else { continue };
        match read_once(session, &mut random).await {
            Ok(mismatch) => {
                failures.forget();
                channel.tell(&Event::Read { phase, mismatch });
            }
            Err(error) => failures.tell(&error, "read", channel)?,
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn read_once(
    session: &mut Session,
    random: &mut Random,
) -> Result<Option<String>, WorkError> {
    session.connection.begin_snapshot().await?;
    let result = compare_some(session, random).await;
    session.connection.end(result).await
}

async fn compare_some(
    session: &mut Session,
    random: &mut Random,
) -> Result<Option<String>, WorkError> {
    let rows = session.assignment.rows.unsigned_abs();
    let bound = [12.min(rows), rows][usize::from(random.below(2) == 1)];
    let mut key = || i64::try_from(random.below(bound) + 1).unwrap_or(1);
    let keys = [key(), key(), key(), key()];
    let Session {
        connection,
        repository,
        ..
    } = session;
    let (found, wanted) = match random.below(4) {
        0 | 1 => (
            Vec::from_iter(repository.get(connection, keys[0]).await?),
            Vec::from_iter(oracle::one(connection, keys[0]).await?),
        ),
        2 => {
            let mut found = repository.get_many(connection, &keys).await?;
            found.sort_by_key(|person| person.id);
            found.dedup_by_key(|person| person.id);
            let mut wanted = Vec::new();
            for key in std::collections::BTreeSet::from(keys) {
                wanted.extend(oracle::one(connection, key).await?);
            }
            (found, wanted)
        }
        _ => {
            let (found, wanted, _) =
                page(connection, repository.as_ref(), keys[0], LIST_ROWS).await?;
            (found, wanted)
        }
    };
    Ok(differences(&found, &wanted).first().cloned())
}

/// Every row and every row that should be there, in one snapshot.
async fn compare_all(session: &mut Session) -> Result<Event, WorkError> {
    session.connection.begin_snapshot().await?;
    let result = compare_pages(session).await;
    session.connection.end(result).await
}

async fn compare_pages(session: &mut Session) -> Result<Event, WorkError> {
    let Session {
        connection,
        repository,
        ..
    } = session;
    let (mut rows, mut lost) = (0, Vec::new());
    let mut after = i64::MIN;
    while after < i64::MAX {
        let (found, wanted, end) = page(connection, repository.as_ref(), after, PAGE_ROWS).await?;
        lost.extend(differences(&found, &wanted));
        lost.truncate(NAMED);
        rows += found.len() as u64;
        after = end;
    }
    Ok(Event::Compared { rows, lost })
}

/// A list, what it should hold, and the key up to which it goes: the greatest one where the table ends with it.
async fn page(
    connection: &mut Connection,
    repository: &dyn Repository,
    after: i64,
    limit: i64,
) -> Result<(Vec<Person>, Vec<Person>, i64), WorkError> {
    let found = repository.list(connection, after, limit).await?;
    let full = i64::try_from(found.len()).is_ok_and(|length| length >= limit);
    let end = match found.last() {
        Some(last) if full => last.id,
        _ => i64::MAX,
    };
    let wanted = oracle::range(connection, after, end).await?;
    Ok((found, wanted, end))
}

/// Rows that are not alike, missing or too many, in words.
fn differences(found: &[Person], wanted: &[Person]) -> Vec<String> {
    let by_key = |people: &[Person]| {
        people
            .iter()
            .map(|person| (person.id, person.clone()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let (found, wanted) = (by_key(found), by_key(wanted));
    let missing_or_other = wanted
        .values()
        .filter_map(|wanted| match found.get(&wanted.id) {
            Some(found) if found == wanted => None,
            Some(found) => Some(format!("last written {wanted:?}, read {found:?}")),
            None => Some(format!("last written {wanted:?}, read nothing")),
        });
    let too_many = found
        .values()
        .filter(|found| !wanted.contains_key(&found.id))
        .map(|found| format!("deleted or never written, but read {found:?}"));
    missing_or_other.chain(too_many).collect()
}

/// Reads a row, has it written, and then takes what was read for the present.
async fn stale_read(session: &mut Session) -> Result<Option<String>, WorkError> {
    let name = fresh_name(session.assignment.slot, 0);
    loop {
        let Session {
            connection,
            repository,
            ..
        } = session;
        let before = repository.list(connection, 0, 1).await?;
        let Some(key) = before.first().map(|person| person.id) else {
            continue;
        };
        connection.begin().await?;
        let result = match repository.set_name(connection, key, &name).await {
            Ok(true) => oracle::record_name(connection, key, &name).await.map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(error),
        };
        if session.connection.end(result).await?.is_some() {
            let now = oracle::range(&mut session.connection, 0, key).await?;
            return Ok(differences(&before, &now).first().cloned());
        }
    }
}
