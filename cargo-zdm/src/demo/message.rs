//! What the demo and its processes tell each other: one JSON value per line, orders in, events out.
//!
//! The first line that a process reads is its [`Assignment`]; when its input ends, it ends. The database's URL goes this
//! way and not through arguments, which every user of the machine can read.
//! Must not know: how either side acts on it.

use serde::{Deserialize, Serialize};
use zdm_runtime::phase::Phase;

/// Which form of the demo's application a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Version {
    /// Before the migration.
    V1,
    /// Generated for the transition: it serves every stage.
    V2,
    /// After `finalize`: it names only what is new.
    V3,
}

impl Version {
    /// The name of its folder.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }
}

/// What a process does under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    /// Writes, and records in the oracle what it wrote, in one transaction.
    Writer,
    /// Reads, and compares with the oracle, in one snapshot.
    Reader,
}

/// What a process is there for: running a version of the application under load until it is told to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Assignment {
    /// What it does.
    pub(super) role: Role,
    /// Which code it runs.
    pub(super) version: Version,
    /// Where.
    pub(super) url: String,
    /// Its number: no other process of the demo ever has the same.
    pub(super) slot: u32,
    /// Keys from 1 to this one were there at the start.
    pub(super) rows: i64,
}

/// What a process is told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// From now on count for this phase; before the first one, wait.
    Phase(Phase),
    /// Compare every row with the oracle.
    Compare,
    /// Make this mistake once.
    Plant(Plant),
    /// Write, and then neither commit nor roll back.
    Hang,
    /// Finish what is begun, and end.
    Stop,
}

/// A mistake that the demo must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Plant {
    /// A write is acknowledged and was never made.
    LostWrite,
    /// A read returns what was there before the last acknowledged write.
    StaleRead,
    /// The database refuses a statement.
    FailedStatement,
}

/// What a process reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Event {
    /// Connected and about to begin.
    Ready,
    /// A write is committed: the oracle's count of writes for the key is now `count`.
    Wrote {
        /// When the write began.
        phase: Phase,
        /// The row.
        key: i64,
        /// How often it was written.
        count: i64,
    },
    /// A read was answered and compared.
    Read {
        /// When the read began.
        phase: Phase,
        /// It was not what the oracle knows.
        mismatch: Option<String>,
    },
    /// The database or the generated code refused.
    Failed {
        /// What and why.
        problem: String,
    },
    /// Every row was compared with the oracle.
    Compared {
        /// How many rows the table has.
        rows: u64,
        /// Rows that are not what was written last.
        lost: Vec<String>,
    },
    /// A transaction has written and stays open.
    Hanging,
}
