//! The seam between the command line and the runtime: a version's plan as `plan.toml` stores it.
//!
//! Plain data: [`Migration`](crate::migration::Migration) reads it and checks the files.
//! Must not know: how a plan is made, any database.

mod backfill;
mod keep;
mod moved;
mod names;
mod pair;
mod small;

use std::collections::BTreeMap;

pub use backfill::{Address, Backfill, ComputedColumn};
pub use keep::Keep;
pub use moved::{MoveWay, Moved, OneOfTwo};
pub use names::{Names, NamesByTable, joined, shared};
pub use pair::{BuiltIn, EdgeFacts, Fact, Losses, Measured, Pair, Released, RowFacts, Rows, Side};
use serde::{Deserialize, Serialize};
pub use small::SmallTable;

use crate::phase::Section;

/// The format that this runtime writes and the newest that it reads.
pub const FORMAT: u32 = 1;

/// `plan.toml`: what a version does and how it is executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`] of the tool that wrote it.
    pub format: u32,
    /// Stable id, 12 hexadecimal digits; a rebase changes the number, never the id.
    pub id: String,
    /// Orders the versions, 1-based.
    pub version: u32,
    /// Folder name without the number: `users_full_name`.
    pub name: String,
    /// Id of the version before, `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The ids of earlier versions that fill what this one drops: they are complete first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// The ids of later versions that drop what this one fills. No part of the file: told by the others, where all are read together.
    #[serde(skip)]
    pub needed_by: Vec<String>,
    /// The ids of versions from whose first dual write nothing leads back. No part of the file: told by these, where all are read together.
    #[serde(skip)]
    pub for_good: Vec<String>,
    /// `postgres` or `sqlite`: the folder of templates that it was rendered from.
    pub dialect: String,
    /// Which phases it goes through.
    pub route: Route,
    /// Every pair has a way back (`down`), so that `complete` can be rolled back.
    pub reversible: bool,
    /// Tables whose writers the migration concerns, unquoted.
    pub tables: Vec<String>,
    /// Why each phase is needed, for `diff` and the review page: `(phase or section name, reason)`.
    #[serde(default)]
    pub reasons: Vec<(String, String)>,
    /// What happens, one line per change, for people.
    pub changes: Vec<String>,
    /// Hash of the transition attributes that it was generated from (blake3, 16 hexadecimal digits).
    pub transitions: String,
    /// Statements in the order of execution, section by section, `up` before `down`.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
    /// The backfill of each table that has one.
    #[serde(default, rename = "backfill")]
    pub backfills: Vec<Backfill>,
    /// The columns with two sides, for people.
    #[serde(default, rename = "pair", skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
    /// The names that are there after it and were not before.
    #[serde(default, skip_serializing_if = "NamesByTable::is_empty")]
    pub creates: NamesByTable,
    /// The names that are gone once it is contracted. Until then they are taken.
    #[serde(default, skip_serializing_if = "NamesByTable::is_empty")]
    pub drops: NamesByTable,
    /// The columns that expand gives another type or another expression in place, by table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retyped: BTreeMap<String, Vec<String>>,
    /// The indexes and constraints that the versions describe, of every table with pairs. What else stands on an old column was made
    /// by hand. Older tools do not say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub described: BTreeMap<String, Vec<String>>,
    /// The tables that go because all of them has come into others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<String>,
    /// The columns that move between two tables, and how. Older tools do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// The tables that contract gives another name: what they are called until then, and after it. Until then a view has the new
    /// name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub renames: BTreeMap<String, String>,
    /// The columns of keys that get another name before `complete`, by table: what they are called until then, and after it. From
    /// expand to contract a view has the new names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub renamed_keys: BTreeMap<String, Vec<(String, String)>>,
    /// The keys that contract exchanges for others, and the unique indexes that it takes from under foreign keys, by table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exchanged_keys: BTreeMap<String, Vec<ExchangedKey>>,
    /// What the foreign keys name that go before `complete`, and that a way back puts back: columns by table. Older tools do not say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refers: BTreeMap<String, Vec<String>>,
    /// The keys and unique indexes that these foreign keys stand on: the columns of each, by table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refers_to: BTreeMap<String, Vec<Vec<String>>>,
    /// The keys and unique indexes that it takes away: the columns of each, by table. Older tools do not say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unkeyed: BTreeMap<String, Vec<Vec<String>>>,
    /// The columns that foreign keys which it adds set by themselves, by table. Older tools do not say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub acts: BTreeMap<String, Vec<String>>,
    /// The tables with a trigger that gives rows their other side, whoever writes one alone: what counts, in the schema `zdm`, the
    /// writes that it has completed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nets: BTreeMap<String, String>,
    /// Contract renames old away and drops it after a time, for which it can be taken back; `None`: it drops old at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// It was generated with `--no-keep`, and is so again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_keep: bool,
    /// The enums whose types exchange their names with others before `complete`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<String>,
    /// The enums that expand names, which then mean the types that have the names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enums: Vec<String>,
    /// blake3 of every `.sql` file, by path below the version's directory.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// `0002_users_full_name`, the directory's name.
    pub fn folder(&self) -> String {
        format!("{:04}_{}", self.version, self.name)
    }

    /// The statements of a section, in the order of execution.
    pub fn steps_of(&self, section: Section, direction: Direction) -> impl Iterator<Item = &Step> {
        self.steps
            .iter()
            .filter(move |step| step.section == section && step.direction == direction)
    }

    /// Whether a section can be executed forward over the undo of a step that has begun and not ended.
    pub fn leads_forward(&self, section: Section, number: i64) -> bool {
        let mut steps = self.steps_of(section, Direction::Up);
        steps.any(|step| {
            let is_it = i64::from(step.number) == number;
            let uses_it = step.uses.iter().any(|used| i64::from(*used) == number);
            is_it && (step.prepared || step.repeatable) || uses_it
        })
    }

    /// The tables that it creates.
    pub fn created_tables(&self) -> impl Iterator<Item = &str> {
        whole(&self.creates)
    }

    /// Whether it builds on what another version has brought: it changes a table of that version, or refers to a table to
    /// which that one added something.
    pub fn stands_on(&self, other: &Self) -> bool {
        let mut references = self.creates.values().flat_map(|names| &names.references);
        self.tables.iter().any(|table| other.tables.contains(table))
            || references.any(|table| other.creates.contains_key(table))
    }

    /// The tables that its steps write anew only as long as they are small.
    pub fn direct(&self) -> Vec<SmallTable> {
        let small = self.steps.iter().flat_map(|step| &step.small);
        let by_table: BTreeMap<&str, &SmallTable> =
            small.map(|small| (small.table.as_str(), small)).collect();
        by_table.into_values().cloned().collect()
    }

    /// The columns added to a table that was there before, whose values are in no old column.
    pub fn alone<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.creates.get(table).filter(|names| !names.table);
        let columns = names.into_iter().flat_map(|names| &names.columns);
        let columns = columns.map(String::as_str);
        columns
            .filter(|column| !self.is_released(table, column) && !self.is_seal(table, column))
            .filter(|column| {
                let pair = self.pair_of(table, column);
                pair.is_none_or(|pair| pair.old.is_empty()) && !self.is_another_name(table, column)
            })
    }

    /// Whether it says of a pair what both sides of a row were.
    fn is_seal(&self, table: &str, column: &str) -> bool {
        let mut pairs = self.pairs.iter().filter(|pair| pair.table == table);
        pairs.any(|pair| pair.seal.as_deref() == Some(column))
    }

    /// Whether it is what an old column is called once another has its name.
    pub fn is_released(&self, table: &str, column: &str) -> bool {
        let mut pairs = self.pairs.iter().filter(|pair| pair.table == table);
        pairs.any(|pair| {
            pair.released
                .as_ref()
                .is_some_and(|released| released.name == column)
        })
    }

    /// Whether a column that it creates is one of the key under another name.
    pub fn is_another_name(&self, table: &str, column: &str) -> bool {
        let mut renamed = self.renamed_keys.get(table).into_iter().flatten();
        renamed.any(|(_, name)| name == column)
    }

    /// What gives every row of a filled column its value, where that never fails.
    pub fn filled_by(&self, table: &str, column: &str) -> Option<&str> {
        self.pair_of(table, column)
            .filter(|pair| pair.old.is_empty() && pair.with.is_none() && pair.on_invalid == "total")
            .map(|pair| pair.up.as_str())
    }

    /// The pair whose new side a column is.
    pub fn pair_of(&self, table: &str, column: &str) -> Option<&Pair> {
        let mut pairs = self.pairs.iter();
        pairs.find(|pair| pair.table == table && pair.new.column == column)
    }
}

