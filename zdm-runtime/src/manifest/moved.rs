//! Columns that move between two tables, for whoever asks about both.
//!
//! Must not know: statements, any database.

use serde::{Deserialize, Serialize};

use super::{Direction, Manifest, Step};
use crate::phase::Section;

/// Columns that move between a table, the main one, and another that holds at most one row for each of its rows, the part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// The table that has a row for each row of the other, unquoted.
    pub main: String,
    /// The other, unquoted.
    pub part: String,
    /// Which way they go, and what becomes of part.
    pub way: MoveWay,
    /// The key in key order: main's column and part's.
    pub key: Vec<(String, String)>,
    /// The columns that move: as main has it and as part does.
    pub columns: Vec<(String, String)>,
}

/// Which way columns move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveWay {
    /// Out of main into part, which is new.
    Split,
    /// Into main out of part, which goes.
    Merge,
    /// Into main out of part, which stays.
    Move,
}

/// One of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OneOfTwo {
    /// The one that has a row for each row of the other.
    Main,
    /// The other.
    Part,
}

impl OneOfTwo {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Main => Self::Part,
            Self::Part => Self::Main,
        }
    }
}

impl Moved {
    /// The name of one of the tables, unquoted.
    pub fn table(&self, which: OneOfTwo) -> &str {
        match which {
            OneOfTwo::Main => &self.main,
            OneOfTwo::Part => &self.part,
        }
    }

    /// The table that the columns leave.
    pub const fn source(&self) -> OneOfTwo {
        match self.way {
            MoveWay::Split => OneOfTwo::Main,
            MoveWay::Merge | MoveWay::Move => OneOfTwo::Part,
        }
    }

    /// The key's columns as one of the tables has them.
    pub fn key_of(&self, which: OneOfTwo) -> Vec<&str> {
        of(&self.key, which)
    }

    /// The columns that move as one of the tables has them.
    pub fn columns_of(&self, which: OneOfTwo) -> Vec<&str> {
        of(&self.columns, which)
    }
}

fn of(pairs: &[(String, String)], which: OneOfTwo) -> Vec<&str> {
    let pairs = pairs.iter();
    pairs
        .map(|(main, part)| match which {
            OneOfTwo::Main => main.as_str(),
            OneOfTwo::Part => part.as_str(),
        })
        .collect()
}

impl Manifest {
    /// The first entry of a section that puts triggers on tables between which columns move: from it on, who writes the one writes
    /// the other.
    pub fn first_triggers(&self, section: Section) -> Option<&Step> {
        let mut steps = self.steps_of(section, Direction::Up);
        steps.find(|step| !self.moved.is_empty() && step.summary.starts_with("let triggers on "))
    }
}
