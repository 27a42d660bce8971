//! The record of a comparison: begun, gone on with where an earlier one was interrupted, ended.
//!
//! Must not know: how rows are compared.

use std::time::Duration;

use super::{Side, VerificationError, VerificationOptions, Verified};
use crate::checksum::{Checksum, Checksums};
use crate::database::{Connection, DatabaseError, Row, Value};
use crate::key::Key;
use crate::migration::Migration;

/// How long a comparison may be silent before another goes on with its record.
const LEASE: Duration = Duration::from_secs(30);

/// A comparison that this process is at.
#[derive(Debug)]
pub(super) struct Record<'a> {
    migration: &'a Migration,
    side: Side,
    id: i64,
    lease_epoch: i64,
    /// Where an earlier process had got to: a table, and the last key that was compared in it.
    pub(super) cursor: Option<(String, Key)>,
}

impl<'a> Record<'a> {
    /// Goes on with a comparison that nobody is at, of the stage's present epoch and without a mismatch so far, or begins one.
    pub(super) async fn open(
        connection: &mut Connection,
        migration: &'a Migration,
        options: &VerificationOptions,
    ) -> Result<(Self, Verified), VerificationError> {
        if let Some(resumed) = Self::resume(connection, migration, options).await? {
            return Ok(resumed);
        }
        let verified = Verified {
            checksums: is_summed(migration, options).then(Checksums::default),
            ..Verified::default()
        };
        let begun = Self::begin(connection, migration, options, &verified).await?;
        Ok((begun, verified))
    }

    async fn resume(
        connection: &mut Connection,
        migration: &'a Migration,
        options: &VerificationOptions,
    ) -> Result<Option<(Self, Verified)>, VerificationError> {
        let rows = connection
            .query(
                "UPDATE {zdm}verification
                 SET lease_owner = $1, lease_epoch = lease_epoch + 1, lease_until = {now} + $2
                 WHERE verification = (
                     SELECT max(verification) FROM {zdm}verification
                     WHERE migration = $3 AND side = $4 AND state = 'running' AND mismatches = 0 AND lease_until < {now}
                       AND cursor_key IS NOT NULL
                       AND epoch = (SELECT epoch FROM {zdm}stage AS now WHERE now.migration = $3)
                 ) AND lease_until < {now}
                 RETURNING verification, lease_epoch, cursor_table, cursor_key, rows_seen, old_checksum, new_checksum, by_down",
                &[
                    options.worker.as_str().into(),
                    lease().into(),
                    migration.id().into(),
                    options.side.name().into(),
                ],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let [
            Value::Int(Some(id)),
            Value::Int(Some(lease_epoch)),
            Value::Text(Some(table)),
            Value::Text(Some(key)),
            Value::Int(Some(seen)),
            ..,
        ] = row.as_slice()
        else {
            return Err(DatabaseError::unexpected("how far a verification is", row).into());
        };
        let mut tables = options.side.tables(migration.manifest());
        let (Ok(key), true) = (Key::decode(key), tables.any(|known| known.table == *table)) else {
            return Err(DatabaseError::unexpected("how far a verification is", row).into());
        };
        let verified = Verified {
            rows: u64::try_from(*seen).unwrap_or_default(),
            checksums: recorded_sums(row)?.filter(|_| is_summed(migration, options)),
            ..Verified::default()
        };
        let record = Self {
            migration,
            side: options.side,
            id: *id,
            lease_epoch: *lease_epoch,
            cursor: Some((table.clone(), key)),
        };
        Ok(Some((record, verified)))
    }

    async fn begin(
        connection: &mut Connection,
        migration: &'a Migration,
        options: &VerificationOptions,
        verified: &Verified,
    ) -> Result<Self, VerificationError> {
        let [old, new, by_down] = sums(verified);
        let rows = connection
            .query(
                "INSERT INTO {zdm}verification
                     (migration, epoch, side, state, rows_seen, mismatches, skipped, started_at, lease_owner, lease_epoch, lease_until,
                      old_checksum, new_checksum, by_down)
                 SELECT migration, epoch, $2, 'running', 0, 0, 0, {now}, $3, 1, {now} + $4, $5, $6, $7
                 FROM {zdm}stage WHERE migration = $1
                 RETURNING verification",
                &[
                    migration.id().into(),
                    options.side.name().into(),
                    options.worker.as_str().into(),
                    lease().into(),
                    old,
                    new,
                    by_down,
                ],
            )
            .await?;
        match rows.first().map(Vec::as_slice) {
            Some([Value::Int(Some(id))]) => Ok(Self {
                migration,
                side: options.side,
                id: *id,
                lease_epoch: 1,
                cursor: None,
            }),
            Some(row) => Err(DatabaseError::unexpected("which verification this is", row).into()),
            None => Err(VerificationError::NotStarted {
                migration: migration.id().to_owned(),
            }),
        }
    }

    /// Puts on record how far it is.
    pub(super) async fn advance(
        &self,
        connection: &mut Connection,
        table: &str,
        key: &Key,
        verified: &Verified,
    ) -> Result<(), VerificationError> {
        let [old, new, by_down] = sums(verified);
        let changed = connection
            .execute(
                "UPDATE {zdm}verification
                 SET cursor_table = $1, cursor_key = $2, rows_seen = $3, mismatches = $4, lease_until = {now} + $5,
                     old_checksum = $8, new_checksum = $9, by_down = $10
                 WHERE verification = $6 AND lease_epoch = $7",
                &[
                    table.into(),
                    key.encode().into(),
                    whole(verified.rows),
                    whole(verified.mismatches),
                    lease().into(),
                    self.id.into(),
                    self.lease_epoch.into(),
                    old,
                    new,
                    by_down,
                ],
            )
            .await?;
        if changed == 0 {
            return Err(self.lost(connection).await?);
        }
        Ok(())
    }

    /// Ends it. Rows that differ are to be filled again, unless all of them were repaired, here or by others.
    pub(super) async fn finish(
        &self,
        connection: &mut Connection,
        verified: &Verified,
    ) -> Result<(), VerificationError> {
        let state = if verified.passed() {
            "passed"
        } else {
            "failed"
        };
        let [old, new, by_down] = sums(verified);
        let changed = connection
            .execute(
                "UPDATE {zdm}verification
                 SET state = $1, rows_seen = $2, mismatches = $3, skipped = $4, repaired = $5, finished_at = {now},
                     old_checksum = $8, new_checksum = $9, by_down = $10
                 WHERE verification = $6 AND lease_epoch = $7",
                &[
                    state.into(),
                    whole(verified.rows),
                    whole(verified.mismatches),
                    whole(verified.skipped),
                    whole(verified.repaired),
                    self.id.into(),
                    self.lease_epoch.into(),
                    old,
                    new,
                    by_down,
                ],
            )
            .await?;
        if changed == 0 {
            return Err(self.lost(connection).await?);
        }
        if verified.mismatches > verified.right_by_now() {
            self.fill_again(connection).await?;
        }
        Ok(())
    }

    /// From the side that is read at this stage.
    async fn fill_again(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        let filled = match self.side {
            Side::New => {
                "DELETE FROM {zdm}chunk WHERE migration = $1 AND direction = 'up' AND EXISTS \
                 (SELECT 1 FROM {zdm}stage AS now WHERE now.migration = $1 AND now.stage = 'dual_write')"
            }
            Side::Old => "DELETE FROM {zdm}chunk WHERE migration = $1 AND direction = 'reverse'",
        };
        connection
            .execute(filled, &[self.migration.id().into()])
            .await?;
        Ok(())
    }

    /// A hop forgets a comparison that runs; another process goes on with one that is silent.
    async fn lost(&self, connection: &mut Connection) -> Result<VerificationError, DatabaseError> {
        let migration = self.migration.id().to_owned();
        let there = "SELECT 1 FROM {zdm}verification WHERE verification = $1";
        let there = connection.query(there, &[self.id.into()]).await?;
        Ok(if there.is_empty() {
            VerificationError::Overtaken { migration }
        } else {
            VerificationError::TakenOver { migration }
        })
    }
}

/// Who is at a comparison of the migration, gone or not.
pub async fn owners(
    connection: &mut Connection,
    migration: &str,
) -> Result<Vec<String>, DatabaseError> {
    let rows = connection
        .query(
            "SELECT DISTINCT lease_owner FROM {zdm}verification
             WHERE migration = $1 AND state = 'running' AND lease_owner IS NOT NULL",
            &[migration.into()],
        )
        .await?;
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [Value::Text(Some(owner))] => Ok(owner.clone()),
            _ => Err(DatabaseError::unexpected("who compares rows", &row)),
        })
        .collect()
}

