//! Columns that move between a table, the main one, and another that holds at most one row for each of its rows, the part:
//! when a row of main has one in part, and when the two agree. They leave main for a part that is new, or come into main out of
//! a part that goes, or stays without them.
//!
//! While the migration is at work triggers on both tables keep the two together, within the statement that writes either of
//! them, so that neither is ever stale, whoever writes. Where they come into main, that holds of a row from the backfill on:
//! before that, main's row has NULL for what part holds.
//!
//! Must not know: what is rendered from it.

mod triggers;

use serde::Serialize;
use zdm_model::Column;
use zdm_runtime::manifest::{MoveWay, Moved};

use crate::dialect::Dialect;

pub use triggers::{Merging, Triggers};

/// What moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The table that has a row for each row of the other, unquoted.
    pub main: String,
    /// The other, unquoted.
    pub part: String,
    /// Which of the two has the columns in the end.
    pub to: Ends,
    /// Part was there before and stays: whether it has a row is its own affair.
    pub part_stays: bool,
    /// The key in key order: main's column and part's.
    pub key: Vec<(Column, Column)>,
    /// The columns that move, in the order of part: as main has it and as part does.
    pub columns: Vec<(Column, Column)>,
}

impl Move {
    /// Main's key, in key order.
    pub fn main_key(&self) -> Vec<Column> {
        self.key.iter().map(|(main, _)| main.clone()).collect()
    }

    /// What `plan.toml` says of it.
    pub fn entry(&self) -> Moved {
        let names = |pairs: &[(Column, Column)]| -> Vec<(String, String)> {
            let pairs = pairs.iter();
            pairs
                .map(|(main, part)| (main.name.clone(), part.name.clone()))
                .collect()
        };
        Moved {
            main: self.main.clone(),
            part: self.part.clone(),
            way: match self.to {
                Ends::Part => MoveWay::Split,
                Ends::Main if self.part_stays => MoveWay::Move,
                Ends::Main => MoveWay::Merge,
            },
            key: names(&self.key),
            columns: names(&self.columns),
        }
    }

    /// The table that has the columns in the end.
    pub fn keeper(&self) -> &str {
        match self.to {
            Ends::Main => &self.main,
            Ends::Part => &self.part,
        }
    }

