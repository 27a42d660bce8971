//! The demo's project as three deploys find it: each version's `zdm.toml` and versions, written to a folder.
//!
//! Comes in: the files that `cargo zdm generate` wrote and that are checked in beside the code. Goes out: paths.
//! Must not know: any database, what is in the files.

use std::path::{Path, PathBuf};

use include_dir::Dir;
use tempfile::TempDir;
use zdm_runtime::database::Dialect;
use zdm_runtime::migration::Migration;

use super::error::DemoError;
use super::message::Version;
use super::target::temporary_folder;

/// The variable that the demo's `zdm.toml` names.
pub(super) const URL_VARIABLE: &str = "ZDM_DEMO_DATABASE_URL";

/// What the command line needs of a version: its `zdm.toml` and the folder that this names.
#[derive(Debug)]
pub(super) struct Deploy {
    pub(super) version: Version,
    pub(super) manifest: &'static str,
    pub(super) versions: Dir<'static>,
}

/// The files of a dialect's three versions. They go with it.
#[derive(Debug)]
pub(super) struct Project(TempDir);

impl Project {
    /// Writes the files.
    pub(super) fn write(dialect: Dialect) -> Result<Self, DemoError> {
        let project = Self(temporary_folder()?);
        for deploy in deploys(dialect)? {
            let root = project.root(deploy.version);
            let versions = root.join("versions");
            written(&versions, std::fs::create_dir_all(&versions))?;
            written(&versions, deploy.versions.extract(&versions))?;
            let manifest = root.join("zdm.toml");
            written(&manifest, std::fs::write(&manifest, deploy.manifest))?;
        }
        Ok(project)
    }

    /// The `zdm.toml` of a version.
    pub(super) fn manifest(&self, version: Version) -> PathBuf {
        self.root(version).join("zdm.toml")
    }

    /// The ids of the migrations.
    pub(super) fn migrations(&self) -> Result<Vec<String>, DemoError> {
        let versions = Migration::load_all(self.root(Version::V3).join("versions"))?;
        Ok(versions
            .iter()
            .map(|version| version.id().to_owned())
            .collect())
    }

    fn root(&self, version: Version) -> PathBuf {
        self.0.path().join(version.name())
    }
}

fn written(path: &Path, result: std::io::Result<()>) -> Result<(), DemoError> {
    result.map_err(|error| DemoError::File {
        path: path.display().to_string(),
        error,
    })
}

fn deploys(dialect: Dialect) -> Result<&'static [Deploy], DemoError> {
    match dialect {
        #[cfg(feature = "postgres")]
        Dialect::Postgres => Ok(&super::app::postgres::DEPLOYS),
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => Ok(&super::app::sqlite::DEPLOYS),
        #[allow(unreachable_patterns, reason = "a build with one driver")]
        other => Err(DemoError::Answer(format!(
            "this build has no driver for {other}"
        ))),
    }
}
