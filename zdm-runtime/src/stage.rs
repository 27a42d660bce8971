//! The stages of a migration and the hops between them: the write protocol as pure data.
//!
//! Must not know: any database, any clock.

use std::fmt;
use std::str::FromStr;

/// Who writes and who reads which side. Live writers span at most two adjacent stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Writes old, reads old.
    Off,
    /// Writes both, reads old.
    DualWrite,
    /// Writes both, reads old and compares with new.
    Shadow,
    /// Writes both, reads new for some keys.
    Live,
    /// Writes both, reads new.
    RampDown,
    /// Writes new, reads new.
    Complete,
}

/// Which sides a write maintains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Writes {
    /// Old alone.
    Old,
    /// Old and new.
    Both,
    /// New alone.
    New,
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Self; 6] = [
        Self::Off,
        Self::DualWrite,
        Self::Shadow,
        Self::Live,
        Self::RampDown,
        Self::Complete,
    ];

    /// The name in commands, control tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::DualWrite => "dual_write",
            Self::Shadow => "shadow",
            Self::Live => "live",
            Self::RampDown => "ramp_down",
            Self::Complete => "complete",
        }
    }

    /// Which sides a write maintains at this stage.
    pub const fn writes(self) -> Writes {
        match self {
            Self::Off => Writes::Old,
            Self::DualWrite | Self::Shadow | Self::Live | Self::RampDown => Writes::Both,
            Self::Complete => Writes::New,
        }
    }

    /// The stage after this one.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|stage| stage.name() == name)
            .ok_or_else(|| UnknownStage(name.to_owned()))
    }
}

/// A word that names no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no stage: off, dual_write, shadow, live, ramp_down or complete")]
pub struct UnknownStage(pub String);
