//! A process's connection to the database, with the repository of the code version that it runs.
//!
//! Must not know: what is written and read through it.

use zdm_runtime::Zdm;
use zdm_runtime::database::{Connection, Dialect};

use super::super::PATIENT;
use super::super::error::WorkError;
use super::super::message::Assignment;
use super::super::repository::{self, Repository};

/// What a process under load works with.
pub(super) struct Session {
    pub(super) assignment: Assignment,
    pub(super) connection: Connection,
    pub(super) repository: Box<dyn Repository>,
    zdm: Zdm,
}

impl Session {
    /// Connects, registers the code with the control tables, and builds its repository.
    pub(super) async fn open(assignment: &Assignment) -> Result<Self, WorkError> {
        let mut connection = Connection::open(&assignment.url).await?;
        if connection.dialect() == Dialect::Sqlite {
            // A process that is killed loses nothing without the wait for the disk; only a machine that is would.
            let pragmas = format!(
                "PRAGMA busy_timeout = {}; PRAGMA synchronous = NORMAL;",
                PATIENT.as_millis()
            );
            connection.run_file(&pragmas).await?;
        }
        let (zdm, repository) =
            repository::connect(connection.dialect(), assignment.version, &assignment.url).await?;
        Ok(Self {
            assignment: assignment.clone(),
            connection,
            repository,
            zdm,
        })
    }

    /// Leaves the control tables.
    pub(super) async fn close(self) -> Result<(), WorkError> {
        Ok(self.zdm.close().await?)
    }
}
