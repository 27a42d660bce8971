//! Who may do what with two tables between which columns move: triggers write the other one in the name of whoever writes the one, and
//! code reads them both.
//!
//! Comes in: a connection and a version. Goes out: [`Between`] for each pair of tables, as plain data.
//! Must not know: what is needed, or what follows from it.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::database::{Connection, Dialect};
use crate::manifest::{Manifest, Moved, OneOfTwo};

/// Two tables, and who may do what with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    /// What moves.
    pub moved: Moved,
    /// Main's row security.
    pub main: Protection,
    /// Part's row security.
    pub part: Protection,
    /// `PUBLIC` first, then everybody else but superusers, by name.
    pub roles: Vec<Role>,
}

impl Between {
    /// The row security of one of the tables.
    pub const fn protection(&self, which: OneOfTwo) -> &Protection {
        match which {
            OneOfTwo::Main => &self.main,
            OneOfTwo::Part => &self.part,
        }
    }
}

/// What a table has beside its rights.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Protection {
    /// Policies decide who sees and writes which rows.
    pub enabled: bool,
    /// They do for the owner too.
    pub forced: bool,
    /// Each policy, as `CREATE POLICY` has it behind the name.
    pub policies: Vec<String>,
    /// Somebody else's triggers may change a column that a statement does not name.
    pub assigns: bool,
}

/// Somebody who is no superuser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// As `GRANT` spells it.
    pub name: String,
    /// With main.
    pub main: Held,
    /// With part.
    pub part: Held,
}

/// What `GRANT` calls everybody.
pub const PUBLIC: &str = "PUBLIC";

impl Role {
    /// With one of the tables.
    pub const fn held(&self, which: OneOfTwo) -> &Held {
        match which {
            OneOfTwo::Main => &self.main,
            OneOfTwo::Part => &self.part,
        }
    }
}

/// A command that rights and policies are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Command {
    /// Reading.
    Select,
    /// A row comes.
    Insert,
    /// A row changes.
    Update,
    /// A row goes.
    Delete,
}

impl Command {
    /// As SQL has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// What a role may do with one of the tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// Of the key's columns and those that move, which it may read, give and change.
    pub columns: BTreeMap<Command, BTreeSet<String>>,
    /// It may give a value to any column of the table.
    pub inserts: bool,
    /// It may change any column of the table.
    pub updates: bool,
    /// It may delete rows.
    pub deletes: bool,
    /// It may name what is in the table's schema.
    pub reaches: bool,
    /// The table's row security applies to it: the commands for which a policy lets it through.
    pub secured: Option<BTreeSet<Command>>,
}

impl Held {
    /// Whether it may do so with a column.
    pub fn may(&self, command: Command, column: &str) -> bool {
        let columns = self.columns.get(&command);
        columns.is_some_and(|columns| columns.contains(column))
    }
}

/// Asks about all pairs of tables between which the version moves columns. `SQLite` has no roles.
pub async fn of(connection: &mut Connection, manifest: &Manifest) -> Result<Vec<Between>, Error> {
    let mut found = Vec::new();
    if connection.dialect() == Dialect::Sqlite {
        return Ok(found);
    }
    for moved in &manifest.moved {
        let main = read::protection(connection, &moved.main).await?;
        let part = read::protection(connection, &moved.part).await?;
        let of_main = read::held(connection, moved, OneOfTwo::Main).await?;
        let mut of_part: BTreeMap<String, Held> = read::held(connection, moved, OneOfTwo::Part)
            .await?
            .into_iter()
            .collect();
        let roles = of_main.into_iter().map(|(name, main)| Role {
            part: of_part.remove(&name).unwrap_or_default(),
            main,
            name,
        });
        found.push(Between {
            moved: moved.clone(),
            main,
            part,
            roles: roles.collect(),
        });
    }
    Ok(found)
}
