//! What does not fit in the log, and how it is told.
//!
//! Must not know: how it is found.

use std::fmt;

/// Something that does not fit. Numbers are places in the chain, an `entry` is the row's own number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// An entry's fields are not those of its hash.
    Changed {
        /// Its place.
        sequence: i64,
        /// Its row.
        entry: i64,
    },
    /// An entry names another one before it than the one that is there: one of the two was replaced.
    Replaced {
        /// Its place.
        sequence: i64,
        /// Its row.
        entry: i64,
    },
    /// An entry has a smaller row number than the one before.
    Moved {
        /// Its place.
        sequence: i64,
        /// Its row.
        entry: i64,
    },
    /// Entries are missing.
    Removed {
        /// The first place.
        from: i64,
        /// The last place.
        to: i64,
    },
    /// An entry that nobody has appended.
    Inserted {
        /// Its row.
        entry: i64,
    },
    /// The last entry is not the one that was written last.
    LastReplaced {
        /// Its place.
        sequence: i64,
    },
    /// Entries from before the chain came or went.
    Before {
        /// How many there were.
        expected: i64,
        /// How many there are.
        found: i64,
    },
}

impl Finding {
    /// What happened, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::Replaced { .. } | Self::LastReplaced { .. } => "replaced",
            Self::Moved { .. } => "moved",
            Self::Removed { .. } => "removed",
            Self::Inserted { .. } => "inserted",
            Self::Before { .. } => "before",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { sequence, entry } => {
                write!(f, "entry {sequence} (row {entry}) was changed")
            }
            Self::Replaced { sequence: 1, entry } => write!(
                f,
                "entry 1 (row {entry}) is not the first that was written: it, or what `meta` says of earlier ones, was replaced"
            ),
            Self::Replaced { sequence, entry } => write!(
                f,
                "entry {sequence} (row {entry}) does not follow entry {}: one of the two was replaced",
                sequence - 1
            ),
            Self::Moved { sequence, entry } => write!(
                f,
                "entry {sequence} (row {entry}) has an older row than the entry before it: one of the two was moved"
            ),
            Self::Removed { from, to } if from == to => write!(f, "entry {from} was removed"),
            Self::Removed { from, to } => write!(f, "entries {from} to {to} were removed"),
            Self::Inserted { entry } => write!(
                f,
                "row {entry} has no place in the chain: it was inserted by hand, or by a tool from before the chain"
            ),
            Self::LastReplaced { sequence } => write!(
                f,
                "entry {sequence} is the last and not the one that was written last: it, or what `meta` says, was replaced"
            ),
            Self::Before { expected, found } => write!(
                f,
                "there were {expected} entries from before the chain, and there are {found}"
            ),
        }
    }
}
