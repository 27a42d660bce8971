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

    /// What a role can do with one of the tables by its rights: nothing in a schema that it cannot name, and where row security applies to
    /// it, what a policy lets it.
    pub fn in_effect(&self, role: &Role, which: OneOfTwo) -> Held {
        let held = role.held(which);
        let sees_none = which == OneOfTwo::Part && self.shows_no_row_of_part(role);
        let lets = |command: Command| {
            let secured = held.secured.as_ref();
            held.acts && !sees_none && secured.is_none_or(|lets| lets.contains(&command))
        };
        let mut effect = held.clone();
        effect.columns.retain(|command, _| lets(*command));
        effect.inserts &= lets(Command::Insert);
        effect.updates &= lets(Command::Update);
        effect.deletes &= lets(Command::Delete);
        effect
    }

    /// Part's only policy that lets anybody through asks who sees main's row, and no policy shows the role one.
    fn shows_no_row_of_part(&self, role: &Role) -> bool {
        let policies = self.part.policies.iter();
        let letting = policies.filter(|policy| !policy.contains(" AS RESTRICTIVE "));
        let lets = role.main.secured.as_ref();
        self.part.follows
            && letting.count() == 1
            && role.part.secured.is_some()
            && lets.is_some_and(|lets| !lets.contains(&Command::Select))
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
    /// Its owner, as `GRANT` spells it.
    pub owner: String,
    /// Its schema, as `GRANT` spells it.
    pub schema: String,
    /// A policy of it asks the other table.
    pub asks: bool,
    /// The policy that the tool makes or proposes lets do everything to whom the other table shows a row.
    pub follows: bool,
    /// Each of its policies says the same of reading a row and of writing it.
    pub alike: bool,
    /// In whose name triggers compare the two tables, and from whom it hides rows.
    pub hidden_from: Vec<String>,
    /// What its owner lacks of reading the key, `UPDATE` of any column, `DELETE`, and `USAGE` of the schema.
    pub owner_lacks: Vec<String>,
    /// What the other table's owner lacks of `CREATE` and `USAGE` in its schema.
    pub other_owner_lacks: Vec<String>,
    /// What its owner lacks on the other table, of `SELECT`, `UPDATE` and `USAGE` of the schema, where a foreign key changes rows here in his
    /// name and the triggers that follow act in it too.
    pub owner_lacks_on_other: Vec<String>,
}

/// Somebody who is no superuser.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Role {
    /// As `GRANT` spells it.
    pub name: String,
    /// With main.
    pub main: Held,
    /// With part.
    pub part: Held,
    /// The functions that act in its name for others (`SECURITY DEFINER`), where nobody else does.
    pub functions: Vec<String>,
    /// The views through which it writes by another's rights.
    pub views: Vec<View>,
}

/// A view whose owner is asked for rights on one of the tables, while triggers act in the name of whoever writes through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// As statements name it.
    pub name: String,
    /// Its owner, as `GRANT` spells it.
    pub owner: String,
    /// The table that is written through it.
    pub table: OneOfTwo,
    /// What of the table a role writes so.
    pub held: Held,
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

/// The name of the policy by which a row of a new table is for those to whom the other table shows its row, as the template
/// `_carried` makes it.
pub fn name_of_row_policy(main: &str) -> String {
    format!("row_of_{}", main.replace('.', "_"))
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
    /// It does, or views and functions name the table for it and leave its rights to it.
    pub acts: bool,
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
        found.push(read::between(connection, moved).await?);
    }
    Ok(found)
}