/// Lets the next comparison go on with that of somebody who is known to be gone.
pub async fn take_over(
    connection: &mut Connection,
    migration: &str,
    owner: &str,
) -> Result<(), DatabaseError> {
    connection
        .execute(
            "UPDATE {zdm}verification SET lease_until = 0
             WHERE migration = $1 AND state = 'running' AND lease_owner = $2",
            &[migration.into(), owner.into()],
        )
        .await?;
    Ok(())
}

/// One table without them would leave a sum that covers a part of the rows.
fn is_summed(migration: &Migration, options: &VerificationOptions) -> bool {
    let mut tables = options.side.tables(migration.manifest());
    options.checksums && tables.all(|backfill| backfill.checksums.is_some())
}

/// As they stand in the control table; NULL where none are made.
fn sums(verified: &Verified) -> [Value; 3] {
    let sums = verified.checksums.as_ref();
    let text = |of: fn(&Checksums) -> Checksum| Value::Text(sums.map(|sums| of(sums).to_string()));
    [
        text(|sums| sums.old),
        text(|sums| sums.new),
        sums.map_or(Value::Int(None), |sums| whole(sums.by_down)),
    ]
}

/// Out of the last three columns of a row of the control table.
pub(super) fn recorded_sums(row: &Row) -> Result<Option<Checksums>, DatabaseError> {
    let odd = || DatabaseError::unexpected("the checksums of a verification", row);
    let read = |text: &str| Checksum::of_text(text).ok_or_else(odd);
    match row.as_slice() {
        [
            ..,
            Value::Text(Some(old)),
            Value::Text(Some(new)),
            Value::Int(Some(by_down)),
        ] => Ok(Some(Checksums {
            old: read(old)?,
            new: read(new)?,
            by_down: u64::try_from(*by_down).unwrap_or_default(),
        })),
        // A NULL has no kind of its own on `SQLite`.
        [.., Value::Text(None), Value::Text(None), _] => Ok(None),
        _ => Err(odd()),
    }
}

fn whole(count: u64) -> Value {
    Value::from(i64::try_from(count).unwrap_or(i64::MAX))
}

fn lease() -> i64 {
    i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX)
}
