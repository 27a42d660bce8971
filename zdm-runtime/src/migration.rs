//! A version's directory, read and checked: what is executed is what was reviewed.
//!
//! Comes in: the directory. Goes out: [`Migration`], whose every `.sql` file has the hash that `plan.toml` names.
//! Must not know: any database.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::manifest::{Backfill, Direction, FORMAT, Manifest, Step};
use crate::phase::Section;

/// The manifest's file name.
pub const PLAN_FILE: &str = "plan.toml";

/// A version: its plan and the content of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    manifest: Manifest,
    files: BTreeMap<String, String>,
    content_hash: String,
}

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
         was executed. Restore it from version control, or change the model and generate again"
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

impl Migration {
    /// Reads a version's directory and checks every file against its hash.
    pub fn load(directory: impl AsRef<Path>) -> Result<Self, LoadError> {
        let directory = directory.as_ref();
        let path = directory.join(PLAN_FILE);
        let manifest = read_manifest(directory, &path)?;
        let files = read_files(directory, &manifest)?;
        let content_hash = content_hash(&manifest).map_err(|reason| LoadError::Inconsistent {
            path: path.clone(),
            reason: reason.to_string(),
        })?;
        let migration = Self {
            manifest,
            files,
            content_hash,
        };
        migration
            .check()
            .map_err(|reason| LoadError::Inconsistent { path, reason })?;
        Ok(migration)
    }

    /// Reads every version below `zdm/`, in their order.
    pub fn load_all(zdm: impl AsRef<Path>) -> Result<Vec<Self>, LoadError> {
        let mut migrations: Vec<Self> = Vec::new();
        for directory in directories(zdm.as_ref())? {
            if !directory.join(PLAN_FILE).is_file() {
                continue;
            }
            let migration = Self::load(&directory)?;
            let expected = migration.manifest.folder();
            if directory.file_name().is_none_or(|name| name != &*expected) {
                return Err(LoadError::Misplaced {
                    path: directory,
                    expected,
                });
            }
            migrations.push(migration);
        }
        migrations.sort_by_key(|migration| migration.manifest.version);
        for pair in migrations.windows(2) {
            if pair[0].manifest.version == pair[1].manifest.version {
                return Err(LoadError::SameVersion {
                    version: pair[0].manifest.version,
                    first: pair[0].manifest.folder(),
                    second: pair[1].manifest.folder(),
                });
            }
        }
        Ok(migrations)
    }

    /// The plan.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The migration's stable id.
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    /// Hash of everything that is executed and of how. It does not depend on the version's number, so that a rebase
    /// keeps it.
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// A step's lines, byte for byte.
    pub fn sql(&self, step: &Step) -> &str {
        lines(
            self.file(&section_file(step.section, step.direction)),
            step.lines,
        )
        .unwrap_or_default()
    }

    /// The content of a file that a [`Backfill`] names, by its path below the version's directory.
    pub fn file(&self, path: &str) -> &str {
        self.files.get(path).map_or("", String::as_str)
    }

    /// The backfill of a table.
    pub fn backfill(&self, table: &str) -> Option<&Backfill> {
        self.manifest
            .backfills
            .iter()
            .find(|backfill| backfill.table == table)
    }

