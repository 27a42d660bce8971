//! Why a comparison says nothing.

use crate::database::{DatabaseError, Dialect};
use crate::quarantine::QuarantineError;

/// Why nothing can be said about the rows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// The plan is for another kind of database.
    #[error(
        "the migration {migration} was generated for {plan}, this is {connection}; nothing was compared"
    )]
    WrongDialect {
        /// The migration's id.
        migration: String,
        /// What it was generated for.
        plan: String,
        /// What was connected to.
        connection: Dialect,
    },
    /// The migration has no stage here.
    #[error("the migration {migration} has no stage in this database yet: run its expand first")]
    NotStarted {
        /// The migration's id.
        migration: String,
    },
    /// The record of this comparison was removed while it ran.
    #[error(
        "the migration {migration} was taken back while its rows were compared, so the result says nothing; verify \
         again when both sides are written"
    )]
    Overtaken {
        /// The migration's id.
        migration: String,
    },
    /// Another comparison went on with this one's record.
    #[error(
        "the comparison of {migration} was silent for so long that another one goes on from where it was; nothing is half done"
    )]
    TakenOver {
        /// The migration's id.
        migration: String,
    },
    /// A repair outside the stage that says which side is right.
    #[error(
        "rows of {migration} are not repaired at {stage}: reads are on new there, so that old is not known to be right. Nothing was changed"
    )]
    NotRepairable {
        /// The migration's id.
        migration: String,
        /// Where it stands.
        stage: String,
    },
    /// A repair of what only the application can compute.
    #[error(
        "rows of {table} get their value of {function}, which only the application can call, so they are not repaired from here; \
         nothing was changed"
    )]
    Computed {
        /// The table.
        table: String,
        /// The function.
        function: String,
    },
    /// The quarantine could not be read or written.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// The database refused.
    #[error("the comparison stopped: {0}. It only reads, so nothing is half done; verify again")]
    Database(#[from] DatabaseError),
}
