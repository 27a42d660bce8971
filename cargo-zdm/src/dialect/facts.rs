//! `dialect.toml`: what it may say, and how a relative inherits it.

use std::collections::BTreeMap;

use include_dir::Dir;
use serde::{Deserialize, Serialize};

use super::DialectError;
use super::quoting::Quoting;

/// A dialect's facts, its ancestors' included.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) vendor: String,
    pub(super) parser: Parser,
    #[expect(dead_code, reason = "read from the raw table, before this type exists")]
    #[serde(default)]
    inherits: Option<String>,
    pub(super) capabilities: Capabilities,
    pub(super) quoting: Quoting,
    pub(super) types: BTreeMap<String, String>,
    /// The declared types that an `auto` column may have; empty: the database is to judge.
    #[serde(default)]
    pub(super) auto_types: Vec<String>,
    pub(super) lossless: BTreeMap<String, Dual>,
    /// What a text loses that is longer than the old column allows, where the database does not refuse all of them.
    #[serde(default)]
    pub(super) widened_text_loses: Option<String>,
    /// Which values of a type the client cannot read, where the database keeps such.
    #[serde(default)]
    pub(super) unreadable: BTreeMap<String, String>,
    pub(super) edges: BTreeMap<String, Vec<String>>,
    pub(super) functions: Functions,
    #[serde(default)]
    pub(super) defaults: BTreeMap<String, String>,
    pub(super) key: KeyTexts,
    pub(super) address: AddressFacts,
    pub(super) identity: Identity,
    pub(super) seal: Seal,
    pub(super) type_of_value: String,
    pub(super) statement: BTreeMap<String, StatementFacts>,
    #[serde(default)]
    pub(super) unsupported: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) client: BTreeMap<String, ClientFacts>,
}

/// What generated code calls the things of a client.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientFacts {
    /// Why it cannot be spoken to the database with; the rest is empty then.
    pub refused: Option<String>,
    /// Its connection.
    pub connection: String,
    /// Its name for the kind of database.
    pub database: String,
    /// Its row, with its module.
    pub row: String,
    /// Its SQL type of a `{type}` that may be NULL.
    pub nullable: String,
    /// That of an array of it.
    pub array: String,
    /// That of an enum, whose Rust type is `{type}`.
    pub enumeration: String,
    /// Its SQL types by what statements call them; empty where values tell their type themselves.
    pub types: BTreeMap<String, String>,
}

/// The grammar that reads the user's expressions.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Parser {
    PostgreSql,
    Sqlite,
}

/// What the database can do; what it cannot decides which statements stand in for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// The server knows roles with rights of their own.
    pub roles: bool,
    /// Constraints, defaults and NOT NULL of a table change in place; otherwise the table is rebuilt.
    pub alter_in_place: bool,
    /// A dropped column takes its indexes along; otherwise they have to go first.
    pub drop_column_drops_indexes: bool,
    /// A function can make `up` total; otherwise `valid_if` is demanded.
    pub total_functions: bool,
    /// A new column may have a stable, not only a constant default without a rewrite.
    pub stable_default: bool,
    /// A default that calls a function stands in parentheses.
    pub parenthesized_defaults: bool,
    /// An expression among an index's elements stands in parentheses unless it is a call.
    pub parenthesized_elements: bool,
    /// A column holds values of its type alone, and clients read no other.
    pub typed_columns: bool,
    /// Tables and columns have comments.
    pub comments: bool,
    /// Columns beside the key can be counted.
    pub counts_beside_the_key: bool,
    /// A generated column can be computed when it is read.
    pub virtual_columns: bool,
    /// A generated column can be part of the key.
    pub computed_keys: bool,
    /// A view takes writes, and its columns keep their names when those of its table get others.
    pub renaming_views: bool,
    /// Tables and enums may be in schemas that they name.
    pub schemas: bool,
    /// There are enums; otherwise their values are texts.
    pub enum_types: bool,
    /// Arithmetic fails on an overflow and on a division by zero.
    pub arithmetic_fails: bool,
    /// An index may have `using`, `include`, `nulls_not_distinct` and `with`.
    pub index_options: bool,
    /// Constraints have all that the standard and PostgreSQL give them: a unique one `include`, `nulls_not_distinct` and
    /// `deferrable`, a check `not_valid` and `no_inherit`, a foreign key `match_full`, `not_valid` and columns that it sets; and
    /// there are exclusion constraints.
    pub constraint_options: bool,
}

/// How a key travels as text: `{parameter}`, `{type}` of its values, `{declared}` type and `{column}` are put in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyTexts {
    pub(super) bind: String,
    pub(super) read: String,
    #[serde(default)]
    pub(super) exceptions: BTreeMap<String, KeyException>,
}

