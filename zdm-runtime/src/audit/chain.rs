//! What ties the entries of the log together: each has a hash over the hash before it and all its own fields.
//!
//! Comes in: an entry's fields, or an open transaction. Goes out: hashes, the chain's head. Must not know: why an entry is written.

use crate::control_value::{integer, optional_text, text};
use crate::database::{Connection, DatabaseError, Dialect, Row};

/// Told apart from every other hash of the tool's.
const DOMAIN: &[u8] = b"zdm audit 1";

/// Nothing is waited for once the head is held, so that no two entries can wait for each other: constraints that a transaction would
/// check at its end are checked now. Whoever falls silent with the head is cut off by the server, and nobody waits for it for long,
/// above all not with a table's lock in hand; a shorter limit that is set already stays.
const ALONE: &str = "SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL idle_in_transaction_session_timeout = '10s';
    SELECT pg_catalog.set_config('lock_timeout', CASE WHEN CAST(setting AS bigint) BETWEEN 1 AND 5000 THEN setting ELSE '5000' END, true)
    FROM pg_settings WHERE name = 'lock_timeout'";

/// Everything that an entry's hash covers.
#[derive(Debug)]
pub(super) struct Link<'a> {
    pub(super) sequence: i64,
    pub(super) previous_hash: &'a str,
    pub(super) recorded_at: i64,
    pub(super) actor: &'a str,
    pub(super) database_role: Option<&'a str>,
    pub(super) migration: &'a str,
    pub(super) content_hash: Option<&'a str>,
    pub(super) action: &'a str,
    pub(super) statement: Option<&'a str>,
    pub(super) outcome: &'a str,
    pub(super) duration_ms: i64,
    pub(super) detail: &'a str,
}

impl Link<'_> {
    pub(super) fn hash(&self) -> String {
        let mut hasher = Fields::new("entry");
        hasher.number(self.sequence);
        hasher.text(self.previous_hash);
        hasher.number(self.recorded_at);
        hasher.text(self.actor);
        hasher.optional(self.database_role);
        hasher.text(self.migration);
        hasher.optional(self.content_hash);
        hasher.text(self.action);
        hasher.optional(self.statement);
        hasher.text(self.outcome);
        hasher.number(self.duration_ms);
        hasher.text(self.detail);
        hasher.end()
    }
}

/// Fields one after the other, each with its length: no two lists of fields are the same bytes.
struct Fields(blake3::Hasher);

impl Fields {
    fn new(kind: &str) -> Self {
        let mut fields = Self(blake3::Hasher::new());
        fields.0.update(DOMAIN);
        fields.text(kind);
        fields
    }

    fn number(&mut self, number: i64) {
        self.0.update(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        self.0.update(&[u8::from(text.is_some())]);
        self.text(text.unwrap_or_default());
    }

    fn end(self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// What `meta` says of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) entries: i64,
    pub(super) hash: String,
    pub(super) unchained: i64,
    pub(super) last_unchained: i64,
}

impl Head {
    pub(super) const COLUMNS: &str =
        "audit_entries, audit_hash, audit_unchained, audit_last_unchained";

    pub(super) fn of(row: &Row) -> Result<Self, crate::Error> {
        Ok(Self {
            entries: integer(row, 0)?,
            hash: text(row, 1)?,
            unchained: integer(row, 2)?,
            last_unchained: integer(row, 3)?,
        })
    }

    /// What the first entry follows: what is said of those before the chain.
    pub(super) fn genesis(&self) -> String {
        let mut hasher = Fields::new("genesis");
        hasher.number(self.unchained);
        hasher.number(self.last_unchained);
        hasher.end()
    }
}

/// The next place in the chain, held until the transaction ends.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) sequence: i64,
    pub(super) previous_hash: String,
    pub(super) recorded_at: i64,
    pub(super) database_role: Option<String>,
    /// The database's encoding has every character.
    pub(super) takes_all: bool,
}

/// Whether the database's encoding has every character, as SQL: 1 or 0.
pub(super) const fn has_every_character(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "CAST(pg_catalog.current_setting('server_encoding') IN ('UTF8', 'SQL_ASCII') AS int)"
        }
        Dialect::Sqlite => "1",
    }
}

/// Takes the next place. From here on the transaction does nothing but append and commit.
pub(super) async fn take(connection: &mut Connection) -> Result<Place, DatabaseError> {
    let role = match connection.dialect() {
        Dialect::Postgres => {
            connection.run_file(ALONE).await?;
            "CAST(session_user AS text)"
        }
        Dialect::Sqlite => "NULL",
    };
    let sql = format!(
        "UPDATE {{zdm}}meta SET audit_entries = audit_entries + 1 RETURNING {}, {{now}}, {role}, {}",
        Head::COLUMNS,
        has_every_character(connection.dialect())
    );
    let rows = connection.query(&sql, &[]).await?;
    let [row] = rows.as_slice() else {
        let rows: Vec<_> = rows.into_iter().flatten().collect();
        return Err(DatabaseError::unexpected("where the audit log ends", &rows));
    };
    let read = || -> Result<Place, crate::Error> {
        let head = Head::of(row)?;
        Ok(Place {
            sequence: head.entries,
            previous_hash: if head.hash.is_empty() {
                head.genesis()
            } else {
                head.hash
            },
            recorded_at: integer(row, 4)?,
            database_role: optional_text(row, 5)?,
            takes_all: integer(row, 6)? != 0,
        })
    };
    read().map_err(|_| DatabaseError::unexpected("where the audit log ends", row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link<'static> {
        Link {
            sequence: 1,
            previous_hash: "p",
            recorded_at: 2,
            actor: "ab",
            database_role: None,
            migration: "c",
            content_hash: None,
            action: "hop",
            statement: None,
            outcome: "done",
            duration_ms: 3,
            detail: "d",
        }
    }

    #[test]
    fn every_field_has_its_part_in_the_hash() {
        let of = |change: fn(&mut Link<'static>)| {
            let mut changed = link();
            change(&mut changed);
            changed.hash()
        };
        let mut hashes = vec![
            of(|_| {}),
            of(|link| link.sequence = 9),
            of(|link| link.previous_hash = "q"),
            of(|link| link.recorded_at = 9),
            of(|link| link.actor = "x"),
            of(|link| link.database_role = Some("")),
            of(|link| link.migration = "x"),
            of(|link| link.content_hash = Some("")),
            of(|link| link.action = "x"),
            of(|link| link.statement = Some("")),
            of(|link| link.outcome = "x"),
            of(|link| link.duration_ms = 9),
            of(|link| link.detail = "x"),
        ];
        let all = hashes.len();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), all);
    }

    #[test]
    fn what_moves_from_one_field_to_the_next_is_seen() {
        let mut moved = link();
        (moved.action, moved.outcome) = ("ho", "pdone");
        assert_ne!(moved.hash(), link().hash());
        let mut moved = link();
        (moved.statement, moved.outcome) = (Some("done"), "");
        assert_ne!(moved.hash(), link().hash());
    }
}
