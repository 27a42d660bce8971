//! Who has approved that old is dropped.
//!
//! Comes in: a connection, a migration. Goes out: every approval on record, with whether it is of the migration as it stands.
//! Must not know: how many are demanded.

use super::verify::{COLUMNS, computed};
use crate::Error;
use crate::control_value::{integer, optional_integer, optional_text, text};
use crate::database::{Connection, Row, control};

/// The action under which an approval is on record.
pub const APPROVE: &str = "approve";

/// An approval on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub actor: String,
    /// Whom the server had let in; `None` where it knows no roles.
    pub database_role: Option<String>,
    /// When, in milliseconds since 1970 by the database's clock.
    pub recorded_at: i64,
    /// What was said to it.
    pub note: String,
    /// It is of what would be executed now.
    pub of_this_content: bool,
    /// The migration was not moved back since.
    pub since_last_way_back: bool,
}

impl Approval {
    /// It is of the migration as it stands.
    pub const fn counts(&self) -> bool {
        self.of_this_content && self.since_last_way_back
    }
}

/// The person behind an actor: the name before the host, so that the same user is nobody else on another machine, and with the characters
/// that an audit log has by their numbers.
pub fn person(actor: &str) -> String {
    let name = actor.split_once('@').map_or(actor, |(name, _)| name);
    super::from_ascii(name).trim().to_lowercase()
}

/// All approvals of a migration, oldest first. One that was changed since is an error: nothing is concluded from such a log.
pub async fn approvals(
    connection: &mut Connection,
    migration: &str,
) -> Result<Vec<Approval>, Error> {
    if !control::is_chained(connection).await? {
        return Ok(Vec::new());
    }
    let sql = "SELECT content_hash, taken_back_at FROM {zdm}migration WHERE migration = $1";
    let known = connection.query(sql, &[migration.into()]).await?;
    let (content, taken_back_at) = match known.first() {
        Some(row) => (Some(text(row, 0)?), optional_integer(row, 1)?),
        None => (None, None),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM {{zdm}}audit WHERE migration = $1 AND action = $2 AND outcome = 'done' ORDER BY entry"
    );
    let rows = connection
        .query(&sql, &[migration.into(), APPROVE.into()])
        .await?;
    let read = |row: &Row| {
        genuine(row)?;
        let recorded_at = integer(row, 4)?;
        Ok(Approval {
            actor: text(row, 5)?,
            database_role: optional_text(row, 6)?,
            recorded_at,
            note: text(row, 13)?,
            of_this_content: optional_text(row, 8)? == content,
            since_last_way_back: taken_back_at.is_none_or(|at| recorded_at > at),
        })
    };
    rows.iter().map(read).collect()
}

/// The entry is as it was appended; whether the whole log is, `verify` says.
fn genuine(row: &Row) -> Result<(), Error> {
    match (computed(row), text(row, 3)) {
        (Ok(computed), Ok(hash)) if computed == hash => Ok(()),
        _ => Err(Error::Unreadable {
            what: format!(
                "an approval that was changed or inserted by hand (row {} of the audit log, see `cargo zdm status --audit`)",
                integer(row, 1)?
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::person;

    #[test]
    fn a_host_makes_nobody_else_of_a_person() {
        assert_eq!(person("anna@laptop"), person("Anna@bastion"));
        assert_eq!(person("anna"), person("anna@laptop"));
        assert_ne!(person("anna@laptop"), person("bert@laptop"));
        assert_eq!(person("J\\u{dc}RGEN"), person("j\u{fc}rgen@laptop"));
    }
}
