//! Why a hop did not happen, or did not end.

use std::fmt::Write as _;

use crate::database::DatabaseError;
use crate::database::older_transactions::OlderTransaction;
use crate::gates::Gate;
use crate::operator::LeaseError;
use crate::{Error, Stage};

/// Why a migration did not move, or not all the way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HopError {
    /// A condition does not hold. Nothing was changed.
    #[error("{from} → {to} has to wait; nothing was changed:{}", shut(.gates))]
    Shut {
        /// Where the migration stands.
        from: Stage,
        /// Where it should have gone.
        to: Stage,
        /// All gates, the open ones included.
        gates: Vec<Gate>,
    },
    /// The stage is moved, but an older transaction does not end.
    #[error(
        "the migration is at {stage}, and transactions from before are still open after {seconds} s: {}. Every statement since \
         is fenced, so nothing is wrong, but no later hop is allowed: end them (`SELECT pg_terminate_backend(pid)`, `ROLLBACK \
         PREPARED` for prepared ones) or wait, then run the same command again",
        blockers(.older)
    )]
    NotDrained {
        /// The present stage.
        stage: Stage,
        /// How long they were waited for.
        seconds: u64,
        /// The transactions.
        older: Vec<OlderTransaction>,
    },
    /// The migration has no stage here.
    #[error(
        "migration {migration} has no stage in this database; nothing was changed: run `cargo zdm expand` first (a migration \
         of one phase has none at all)"
    )]
    NoStage {
        /// The migration.
        migration: String,
    },
    /// No share of readers.
    #[error(
        "{basis_points} basis points are no share: choose 1 to 10 000 (0.01 % to 100 %); `dual_write` takes all readers back"
    )]
    NoSuchShare {
        /// What was asked for.
        basis_points: u32,
    },
    /// Another command line moves it.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The control tables do not answer.
    #[error(transparent)]
    Control(#[from] Error),
}

impl From<DatabaseError> for HopError {
    fn from(error: DatabaseError) -> Self {
        Self::Control(error.into())
    }
}

fn shut(gates: &[Gate]) -> String {
    let mut lines = String::new();
    for gate in gates.iter().filter(|gate| !gate.open) {
        let opens = gate.opens.as_deref().unwrap_or("unknown");
        let _ = write!(lines, "\n  {}: {} (opens: {opens})", gate.name, gate.reason);
    }
    lines
}

fn blockers(older: &[OlderTransaction]) -> String {
    older
        .iter()
        .map(|open| match open.pid {
            Some(pid) => format!("pid {pid} ({})", open.who),
            None => format!("`{}` ({})", open.id, open.who),
        })
        .collect::<Vec<_>>()
        .join(", ")
}
