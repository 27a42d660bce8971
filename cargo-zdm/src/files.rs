//! The files that a command writes, collected first and put on disk together.
//!
//! Comes in: paths below the project's root with their text, and paths that go. Goes out: what differs from the disk, and
//! the disk brought in line: all of it, or nothing where a disk is full, a folder is not writable or the process is killed.
//! Must not know: what the files mean.

mod journal;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::NamedTempFile;

pub use journal::finish;

use journal::{Journal, Written};

/// Unfinished files are named so, and removed by the next run where a crash left them behind.
const UNFINISHED_PREFIX: &str = ".zdm-";
const UNFINISHED_SUFFIX: &str = ".unfinished";

/// Files by their path below a root, in the order of the paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileTree {
    entries: BTreeMap<Utf8PathBuf, Option<String>>,
}

/// How a file on disk differs from the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The disk has no such file.
    Missing,
    /// The disk has another text.
    Changed,
    /// The disk has a file that should go.
    Superfluous,
}

/// A file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading failed.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed before the first file was put in place.
    #[error("{path} cannot be written: {source}; nothing has been changed")]
    Prepare {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Putting the written files in place failed midway.
    #[error(
        "{path} cannot be put in place: {source}; {done} of {all} files are in place, run the command again to complete them"
    )]
    Place {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
        /// Files that are in place.
        done: usize,
        /// Files that should be.
        all: usize,
    },
}

impl FileTree {
    /// The file shall have this text.
    pub fn insert(&mut self, path: impl Into<Utf8PathBuf>, text: impl Into<String>) {
        self.entries.insert(path.into(), Some(text.into()));
    }

    /// The file shall not be there.
    pub fn remove(&mut self, path: impl Into<Utf8PathBuf>) {
        self.entries.insert(path.into(), None);
    }

    /// Adds another tree below a folder.
    pub fn insert_all(&mut self, folder: &Utf8Path, other: Self) {
        for (path, text) in other.entries {
            self.entries.insert(folder.join(path), text);
        }
    }

    /// The text that a file shall have.
    pub fn get(&self, path: impl AsRef<Utf8Path>) -> Option<&str> {
        self.entries.get(path.as_ref())?.as_deref()
    }

    /// The files that shall be there, in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&Utf8Path, &str)> {
        self.entries
            .iter()
            .filter_map(|(path, text)| Some((path.as_path(), text.as_deref()?)))
    }

    /// Compares with the disk.
    pub fn differences(
        &self,
        root: &Utf8Path,
    ) -> Result<Vec<(Utf8PathBuf, Difference)>, FileError> {
        let mut differences = Vec::new();
        for (path, wanted) in &self.entries {
            let difference = match (read_if_there(&root.join(path))?, wanted) {
                (None, Some(_)) => Difference::Missing,
                (Some(_), None) => Difference::Superfluous,
                (Some(found), Some(wanted)) if found != wanted.as_bytes() => Difference::Changed,
                _ => continue,
            };
            differences.push((path.clone(), difference));
        }
        Ok(differences)
    }

    /// Brings the disk in line and returns what differed. Every text is on disk before the first file is put in place, in
    /// the order of the paths; what goes, goes last. A kill leaves a journal, by which the next run ends it: see [`finish`].
    pub fn write(&self, root: &Utf8Path) -> Result<Vec<(Utf8PathBuf, Difference)>, FileError> {
        finish(root)?;
        let differences = self.differences(root)?;
        if differences.is_empty() {
            return Ok(differences);
        }
        let paths = |goes: bool| -> Vec<Utf8PathBuf> {
            let of_kind = differences
                .iter()
                .filter(|(_, difference)| (*difference == Difference::Superfluous) == goes);
            of_kind.map(|(path, _)| path.clone()).collect()
        };
        let (superfluous, wanted) = (paths(true), paths(false));
        let folders = folders(&wanted);
        let made = missing(root, &folders);
        let written = self.prepare_all(root, wanted, &folders, &made);
        let placed = written.and_then(|files| {
            let journal = Journal::Placing { files, superfluous };
            journal.write(root)?;
            Ok(journal)
        });
        match placed {
            Ok(journal) => journal.carry_out(root)?,
            Err(error) => {
                journal::take_back(root, &folders, &made);
                return Err(error);
            }
        }
        for folder in folders {
            remove_unfinished(&root.join(folder));
        }
        Ok(differences)
    }

    /// Writes every text beside its place.
    fn prepare_all(
        &self,
        root: &Utf8Path,
        wanted: Vec<Utf8PathBuf>,
        folders: &[Utf8PathBuf],
        made: &[Utf8PathBuf],
    ) -> Result<Vec<Written>, FileError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        Journal::Writing {
            folders: folders.to_vec(),
            made: made.to_vec(),
        }
        .write(root)?;
        let prepared = |path: &Utf8Path, source| FileError::Prepare {
            path: path.to_owned(),
            source,
        };
        for folder in made {
            std::fs::create_dir(root.join(folder)).map_err(|error| prepared(folder, error))?;
        }
        let beside = |path: Utf8PathBuf| {
            let text = self.get(&path).unwrap_or_default();
            match prepare(&root.join(&path), text) {
                Ok(name) => Ok(Written {
                    unfinished: path.with_file_name(name),
                    replaces: journal::fingerprint(root, &path)?,
                    path,
                }),
                Err(source) => Err(prepared(&path, source)),
            }
        };
        wanted.into_iter().map(beside).collect()
    }
}

