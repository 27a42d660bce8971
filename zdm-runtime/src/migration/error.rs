//! Why a version's directory cannot be used.

use std::io;
use std::path::PathBuf;

use crate::manifest::FORMAT;

/// Why a version's directory cannot be used. Nothing has been executed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No plan there.
    #[error("{path} is not there: is {folder} a version's directory?")]
    NoPlan {
        /// Where the plan was looked for.
        path: PathBuf,
        /// The directory.
        folder: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// Not TOML, or not a plan.
    #[error("{path} is no plan that this version of zdm understands: {source}")]
    Malformed {
        /// The plan.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Written by a newer tool.
    #[error(
        "{path} has format {found}, this version of zdm reads up to {FORMAT}: install a newer one"
    )]
    NewerFormat {
        /// The plan.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The content is not what was reviewed.
    #[error(
        "{path} was edited after it was generated (plan.toml names the hash {expected}, the file has {found}); nothing \
         was executed. Restore it from version control (git changes line endings unless a `.gitattributes` beside it says `* -text`), or change the model and generate again"
    )]
    Edited {
        /// The file.
        path: PathBuf,
        /// Hash in the plan.
        expected: String,
        /// Hash of the content.
        found: String,
    },
    /// In the plan, not on the disk.
    #[error(
        "{path} is missing, plan.toml lists it; nothing was executed. Restore it from version control"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// On the disk, not in the plan.
    #[error(
        "{path} is not listed in plan.toml and would never be executed: remove it, or put the statement into a version \
         of its own"
    )]
    Extra {
        /// The file.
        path: PathBuf,
    },
    /// The plan names a file or lines that the version does not have, or contradicts itself.
    #[error("{path} contradicts itself: {reason}. Generate the version again")]
    Inconsistent {
        /// The plan.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The directory does not carry the name that its plan gives it.
    #[error("{path} holds the plan of {expected}: rename the directory back")]
    Misplaced {
        /// The directory.
        path: PathBuf,
        /// The name by its plan.
        expected: String,
    },
    /// Two directories claim one place in the order.
    #[error(
        "{first} and {second} are both version {version}: rebase one with `cargo zdm generate --rebase`"
    )]
    SameVersion {
        /// The number.
        version: u32,
        /// A directory's name.
        first: String,
        /// The other's.
        second: String,
    },
}
