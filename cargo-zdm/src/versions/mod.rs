//! The saved versions: a folder per version in `zdm/`, chained by `zdm.sum`; what the code knows of them in `code.toml`.
//!
//! Comes in: the folder. Goes out: a checked [`History`], and the files of one version more.
//! Must not know: models, plans, how a version's files came to be.

pub mod code_states;
mod error;
mod fork;
pub mod naming;
pub mod snapshot;
mod sum;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use zdm_model::Schema;
use zdm_runtime::manifest::Manifest;

pub use code_states::{CodeStates, State};
pub use error::VersionError;
pub use snapshot::{Saved, Snapshot};
use sum::Sum;

use crate::files::{FileTree, entries, read_if_there};

/// The plan in a version's folder.
pub const PLAN_FILE: &str = "plan.toml";

/// The versions in their order, every file checked.
#[derive(Debug, Clone)]
pub struct History {
    folder: Utf8PathBuf,
    sum: Sum,
    versions: Vec<Manifest>,
    code: CodeStates,
    /// Left out of the history: it is to be generated again.
    taken_out: Option<Manifest>,
}

impl History {
    /// Reads and checks the versions below `folder`; an absent folder is an empty history.
    pub fn open(folder: &Utf8Path) -> Result<Self, VersionError> {
        Self::read(folder, None, false)
    }

    /// The history without its last version, which is to be generated again under the same id: `generate --amend`. The user's own
    /// SQL in that version may have been edited.
    pub fn without_last(folder: &Utf8Path) -> Result<Self, VersionError> {
        let mut history = Self::read(folder, None, true)?;
        let last = history.versions.pop().ok_or(VersionError::NothingToAmend)?;
        if fork::is_merged(&history.folder, &last.folder()) {
            return Err(VersionError::Merged {
                folder: last.folder(),
            });
        }
        history.taken_out = Some(last);
        history.sum.lines.pop();
        Ok(history)
    }

    /// The history as it was merged, without the user's own version, which is to be generated again behind it under the
    /// same id: `generate --rebase`. `own` is its name, where git does not tell.
    pub fn without_own(folder: &Utf8Path, own: Option<&str>) -> Result<Self, VersionError> {
        let own = fork::own_version(folder, own)?;
        let manifest = read_manifest(&folder.join(&own).join(PLAN_FILE))?;
        let mut history = Self::read(folder, Some(&own), false)?;
        history.taken_out = Some(manifest);
        Ok(history)
    }

    fn read(
        folder: &Utf8Path,
        left_out: Option<&str>,
        amends_last: bool,
    ) -> Result<Self, VersionError> {
        let sum_path = folder.join(sum::FILE);
        let mut sum = Sum::parse(&read_text(&sum_path)?, &sum_path)?;
        sum.lines
            .retain(|line| Some(line.folder.as_str()) != left_out);
        let mut folders = version_folders(folder)?;
        folders.retain(|found| Some(found.as_str()) != left_out);
        if left_out.is_none() {
            if sum.conflicted {
                return Err(forked("zdm.sum holds the markers of a merge conflict"));
            }
            fork::check(&sum, &folders)?;
        }
        sum.lines.sort_by_key(sum::Line::number);
        let last = sum.lines.last().map(|line| line.folder.as_str());
        let amended = last.filter(|_| amends_last);
        sum.verify(&|name| sum::version_files(&folder.join(name)), amended)?;
        let versions = sum
            .lines
            .iter()
            .map(|line| read_manifest(&folder.join(&line.folder).join(PLAN_FILE)))
            .collect::<Result<Vec<_>, _>>()?;
        check_parents(&versions)?;
        let code_path = folder.join(code_states::FILE);
        let code = CodeStates::parse(&read_text(&code_path)?, &code_path)?;
        Ok(Self {
            folder: folder.to_owned(),
            sum,
            versions,
            code,
            taken_out: None,
        })
    }

    /// The plans of all versions, in their order.
    pub fn versions(&self) -> &[Manifest] {
        &self.versions
    }

    /// The last version.
    pub fn last(&self) -> Option<&Manifest> {
        self.versions.last()
    }

    /// The version that is to be generated again.
    pub fn taken_out(&self) -> Option<&Manifest> {
        self.taken_out.as_ref()
    }

    /// The states of the code.
    pub fn code(&self) -> &CodeStates {
        &self.code
    }

    /// The version whose folder or name is `name`.
    pub fn named(&self, name: &str) -> Option<&Manifest> {
        self.versions
            .iter()
            .rev()
            .find(|version| version.name == name || version.folder() == name || version.id == name)
    }

    /// The schema after the last version; empty before the first. `known` is what need not be read anew.
    pub fn last_schema(&self, known: &Snapshot<'_>) -> Result<Schema, VersionError> {
        let last = self.last();
        last.map_or(Ok(Schema::default()), |last| {
            Ok(self.after(last, known)?.schema())
        })
    }

