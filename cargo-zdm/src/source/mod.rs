//! The models of a workspace: every struct with `#[derive(Migratable)]`, found by following modules from each crate root.
//!
//! Comes in: a manifest's path. Goes out: [`Models`], the declared schema and where each model stands, or every mistake
//! in them at once.
//! Must not know: saved versions, any database.
//!
//! What is seen is source, not what macros make of it. A struct that derives `Migratable` where no module leads, in a body
//! or among a macro's tokens, is refused at its place. What leaves no trace in the source is not found: a derive that an
//! attribute macro adds, and files that a build script writes.

mod diagnostics;
mod enums;
mod everywhere;
mod imports;
mod included;
mod item_attributes;
mod models;
mod module_tree;
mod scan;
mod scope;
mod spelling;
mod unseen;
mod workers;
mod workspace;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use zdm_model::Schema;

pub use diagnostics::{Diagnostic, render};
pub(crate) use everywhere::{RustSource, rust_files};
pub(crate) use item_attributes::is_for_tests;
pub(crate) use scan::MARK;

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// `--manifest-path`; `None`: the workspace of the working directory.
    pub manifest_path: Option<PathBuf>,
    /// Files or folders that alone may hold models; empty: all may.
    pub only: Vec<PathBuf>,
    /// The folder of generated code, which is not read and need not exist yet.
    pub code: Option<PathBuf>,
    /// Files that are about to be written, by their absolute paths: read instead of what the disk has there.
    pub unwritten: BTreeMap<Utf8PathBuf, String>,
}

impl SourceOptions {
    /// The text of a file.
    pub(crate) fn text_of(&self, file: &Utf8Path) -> std::io::Result<String> {
        match self.unwritten.get(file) {
            Some(text) => Ok(text.clone()),
            None => std::fs::read_to_string(file),
        }
    }

    pub(crate) fn has(&self, file: &Utf8Path) -> bool {
        self.unwritten.contains_key(file) || file.is_file()
    }
}

/// What the workspace declares.
#[derive(Debug, Clone)]
pub struct Models {
    /// All tables, ordered by name; `source` is relative to the workspace's root.
    pub schema: Schema,
    /// The structs behind them, in the same order.
    pub models: Vec<FoundModel>,
    /// The Rust enums behind the schema's, in the same order.
    pub enums: Vec<FoundEnum>,
    /// The packages that hold models, ordered by name.
    pub packages: Vec<FoundPackage>,
    /// Every crate with models declares the generated code as a module.
    pub declares_code: bool,
    /// The workspace's root.
    pub workspace_root: Utf8PathBuf,
}

/// A struct with `#[derive(Migratable)]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundModel {
    /// Its table.
    pub table_name: String,
    /// Its name.
    pub ident: String,
    /// How the rest of its crate names it: `crate::models::User`.
    pub crate_path: String,
    /// Its package.
    pub package: String,
    /// The target's root file (`src/lib.rs`), absolute.
    pub root_file: Utf8PathBuf,
    /// The files that lead to the struct's own, from the target's root; absolute.
    pub way: Vec<Utf8PathBuf>,
    /// The struct's file, absolute.
    pub file: Utf8PathBuf,
    /// Line of the struct's name, from 1.
    pub line: usize,
    /// Its visibility as written: `pub`, `pub(crate)`, or nothing.
    pub visibility: String,
    /// Fields with `#[zdm(skip)]`, which generated code fills with their `Default`.
    pub skipped_fields: Vec<String>,
    /// The column with `#[zdm(version)]`, which counts the writes of a row.
    pub version: Option<String>,
    /// The `cfg` conditions on the struct and its modules, which generated code repeats.
    pub conditions: Vec<String>,
}

/// An enum with `#[derive(MigratableEnum)]` that belongs to the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundEnum {
    /// Its name.
    pub ident: String,
    /// Its file, absolute.
    pub file: Utf8PathBuf,
}

/// A package that holds models.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundPackage {
    /// Its name.
    pub name: String,
    /// The folder of its manifest, absolute.
    pub directory: Utf8PathBuf,
}

/// Why no schema came out.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Cargo does not know the workspace.
    #[error(
        "cargo cannot describe the workspace: {0}\n  next: run the command inside a cargo project, or give --manifest-path"
    )]
    Metadata(#[from] cargo_metadata::Error),
    /// A file of the workspace cannot be read.
    #[error("{file} cannot be read: {error}\n  next: make the file readable for this user")]
    Unreadable {
        /// The file.
        file: Utf8PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A path of `[generate] models` names nothing.
    #[error("no model is declared in {0}\n  next: correct `models` under [generate] in zdm.toml")]
    NothingThere(PathBuf),
    /// A package with models knows zdm-runtime by another name.
    #[error(
        "{manifest} renames zdm-runtime to `{name}`, but the derive and generated code call it `zdm_runtime`\n  next: depend on it by its own name: `zdm-runtime = …` in the place of `{name} = {{ package = \"zdm-runtime\", … }}`"
    )]
    RuntimeRenamed {
        /// The package's manifest.
        manifest: Utf8PathBuf,
        /// The other name.
        name: String,
    },
    /// The models have mistakes.
    #[error("{}", diagnostics::render(.0, false))]
    Mistakes(Vec<Diagnostic>),
}

/// Reads every model of the workspace.
pub fn read(options: &SourceOptions) -> Result<Models, SourceError> {
    let workspace = workspace::read(options.manifest_path.as_deref())?;
    let findings = workers::read(&workspace, options)?;
    models::assemble(workspace, findings, &options.only)
}

/// Whether a file is among those that alone may hold models.
fn may_hold_models(file: &Utf8Path, only: &[PathBuf]) -> bool {
    only.is_empty() || only.iter().any(|path| is_below(file, path))
}

fn is_below(file: &Utf8Path, path: &Path) -> bool {
    matches!((file.canonicalize(), path.canonicalize()), (Ok(file), Ok(path)) if file.starts_with(&path))
}

/// The root file of the crate that models can be put into: the library of the package, or the one binary that it has. `None`
/// where the manifest is of no package, or of one with several binaries.
pub fn crate_root(options: &SourceOptions) -> Result<Option<Utf8PathBuf>, SourceError> {
    let workspace = workspace::read(options.manifest_path.as_deref())?;
    Ok(workspace.crate_root(options.manifest_path.as_deref()))
}
