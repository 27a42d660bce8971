//! The append-only log in the database: who did what, when, how long it took, how it went; and whether somebody has changed it since.
//!
//! Must not know: what the actions mean.

mod approval;
mod chain;
mod finding;
mod verify;

use std::time::Duration;

use crate::database::{Connection, DatabaseError, Value};
use chain::Link;

pub use approval::{APPROVE, Approval, approvals, person};
pub use finding::Finding;
pub use verify::{Chain, verify};

/// How much of a statement is kept.
const STATEMENT_HEAD: usize = 2_000;

/// One line of the log.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Who: a person or a pipeline.
    pub actor: &'a str,
    /// The migration's id.
    pub migration: &'a str,
    /// Hash of the migration's content, where the entry is about this content alone.
    pub content_hash: Option<&'a str>,
    /// What: `step`, `backfill`, `verify`, `hop` …
    pub action: &'a str,
    /// The statement, where there was one.
    pub statement: Option<&'a str>,
    /// `done`, `refused` or `failed`.
    pub outcome: &'a str,
    /// How long it took, waiting included.
    pub duration: Duration,
    /// For people: lock waits, reasons, counts.
    pub detail: &'a str,
}

/// Appends an entry in a transaction of its own.
pub async fn record(connection: &mut Connection, entry: Entry<'_>) -> Result<(), DatabaseError> {
    connection.begin().await?;
    let appended = append(connection, entry).await;
    connection.end(appended).await
}

/// Appends an entry inside the open transaction, with which it is kept or lost. It is the last that this transaction does: all who
/// append wait for its end, and it may wait for nobody.
pub async fn append(connection: &mut Connection, entry: Entry<'_>) -> Result<(), DatabaseError> {
    let statement: Option<String> = entry
        .statement
        .map(|statement| statement.chars().take(STATEMENT_HEAD).collect());
    let place = chain::take(connection).await?;
    let kept = |text: &str| {
        if place.takes_all {
            text.to_owned()
        } else {
            in_ascii(text)
        }
    };
    let (actor, detail) = (kept(entry.actor), kept(entry.detail));
    let statement = statement.as_deref().map(kept);
    let link = Link {
        sequence: place.sequence,
        previous_hash: &place.previous_hash,
        recorded_at: place.recorded_at,
        actor: &actor,
        database_role: place.database_role.as_deref(),
        migration: entry.migration,
        content_hash: entry.content_hash,
        action: entry.action,
        statement: statement.as_deref(),
        outcome: entry.outcome,
        duration_ms: i64::try_from(entry.duration.as_millis()).unwrap_or(i64::MAX),
        detail: &detail,
    };
    insert(connection, &link).await
}

/// Somebody's name as every table of this database takes it.
pub async fn name_of(connection: &mut Connection, actor: &str) -> Result<String, DatabaseError> {
    if actor.is_ascii() {
        return Ok(actor.to_owned());
    }
    let sql = format!(
        "SELECT {}",
        chain::has_every_character(connection.dialect())
    );
    let rows = connection.query(&sql, &[]).await?;
    Ok(match rows.first().map(Vec::as_slice) {
        Some([Value::Int(Some(1))]) => actor.to_owned(),
        _ => in_ascii(actor),
    })
}

/// What somebody says must be on record in every database, and not fail what it is about: characters that the encoding may lack are written
/// by their numbers.
fn in_ascii(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            kept.push(letter);
        } else {
            kept.extend(letter.escape_unicode());
        }
    }
    kept
}

/// The characters that [`in_ascii`] has written by their numbers.
fn from_ascii(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut read = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.split_once('}');
        let letter = number.and_then(|(number, rest)| {
            let letter = char::from_u32(u32::from_str_radix(number, 16).ok()?)?;
            Some((letter, rest))
        });
        if let Some((letter, rest)) = letter {
            read.push(letter);
            read.push_str(rest);
        } else {
            read.push_str("\\u{");
            read.push_str(part);
        }
    }
    read
}

async fn insert(connection: &mut Connection, link: &Link<'_>) -> Result<(), DatabaseError> {
    let optional = |text: Option<&str>| Value::Text(text.map(str::to_owned));
    let hash = link.hash();
    connection
        .execute(
            "INSERT INTO {zdm}audit (sequence, previous_hash, entry_hash, recorded_at, actor, database_role, migration,
                 content_hash, action, statement, outcome, duration_ms, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            &[
                link.sequence.into(),
                link.previous_hash.into(),
                hash.as_str().into(),
                link.recorded_at.into(),
                link.actor.into(),
                optional(link.database_role),
                link.migration.into(),
                optional(link.content_hash),
                link.action.into(),
                optional(link.statement),
                link.outcome.into(),
                link.duration_ms.into(),
                link.detail.into(),
            ],
        )
        .await?;
    let head = "UPDATE {zdm}meta SET audit_hash = $1";
    connection.execute(head, &[hash.into()]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_an_encoding_may_lack_are_written_by_their_numbers() {
        assert_eq!(in_ascii("a sale: 5 > 4"), "a sale: 5 > 4");
        assert_eq!(
            in_ascii("St\u{f6}rung \u{2192} 7"),
            "St\\u{f6}rung \\u{2192} 7"
        );
    }
}
