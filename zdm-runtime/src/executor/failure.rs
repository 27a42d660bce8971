//! What one try of a step can end with, before it is explained.

use crate::database::DatabaseError;
use crate::database::catalogue::Reference;
use crate::losses::{self, Loss};
use crate::manifest::SmallTable;
use crate::operator::LeaseError;

/// What one try can end with.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("{source}: {rows}")]
    Unfit { source: DatabaseError, rows: String },
    #[error("foreign keys without their row: {}", .0.join(", "))]
    ForeignKeys(Vec<String>),
    #[error("views or triggers that would not hold any more: {}", .0.join("; "))]
    Dependents(Vec<String>),
    #[error("the rebuild would lose {}", .0.join(", "))]
    Undescribed(Vec<String>),
    #[error("the index {name} is not the planned one: {found}")]
    OtherIndex { name: String, found: String },
    #[error("its table is partitioned")]
    Partitioned(Vec<String>),
    #[error("its table is referred to: {}", Reference::listed(.0))]
    References(Vec<Reference>),
    #[error("it would take away {}", losses::listed(.0))]
    Losses(Vec<Loss>),
    #[error("what it would take away was not seen in time: {0}")]
    Unseen(DatabaseError),
    #[error("{} holds {}, and the step is for {}", .0.table, .0.held(), .1.limit())]
    Outgrown(SmallTable, SmallTable),
    #[error("it takes longer than nobody may use its tables: {0}")]
    Slow(DatabaseError),
    #[error(transparent)]
    Lease(#[from] LeaseError),
}