    /// What the accessors above rely on.
    fn check(&self) -> Result<(), String> {
        for step in &self.manifest.steps {
            let path = section_file(step.section, step.direction);
            let content = self
                .files
                .get(&path)
                .ok_or_else(|| format!("step {} of {path} has no such file", step.number))?;
            if lines(content, step.lines).is_none() {
                let (first, last) = step.lines;
                return Err(format!(
                    "step {} of {path} names the lines {first} to {last}",
                    step.number
                ));
            }
        }
        for section in Section::ALL {
            let mut undone = std::collections::BTreeSet::new();
            let mut last = None;
            for step in self.manifest.steps_of(section, Direction::Down) {
                let Some(undoes) = step.undoes else {
                    return Err(format!(
                        "step {} of {} does not say which step it undoes",
                        step.number,
                        section_file(section, Direction::Down)
                    ));
                };
                // Several entries may take one step back, one after the other.
                if !undone.insert(undoes) && last != Some(undoes) {
                    return Err(format!(
                        "step {undoes} of {} is undone in two places",
                        section_file(section, Direction::Up)
                    ));
                }
                last = Some(undoes);
            }
        }
        for backfill in &self.manifest.backfills {
            if backfill.key.is_empty() {
                return Err(format!("the backfill of {} has no key", backfill.table));
            }
            for path in backfill_files(backfill) {
                if !self.files.contains_key(path) {
                    return Err(format!(
                        "the backfill of {} names {path}, which `files` does not list",
                        backfill.table
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The path of a section's file below the version's directory: `1_expand/up.sql`.
pub fn section_file(section: Section, direction: Direction) -> String {
    let file = match direction {
        Direction::Up => "up.sql",
        Direction::Down => "down.sql",
    };
    format!("{}/{file}", section.folder())
}

/// The hash by which `plan.toml` lists a file and the control tables record a step: blake3, hexadecimal.
pub fn hash(content: &str) -> String {
    blake3::hash(content.as_bytes()).to_hex().to_string()
}

fn backfill_files(backfill: &Backfill) -> impl Iterator<Item = &str> {
    [
        &backfill.bounds,
        &backfill.boundary,
        &backfill.batch,
        &backfill.verify,
        &backfill.mismatches,
    ]
    .into_iter()
    .chain(&backfill.reverse)
    .chain(&backfill.invalid)
    .map(String::as_str)
}

fn content_hash(manifest: &Manifest) -> serde_json::Result<String> {
    let unnumbered = Manifest {
        version: 0,
        parent: None,
        ..manifest.clone()
    };
    serde_json::to_string(&unnumbered).map(|plan| hash(&plan))
}

/// First to last, 1-based, inclusive, with their line ends.
fn lines(content: &str, (first, last): (u32, u32)) -> Option<&str> {
    let (first, last) = (
        usize::try_from(first).ok()?.checked_sub(1)?,
        usize::try_from(last).ok()?,
    );
    let ends: Vec<usize> = std::iter::once(0)
        .chain(content.split_inclusive('\n').scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        }))
        .collect();
    if first >= last {
        return None;
    }
    content.get(*ends.get(first)?..*ends.get(last)?)
}

fn read_manifest(directory: &Path, path: &Path) -> Result<Manifest, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => LoadError::NoPlan {
            path: path.to_owned(),
            folder: directory.to_owned(),
        },
        _ => unreadable(path, source),
    })?;
    let malformed = |source| LoadError::Malformed {
        path: path.to_owned(),
        source: Box::new(source),
    };
    // The format first: a newer plan may have words that this version would only call unknown.
    let table: toml::Table = text.parse().map_err(malformed)?;
    let format = table.get("format").and_then(toml::Value::as_integer);
    if let Some(found) = format.and_then(|format| u32::try_from(format).ok())
        && found > FORMAT
    {
        return Err(LoadError::NewerFormat {
            path: path.to_owned(),
            found,
        });
    }
    toml::from_str(&text).map_err(malformed)
}

fn read_files(
    directory: &Path,
    manifest: &Manifest,
) -> Result<BTreeMap<String, String>, LoadError> {
    let mut files = BTreeMap::new();
    for (name, expected) in &manifest.files {
        let path = directory.join(name);
        let content = match std::fs::read(&path) {
            Ok(content) => content,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                return Err(LoadError::Missing { path });
            }
            Err(source) => return Err(unreadable(&path, source)),
        };
        let found = blake3::hash(&content).to_hex().to_string();
        if found != *expected {
            return Err(LoadError::Edited {
                path,
                expected: expected.clone(),
                found,
            });
        }
        let content = String::from_utf8(content).map_err(|error| {
            unreadable(&path, io::Error::new(io::ErrorKind::InvalidData, error))
        })?;
        files.insert(name.clone(), content);
    }
    for path in sql_files(directory)? {
        let listed = manifest
            .files
            .keys()
            .any(|name| directory.join(name) == path);
        if !listed {
            return Err(LoadError::Extra { path });
        }
    }
    Ok(files)
}

fn sql_files(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = Vec::new();
    for path in entries(directory)? {
        if path.is_dir() {
            found.extend(sql_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
    Ok(found)
}

fn directories(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    Ok(entries(directory)?
        .into_iter()
        .filter(|path| path.is_dir())
        .collect())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut paths = std::fs::read_dir(directory)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(|source| unreadable(directory, source))?;
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, source: io::Error) -> LoadError {
    LoadError::Unreadable {
        path: path.to_owned(),
        source,
    }
}
