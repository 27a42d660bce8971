//! What every command is given: where the project is, which database is meant, who acts, who reads the output.
//!
//! Comes in: the options common to all commands. Goes out: paths, the URL, the actor's name.
//! Must not know: any command, cargo, the models.

use std::path::{Path, PathBuf};

use crate::config::{self, Config};
use crate::error::Failure;
pub use crate::secret::shown_url;
use crate::terminal::{Format, Terminal};

/// Options of every command.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Common {
    /// Who reads the output; with `json` the last line on stdout is one object
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        help_heading = "Common options"
    )]
    pub format: Format,
    /// Cargo.toml of the crate, or zdm.toml; default: looked for from here upward
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        help_heading = "Common options"
    )]
    pub manifest_path: Option<PathBuf>,
    /// The database; default: the environment variable that zdm.toml names (DATABASE_URL)
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help_heading = "Common options"
    )]
    pub database_url: Option<String>,
    /// Who acts, for the audit log; default: user@host
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        help_heading = "Common options"
    )]
    pub actor: Option<String>,
}

/// [`Common`], looked at from a command's side.
#[derive(Debug, Clone)]
pub struct Context {
    common: Common,
    /// Where the command's words go.
    pub terminal: Terminal,
}

/// A folder with a `zdm.toml`.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder.
    pub root: PathBuf,
    /// The file.
    pub config: Config,
}

impl Project {
    /// The folder that holds the versions.
    pub fn versions(&self) -> PathBuf {
        self.root.join(&self.config.generate.versions)
    }
}

impl Context {
    /// For one run of the command line.
    pub fn new(common: Common) -> Self {
        Self {
            terminal: Terminal::new(common.format),
            common,
        }
    }

    /// For steps that one command takes elsewhere, without a word: another project, another database.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn elsewhere(&self, manifest: PathBuf, database_url: String) -> Self {
        let format = Format::Json;
        Self::new(Common {
            format,
            manifest_path: Some(manifest),
            database_url: Some(database_url),
            actor: Some(self.actor()),
        })
    }

    /// The folder that the command is about: `--manifest-path`'s or the working directory.
    pub fn folder(&self) -> Result<PathBuf, Failure> {
        let Some(path) = &self.common.manifest_path else {
            return std::env::current_dir().map_err(|error| {
                Failure::environment(
                    format!("the working directory is gone: {error}"),
                    "change into the crate's folder and run the command again",
                )
            });
        };
        let path = std::path::absolute(path)
            .ok()
            .filter(|path| path.exists())
            .ok_or_else(|| {
                Failure::usage(
                    format!("--manifest-path: there is no {}", path.display()),
                    "name the Cargo.toml or the zdm.toml of the crate that owns the models",
                )
            })?;
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().map(Path::to_owned).unwrap_or(path)
        };
        Ok(folder)
    }

    /// The Cargo.toml that `--manifest-path` names.
    pub fn manifest(&self) -> Option<PathBuf> {
        let path = self.common.manifest_path.as_ref()?;
        let manifest = if path.is_dir() {
            path.join("Cargo.toml")
        } else {
            path.clone()
        };
        (manifest.file_name()? == "Cargo.toml").then_some(manifest)
    }

    /// The project: found by `zdm.toml` alone.
    pub fn project(&self) -> Result<Project, Failure> {
        let (root, config) = config::find(&self.folder()?)?;
        Ok(Project { root, config })
    }

    /// The database's URL, with its password: not to be printed.
    pub fn database_url(&self, config: &Config) -> Result<String, Failure> {
        if let Some(url) = &self.common.database_url {
            return Ok(url.clone());
        }
        let variable = &config.database.url_env;
        std::env::var(variable).map_err(|_| {
            Failure::environment(
                format!("no database is named: neither --database-url nor the variable {variable} is there"),
                format!("set {variable} or give --database-url, for example postgres://user@localhost/app or sqlite://app.db"),
            )
        })
    }

    /// The database's URL if the command line names one.
    pub(crate) fn named_database_url(&self) -> Option<&str> {
        self.common.database_url.as_deref()
    }

    /// Who acts, for the audit log.
    pub fn actor(&self) -> String {
        self.common.actor.clone().unwrap_or_else(|| {
            let user = std::env::var("USER")
                .or_else(|_| whoami::username())
                .unwrap_or_else(|_| "unknown".to_owned());
            let host = whoami::hostname().unwrap_or_else(|_| "unknown".to_owned());
            format!("{user}@{host}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_can_be_named() {
        let context = Context::new(Common {
            actor: Some("ci".to_owned()),
            ..Common::default()
        });
        assert_eq!(context.actor(), "ci");
        assert!(Context::new(Common::default()).actor().contains('@'));
    }
}
