//! What contract renames away instead of dropping it, and for how long.
//!
//! Must not know: statements, any database, any clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Direction, Manifest, Route, whole};
use crate::phase::Section;

/// How long contract can be taken back, and what old is called meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// From the end of `5_contract/2_keep` on.
    pub seconds: u64,
    /// The columns by table: what each was called, and what it is called until it is dropped.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Vec<(String, String)>>,
    /// The columns of these that nothing maintains, `users.name`, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left: BTreeMap<String, String>,
    /// The tables: what each was called, and what it is called until it is dropped.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, String>,
}

impl Keep {
    /// How long, as people say it: `14 days`.
    pub fn window(&self) -> String {
        let seconds = self.seconds;
        let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
        let mut whole = units.into_iter();
        let whole = whole.find(|(length, _)| seconds.is_multiple_of(*length));
        let (length, unit) = whole.unwrap_or((1, "second"));
        let count = seconds / length;
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {unit}{plural}")
    }

    /// What a column is called until it is dropped.
    pub fn column(&self, table: &str, column: &str) -> Option<&str> {
        let of_table = self.columns.get(table)?;
        let found = of_table.iter().find(|(before, _)| before == column);
        found.map(|(_, kept)| kept.as_str())
    }
}

impl Manifest {
    /// The tables that a section's file drops.
    pub fn dropped_tables(&self, section: Section, direction: Direction) -> Vec<&str> {
        match (section, direction) {
            (Section::Expand, Direction::Down) => whole(&self.creates).collect(),
            (Section::Drop, Direction::Up) => whole(&self.drops).collect(),
            (Section::DropKept, Direction::Up) => {
                let tables = self.keep.iter().flat_map(|keep| keep.tables.values());
                tables.map(String::as_str).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The section that takes the names of old away, after which no code may name it: old goes, or is kept under another name.
    pub fn contracts_by(&self) -> Section {
        match self.keep {
            Some(_) => Section::Keep,
            None => Section::Drop,
        }
    }

    /// Whether something leads on from `complete`: old of a one-way pair is filled by nothing.
    pub fn leads_back(&self) -> bool {
        self.reversible || self.route != Route::FivePhases
    }

    /// The section after which old is gone for good.
    pub fn drops_by(&self) -> Section {
        match self.keep {
            Some(_) => Section::DropKept,
            None => Section::Drop,
        }
    }
}
