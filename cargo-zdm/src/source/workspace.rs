//! The packages of the workspace and the root file of each of their targets.
//!
//! Comes in: a manifest's path. Goes out: [`Workspace`].
//! Must not know: what is in the files.

use std::path::Path;

use camino::Utf8PathBuf;
use cargo_metadata::{MetadataCommand, TargetKind};

use super::{FoundPackage, SourceError};

/// What cargo says about the workspace.
pub(super) struct Workspace {
    pub(super) root: Utf8PathBuf,
    pub(super) targets: Vec<Target>,
}

/// A library or binary.
pub(super) struct Target {
    pub(super) package: FoundPackage,
    /// How other crates name a library: `my_app`. Binaries have no such name.
    pub(super) library: Option<String>,
    pub(super) root_file: Utf8PathBuf,
    /// The name that its package gives to zdm-runtime, where that is another one.
    pub(super) runtime_renamed: Option<String>,
}

const RUNTIME: &str = "zdm-runtime";
impl Workspace {
    /// The library beside the manifest, or the one binary there.
    pub(super) fn crate_root(&self, manifest_path: Option<&Path>) -> Option<Utf8PathBuf> {
        let folder = manifest_path.and_then(|path| path.parent()?.canonicalize().ok());
        let beside = |target: &&Target| {
            let of_target = target.package.directory.canonicalize().ok();
            folder.is_none() || of_target == folder
        };
        let targets: Vec<&Target> = self.targets.iter().filter(beside).collect();
        let library = targets.iter().find(|target| target.library.is_some());
        match (library, targets.as_slice()) {
            (Some(target), _) | (None, [target]) => Some(target.root_file.clone()),
            _ => None,
        }
    }
}

/// Asks cargo. Tests, examples and build scripts hold no models.
pub(super) fn read(manifest_path: Option<&Path>) -> Result<Workspace, SourceError> {
    let mut command = MetadataCommand::new();
    command.no_deps();
    if let Some(path) = manifest_path {
        command.manifest_path(path);
    }
    let metadata = command.exec()?;
    let mut targets = Vec::new();
    for package in &metadata.packages {
        let directory = package
            .manifest_path
            .parent()
            .map_or_else(|| metadata.workspace_root.clone(), Into::into);
        let runtime_renamed = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.name == RUNTIME)
            .filter_map(|dependency| dependency.rename.clone())
            .find(|name| name.replace('-', "_") != RUNTIME.replace('-', "_"));
        for target in &package.targets {
            let is_library = target.kind.iter().any(|kind| {
                matches!(
                    kind,
                    TargetKind::Lib
                        | TargetKind::RLib
                        | TargetKind::DyLib
                        | TargetKind::CDyLib
                        | TargetKind::StaticLib
                )
            });
            if is_library || target.kind.contains(&TargetKind::Bin) {
                targets.push(Target {
                    package: FoundPackage {
                        name: package.name.to_string(),
                        directory: directory.clone(),
                    },
                    library: is_library.then(|| target.name.replace('-', "_")),
                    root_file: target.src_path.clone(),
                    runtime_renamed: runtime_renamed.clone(),
                });
            }
        }
    }
    Ok(Workspace {
        root: metadata.workspace_root,
        targets,
    })
}
