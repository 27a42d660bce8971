//! What can go wrong in a rehearsal itself, as opposed to what it finds.
//!
//! Comes in: refusals of the database and of the statements' loop. Goes out: errors with their words.
//! Must not know: how the rehearsal proceeds.

use zdm_runtime::database::DatabaseError;

use super::line::is_cut;
use super::meaning::MeaningError;
use crate::error::Failure;

/// Why a writer or a reader could not do its work: the rehearsal counts it as a failed statement.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkError {
    /// The database refused.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// The flags or the fence refused.
    #[error("{0}")]
    Generated(#[from] zdm_runtime::Error),
    /// The table that a row belongs to has none for it.
    #[error("the row that it belongs to is not there")]
    NoPlace,
    /// An answer that cannot be.
    #[error("{0}")]
    Answer(String),
}

impl WorkError {
    /// The connection is gone.
    pub(super) fn is_cut(&self) -> bool {
        match self {
            Self::Database(error) => is_cut(error),
            Self::Generated(zdm_runtime::Error::Database(error)) => {
                error.as_database_error().map_or_else(
                    || matches!(**error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_)),
                    |error| error.code().as_deref() == Some("57P01"),
                )
            }
            Self::Generated(_) | Self::NoPlace | Self::Answer(_) => false,
        }
    }
}

impl From<WorkError> for Failure {
    fn from(error: WorkError) -> Self {
        Self::environment(
            format!("the rehearsal could not go on: {error}"),
            "run it again with --keep and look at the scratch database; if it comes again, report it as a bug",
        )
        .safe("only the scratch database was touched")
    }
}

impl From<MeaningError> for Failure {
    fn from(error: MeaningError) -> Self {
        match error {
            MeaningError::Database(error) => error.into(),
            MeaningError::Render(error) => Self::environment(
                error,
                "report this as a bug: `cargo zdm generate` renders the same",
            ),
        }
    }
}
