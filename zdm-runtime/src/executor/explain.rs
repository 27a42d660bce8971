//! Why a step was not executed, in the words of [`ExecutorError`].

use super::{ExecutorError, Failure, Limited, Task};
use crate::database::DatabaseError;
use crate::database::blockers::Blocker;

impl Task<'_> {
    pub(super) fn blocked(
        &self,
        failure: Failure,
        attempts: u32,
        (blockers, limited): (Vec<Blocker>, Option<Limited>),
    ) -> ExecutorError {
        match failure {
            Failure::Database(source) => ExecutorError::Blocked {
                step: self.step.into(),
                lock: self.step.lock.clone(),
                tables: self.step.locked_tables(),
                attempts,
                lock_timeout: self.options.lock_timeout,
                limited,
                blockers,
                source,
            },
            other => self.explain(other),
        }
    }

    pub(super) fn explain(&self, failure: Failure) -> ExecutorError {
        let step = self.step.into();
        match failure {
            Failure::Unfit { source, rows } => ExecutorError::Unfit { step, source, rows },
            Failure::ForeignKeys(broken) => ExecutorError::ForeignKeys { step, broken },
            Failure::Dependents(broken) => ExecutorError::Dependents { step, broken },
            Failure::Undescribed(lost) => ExecutorError::Undescribed {
                step,
                table: self.step.table.clone(),
                lost,
            },
            Failure::OtherIndex { name, found } => ExecutorError::OtherIndex { step, name, found },
            Failure::Partitioned(statements) => ExecutorError::Partitioned {
                step,
                table: self.step.table.clone(),
                statements,
            },
            Failure::References(references) => ExecutorError::References { step, references },
            Failure::Losses(losses) => ExecutorError::Losses { step, losses },
            Failure::Unseen(source) => ExecutorError::Unseen {
                step,
                table: self.step.table.clone(),
                limit: self.options.lock_timeout,
                source,
            },
            Failure::Outgrown(found, recorded) => ExecutorError::Outgrown {
                step,
                direction: self.step.direction,
                found,
                recorded,
            },
            Failure::Slow(source) => ExecutorError::Slow {
                step,
                table: self.step.table.clone(),
                limit: self.options.lock_timeout,
                source,
            },
            Failure::Lease(source) => ExecutorError::Overtaken { step, source },
            Failure::Database(source @ DatabaseError::Lost(_)) => {
                ExecutorError::Lost { step, source }
            }
            Failure::Database(source) if !self.step.blocks_writers && source.is_cancelled() => {
                ExecutorError::Deadline {
                    step,
                    deadline: self.options.deadline,
                    source,
                }
            }
            Failure::Database(source) if source.is_duplicate() => {
                ExecutorError::AlreadyThere { step, source }
            }
            Failure::Database(source) => ExecutorError::Refused { step, source },
        }
    }
}
