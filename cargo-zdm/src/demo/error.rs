//! What can go wrong in the demo itself, as opposed to what the demo finds.
//!
//! Comes in: refusals of the database, the system and the commands. Goes out: a [`Failure`] that says what to do.
//! Must not know: how the demo proceeds.

use zdm_runtime::database::DatabaseError;

use crate::error::Failure;

/// Why a process under load could not do its work: the demo counts it as a failed statement.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkError {
    /// The database refused.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// The generated code refused.
    #[error("{0}")]
    Generated(#[from] zdm_runtime::Error),
    /// An answer that cannot be.
    #[error("{0}")]
    Answer(String),
}

/// Why the demo could not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    /// The database refused the demo's own statements.
    #[error("the database refused the demo's own statement: {0}")]
    Database(#[from] DatabaseError),
    /// The oracle's table could not be read.
    #[error("the demo's oracle cannot be read: {0}")]
    Oracle(#[from] WorkError),
    /// An answer that cannot be.
    #[error("an answer of the database is not understood: {0}")]
    Answer(String),
    /// A table of an earlier run, or somebody else's, is in the way.
    #[error("the database has a table {0} already")]
    TableExists(String),
    /// A file of the demo's project could not be written.
    #[error("{path} cannot be written: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The versions that the demo brings along are damaged.
    #[error("the demo's own versions cannot be read: {0}")]
    Versions(#[from] zdm_runtime::migration::LoadError),
    /// The binary could not be started again.
    #[error("a process of the demo cannot be started: {0}")]
    Start(std::io::Error),
    /// A process ended that should have gone on.
    #[error("{0} ended on its own: {1}")]
    Ended(String, String),
    /// Nothing came of what was waited for.
    #[error("the processes of the demo were silent for {0} s")]
    Silent(u64),
    /// A command of the migration failed.
    #[error("`zdm {command}` failed: {answer}")]
    Command {
        /// Its arguments.
        command: String,
        /// What it printed.
        answer: String,
    },
    /// A gate did not open in time.
    #[error("`zdm {command}` found the same gate shut for {seconds} s: {answer}")]
    Shut {
        /// Its arguments.
        command: String,
        /// How long it was tried.
        seconds: u64,
        /// What it printed last.
        answer: String,
    },
    /// The oracle found something, or a statement failed: nothing may be dropped now.
    #[error("what was found in {0} ends the way here; nothing was dropped")]
    Found(&'static str),
    /// Ctrl-C or a request to end.
    #[error("the demo was interrupted")]
    Interrupted,
}

impl DemoError {
    /// What a person reads.
    pub(super) fn failure(&self, shown_url: &str) -> Failure {
        let next = match self {
            Self::TableExists(_) => {
                "name a database without it, or drop it if an interrupted demo left it behind"
            }
            Self::Database(_) => {
                "name a database whose role may create tables, or none for an embedded one"
            }
            Self::Interrupted => "run the demo again",
            Self::File { .. } | Self::Start(_) => {
                "make room or grant the right, and run the demo again"
            }
            Self::Found(_)
            | Self::Oracle(_)
            | Self::Answer(_)
            | Self::Versions(_)
            | Self::Silent(_)
            | Self::Ended(..)
            | Self::Command { .. }
            | Self::Shut { .. } => {
                "run the demo again with --keep and look at the database; if it comes again, report it as a bug"
            }
        };
        Failure::environment(format!("{self} (on {shown_url})"), next)
    }
}