/// A unique index that goes: a key's, a unique constraint's, or one of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangedKey {
    /// Its name, without a schema.
    pub index: String,
    /// Its columns. What has the name afterwards has others.
    pub columns: Vec<String>,
    /// The foreign keys that stand on it and go over to another index: table, name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<(String, String)>,
}

fn whole(names: &NamesByTable) -> impl Iterator<Item = &str> {
    let tables = names.iter().filter(|(_, names)| names.table);
    tables.map(|(table, _)| table.as_str())
}

/// Which phases a migration goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Expand, and that is all: a new table, a nullable column, an index.
    Direct,
    /// Expand, then contract when no old code is left: a dropped column or index.
    ExpandContract,
    /// Expand, the change of names when no old code is left, then contract when no code goes by a view any more: a key's column
    /// under another name. Nothing has two sides.
    Rename,
    /// All five.
    FivePhases,
}

impl Route {
    /// Whether code of two releases leads through it: the one in transition serves every stage until contract, the final one
    /// from `complete` on.
    pub const fn has_final_code(self) -> bool {
        matches!(self, Self::Rename | Self::FivePhases)
    }
}

/// Forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// `up.sql`
    Up,
    /// `down.sql`
    Down,
}

/// One entry of a `.sql` file: a statement, or the few that only make sense in one transaction (`SQLite`'s rebuild).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Where it belongs.
    pub section: Section,
    /// Forward or back.
    pub direction: Direction,
    /// 1-based number within its file. A `down` entry undoes the `up` entry of the number in `undoes`.
    pub number: u32,
    /// First and last line in its file, 1-based, inclusive; these lines are executed byte for byte.
    pub lines: (u32, u32),
    /// In plain English: "add the column users.full_name".
    pub summary: String,
    /// The table whose lock is meant.
    pub table: String,
    /// Further tables that are locked as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_locks: Vec<String>,
    /// The strongest lock on the table, in the vendor's words (`ACCESS EXCLUSIVE`, `none`).
    pub lock: String,
    /// The statement blocks writers while it runs, so it gets `lock_timeout` and retries.
    pub blocks_writers: bool,
    /// Reads the whole table while it holds the lock.
    pub scans: bool,
    /// Writes the whole table anew.
    pub rewrites: bool,
    /// Runs inside a transaction together with its record; otherwise it is repeatable by itself.
    pub transactional: bool,
    /// An index that a failed attempt of a non-transactional step leaves invalid, to be dropped before the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builds_index: Option<String>,
    /// For a rebuild on `SQLite`: the statements that make the table as the versions describe it. Whatever the table has
    /// beyond that would be lost, so that the step is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expects: Vec<String>,
    /// For `down`: the number of the `up` entry that it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u32>,
    /// What cannot come back, where the undo loses something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loses: Option<String>,
    /// The declaration that asked for it, `src/models.rs:12`.
    pub source: String,
    /// What it builds there, to be compared with what the database has; `None` in plans of older tools, which name it only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<IndexDefinition>,
    /// For `up`: earlier entries of the file whose work it uses up. Where it is to be done, they are done before, whatever is on
    /// record: done again they change nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<u32>,
    /// For `up`: only the last entry of its undo takes it back, the others make ready for that. An undo that has begun and not
    /// ended has left it in effect, and the later entries without an undo clear away what was made ready.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prepared: bool,
    /// For `up`: done again, it takes away all that entries of its undo have put back. An undo that has begun and not ended is left
    /// behind by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeatable: bool,
    /// The tables whose rows it goes through at once, and that have to be small for that: where one is not, the step is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub small: Vec<SmallTable>,
}

impl Step {
    /// SQL of the user's own, of which nobody knows what it makes.
    pub fn is_own_sql(&self) -> bool {
        self.summary.starts_with("run your own SQL ")
    }
}

impl Step {
    /// All tables that it locks, for people: `users, teams`.
    pub fn locked_tables(&self) -> String {
        let tables = std::iter::once(&self.table).chain(&self.also_locks);
        let tables: Vec<&str> = tables.map(String::as_str).collect();
        tables.join(", ")
    }
}

/// An index, but for its name and its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexDefinition {
    /// Columns in index order, unquoted.
    pub columns: Vec<String>,
    /// Two rows may not share a value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    /// Which rows a partial index holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// Everything behind the table's name in `CREATE INDEX`, where columns and predicate are not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
}
