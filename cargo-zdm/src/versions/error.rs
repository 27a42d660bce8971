//! What can be wrong with the saved versions.

use camino::Utf8PathBuf;

use crate::files::FileError;

/// Why the versions cannot be used. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// A file or folder cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of a version is not what was generated.
    #[error(
        "{path} of version {folder} was edited after it was generated; nothing has been changed. Restore it from version control (git changes line endings unless a `.gitattributes` beside it says `* -text`), or change the model and run `cargo zdm generate`"
    )]
    Edited {
        /// The version.
        folder: String,
        /// The file, below the version's folder.
        path: String,
    },
    /// A file of a version is gone.
    #[error("{path} of version {folder} is missing; restore it from version control")]
    FileMissing {
        /// The version.
        folder: String,
        /// The file, below the version's folder.
        path: String,
    },
    /// A file that nobody generated.
    #[error(
        "{path} does not belong to version {folder}: move it elsewhere, a version's folder holds what was reviewed and nothing else"
    )]
    FileExtra {
        /// The version.
        folder: String,
        /// The file, below the version's folder.
        path: String,
    },
    /// A line of `zdm.sum` without its folder.
    #[error(
        "zdm.sum names version {folder}, but its folder is gone; restore it from version control"
    )]
    VersionMissing {
        /// The version.
        folder: String,
    },
    /// A folder without its line in `zdm.sum`.
    #[error(
        "zdm.sum has no line for version {folder}: restore zdm.sum from version control. A version that was never committed can be removed, folder and all, and generated again"
    )]
    NoLine {
        /// The version.
        folder: String,
    },
    /// Lines of `zdm.sum` were changed, or a version between two others was taken out.
    #[error(
        "zdm.sum does not hold at version {folder}: a version before it, or its line, was changed. Restore the file from version control"
    )]
    ChainBroken {
        /// The first version whose hash does not follow from the one before.
        folder: String,
    },
    /// Two versions follow the same one.
    #[error(
        "the history has forked: {reason}. Run `cargo zdm generate --rebase` to put yours behind the one that was merged first"
    )]
    Forked {
        /// What was found.
        reason: String,
    },
    /// Which of two versions is the user's own cannot be told.
    #[error(
        "{first} and {second} follow the same version, and git does not say which of them is merged: name yours, for example `cargo zdm generate --rebase {name}`"
    )]
    WhoseVersion {
        /// A version.
        first: String,
        /// The other.
        second: String,
        /// The name of the second.
        name: String,
    },
    /// There is no version yet.
    #[error("nothing to amend: there is no version yet, run `cargo zdm generate`")]
    NothingToAmend,
    /// Others have the version already.
    #[error(
        "version {folder} is merged into the default branch, where others may have applied it; generate a version behind it with `cargo zdm generate`"
    )]
    Merged {
        /// The version.
        folder: String,
    },
    /// There is nothing to rebase.
    #[error("nothing to rebase: every version follows the one before it")]
    NotForked,
    /// A line or a file that is not understood.
    #[error("{path} is not understood: {reason}. Restore it from version control")]
    Malformed {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A newer program wrote it.
    #[error("{path} has format {found}, this cargo-zdm reads up to {known}: install a newer one")]
    NewerFormat {
        /// The file.
        path: Utf8PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that is read.
        known: u32,
    },
}
