//! Why the application's part of a backfill did not begin, or stopped.

use crate::backfill::BackfillError;
use crate::backfill::throttle::ThrottleError;
use crate::database::DatabaseError;
use crate::migration::LoadError;
use crate::quarantine::QuarantineError;

/// Why a column was not filled. Every batch is one transaction with its cursor: what is done stays done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComputedError {
    /// The version in the binary is not whole.
    #[error("{0}; nothing was changed: run `cargo zdm generate`, and build the binary anew")]
    Version(#[from] LoadError),
    /// The database has seen another version than the binary was built with.
    #[error(
        "this binary was built with another content of {migration} (hash {ours}) than this database has seen ({found}), so its \
         function may mean something else; nothing was changed: deploy the code that was generated with the version that is expanded \
         here, and run it there"
    )]
    AnotherVersion {
        /// The version's folder.
        migration: String,
        /// Its content in the binary.
        ours: String,
        /// Its content on record.
        found: String,
    },
    /// Nobody has cut the table.
    #[error(
        "the backfill of {migration} is not prepared in this database; nothing was changed: run `cargo zdm backfill {migration}` \
         there first, which looks at the gates, cuts the table and says when this may begin"
    )]
    NotPrepared {
        /// The version's folder.
        migration: String,
    },
    /// Signals that cannot be read hold a backfill for good.
    #[error("{}; nothing was changed: grant what is named, or switch the signal off in `Options::signals`", listed(.0))]
    Signals(Vec<ThrottleError>),
    /// A worker ended without a word.
    #[error("a worker ended early: {0}; run it again: it continues at the cursors")]
    Worker(#[from] tokio::task::JoinError),
    /// The backfill stopped.
    #[error(transparent)]
    Backfill(#[from] BackfillError),
    /// Rows in quarantine could not be tried again.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// The control tables cannot be read.
    #[error(transparent)]
    Control(#[from] crate::Error),
    /// The database refused something else.
    #[error("{0}; nothing is half done: mend the cause, then run it again")]
    Database(#[from] DatabaseError),
}

fn listed(errors: &[ThrottleError]) -> String {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}