    /// A column as the table has it that has it in the end.
    pub fn kept<'c>(&self, (main, part): &'c (Column, Column)) -> &'c Column {
        match self.to {
            Ends::Main => main,
            Ends::Part => part,
        }
    }

    /// Main's row says that there is one in part: it has every value that part demands; where part stays, any value that moves.
    /// Columns stand behind `prefix`.
    pub fn present(&self, dialect: &Dialect, prefix: &str) -> String {
        let is_known = |(main, _): &(Column, Column)| {
            format!("{prefix}{} IS NOT NULL", dialect.ident(&main.name))
        };
        if self.part_stays {
            let known: Vec<String> = self.columns.iter().map(is_known).collect();
            return format!("({})", known.join(" OR "));
        }
        let demanded = self.columns.iter().filter(|(_, part)| !part.nullable);
        demanded.map(is_known).collect::<Vec<_>>().join(" AND ")
    }

    /// The two rows, which are both there, hold what they should: `same` of them, and where part's depends on main's, what that
    /// demands.
    fn agree(&self, dialect: &Dialect, of_main: &str, same: String) -> String {
        if self.part_stays {
            return same;
        }
        format!("{} AND {same}", self.present(dialect, of_main))
    }

    /// The same over both tables.
    pub fn agreeing(&self, dialect: &Dialect) -> String {
        let (main, part) = self.prefixes(dialect);
        self.agree(dialect, &main, self.same(dialect, &main, &part))
    }

    /// Main's row holds no value that moves.
    pub fn nothing(&self, dialect: &Dialect, prefix: &str) -> String {
        let columns = self.columns.iter();
        let empty: Vec<String> = columns
            .map(|(main, _)| format!("{prefix}{} IS NULL", dialect.ident(&main.name)))
            .collect();
        empty.join(" AND ")
    }

    /// Both rows hold the same values, to the byte. Columns stand behind their prefix.
    pub fn same(&self, dialect: &Dialect, of_main: &str, of_part: &str) -> String {
        let columns = self.columns.iter();
        let same: Vec<String> = columns
            .map(|pair| column_is_same(dialect, pair, of_main, of_part))
            .collect();
        same.join(" AND ")
    }

    /// Part's row holds what an insert that meets it brings.
    pub fn same_as_inserted(&self, dialect: &Dialect) -> String {
        let (_, part) = self.prefixes(dialect);
        let columns = self.columns.iter().map(|(_, column)| column);
        let same: Vec<String> = columns
            .map(|column| {
                let name = dialect.ident(&column.name);
                let (brought, stored) = (format!("excluded.{name}"), format!("{part}{name}"));
                dialect.same_bytes(column, &brought, &stored)
            })
            .collect();
        same.join(" AND ")
    }

    /// The two rows belong together. Columns stand behind their prefix.
    pub fn joined(&self, dialect: &Dialect, of_main: &str, of_part: &str) -> String {
        let key: Vec<String> = self
            .key
            .iter()
            .map(|(main, part)| {
                let (main, part) = (dialect.ident(&main.name), dialect.ident(&part.name));
                format!("{of_part}{part} = {of_main}{main}")
            })
            .collect();
        key.join(" AND ")
    }

    /// Whether the two agree, over `main LEFT JOIN part`: never NULL, never fails.
    pub fn consistent(&self, dialect: &Dialect) -> String {
        let (main, _) = self.prefixes(dialect);
        format!(
            "CASE WHEN {} THEN {} ELSE {} END",
            self.lacks(dialect),
            self.nothing(dialect, &main),
            self.agreeing(dialect)
        )
    }

    /// The same of one column.
    pub fn column_is_consistent(&self, dialect: &Dialect, pair: &(Column, Column)) -> String {
        let (main, part) = self.prefixes(dialect);
        format!(
            "CASE WHEN {} THEN {main}{} IS NULL ELSE {} END",
            self.lacks(dialect),
            dialect.ident(&pair.0.name),
            self.agree(dialect, &main, column_is_same(dialect, pair, &main, &part))
        )
    }

    /// Over `main LEFT JOIN part`: there is no row in part.
    fn lacks(&self, dialect: &Dialect) -> String {
        let (_, part) = self.prefixes(dialect);
        let key = self.key.first().map_or("", |(_, key)| key.name.as_str());
        format!("{part}{} IS NULL", dialect.ident(key))
    }

    /// Whether the two agree, over main alone: the row of part is looked up.
    pub fn consistent_with_lookup(&self, dialect: &Dialect) -> String {
        let (main, part) = self.prefixes(dialect);
        let same = self.same(dialect, &main, &part);
        let found = |condition: &str| {
            format!(
                "EXISTS (SELECT 1 FROM {} WHERE {}{condition})",
                dialect.relation(&self.part),
                self.joined(dialect, &main, &part)
            )
        };
        format!(
            "CASE WHEN {} THEN {} ELSE {} END",
            found(""),
            self.agree(dialect, &main, found(&format!(" AND {same}"))),
            self.nothing(dialect, &main)
        )
    }

    /// `main LEFT JOIN part ON …`
    pub fn join(&self, dialect: &Dialect) -> String {
        let (main, part) = self.prefixes(dialect);
        format!(
            "{} LEFT JOIN {} ON {}",
            dialect.relation(&self.main),
            dialect.relation(&self.part),
            self.joined(dialect, &main, &part)
        )
    }

    /// What stands before the columns of main and of part where both tables are read.
    pub fn prefixes(&self, dialect: &Dialect) -> (String, String) {
        let prefix = |table: &str| format!("{}.", dialect.relation(table));
        (prefix(&self.main), prefix(&self.part))
    }
}

/// One of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// The one that has a row for each row of the other.
    Main,
    /// The other.
    Part,
}

fn column_is_same(
    dialect: &Dialect,
    (main, part): &(Column, Column),
    of_main: &str,
    of_part: &str,
) -> String {
    let old = format!("{of_main}{}", dialect.ident(&main.name));
    let new = format!("{of_part}{}", dialect.ident(&part.name));
    dialect.same_bytes(part, &old, &new)
}
