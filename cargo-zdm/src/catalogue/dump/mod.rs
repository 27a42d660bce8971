//! A file of `CREATE` statements as the catalogue of the database that it makes: a dump, or one written by hand.
//!
//! Comes in: the file's text. Goes out: the same [`Catalogue`] that [`super::read`] reads of such a database, without any
//! server. PostgreSQL's statements are read here, and what is not understood is refused with its place; SQLite's are run
//! by SQLite itself, in memory.
//! Must not know: models, any database that is there.

mod cursor;
mod postgres;

use zdm_runtime::database::{Connection, Dialect};

use super::{Catalogue, CatalogueError};
use crate::statements::{self, Statement};
use cursor::Cursor;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// A statement that is not understood. Nothing is passed over.
    #[error("{file}:{line}: {reason}\n  {statement}")]
    Statement {
        /// The file, as the user names it.
        file: String,
        /// Where the statement begins.
        line: usize,
        /// Its first line.
        statement: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Tables of several schemas, none of which is `public`.
    #[error("{file} has tables of the schemas {schemas}, and one is read at a time")]
    Schemas {
        /// The file, as the user names it.
        file: String,
        /// Their names.
        schemas: String,
    },
    /// SQLite, in memory, could not be asked.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

/// What a database would hold that the statements of `text` have made. `schema`: of PostgreSQL's schemas this one, or these with
/// commas between them, whose first is that of names without one; else `public` and all others, or the only one with tables.
pub async fn read(
    text: &str,
    file: &str,
    dialect: Dialect,
    schema: Option<&str>,
) -> Result<Catalogue, DumpError> {
    let statements = statements::statements(text);
    let mut catalogue = match dialect {
        Dialect::Postgres => postgres::read(&statements, file, schema)?,
        Dialect::Sqlite => sqlite(&statements, file).await?,
    };
    catalogue.sort();
    Ok(catalogue)
}

impl Statement<'_> {
    fn refused(&self, file: &str, reason: impl Into<String>) -> DumpError {
        DumpError::Statement {
            file: file.to_owned(),
            line: self.line,
            statement: self.text.lines().next().unwrap_or_default().to_owned(),
            reason: reason.into(),
        }
    }
}

/// Only what makes a schema is run: nothing that opens another file.
async fn sqlite(statements: &[Statement<'_>], file: &str) -> Result<Catalogue, DumpError> {
    let mut connection = Connection::open("sqlite::memory:")
        .await
        .map_err(CatalogueError::from)?;
    for statement in statements {
        let mut words = Cursor::of(*statement);
        let first = words.next().map(|token| token.text.to_lowercase());
        match first.as_deref() {
            Some("create" | "alter" | "drop") => {
                let run = connection.run_file(statement.text).await;
                run.map_err(|error| statement.refused(file, error.to_string()))?;
            }
            // Rows, and what a dump stands between.
            Some(
                "insert" | "update" | "delete" | "replace" | "pragma" | "begin" | "commit" | "end"
                | "analyze" | "savepoint" | "release",
            ) => {}
            _ => {
                return Err(statement.refused(
                    file,
                    "this statement makes no table, index, view or trigger, so the file is not read",
                ));
            }
        }
    }
    Ok(super::read(&mut connection, &super::Schemas::Own).await?)
}