/// Where a row stands, for tables in which no columns tell rows apart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddressFacts {
    /// What it is called: the first that is no column of the table.
    pub(super) columns: Vec<String>,
    /// Its type, where that is none of the logical ones; otherwise it is a whole number.
    #[serde(default)]
    pub(super) r#type: Option<String>,
    /// No row stands before.
    pub(super) first: String,
    /// No row stands behind.
    pub(super) last: String,
    /// It counts blocks, through which a batch goes without an order of rows.
    pub(super) in_blocks: bool,
}

/// How what both sides of a row were is kept. `{values}` and `{value}` are put in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    /// The type of the column.
    #[serde(rename = "type")]
    pub(super) sql_type: String,
    pub(super) of: String,
    pub(super) between: String,
    pub(super) value: String,
    /// A value of an enum, where that is another.
    #[serde(default)]
    pub(super) enumeration: Option<String>,
}

/// When values are the same, not only equal. `{old}` and `{new}` stand for the columns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    /// Types, without their bounds, whose equality is identity.
    pub(super) exact: Vec<String>,
    /// The comparison of all others.
    pub(super) otherwise: String,
    /// The comparison of all others where both sides have one type, which no setting of a session decides.
    pub(super) image: String,
    /// Types that are compared like that even with computed values: a value of theirs is kept as it was written.
    #[serde(default)]
    pub(super) as_text: Vec<String>,
}

/// The same for a logical type that does not travel like the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyException {
    pub(super) bind: String,
    pub(super) read: String,
}

/// A built-in conversion with its way back. `{old}` and `{new}` stand for the columns.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dual {
    /// Old to new, total.
    pub up: String,
    /// New to old; fails where old cannot hold the value, so that a dual write loses nothing silently.
    pub down: String,
    /// Whether `down` gives old, in a way that never fails. `None` where `up` alone decides.
    #[serde(default)]
    pub compare: Option<String>,
    /// What `down` loses of a value that it accepts, in plain English. `None` where nothing.
    #[serde(default)]
    pub loses: Option<String>,
}

/// Functions that the analysis of defaults and of `up` knows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Functions {
    pub(super) stable: Vec<String>,
    /// Functions that give another value at every call.
    pub(super) changing: Vec<String>,
    /// Functions of a time that ask the clock where none is given, with the number of arguments before it.
    pub(super) clock: BTreeMap<String, usize>,
    /// Functions that give a value for every value of their arguments' types, as long as formats and patterns are constants.
    pub(super) total: Vec<String>,
}

/// What a statement does to its table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StatementFacts {
    /// The strongest lock on the table, in the vendor's words.
    pub lock: String,
    /// It blocks writers while it runs.
    pub blocks_writers: bool,
    /// It reads the whole table.
    pub scans: bool,
    /// It writes the whole table anew.
    pub rewrites: bool,
    /// It runs inside a transaction.
    pub transactional: bool,
    /// A failed attempt leaves an invalid index behind.
    #[serde(default)]
    pub builds_index: bool,
    /// Where the vendor's manual says so: title and section.
    pub manual: String,
    /// The template, where it is not the statement's own name.
    #[serde(default)]
    pub template: Option<String>,
}

impl StatementFacts {
    /// Whether writers wait for as long as it takes to go through all rows.
    pub(crate) fn takes_all_rows(&self) -> bool {
        self.blocks_writers && self.transactional && (self.scans || self.rewrites)
    }
}

/// A dialect's own `dialect.toml`, before inheritance.
pub(super) struct Ancestor {
    pub(super) name: String,
    table: toml::Table,
}

/// The dialect, then what it inherits from, then what that inherits from.
pub(super) fn chain(templates: &Dir<'_>, name: &str) -> Result<Vec<Ancestor>, DialectError> {
    let mut chain: Vec<Ancestor> = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next {
        let known = || super::Dialect::names().join(", ");
        let text = templates
            .get_file(format!("{name}/dialect.toml"))
            .and_then(|file| file.contents_utf8())
            .filter(|_| chain.iter().all(|ancestor| ancestor.name != name))
            .ok_or_else(|| DialectError::Unknown {
                name: name.clone(),
                known: known(),
            })?;
        let table: toml::Table = toml::from_str(text).map_err(|source| DialectError::Facts {
            dialect: name.clone(),
            source: Box::new(source),
        })?;
        next = table
            .get("inherits")
            .and_then(|value| value.as_str())
            .map(str::to_owned);
        chain.push(Ancestor { name, table });
    }
    Ok(chain)
}

/// The facts of the first of the chain, completed by the others.
pub(super) fn merged(chain: &[Ancestor]) -> Result<Facts, DialectError> {
    let mut merged = toml::Table::new();
    for ancestor in chain.iter().rev() {
        overlay(&mut merged, &ancestor.table);
    }
    let dialect = chain
        .first()
        .map(|ancestor| ancestor.name.clone())
        .unwrap_or_default();
    toml::Value::Table(merged)
        .try_into()
        .map_err(|source| DialectError::Facts {
            dialect,
            source: Box::new(source),
        })
}

fn overlay(base: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => overlay(base, over),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}
