//! A version's directory, read and checked: what is executed is what was reviewed.
//!
//! Comes in: the directory. Goes out: [`Migration`], whose every `.sql` file has the hash that `plan.toml` names.
//! Must not know: any database.

mod check;
mod directory;
mod embedded;
mod error;

pub use error::LoadError;

use std::collections::BTreeMap;
use std::path::Path;

use crate::manifest::{Backfill, Direction, Manifest, Step};
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

impl Migration {
    /// Reads a version's directory and checks every file against its hash.
    pub fn load(directory: impl AsRef<Path>) -> Result<Self, LoadError> {
        let directory = directory.as_ref();
        let path = directory.join(PLAN_FILE);
        let manifest = directory::read_manifest(directory, &path)?;
        let files = directory::read_files(directory, &manifest)?;
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
        for directory in directory::directories(zdm.as_ref())? {
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
        tie(&mut migrations);
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
}

/// Tells each version which later ones drop what it fills, and which ones have no way back.
fn tie(migrations: &mut [Migration]) {
    let for_good = migrations
        .iter()
        .filter(|other| !other.manifest.leads_back());
    let for_good: Vec<_> = for_good.map(|other| other.manifest.id.clone()).collect();
    let drops: Vec<_> = migrations
        .iter()
        .map(|later| (later.manifest.id.clone(), later.manifest.after.clone()))
        .collect();
    for Migration { manifest, .. } in migrations {
        let later = drops
            .iter()
            .filter(|(_, after)| after.contains(&manifest.id));
        manifest.needed_by = later.map(|(id, _)| id.clone()).collect();
        manifest.for_good.clone_from(&for_good);
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

fn content_hash(manifest: &Manifest) -> serde_json::Result<String> {
    let unnumbered = Manifest {
        version: 0,
        parent: None,
        // Never executed, and counts of another day are no other version.
        pairs: Vec::new(),
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
