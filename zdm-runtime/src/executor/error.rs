//! What can keep a section from being executed, and what is safe then.

use std::time::Duration;

use super::Limited;
use crate::database::blockers::{self, Blocker};
use crate::database::catalogue::Reference;
use crate::database::{DatabaseError, Dialect};
use crate::losses::{self, Loss};
use crate::manifest::{Direction, SmallTable, Step};
use crate::migration::section_file;
use crate::operator::LeaseError;
use crate::phase::Section;

/// Why a section was not executed to its end. Steps that were done are recorded: running again goes on after them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// The plan is for another kind of database.
    #[error(
        "the migration {migration} was generated for {plan}, this is {connection}; nothing was executed"
    )]
    WrongDialect {
        /// The migration's id.
        migration: String,
        /// What it was generated for.
        plan: String,
        /// What was connected to.
        connection: Dialect,
    },
    /// The record of an executed step does not match the file.
    #[error(
        "step {number} of {} was executed here with another text (recorded hash {recorded}, the file's is {found}); \
         nothing was executed now. Restore the reviewed file from version control; a change belongs into a new version",
        section_file(*.section, Direction::Up)
    )]
    EditedAfterExecution {
        /// The folder.
        section: Section,
        /// The step.
        number: i64,
        /// Hash in the control table.
        recorded: String,
        /// Hash of the lines now, or that there are none.
        found: String,
    },
    /// A way back has taken a step back by half.
    #[error(
        "the undo of step {number} of {} has begun and not ended; nothing was executed now. What it has put back holds \
         already: going forward over it would leave it in force",
        section_file(*.section, Direction::Up)
    )]
    HalfUndone {
        /// The folder.
        section: Section,
        /// The step.
        number: i64,
    },
    /// The lock was not to be had.
    #[error(
        "{step} did not get its lock ({lock} on {tables}) in {attempts} tries{}. Nothing of this step is left behind, writers \
         were let through between the tries. End the session in the way or run again at a quieter time: steps already done \
         are skipped",
        in_the_way(.blockers, *.lock_timeout, *.limited, .source)
    )]
    Blocked {
        /// Which step.
        step: StepName,
        /// The lock.
        lock: String,
        /// The table, and those that are locked with it.
        tables: String,
        /// How often it was tried.
        attempts: u32,
        /// How long each waited.
        lock_timeout: Duration,
        /// Where it was for a shorter time.
        limited: Option<Limited>,
        /// Who was in the way.
        blockers: Vec<Blocker>,
        /// The database's last answer.
        source: DatabaseError,
    },
    /// The connection goes through a pooler that may give each transaction another session.
    #[error(
        "{step} cannot be done through a pooler: it runs outside a transaction, and its limits hold for one session at the server, which \
         the pooler would give to others"
    )]
    Pooled {
        /// Which step.
        step: StepName,
    },
    /// `PostgreSQL` builds no index of a partitioned table beside writers, but one of each partition.
    #[error(
        "{step} cannot be done as it stands: {table} is partitioned, and PostgreSQL builds no index of such a table beside writers. Nothing \
         was changed. Run these statements, one by one and outside a transaction, then the same command again, which finds the index \
         in its place:\n{}",
        .statements.join("\n")
    )]
    Partitioned {
        /// Which step.
        step: StepName,
        /// The table.
        table: String,
        /// What builds the index partition by partition.
        statements: Vec<String>,
    },
    /// Transactions that were long already did not end.
    #[error(
        "{step} was not tried: it needs a lock ({lock} on {tables}) that transactions hold which had been open for long and did not end \
         within {} s; {}. Nobody was kept waiting. End these sessions, or run again when they have ended",
        .patience.as_secs(), blockers::name(.blockers)
    )]
    LongTransactions {
        /// Which step.
        step: StepName,
        /// The lock.
        lock: String,
        /// The table, and those that are locked with it.
        tables: String,
        /// How long it waited for them.
        patience: Duration,
        /// Who is in the way.
        blockers: Vec<Blocker>,
    },
    /// A step outside a transaction took too long.
    #[error(
        "{step} was stopped after its deadline of {} ms: {source}. It blocked no writers, and what it had begun is \
         removed, at the latest when it runs again. Run again at a quieter time or with a later deadline",
        .deadline.as_millis()
    )]
    Deadline {
        /// Which step.
        step: StepName,
        /// The deadline.
        deadline: Duration,
        /// The database's answer.
        source: DatabaseError,
    },
    /// A rebuilt table broke references.
    #[error(
        "{step} would leave foreign keys without their row ({}); it was rolled back. Mend the rows, then run again",
        .broken.join(", ")
    )]
    ForeignKeys {
        /// Which step.
        step: StepName,
        /// `orders → users: 3 rows`.
        broken: Vec<String>,
    },
    /// Views, triggers or others name what the step takes away.
    #[error(
        "{step} would take away what others stand on: {}; nothing of this step was done. Drop them or write them anew \
         without what goes away, then run again",
        .broken.join("; ")
    )]
    Dependents {
        /// Which step.
        step: StepName,
        /// `error in view latest: no such column: name`.
        broken: Vec<String>,
    },
    /// The table to be rebuilt has what the versions do not describe.
    #[error(
        "{step} was not executed, and nothing was changed: rebuilding {table} would lose {}. No version describes that; \
         drop it and run again, and create it anew afterwards or declare it in the model",
        .lost.join(", ")
    )]
    Undescribed {
        /// Which step.
        step: StepName,
        /// The table.
        table: String,
        /// `the index users_name`.
        lost: Vec<String>,
    },
    /// Something else has the name of the index.
    #[error(
        "{step} was stopped: under the name {name} the database has {found}; that is not what the plan builds, and it is \
         left as it is. Rename it, or drop it if nobody needs it, then run again"
    )]
    OtherIndex {
        /// Which step.
        step: StepName,
        /// The index.
        name: String,
        /// What was found: the statement that makes it.
        found: String,
    },
    /// Other tables refer to the one that goes.
    #[error(
        "{step} was not done: {}, and its rows would go as well, or name nothing. Drop that foreign key, or its table if \
         nobody needs it, then run again",
        Reference::listed(.references)
    )]
    References {
        /// Which step.
        step: StepName,
        /// The foreign keys.
        references: Vec<Reference>,
    },
    /// The step takes something away that is nowhere else, and nobody has agreed to that.
    #[error("{step} drops {}; nothing of this step was done", losses::listed(.losses))]
    Losses {
        /// Which step.
        step: StepName,
        /// What would be lost.
        losses: Vec<Loss>,
    },
    /// Writers must not wait for as long as it takes to see what would be lost.
    #[error(
        "{step} was not done: writers of {table} wait while its rows are looked at for what would be lost, and {} ms were not enough: {source}",
        .limit.as_millis()
    )]
    Unseen {
        /// Which step.
        step: StepName,
        /// The table.
        table: String,
        /// How long the look may take.
        limit: Duration,
        /// The database's answer.
        source: DatabaseError,
    },
    /// A table has outgrown what the step may go through at once.
    #[error(
        "{step} was not done, and nothing of it was changed: it goes through all rows of {} at once, while nobody can use it, which the \
         version allows for {}. It held {} when the version was written; here it holds {}",
        .recorded.table, .recorded.limit(), .recorded.held(), .found.held()
    )]
    Outgrown {
        /// Which step.
        step: StepName,
        /// Whether it leads forward or back.
        direction: Direction,
        /// What it holds now.
        found: SmallTable,
        /// What it held when the version was written.
        recorded: SmallTable,
    },
    /// Nobody may wait for a small table for longer than for any lock.
    #[error(
        "{step} was stopped and rolled back: nobody could use {table} while it ran, and {} ms were not enough: {source}",
        .limit.as_millis()
    )]
    Slow {
        /// Which step.
        step: StepName,
        /// The table.
        table: String,
        /// How long it may take.
        limit: Duration,
        /// The database's answer.
        source: DatabaseError,
    },
    /// Another command line moves the migration by now, so the gates that were open may be shut.
    #[error("{step} was not executed: {source}")]
    Overtaken {
        /// Which step.
        step: StepName,
        /// Why the claim is gone.
        source: LeaseError,
    },
    /// The connection ended while a step ran.
    #[error(
        "the connection was lost during {step}: {source}. The step is either done and recorded or not there at all; \
         connect again and run again, it goes on from there"
    )]
    Lost {
        /// Which step.
        step: StepName,
        /// What the driver said.
        source: DatabaseError,
    },
    /// What the step creates is there already, and nothing on record has put it there.
    #[error(
        "{step} failed: {source}. Nothing on record has created it, so it is not touched, and the step was rolled back; \
         find out whose it is, rename it or take it away, then run again"
    )]
    AlreadyThere {
        /// Which step.
        step: StepName,
        /// The database's answer.
        source: DatabaseError,
    },
    /// The database refused the statement.
    #[error(
        "{step} failed: {source}. Nothing of this step is left, the steps before it are done and recorded; mend the cause \
         and run again"
    )]
    Refused {
        /// Which step.
        step: StepName,
        /// The database's answer.
        source: DatabaseError,
    },
    /// Rows do not fit what the step demands of them.
    #[error(
        "{step} failed: {source}. It is {rows}. Nothing of this step is left, the steps before it are done and recorded; mend these rows and \
         run again"
    )]
    Unfit {
        /// Which step.
        step: StepName,
        /// The database's answer.
        source: DatabaseError,
        /// The rows by their keys, the first of them.
        rows: String,
    },
    /// The control tables could not be read.
    #[error("the record of executed steps cannot be read: {0}; nothing was executed")]
    Control(#[source] DatabaseError),
}

/// `SQLite` waits as long as its connection does.
fn in_the_way(
    blockers: &[Blocker],
    lock_timeout: Duration,
    limited: Option<Limited>,
    source: &DatabaseError,
) -> String {
    let who = blockers::who(blockers, source);
    if source.is_locked_file() {
        return format!("; {who}");
    }
    if let Some(limited) = limited {
        return format!("; {who}; {limited}");
    }
    format!(" of at most {} ms each; {who}", lock_timeout.as_millis())
}

/// A step as people find it: `step 2 of 1_expand/up.sql, lines 4-6 (add the column users.full_name)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepName(String);

impl From<&Step> for StepName {
    fn from(step: &Step) -> Self {
        let (first, last) = step.lines;
        Self(format!(
            "step {} of {}, lines {first}-{last} ({})",
            step.number,
            section_file(step.section, step.direction),
            step.summary
        ))
    }
}

impl std::fmt::Display for StepName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
