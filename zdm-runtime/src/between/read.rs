//! The questions to the catalogue, one file each.

use std::collections::{BTreeMap, BTreeSet};

use super::{Between, Command, Held, Protection, Role, View, name_of_row_policy};
use crate::Error;
use crate::control_value::{integer, optional_text, text};
use crate::database::{Connection, Row, Value, catalogue};
use crate::manifest::{Moved, OneOfTwo};

const ROLES: &str = include_str!("roles.sql");
const RIGHTS: &str = include_str!("rights.sql");
const VIEWS: &str = include_str!("views.sql");
const POLICIES: &str = include_str!("policies.sql");
const PROTECTION: &str = include_str!("protection.sql");

/// Stands between names in one text.
const UNIT: char = '\u{1f}';

/// All that there is to know about two tables.
pub(super) async fn between(connection: &mut Connection, moved: &Moved) -> Result<Between, Error> {
    let mut roles = held(connection, moved, OneOfTwo::Main).await?;
    let of_part = held(connection, moved, OneOfTwo::Part).await?;
    let mut of_part: BTreeMap<String, Held> = of_part
        .into_iter()
        .map(|role| (role.name, role.part))
        .collect();
    for role in &mut roles {
        role.part = of_part.remove(&role.name).unwrap_or_default();
    }
    for which in [OneOfTwo::Main, OneOfTwo::Part] {
        for (name, view) in views(connection, moved, which).await? {
            if let Some(role) = roles.iter_mut().find(|role| role.name == name) {
                role.views.push(view);
            }
        }
    }
    Ok(Between {
        moved: moved.clone(),
        main: protection(connection, moved, OneOfTwo::Main).await?,
        part: protection(connection, moved, OneOfTwo::Part).await?,
        roles,
    })
}

async fn protection(
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
        joined(&moved.key_of(which)),
        joined(&[moved.key_of(which.other()), moved.columns_of(which.other())].concat()),
        joined(&moved.columns_of(which.other())),
    ];
    let asked = asked.map(Value::from);
    let rows = connection.query(PROTECTION, &asked).await?;
    let Some(row) = rows.first() else {
        return Err(Error::Unreadable {
            what: format!("there is no table {table}"),
        });
    };
    let listed = |at| -> Result<Vec<String>, Error> {
        let text = optional_text(row, at)?.unwrap_or_default();
        Ok(names(&text).map(str::to_owned).collect())
    };
    Ok(Protection {
        enabled: integer(row, 0)? != 0,
        forced: integer(row, 1)? != 0,
        policies: listed(2)?,
        assigns: integer(row, 3)? != 0,
        owner: text(row, 4)?,
        schema: text(row, 5)?,
        asks: integer(row, 6)? != 0,
        follows: integer(row, 7)? != 0,
        alike: integer(row, 8)? != 0,
        hidden_from: listed(9)?,
        owner_lacks: listed(10)?,
        other_owner_lacks: listed(11)?,
        owner_lacks_on_other: listed(12)?,
    })
}

/// Every role, `PUBLIC` first, with what it may do with one of the tables.
async fn held(
    connection: &mut Connection,
    moved: &Moved,
    which: OneOfTwo,
) -> Result<Vec<Role>, Error> {
    let table = catalogue::relation(moved.table(which));
    let asked = [Value::from(table.as_str()), columns(moved, which)];
    let rows = connection
        .query(&format!("{ROLES}{RIGHTS}"), &asked)
        .await?;
    let mut secured = secured(connection, &table).await?;
    let mut all = Vec::new();
    for row in &rows {
        let name = text(row, 0)?;
        let functions = optional_text(row, 9)?.unwrap_or_default();
        let commands = [Command::Select, Command::Insert, Command::Update];
        let held = Held {
            columns: by_command(row, 1, &commands)?,
            inserts: integer(row, 4)? != 0,
            updates: integer(row, 5)? != 0,
            deletes: integer(row, 6)? != 0,
            reaches: integer(row, 7)? != 0,
            acts: integer(row, 8)? != 0,
            secured: secured.remove(&name),
        };
        let (main, part) = match which {
            OneOfTwo::Main => (held, Held::default()),
            OneOfTwo::Part => (Held::default(), held),
        };
        all.push(Role {
            name,
            main,
            part,
            functions: names(&functions).map(str::to_owned).collect(),
            views: Vec::new(),
        });
    }
    Ok(all)
}

/// Who writes one of the tables through which view.
async fn views(
    connection: &mut Connection,
    moved: &Moved,
    which: OneOfTwo,
) -> Result<Vec<(String, View)>, Error> {
    let table = catalogue::relation(moved.table(which));
    let asked = [table.into(), columns(moved, which)];
    let rows = connection.query(&format!("{ROLES}{VIEWS}"), &asked).await?;
    let mut all = Vec::new();
    for row in &rows {
        let view = View {
            name: text(row, 1)?,
            owner: text(row, 2)?,
            table: which,
            held: Held {
                columns: by_command(row, 3, &[Command::Insert, Command::Update])?,
                inserts: integer(row, 5)? != 0,
                updates: integer(row, 6)? != 0,
                deletes: integer(row, 7)? != 0,
                ..Held::default()
            },
        };
        all.push((text(row, 0)?, view));
    }
    Ok(all)
}

/// The key's and those that move, as one parameter.
fn columns(moved: &Moved, which: OneOfTwo) -> Value {
    joined(&[moved.key_of(which), moved.columns_of(which)].concat()).into()
}

fn joined(names: &[&str]) -> String {
    names.join(&UNIT.to_string())
}

/// Columns for each of the commands, whose places in the row begin with `first`.
fn by_command(
    row: &Row,
    first: usize,
    commands: &[Command],
) -> Result<BTreeMap<Command, BTreeSet<String>>, Error> {
    let mut columns = BTreeMap::new();
    for (at, command) in (first..).zip(commands) {
        let held = optional_text(row, at)?.unwrap_or_default();
        columns.insert(*command, names(&held).map(str::to_owned).collect());
    }
    Ok(columns)
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
