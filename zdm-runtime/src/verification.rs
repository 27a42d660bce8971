//! Compares both sides of every row while both are maintained, and records the result.
//!
//! Comes in: a connection, a checked [`Migration`]. Goes out: a row in the control table that gates look at. Each row is
//! compared within one statement, so a mismatch is one. Must not know: stages, what the statements say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::audit;
use crate::backfill::{Way, estimate};
use crate::database::{Connection, DatabaseError, Dialect, Value};
use crate::key::Key;
use crate::manifest::{Backfill, Manifest};
use crate::migration::Migration;
use crate::progress::{Meter, OnProgress};
use crate::quarantine::{self, QuarantineError};
use crate::ranges::{Ranges, Split};

/// The side that is to be read once it is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// On the way forward.
    New,
    /// On the way back from `complete`.
    Old,
}

impl Side {
    /// The tables that have this side: where new columns are only filled, nothing old can be stale.
    fn tables(self, plan: &Manifest) -> impl Iterator<Item = &Backfill> {
        match self {
            Self::New => Way::Up,
            Self::Old => Way::Reverse,
        }
        .tables(plan)
    }

    /// The word in the control table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
        }
    }
}

/// How to go about it.
#[derive(Debug, Clone)]
pub struct VerificationOptions {
    /// Who acts, for the audit log.
    pub actor: String,
    /// Which side is to be read.
    pub side: Side,
    /// Rows per statement.
    pub batch_rows: u32,
    /// How many mismatches are named.
    pub named: usize,
}

impl VerificationOptions {
    /// The defaults, in somebody's name.
    pub fn of(actor: impl Into<String>, side: Side) -> Self {
        Self {
            actor: actor.into(),
            side,
            batch_rows: 10_000,
            named: 20,
        }
    }
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Rows that were compared.
    pub rows: u64,
    /// Rows whose sides are not consistent.
    pub mismatches: u64,
    /// Values in quarantine, about which nothing is said.
    pub skipped: u64,
    /// Rows that left the quarantine because they are right by now.
    pub released: u64,
    /// The first mismatches.
    pub first: Vec<Mismatch>,
}

/// A row whose sides differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Its table.
    pub table: String,
    /// Its key.
    pub key: Key,
    /// The new columns that do not agree with what is old.
    pub columns: Vec<String>,
}

impl Verified {
    /// Whether the side may be read, as far as its rows are concerned.
    pub fn passed(&self) -> bool {
        self.mismatches == 0
    }
}

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
    /// The quarantine could not be read or written.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// The database refused.
    #[error("the comparison stopped: {0}. It only reads, so nothing is half done; verify again")]
    Database(#[from] DatabaseError),
}

/// Compares all rows of the migration's tables and records the result.
pub async fn run(
    connection: &mut Connection,
    migration: &Migration,
    options: &VerificationOptions,
    on_progress: OnProgress<'_>,
) -> Result<Verified, VerificationError> {
    let plan = migration.manifest();
    if plan.dialect != connection.dialect().name() {
        return Err(VerificationError::WrongDialect {
            migration: plan.id.clone(),
            plan: plan.dialect.clone(),
            connection: connection.dialect(),
        });
    }
    let started = Instant::now();
    let id = begin(connection, migration, options.side).await?;
    let mut verified = Verified::default();
    for backfill in options.side.tables(plan) {
        if options.side == Side::New {
            verified.released += quarantine::release_valid(connection, migration, backfill).await?;
        }
        let quarantined = quarantine::kept(connection, migration.id(), &backfill.table).await?;
        verified.skipped += quarantined.values().map(BTreeSet::len).sum::<usize>() as u64;
        let mut table = Table {
            ranges: Ranges::of(migration, backfill),
            quarantined,
            options,
            verified: &mut verified,
        };
        table.compare(connection, on_progress).await?;
    }
    finish(connection, migration, options.side, id, &verified).await?;
    let detail = format!(
        "side {}: {} rows, {} mismatches, {} skipped",
        options.side.name(),
        verified.rows,
        verified.mismatches,
        verified.skipped
    );
    let entry = audit::Entry {
        actor: &options.actor,
        migration: migration.id(),
        action: "verify",
        statement: None,
        outcome: if verified.passed() { "done" } else { "failed" },
        duration: started.elapsed(),
        detail: &detail,
    };
    audit::record(connection, entry).await?;
    Ok(verified)
}

/// Compares the rows of tables between which columns move, without a record: what differs would be gone with what contract drops.
pub async fn of_moves(
    connection: &mut Connection,
    migration: &Migration,
    options: &VerificationOptions,
    on_progress: OnProgress<'_>,
) -> Result<Verified, VerificationError> {
    let plan = migration.manifest();
    let mut verified = Verified::default();
    for backfill in options.side.tables(plan) {
        if plan.pairs.iter().any(|pair| pair.table == backfill.table) {
            continue;
        }
        let mut table = Table {
            ranges: Ranges::of(migration, backfill),
            quarantined: BTreeMap::new(),
            options,
            verified: &mut verified,
        };
        table.compare(connection, on_progress).await?;
    }
    Ok(verified)
}