    /// The schema after a version. `known` is what need not be read anew.
    pub fn after<'a>(
        &self,
        version: &Manifest,
        known: &Snapshot<'a>,
    ) -> Result<Saved<'a>, VersionError> {
        let path = self.folder.join(version.folder()).join(snapshot::FILE);
        snapshot::parse(&read_text(&path)?, &path, known)
    }

    /// The version behind which a version was generated.
    pub fn before(&self, version: &Manifest) -> Option<&Manifest> {
        let parent = version.parent.as_ref()?;
        self.versions.iter().find(|before| before.id == *parent)
    }

    /// The tables that a version concerns, before and after it.
    pub fn concerned(
        &self,
        version: &Manifest,
        known: &Snapshot<'_>,
    ) -> Result<(Schema, Schema), VersionError> {
        let tables = |of| {
            self.after(of, known)
                .map(|saved| saved.only(&version.tables))
        };
        let before = self.before(version).map(tables).transpose()?;
        Ok((before.unwrap_or_default(), tables(version)?))
    }

    /// Puts a version behind the last one. `files` are those of its folder, `plan.toml` among them; the paths of the tree
    /// that comes back are relative to the folder of the versions. `baseline`: the tables are there already.
    pub fn append(
        &mut self,
        manifest: Manifest,
        files: FileTree,
        baseline: bool,
    ) -> Result<FileTree, VersionError> {
        let mut tree = FileTree::default();
        let name = manifest.folder();
        let mut baseline = baseline;
        if let Some(old) = self.taken_out.take() {
            baseline |= self.code.of(&old.id) == Some(State::Baseline);
            self.code.forget(&old.id);
            let old = old.folder();
            for path in sum::version_files(&self.folder.join(&old))?.into_keys() {
                tree.remove(Utf8Path::new(&old).join(path));
            }
        }
        let texts = files.files().map(|(path, text)| (path.as_str(), text));
        self.sum.append(&name, &manifest.id, texts);
        if baseline {
            self.code.set(&manifest.id, State::Baseline);
        } else if manifest.route.has_final_code() {
            self.code.set(&manifest.id, State::Transition);
        }
        self.versions.push(manifest);
        tree.insert_all(Utf8Path::new(&name), files);
        tree.insert(sum::FILE, self.sum.text());
        tree.insert(code_states::FILE, self.code_text());
        Ok(tree)
    }

    /// The migrations whose code is in transition, in their order.
    pub fn in_transition(&self) -> impl Iterator<Item = &Manifest> {
        self.versions
            .iter()
            .filter(|version| self.code.of(&version.id) == Some(State::Transition))
    }

    /// Makes the code of migrations final and returns the changed `code.toml`.
    pub fn make_final(&mut self, ids: &[String]) -> FileTree {
        for id in ids {
            self.code.set(id, State::Final);
        }
        let mut tree = FileTree::default();
        tree.insert(code_states::FILE, self.code_text());
        tree
    }

    fn code_text(&self) -> String {
        self.code.text(&|id| {
            let version = self.versions.iter().find(|version| version.id == id)?;
            Some(version.folder())
        })
    }
}

/// The stable id of a version: a rebase changes its number, never this.
pub fn id(parent: Option<&str>, name: &str, schema: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [parent.unwrap_or_default(), "\n", name, "\n", schema] {
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..12].to_owned()
}

fn forked(reason: impl Into<String>) -> VersionError {
    VersionError::Forked {
        reason: reason.into(),
    }
}

fn check_parents(versions: &[Manifest]) -> Result<(), VersionError> {
    let mut before: Option<&Manifest> = None;
    for version in versions {
        if version.parent.as_deref() != before.map(|before| before.id.as_str()) {
            let before = before.map_or("the beginning".to_owned(), Manifest::folder);
            return Err(forked(format!(
                "{} was generated behind another version than {before}",
                version.folder()
            )));
        }
        before = Some(version);
    }
    Ok(())
}

fn version_folders(folder: &Utf8Path) -> Result<BTreeSet<String>, VersionError> {
    Ok(entries(folder)?
        .iter()
        .filter(|path| path.is_dir())
        .filter_map(|path| path.file_name())
        .filter(|name| sum::number(name).is_some())
        .map(str::to_owned)
        .collect())
}

fn read_manifest(path: &Utf8Path) -> Result<Manifest, VersionError> {
    toml::from_str(&read_text(path)?).map_err(|error| VersionError::Malformed {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// The file's text; nothing where there is no such file.
fn read_text(path: &Utf8Path) -> Result<String, VersionError> {
    let bytes = read_if_there(path)?.unwrap_or_default();
    String::from_utf8(bytes).map_err(|error| VersionError::Malformed {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}