/// The file's bytes, or `None` where there is no such file.
pub fn read_if_there(path: &Utf8Path) -> Result<Option<Vec<u8>>, FileError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// What a folder holds, in the order of the names, hidden files left out; nothing where there is no such folder.
pub(crate) fn entries(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, FileError> {
    let unreadable = |source| FileError::Read {
        path: folder.to_owned(),
        source,
    };
    let listing = match folder.read_dir_utf8() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing.map_err(unreadable)?,
    };
    let mut paths = Vec::new();
    for entry in listing {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().starts_with('.') {
            paths.push(entry.into_path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// A file that is not finished yet, in the folder of its place, so that the later rename stays on one disk.
fn unfinished_in(folder: &Utf8Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED_PREFIX).suffix(UNFINISHED_SUFFIX);
    // Temporary files are private by default; the umask decides for these, as for any other file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Writes the text beside its target; the name of that file.
fn prepare(target: &Utf8Path, text: &str) -> io::Result<String> {
    let mut file = unfinished_in(target.parent().unwrap_or(Utf8Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    if let Ok(existing) = std::fs::metadata(target) {
        file.as_file().set_permissions(existing.permissions())?;
    }
    let (_, path) = file.keep().map_err(|error| error.error)?;
    let name = path.file_name().unwrap_or_default();
    Ok(name.to_string_lossy().into_owned())
}

/// The folders of some files, each once, and the root, which gets the journal: the empty path.
fn folders(paths: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
    let of_files = paths.iter().filter_map(|path| path.parent());
    let folders: BTreeSet<_> = of_files.chain([Utf8Path::new("")]).collect();
    folders.into_iter().map(Utf8Path::to_owned).collect()
}

/// Those of the folders and of the ones above them that are not there, each after those above it. The journal makes the root.
fn missing(root: &Utf8Path, folders: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
    let all: BTreeSet<_> = folders
        .iter()
        .flat_map(|folder| folder.ancestors())
        .collect();
    all.into_iter()
        .filter(|folder| !folder.as_str().is_empty() && !root.join(folder).exists())
        .map(Utf8Path::to_owned)
        .collect()
}

/// Removes what a crash of an earlier run left behind in a folder; a leftover harms nothing.
fn remove_unfinished(folder: &Utf8Path) {
    let Ok(entries) = folder.read_dir_utf8() else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.starts_with(UNFINISHED_PREFIX) && name.ends_with(UNFINISHED_SUFFIX) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Folders that lost their last file go too.
fn remove_empty_folders(root: &Utf8Path, removed: &Utf8Path) {
    for folder in removed
        .ancestors()
        .skip(1)
        .take_while(|folder| *folder != root)
    {
        if std::fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    fn names(root: &Utf8Path) -> Vec<String> {
        let mut names: Vec<_> = root
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_disk_is_brought_in_line_and_then_nothing_differs() {
        let (_guard, root) = root();
        std::fs::create_dir(root.join("old")).unwrap();
        std::fs::write(root.join("old/gone.rs"), "x").unwrap();
        std::fs::write(root.join("changed.rs"), "x").unwrap();
        let mut tree = FileTree::default();
        tree.insert("a/b/new.rs", "new");
        tree.insert("changed.rs", "y");
        tree.remove("old/gone.rs");
        let expected = vec![
            (Utf8PathBuf::from("a/b/new.rs"), Difference::Missing),
            (Utf8PathBuf::from("changed.rs"), Difference::Changed),
            (Utf8PathBuf::from("old/gone.rs"), Difference::Superfluous),
        ];
        assert_eq!(tree.differences(&root).unwrap(), expected);
        assert_eq!(tree.write(&root).unwrap(), expected);
        assert_eq!(tree.differences(&root).unwrap(), []);
        assert_eq!(names(&root), ["a", "changed.rs"]);
        assert_eq!(
            std::fs::read_to_string(root.join("a/b/new.rs")).unwrap(),
            "new"
        );
    }

    #[test]
    fn nothing_is_changed_where_one_file_cannot_be_written() {
        let (_guard, root) = root();
        std::fs::write(root.join("file"), "a file where a folder is needed").unwrap();
        std::fs::write(root.join("changed.rs"), "x").unwrap();
        let mut tree = FileTree::default();
        tree.insert("changed.rs", "y");
        tree.insert("deep/er/new.rs", "new");
        tree.insert("file.rs/../file/below.rs", "cannot be");
        let error = tree.write(&root).unwrap_err();
        assert!(
            matches!(error, FileError::Read { .. } | FileError::Prepare { .. }),
            "{error}"
        );
        assert_eq!(names(&root), ["changed.rs", "file"]);
        assert_eq!(
            std::fs::read_to_string(root.join("changed.rs")).unwrap(),
            "x"
        );
    }

    #[test]
    fn a_folder_that_cannot_be_made_leaves_no_other_folder_behind() {
        let (_guard, root) = root();
        let mut tree = FileTree::default();
        tree.insert("deep/er/new.rs", "new");
        tree.insert(
            format!("z/{}/new.rs", "n".repeat(300)),
            "the name is too long",
        );
        tree.write(&root).unwrap_err();
        assert_eq!(names(&root), Vec::<String>::new());
    }

    #[test]
    fn what_a_crash_left_behind_is_removed() {
        let (_guard, root) = root();
        std::fs::write(root.join(".zdm-abc.unfinished"), "half").unwrap();
        let mut tree = FileTree::default();
        tree.insert("a.rs", "1");
        tree.insert("b.rs", "2");
        tree.write(&root).unwrap();
        assert_eq!(names(&root), ["a.rs", "b.rs"]);
    }
}
