//! What the build-time commands are given.

use camino::Utf8PathBuf;
use zdm_runtime::manifest::SmallTable;

use super::PipelineError;
use super::raw::Raw;
use crate::config::Roles;
use crate::render::rust::{CLIENTS, Client};
use crate::source::SourceOptions;
use crate::versions::History;

/// Where everything is, and what is wanted.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of `zdm.toml`; every path that is written is below it.
    pub root: Utf8PathBuf,
    /// Where the models are.
    pub source: SourceOptions,
    /// `postgres` or `sqlite`.
    pub dialect: String,
    /// Whose types the repositories speak.
    pub client: &'static Client,
    /// Folder of generated code, relative to the root.
    pub code: Utf8PathBuf,
    /// Folder of the versions, relative to the root.
    pub versions: Utf8PathBuf,
    /// Folder of the project's own templates, relative to the root.
    pub templates: Utf8PathBuf,
    /// The version's name; with [`Mode::Rebase`], the user's own one of two.
    pub name: Option<String>,
    /// What becomes of the last version.
    pub mode: Mode,
    /// Tables that the user has agreed to drop.
    pub dropped_tables: Vec<String>,
    /// Tables that the user lets be written anew at once, and what a database told of them.
    pub direct: Vec<SmallTable>,
    /// Triggers keep what is written twice, whoever writes.
    pub nets: bool,
    /// Tests of the migrations in transition are generated beside their code.
    pub tests: bool,
    /// For so many seconds contract can be taken back.
    pub keep: Option<u64>,
    /// This version drops old at once all the same.
    pub no_keep: bool,
    /// The tables are there already.
    pub baseline: bool,
    /// What a baseline's tables stand on, for a new database.
    pub needed: Option<Raw>,
    /// The roles that `roles.sql` names.
    pub roles: Roles,
    /// `mod zdm;` is put into the crate's root where it is missing.
    pub add_module: bool,
}

/// Which version is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// A new one behind the last.
    #[default]
    Append,
    /// The last one again, under the same id.
    Amend,
    /// The user's own one of two that follow the same version, behind the other.
    Rebase,
}

impl Options {
    /// The defaults of `zdm.toml` for the crate below `root`.
    pub fn new(root: impl Into<Utf8PathBuf>, dialect: impl Into<String>) -> Self {
        let root = root.into();
        Self {
            source: SourceOptions {
                manifest_path: Some(root.join("Cargo.toml").into_std_path_buf()),
                only: Vec::new(),
                code: Some(root.join("src/zdm").into_std_path_buf()),
                unwritten: std::collections::BTreeMap::new(),
            },
            root,
            dialect: dialect.into(),
            client: &CLIENTS[0],
            code: "src/zdm".into(),
            versions: "zdm".into(),
            templates: "zdm/templates".into(),
            name: None,
            mode: Mode::Append,
            dropped_tables: Vec::new(),
            direct: Vec::new(),
            nets: false,
            tests: false,
            keep: None,
            no_keep: false,
            baseline: false,
            needed: None,
            roles: Roles::default(),
            add_module: false,
        }
    }

    /// The versions, without the one that is to be generated again.
    pub(crate) fn history(&self) -> Result<History, PipelineError> {
        let folder = self.root.join(&self.versions);
        Ok(match self.mode {
            Mode::Append => History::open(&folder)?,
            Mode::Amend => History::without_last(&folder)?,
            Mode::Rebase => History::without_own(&folder, self.name.as_deref())?,
        })
    }

    /// The versions are for the database that is wanted.
    pub(crate) fn check_dialect(&self, history: &History) -> Result<(), PipelineError> {
        match history.last() {
            Some(last) if last.dialect != self.dialect => Err(PipelineError::OtherDialect {
                before: last.dialect.clone(),
                now: self.dialect.clone(),
            }),
            _ => Ok(()),
        }
    }
}
