//! The questions to the catalogue, one file each.

use std::collections::{BTreeMap, BTreeSet};

use super::{Command, Held, Protection, name_of_row_policy};
use crate::Error;
use crate::control_value::{integer, optional_text, text};
use crate::database::{Connection, Value, catalogue};
use crate::manifest::{Moved, OneOfTwo};

const ROLES: &str = include_str!("roles.sql");
const RIGHTS: &str = include_str!("rights.sql");
const POLICIES: &str = include_str!("policies.sql");
const PROTECTION: &str = include_str!("protection.sql");

/// Stands between names in one text.
const UNIT: char = '\u{1f}';

pub(super) async fn protection(
    connection: &mut Connection,
    moved: &Moved,
    which: OneOfTwo,
) -> Result<Protection, Error> {
    let (table, other) = (moved.table(which), moved.table(which.other()));
    let policy = name_of_row_policy(other);
    let asked = [
        catalogue::relation(table),
        catalogue::relation(other),
        policy,
    ];
    let asked = asked.map(Value::from);
    let rows = connection.query(PROTECTION, &asked).await?;
    let Some(row) = rows.first() else {
        return Err(Error::Unreadable {
            what: format!("there is no table {table}"),
        });
    };
    let policies = optional_text(row, 2)?.unwrap_or_default();
    let hidden_from = optional_text(row, 9)?.unwrap_or_default();
    Ok(Protection {
        enabled: integer(row, 0)? != 0,
        forced: integer(row, 1)? != 0,
        policies: names(&policies).map(str::to_owned).collect(),
        assigns: integer(row, 3)? != 0,
        owner: text(row, 4)?,
        schema: text(row, 5)?,
        asks: integer(row, 6)? != 0,
        follows: integer(row, 7)? != 0,
        alike: integer(row, 8)? != 0,
        hidden_from: names(&hidden_from).map(str::to_owned).collect(),
    })
}

/// What every role may do with one of the tables, `PUBLIC` first.
pub(super) async fn held(
    connection: &mut Connection,
    moved: &Moved,
    which: OneOfTwo,
) -> Result<Vec<(String, Held)>, Error> {
    let table = catalogue::relation(moved.table(which));
    let columns = [moved.key_of(which), moved.columns_of(which)].concat();
    let columns = columns.join(&UNIT.to_string());
    let asked = [table.as_str().into(), columns.as_str().into()];
    let rows = connection
        .query(&format!("{ROLES}{RIGHTS}"), &asked)
        .await?;
    let mut secured = secured(connection, &table).await?;
    let mut all = Vec::new();
    for row in &rows {
        let name = text(row, 0)?;
        let mut columns = BTreeMap::new();
        let commands = [Command::Select, Command::Insert, Command::Update];
        for (at, command) in (1..).zip(commands) {
            let held = optional_text(row, at)?.unwrap_or_default();
            let held: BTreeSet<String> = names(&held).map(str::to_owned).collect();
            columns.insert(command, held);
        }
        let held = Held {
            columns,
            inserts: integer(row, 4)? != 0,
            updates: integer(row, 5)? != 0,
            deletes: integer(row, 6)? != 0,
            reaches: integer(row, 7)? != 0,
            acts: integer(row, 8)? != 0,
            secured: secured.remove(&name),
        };
        all.push((name, held));
    }
    Ok(all)
}

/// The roles to which the table's row security applies, and what a policy lets each of them do.
async fn secured(
    connection: &mut Connection,
    table: &str,
) -> Result<BTreeMap<String, BTreeSet<Command>>, Error> {
    let rows = connection
        .query(&format!("{ROLES}{POLICIES}"), &[table.into()])
        .await?;
    let mut secured = BTreeMap::new();
    for row in &rows {
        let given = text(row, 1)?;
        let commands = [
            ('r', Command::Select),
            ('a', Command::Insert),
            ('w', Command::Update),
            ('d', Command::Delete),
        ];
        let lets = commands
            .into_iter()
            .filter(|(letter, _)| given.contains([*letter, '*']));
        secured.insert(text(row, 0)?, lets.map(|(_, command)| command).collect());
    }
    Ok(secured)
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(UNIT).filter(|name| !name.is_empty())
}
