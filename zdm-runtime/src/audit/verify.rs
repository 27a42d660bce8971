//! Whether the log is as it was written.
//!
//! Comes in: a connection. Goes out: [`Chain`], with what does not fit. Whoever may write all control tables can write the whole chain
//! anew: only a hash that was noted elsewhere tells of that.

use super::chain::{Head, Link};
use super::finding::Finding;
use crate::Error;
use crate::control_value::{integer, optional_text, text};
use crate::database::{Connection, DatabaseError, Row, Value, control};

/// An entry as [`computed`] reads it.
pub(super) const COLUMNS: &str = "sequence, entry, previous_hash, entry_hash, recorded_at, actor, database_role, migration, \
                                  content_hash, action, statement, outcome, duration_ms, detail";
/// Entries that are read at once.
const PAGE: i64 = 1_000;

/// The chain as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Entries in it.
    pub entries: i64,
    /// The hash of the last; empty where there is none. Noted elsewhere, it tells later whether what came before is the same.
    pub hash: String,
    /// Entries from before the chain, which nothing covers.
    pub unchained: i64,
    /// What does not fit; empty: nobody has changed anything.
    pub findings: Vec<Finding>,
}

/// Reads the whole log at one moment. `None`: the control tables are from before the chain.
pub async fn verify(connection: &mut Connection) -> Result<Option<Chain>, Error> {
    if !control::is_chained(connection).await? {
        return Ok(None);
    }
    // Entries that are appended meanwhile are not there yet.
    connection.begin_snapshot().await?;
    let verified = verify_within(connection).await;
    connection.end(verified).await.map(Some)
}

async fn verify_within(connection: &mut Connection) -> Result<Chain, Error> {
    let sql = format!("SELECT {} FROM {{zdm}}meta", Head::COLUMNS);
    let rows = connection.query(&sql, &[]).await?;
    let head = Head::of(rows.first().unwrap_or(&Row::new()))?;
    let mut walk = Walk {
        head: &head,
        last: None,
        findings: Vec::new(),
        entries: 0,
    };
    let mut after = [Value::from(i64::MIN), Value::from(i64::MIN)];
    loop {
        let rows = page(connection, &after).await?;
        let Some(last) = rows.last() else { break };
        after = [last[0].clone(), last[1].clone()];
        for row in &rows {
            walk.see(row);
        }
    }
    walk.end();
    let unchained = unchained(connection, &head, &mut walk.findings).await?;
    Ok(Chain {
        entries: walk.entries,
        hash: walk.last.map(|last| last.hash).unwrap_or_default(),
        unchained,
        findings: walk.findings,
    })
}

async fn page(connection: &mut Connection, after: &[Value; 2]) -> Result<Vec<Row>, DatabaseError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {{zdm}}audit WHERE (sequence, entry) > ($1, $2) ORDER BY sequence, entry LIMIT {PAGE}"
    );
    connection.query(&sql, after).await
}

/// How many entries are outside the chain, and which of them came after it began.
async fn unchained(
    connection: &mut Connection,
    head: &Head,
    findings: &mut Vec<Finding>,
) -> Result<i64, Error> {
    let sql = "SELECT entry FROM {zdm}audit WHERE sequence IS NULL ORDER BY entry";
    let mut before = 0;
    for row in &connection.query(sql, &[]).await? {
        let entry = integer(row, 0)?;
        if entry > head.last_unchained {
            findings.push(Finding::Inserted { entry });
        } else {
            before += 1;
        }
    }
    if head.unchained != before {
        findings.push(Finding::Before {
            expected: head.unchained,
            found: before,
        });
    }
    Ok(before)
}

/// The entry that the next one has to follow.
struct Last {
    sequence: i64,
    entry: i64,
    hash: String,
}

/// From the first entry to the last.
struct Walk<'a> {
    head: &'a Head,
    last: Option<Last>,
    findings: Vec<Finding>,
    entries: i64,
}

impl Walk<'_> {
    fn see(&mut self, row: &Row) {
        let (Ok(sequence), Ok(entry)) = (integer(row, 0), integer(row, 1)) else {
            return;
        };
        let expected = self.last.as_ref().map_or(0, |last| last.sequence) + 1;
        if sequence < expected || sequence > self.head.entries {
            self.findings.push(Finding::Inserted { entry });
            return;
        }
        self.entries += 1;
        let (previous, hash) = hashes(row).unwrap_or_default();
        if sequence > expected {
            self.findings.push(Finding::Removed {
                from: expected,
                to: sequence - 1,
            });
        } else if self.follows() != previous {
            self.findings.push(Finding::Replaced { sequence, entry });
        }
        if self.last.as_ref().is_some_and(|last| entry <= last.entry) {
            self.findings.push(Finding::Moved { sequence, entry });
        }
        if !matches!(computed(row), Ok(computed) if computed == hash) {
            self.findings.push(Finding::Changed { sequence, entry });
        }
        self.last = Some(Last {
            sequence,
            entry,
            hash,
        });
    }

    /// The hash that the next entry names.
    fn follows(&self) -> String {
        let last = self.last.as_ref();
        last.map_or_else(|| self.head.genesis(), |last| last.hash.clone())
    }

    fn end(&mut self) {
        let (sequence, hash) = match &self.last {
            Some(last) => (last.sequence, last.hash.as_str()),
            None => (0, ""),
        };
        if sequence < self.head.entries {
            self.findings.push(Finding::Removed {
                from: sequence + 1,
                to: self.head.entries,
            });
        } else if hash != self.head.hash {
            self.findings.push(Finding::LastReplaced { sequence });
        }
    }
}

/// What the entry says of the one before, and of itself.
fn hashes(row: &Row) -> Result<(String, String), Error> {
    Ok((text(row, 2)?, text(row, 3)?))
}

/// The hash that an entry would have if its fields were appended.
pub(super) fn computed(row: &Row) -> Result<String, Error> {
    let optional = |at| optional_text(row, at);
    Ok(Link {
        sequence: integer(row, 0)?,
        previous_hash: &text(row, 2)?,
        recorded_at: integer(row, 4)?,
        actor: &text(row, 5)?,
        database_role: optional(6)?.as_deref(),
        migration: &text(row, 7)?,
        content_hash: optional(8)?.as_deref(),
        action: &text(row, 9)?,
        statement: optional(10)?.as_deref(),
        outcome: &text(row, 11)?,
        duration_ms: integer(row, 12)?,
        detail: &text(row, 13)?,
    }
    .hash())
}
