//! What a command does to the disk, written down before it does it: whoever comes after a kill ends it or takes it back.
//!
//! Comes in: paths below the project's root. Goes out: files in place, or nothing left of them.
//! Must not know: the files' texts.

use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{FileError, read_if_there, remove_empty_folders, remove_unfinished, unfinished_in};

/// Where it stands below the root. No listing of versions or sources looks at hidden files.
pub(super) const FILE: &str = ".zdm-journal";

/// How far a command is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Journal {
    /// Texts are written beside their places, nothing is in place: all of it goes again.
    Writing {
        /// Folders that get a file.
        folders: Vec<Utf8PathBuf>,
        /// Folders that were not there before, each after those above it.
        made: Vec<Utf8PathBuf>,
    },
    /// Every text is on disk: it is carried out to its end.
    Placing {
        /// What goes where.
        files: Vec<Written>,
        /// Files that go.
        superfluous: Vec<Utf8PathBuf>,
    },
}

/// A text that is on disk beside its place.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Written {
    /// Its file.
    pub(super) unfinished: Utf8PathBuf,
    /// Its place.
    pub(super) path: Utf8PathBuf,
    /// The hash of what stood there when it was written.
    pub(super) replaces: Option<String>,
}

/// Ends what an earlier command was killed at: what was written completely is put in place, what was not is removed. A file
/// that somebody has edited since stays as it is. Whether anything was put in place.
pub fn finish(root: &Utf8Path) -> Result<bool, FileError> {
    let Some(text) = read_if_there(&root.join(FILE))? else {
        return Ok(false);
    };
    let journal = serde_json::from_slice(&text).map_err(|error| FileError::Read {
        path: root.join(FILE),
        source: error.into(),
    })?;
    match journal {
        Journal::Writing { folders, made } => {
            take_back(root, &folders, &made);
            Ok(false)
        }
        Journal::Placing {
            mut files,
            superfluous,
        } => {
            for file in &files {
                if file.was_overtaken(root)? {
                    let _ = std::fs::remove_file(root.join(&file.unfinished));
                }
            }
            files.retain(|file| root.join(&file.unfinished).exists());
            Journal::Placing { files, superfluous }.carry_out(root)?;
            Ok(true)
        }
    }
}

impl Written {
    /// What stands there is not what it was to replace.
    fn was_overtaken(&self, root: &Utf8Path) -> Result<bool, FileError> {
        Ok(fingerprint(root, &self.path)? != self.replaces)
    }
}

/// The hash of a file, where there is one.
pub(super) fn fingerprint(root: &Utf8Path, path: &Utf8Path) -> Result<Option<String>, FileError> {
    let found = read_if_there(&root.join(path))?;
    Ok(found.map(|bytes| blake3::hash(&bytes).to_hex().to_string()))
}

impl Journal {
    /// Puts the journal on disk, in place of an earlier one, as a whole.
    pub(super) fn write(&self, root: &Utf8Path) -> Result<(), FileError> {
        let written = || -> io::Result<()> {
            std::fs::create_dir_all(root)?;
            let mut file = unfinished_in(root)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.persist(root.join(FILE)).map_err(|error| error.error)?;
            Ok(())
        };
        written().map_err(|source| FileError::Prepare {
            path: FILE.into(),
            source,
        })
    }

    /// Puts every file in its place and removes those that go, as far as that is not done yet.
    pub(super) fn carry_out(&self, root: &Utf8Path) -> Result<(), FileError> {
        if let Self::Placing { files, superfluous } = self {
            place_all(root, files, superfluous)?;
        }
        Ok(())
    }
}

/// Removes what was written beside its place, and the folders that were made for it.
pub(super) fn take_back(root: &Utf8Path, folders: &[Utf8PathBuf], made: &[Utf8PathBuf]) {
    for folder in folders {
        remove_unfinished(&root.join(folder));
    }
    for folder in made.iter().rev() {
        // What somebody else put there meanwhile stays.
        let _ = std::fs::remove_dir(root.join(folder));
    }
    end(root);
}

fn place_all(
    root: &Utf8Path,
    files: &[Written],
    superfluous: &[Utf8PathBuf],
) -> Result<(), FileError> {
    let all = files.len() + superfluous.len();
    let place = |path: &Utf8PathBuf, source, done| FileError::Place {
        path: path.clone(),
        source,
        done,
        all,
    };
    for (done, file) in files.iter().enumerate() {
        std::fs::rename(root.join(&file.unfinished), root.join(&file.path))
            .map_err(|error| place(&file.path, error, done))?;
    }
    for (done, path) in (files.len()..).zip(superfluous) {
        match std::fs::remove_file(root.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(|error| place(path, error, done))?,
        }
        remove_empty_folders(root, &root.join(path));
    }
    end(root);
    Ok(())
}

/// Nothing is left to do; a journal that stays says what is true all the same.
fn end(root: &Utf8Path) {
    let _ = std::fs::remove_file(root.join(FILE));
}
