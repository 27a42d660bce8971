//! Every Rust file of the crates that a project has to do with, whether or not a module leads to it: what `cfg` switches off today is
//! compiled elsewhere.
//!
//! Comes in: a manifest's path, the project's folder. Goes out: the files.
//! Must not know: what is in the files.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{DependencyKind, MetadataCommand, Package, TargetKind};

use super::SourceError;

/// A Rust file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RustSource {
    /// Its path, absolute.
    pub(crate) path: Utf8PathBuf,
    /// The folder of its package, absolute.
    pub(crate) package: Utf8PathBuf,
    /// It is of a test, an example or a bench.
    pub(crate) aside: bool,
}

/// A folder with this file is a project of its own, with a database of its own.
const PROJECT: &str = "zdm.toml";
/// Folders of what is built or fetched, with many files.
const FOREIGN: [&str; 2] = ["target", "node_modules"];

/// Asks cargo for the packages, and the disk for their files. What a project below the workspace's root has to do with is its own
/// packages, those that depend on them, and those that they depend on.
pub(crate) fn rust_files(
    manifest_path: Option<&Path>,
    project: &Utf8Path,
) -> Result<Vec<RustSource>, SourceError> {
    let mut command = MetadataCommand::new();
    command.no_deps();
    if let Some(path) = manifest_path {
        command.manifest_path(path);
    }
    let metadata = command.exec()?;
    let project = real(project);
    let packages: BTreeSet<&Utf8Path> = metadata.packages.iter().filter_map(folder_of).collect();
    let concerned = if real(&metadata.workspace_root) == project {
        packages.clone()
    } else {
        concerned(&metadata.packages, &project)
    };
    let mut files: Vec<RustSource> = Vec::new();
    for package in &metadata.packages {
        let Some(folder) = folder_of(package).filter(|folder| concerned.contains(folder)) else {
            continue;
        };
        let walk = Walk {
            packages: &packages,
            package: folder,
            built: &metadata.target_directory,
            project: &project,
            asides: &asides(package, folder),
        };
        walk.folder(folder, &mut files)?;
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files.dedup_by(|left, right| left.path == right.path);
    Ok(files)
}

fn real(folder: &Utf8Path) -> Utf8PathBuf {
    folder
        .canonicalize_utf8()
        .unwrap_or_else(|_| folder.to_owned())
}

fn folder_of(package: &Package) -> Option<&Utf8Path> {
    package.manifest_path.parent()
}

/// What is compiled for tests, examples and benches alone.
fn asides(package: &Package, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let aside = |kind: &TargetKind| {
        matches!(
            kind,
            TargetKind::Test | TargetKind::Example | TargetKind::Bench
        )
    };
    let targets = package.targets.iter();
    let targets = targets.filter(|target| target.kind.iter().any(aside));
    let folders = ["tests", "examples", "benches"].map(|name| folder.join(name));
    let files = targets.map(|target| target.src_path.clone());
    files.chain(folders).collect()
}

/// The folders of the packages that have to do with a project.
fn concerned<'a>(packages: &'a [Package], project: &Utf8Path) -> BTreeSet<&'a Utf8Path> {
    let folders = packages.iter().filter_map(folder_of);
    let own = |folder: &&Utf8Path| real(folder).starts_with(project);
    let mut seeds: BTreeSet<&Utf8Path> = folders.clone().filter(own).collect();
    if seeds.is_empty() {
        let around = folders.filter(|folder| project.starts_with(real(folder)));
        seeds.extend(around.max_by_key(|folder| folder.as_str().len()));
    }
    // What only tests depend on does not query for the application.
    let needs: Vec<(&Utf8Path, &Utf8Path)> = packages
        .iter()
        .flat_map(|package| {
            let needed = package.dependencies.iter();
            let needed = needed.filter(|needed| needed.kind != DependencyKind::Development);
            needed.filter_map(|needed| Some((folder_of(package)?, needed.path.as_deref()?)))
        })
        .collect();
    let mut reached = all_from(&seeds, &needs);
    let back: Vec<_> = needs.iter().map(|(user, used)| (*used, *user)).collect();
    reached.extend(all_from(&seeds, &back));
    reached
}

/// What steps lead to, with where they begin.
fn all_from<'a>(
    seeds: &BTreeSet<&'a Utf8Path>,
    steps: &[(&'a Utf8Path, &'a Utf8Path)],
) -> BTreeSet<&'a Utf8Path> {
    let mut reached = seeds.clone();
    loop {
        let next: Vec<&Utf8Path> = steps
            .iter()
            .filter(|(from, to)| reached.contains(from) && !reached.contains(to))
            .map(|(_, to)| *to)
            .collect();
        if next.is_empty() {
            return reached;
        }
        reached.extend(next);
    }
}

struct Walk<'a> {
    packages: &'a BTreeSet<&'a Utf8Path>,
    package: &'a Utf8Path,
    built: &'a Utf8Path,
    project: &'a Utf8Path,
    asides: &'a [Utf8PathBuf],
}

impl Walk<'_> {
    fn folder(&self, folder: &Utf8Path, files: &mut Vec<RustSource>) -> Result<(), SourceError> {
        if self.is_of_others(folder) {
            return Ok(());
        }
        let unreadable = |error| SourceError::Unreadable {
            file: folder.to_owned(),
            error,
        };
        let entries = match folder.read_dir_utf8() {
            // A database's files, say: no compiler reads them for this user either.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(()),
            entries => entries.map_err(unreadable)?,
        };
        for entry in entries {
            let entry = match entry {
                // Its name is no text, so that no code names it.
                Err(error) if error.kind() == ErrorKind::InvalidData => continue,
                entry => entry.map_err(unreadable)?,
            };
            let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
            if kind.is_dir() {
                self.folder(path, files)?;
            } else if path.extension() == Some("rs") {
                files.push(RustSource {
                    path: path.to_owned(),
                    package: self.package.to_owned(),
                    aside: self.asides.iter().any(|aside| path.starts_with(aside)),
                });
            }
        }
        Ok(())
    }

    /// Hidden or built, another package, or another project.
    fn is_of_others(&self, folder: &Utf8Path) -> bool {
        let hidden = folder
            .file_name()
            .is_some_and(|name| name.starts_with('.') || FOREIGN.contains(&name));
        let is_root = folder == self.package;
        let is_package = folder.join("Cargo.toml").is_file() || self.packages.contains(folder);
        let is_project = || {
            let own = folder.canonicalize_utf8();
            folder.join(PROJECT).is_file() && own.is_ok_and(|own| own != self.project)
        };
        (!is_root && (hidden || is_package)) || folder == self.built || is_project()
    }
}