/// Enters the comparison with the stage's present epoch; its number.
async fn begin(
    connection: &mut Connection,
    migration: &Migration,
    side: Side,
) -> Result<i64, VerificationError> {
    let rows = connection
        .query(
            "INSERT INTO {zdm}verification
                 (migration, epoch, side, state, rows_seen, mismatches, skipped, started_at)
             SELECT migration, epoch, $2, 'running', 0, 0, 0, {now} FROM {zdm}stage WHERE migration = $1
             RETURNING verification",
            &[migration.id().into(), side.name().into()],
        )
        .await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Int(Some(id))]) => Ok(*id),
        Some(row) => Err(DatabaseError::unexpected("which verification this is", row).into()),
        None => Err(VerificationError::NotStarted {
            migration: migration.id().to_owned(),
        }),
    }
}

async fn finish(
    connection: &mut Connection,
    migration: &Migration,
    side: Side,
    id: i64,
    verified: &Verified,
) -> Result<(), VerificationError> {
    let whole = |count: u64| Value::from(i64::try_from(count).unwrap_or(i64::MAX));
    let state = if verified.passed() {
        "passed"
    } else {
        "failed"
    };
    let changed = connection
        .execute(
            "UPDATE {zdm}verification
             SET state = $1, rows_seen = $2, mismatches = $3, skipped = $4, finished_at = {now}
             WHERE verification = $5",
            &[
                state.into(),
                whole(verified.rows),
                whole(verified.mismatches),
                whole(verified.skipped),
                id.into(),
            ],
        )
        .await?;
    if changed == 0 {
        return Err(VerificationError::Overtaken {
            migration: migration.id().to_owned(),
        });
    }
    if verified.passed() {
        return Ok(());
    }
    // The rows that differ are to be filled again, from the side that is read at this stage.
    let filled = match side {
        Side::New => {
            "DELETE FROM {zdm}chunk WHERE migration = $1 AND direction = 'up' AND EXISTS \
             (SELECT 1 FROM {zdm}stage AS now WHERE now.migration = $1 AND now.stage = 'dual_write')"
        }
        Side::Old => "DELETE FROM {zdm}chunk WHERE migration = $1 AND direction = 'reverse'",
    };
    connection.execute(filled, &[migration.id().into()]).await?;
    Ok(())
}

/// The comparison of one table.
struct Table<'a> {
    ranges: Ranges<'a>,
    /// Rows with the new columns of each that wait.
    quarantined: BTreeMap<Key, BTreeSet<String>>,
    options: &'a VerificationOptions,
    verified: &'a mut Verified,
}

impl Table<'_> {
    async fn compare(
        &mut self,
        connection: &mut Connection,
        on_progress: OnProgress<'_>,
    ) -> Result<(), VerificationError> {
        let backfill: &Backfill = self.ranges.backfill;
        let Some((mut start, hi)) = self.ranges.bounds(connection).await? else {
            return Ok(());
        };
        let total = estimate(connection, &backfill.table).await?;
        let before = self.verified.rows;
        let meter = Meter::start(0, Some(total));
        let rows = u64::from(self.options.batch_rows.max(1));
        loop {
            let end = self.ranges.boundary(connection, &start, &hi, rows).await?;
            let Some(end) = end else {
                return Ok(());
            };
            self.range(connection, &start, &end, rows).await?;
            on_progress(&meter.read(
                &backfill.table,
                self.verified.rows - before,
                self.options.batch_rows,
                None,
            ));
            // Ranges that share a row would count it twice.
            match self.ranges.boundary(connection, &end, &hi, 2).await? {
                Some(next) if next != end => start = next,
                _ => return Ok(()),
            }
        }
    }

    /// Compares a range. One that fails is halved down to the rows that fail: a row that the conversion cannot read is
    /// no match, unless it waits in quarantine.
    async fn range(
        &mut self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
        rows: u64,
    ) -> Result<(), VerificationError> {
        let mut open = vec![(start.clone(), end.clone(), rows)];
        while let Some((start, end, rows)) = open.pop() {
            match self.whole(connection, &start, &end).await {
                Ok(()) => continue,
                Err(DatabaseError::Data(_)) => {}
                Err(error) => return Err(error.into()),
            }
            match self.ranges.split(connection, &start, &end, rows).await? {
                Split::Empty => {}
                Split::Row(key) => {
                    self.verified.rows += 1;
                    self.mismatch(key, &self.ranges.backfill.columns);
                }
                Split::Halves([left, right]) => open.extend([right, left]),
            }
        }
        Ok(())
    }

    async fn whole(
        &mut self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
    ) -> Result<(), DatabaseError> {
        let compared = self.ranges.compare(connection, start, end).await?;
        let differing = if compared.mismatches > 0 {
            self.ranges.mismatches(connection, start, end).await?
        } else {
            BTreeMap::new()
        };
        self.verified.rows += compared.rows;
        for (key, columns) in differing {
            self.mismatch(key, &columns);
        }
        Ok(())
    }

    /// A row that waits for one column is still compared in the others.
    fn mismatch(&mut self, key: Key, columns: &[String]) {
        let waits = self.quarantined.get(&key);
        if waits.is_some_and(|waits| columns.iter().all(|column| waits.contains(column))) {
            return;
        }
        self.verified.mismatches += 1;
        if self.verified.first.len() < self.options.named {
            self.verified.first.push(Mismatch {
                table: self.ranges.backfill.table.clone(),
                key,
                columns: columns.to_vec(),
            });
        }
    }
}
