//! Why a generated test fails.

use std::io;

use crate::database::DatabaseError;
use crate::executor::ExecutorError;
use crate::migration::LoadError;

/// What was found, or why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
pub(super) enum TestError {
    /// What the test is there to find.
    #[error("{0}")]
    Found(String),
    /// The test has to be given something first.
    #[error("{0}")]
    Unprepared(String),
    /// The database refuses what the test itself asks of it.
    #[error("the database of the test: {0}")]
    Database(#[from] DatabaseError),
    /// Its control tables hold what cannot be read.
    #[error("the database of the test: {0}")]
    Control(#[from] crate::Error),
    /// The versions cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A reviewed statement fails.
    #[error("{folder}: {source}")]
    Section {
        /// The version.
        folder: String,
        /// Why.
        source: Box<ExecutorError>,
    },
    /// Something else of the migration.
    #[error("{what}: {why}")]
    Failed {
        /// What was done.
        what: String,
        /// What came of it.
        why: String,
    },
    /// No thread, no folder.
    #[error("the test cannot begin: {0}")]
    Runtime(io::Error),
}
