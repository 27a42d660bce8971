//! Compares both sides of every row while both are maintained, and records the result.
//!
//! Comes in: a connection, a checked [`Migration`]. Goes out: a row in the control table that gates look at. Each row is
//! compared within one statement, so a mismatch is one. Must not know: stages, what the statements say.

mod error;
mod last;
mod record;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

pub use error::VerificationError;
pub use last::{Ended, last};
pub use record::{owners, take_over};

use crate::audit;
use crate::backfill::Way;
use crate::checksum::Checksums;
use crate::database::{Connection, Value};
use crate::key::Key;
use crate::manifest::{Backfill, Manifest};
use crate::migration::Migration;
use crate::progress::OnProgress;
use crate::quarantine;
use crate::ranges::Ranges;
use record::Record;
use table::Table;

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
    /// Fill each row that differs from the side that is read: new from old at `dual_write`, old from new on the way back.
    pub repair: bool,
    /// Make a checksum per side, where the version says how.
    pub checksums: bool,
    /// This process's name, unlike every other's: another goes on with its comparison only when it is silent.
    pub worker: String,
}

impl VerificationOptions {
    /// The defaults, in somebody's name.
    pub fn of(actor: impl Into<String>, side: Side) -> Self {
        Self {
            actor: actor.into(),
            side,
            batch_rows: 10_000,
            named: 20,
            repair: false,
            checksums: true,
            worker: "one".to_owned(),
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
    /// Of the mismatches, those that were filled anew. They count as mismatches: the next comparison says whether they are right.
    pub repaired: u64,
    /// Of the mismatches, those that others had filled or taken away before this comparison came to fill them.
    pub by_others: u64,
    /// What the sides hold, row by row; none where no checksums were made. A row that the conversion cannot read is in neither.
    pub checksums: Option<Checksums>,
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

    /// Of the mismatches, those that nothing is left to do for.
    pub fn right_by_now(&self) -> u64 {
        self.repaired + self.by_others
    }
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
    if options.repair {
        repairable(connection, migration, options.side).await?;
    }
    let (record, mut verified) = Record::open(connection, migration, options).await?;
    let mut ended_before = record.cursor.is_some();
    for backfill in options.side.tables(plan) {
        if options.side == Side::New {
            verified.released += quarantine::release_valid(connection, migration, backfill).await?;
        }
        let quarantined = quarantine::kept(connection, migration.id(), &backfill.table).await?;
        verified.skipped += quarantined.values().map(BTreeSet::len).sum::<usize>() as u64;
        // An earlier process had ended the tables before the one that it was at.
        ended_before &= record
            .cursor
            .as_ref()
            .is_some_and(|(at, _)| *at != backfill.table);
        if ended_before {
            continue;
        }
        let mut table = Table {
            ranges: Ranges::of(migration, backfill),
            quarantined,
            options,
            record: Some(&record),
            verified: &mut verified,
        };
        table.compare(connection, on_progress).await?;
    }
    record.finish(connection, &verified).await?;
    let detail = told(options.side, &verified);
    let entry = audit::Entry {
        actor: &options.actor,
        migration: migration.id(),
        content_hash: None,
        action: "verify",
        statement: None,
        outcome: if verified.passed() { "done" } else { "failed" },
        duration: started.elapsed(),
        detail: &detail,
    };
    audit::record(connection, entry).await?;
    Ok(verified)
}

/// For the audit log.
fn told(side: Side, verified: &Verified) -> String {
    let counts = format!(
        "side {}: {} rows, {} mismatches, {} repaired{}, {} skipped",
        side.name(),
        verified.rows,
        verified.mismatches,
        verified.repaired,
        match verified.by_others {
            0 => String::new(),
            rows => format!(", {rows} by others"),
        },
        verified.skipped
    );
    match &verified.checksums {
        Some(sums) => format!(
            "{counts}; checksums old {}, new {}, {} rows by down alone",
            sums.old, sums.new, sums.by_down
        ),
        None => counts,
    }
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
            record: None,
            verified: &mut verified,
        };
        table.compare(connection, on_progress).await?;
    }
    Ok(verified)
}

/// New is filled from old only as long as nothing is read from it.
async fn repairable(
    connection: &mut Connection,
    migration: &Migration,
    side: Side,
) -> Result<(), VerificationError> {
    for backfill in side.tables(migration.manifest()) {
        if let (Side::New, Some(computed)) = (side, &backfill.computed) {
            return Err(VerificationError::Computed {
                table: backfill.table.clone(),
                function: computed.function.clone(),
            });
        }
    }
    let rows = connection
        .query(
            "SELECT stage FROM {zdm}stage WHERE migration = $1",
            &[migration.id().into()],
        )
        .await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Text(Some(stage))]) if side == Side::New && stage != "dual_write" => {
            Err(VerificationError::NotRepairable {
                migration: migration.id().to_owned(),
                stage: stage.clone(),
            })
        }
        _ => Ok(()),
    }
}
