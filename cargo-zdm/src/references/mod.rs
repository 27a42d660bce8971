//! What names a column past the generated code: queries of any client, in any file of the workspace.
//!
//! Comes in: the columns and tables that are looked for, the declared tables, the workspace. Goes out: `Reference`s, each at its
//! place.
//! Must not know: versions, what follows from a reference.
//!
//! One file per way of finding: `rust` walks a file's syntax, with `macros` and `diesel` for what they alone understand; `files`
//! reads the SQL that is included; `put_together` makes texts of their pieces; `resolve` says what a statement names, by `scope`
//! and `wanted`; `unread` what is left to words.

mod diesel;
mod files;
mod macros;
mod put_together;
mod resolve;
mod rust;
mod scope;
mod text;
mod unread;
mod wanted;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

pub(crate) use wanted::Known;

use crate::dialect::Dialect;
use crate::parallel;
use crate::source::{RustSource, SourceError, SourceOptions, rust_files};
use files::Files;
use wanted::Wanted;

/// What stands for something that is put in at run time, as a name.
const HOLE: &str = "zdm_put_in";

/// A column, or a table, that is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// Its table, unquoted.
    pub(crate) table: String,
    /// Its name; `None`: the table itself.
    pub(crate) column: Option<String>,
    /// Who names all columns of the table names it.
    pub(crate) counts_every: bool,
}

impl Target {
    /// `users.age`, or the table.
    pub(crate) fn name(&self) -> String {
        match &self.column {
            Some(column) => format!("{}.{column}", self.table),
            None => self.table.clone(),
        }
    }
}

/// What a query does with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It reads it.
    Reads,
    /// It writes it.
    Writes,
    /// It declares or changes it, or it could not be told.
    Names,
}

/// How much is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It is this column.
    Certain,
    /// It may be a column of another table.
    Perhaps,
    /// The text is not understood, and holds the names.
    Unread,
}

/// A place that names a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Position of the target.
    pub(crate) target: usize,
    /// Absolute.
    pub(crate) file: Utf8PathBuf,
    /// From 1.
    pub(crate) line: usize,
    /// From 1.
    pub(crate) at: usize,
    pub(crate) access: Access,
    pub(crate) certainty: Certainty,
    /// It names all columns of the table.
    pub(crate) every: bool,
    /// It is compiled for tests, examples or benches alone.
    pub(crate) aside: bool,
    /// A comment says that it is not meant.
    pub(crate) excused: bool,
    /// The line's text.
    pub(crate) text: String,
}

/// Where to look, and for what.
pub(crate) struct Request<'a> {
    pub(crate) source: &'a SourceOptions,
    /// The folder of `zdm.toml`.
    pub(crate) project: &'a Utf8Path,
    pub(crate) dialect: &'a Dialect,
    pub(crate) targets: &'a [Target],
    pub(crate) known: &'a Known,
}

/// Looks through the crates. What is found is ordered by file, line and place.
pub(crate) fn search(request: &Request<'_>) -> Result<Vec<Reference>, SourceError> {
    if request.targets.is_empty() {
        return Ok(Vec::new());
    }
    let manifest = request.source.manifest_path.as_deref();
    let files = rust_files(manifest, request.project)?;
    let wanted = Wanted::of(request.targets, request.known, request.dialect);
    let code = request.source.code.as_deref();
    let code = code.and_then(|code| std::path::absolute(code).ok());
    let mine = |source: &&RustSource| {
        let code = code.as_deref();
        !code.is_some_and(|code| source.path.as_std_path().starts_with(code))
    };
    let sources: Vec<&RustSource> = files.iter().filter(mine).collect();
    let numbered: Vec<_> = sources.iter().enumerate().collect();
    let read = parallel::map(&numbered, |(number, source)| {
        rust::read(*number, source, request.source, &wanted)
    });
    let mut texts = Vec::new();
    for file in read {
        texts.push(file?);
    }
    let mut files = Files::of(texts.iter_mut().map(rust::Read::take_text));
    Ok(put_together::references(
        &texts, &sources, &mut files, &wanted,
    ))
}
