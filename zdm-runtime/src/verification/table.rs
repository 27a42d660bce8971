//! The comparison of one table, range by range.
//!
//! Must not know: what becomes of the result.

use std::collections::{BTreeMap, BTreeSet};

use super::record::Record;
use super::{Mismatch, Side, VerificationError, VerificationOptions, Verified};
use crate::backfill::estimate;
use crate::database::{Connection, DatabaseError};
use crate::key::Key;
use crate::manifest::Backfill;
use crate::progress::{Meter, OnProgress};
use crate::ranges::{Ranges, Split};

/// The comparison of one table.
pub(super) struct Table<'a> {
    pub(super) ranges: Ranges<'a>,
    /// Rows with the new columns of each that wait.
    pub(super) quarantined: BTreeMap<Key, BTreeSet<String>>,
    pub(super) options: &'a VerificationOptions,
    /// Where its progress is put on record; one for itself has none.
    pub(super) record: Option<&'a Record<'a>>,
    pub(super) verified: &'a mut Verified,
}

impl<'a> Table<'a> {
    pub(super) async fn compare(
        &mut self,
        connection: &mut Connection,
        on_progress: OnProgress<'_>,
    ) -> Result<(), VerificationError> {
        let backfill: &Backfill = self.ranges.backfill;
        let Some((mut start, hi)) = self.ranges.bounds(connection).await? else {
            return Ok(());
        };
        let total = estimate(connection, &backfill.table).await?;
        if let Some(cursor) = self.cursor() {
            match self.ranges.boundary(connection, cursor, &hi, 2).await? {
                Some(next) if next != *cursor => start = next,
                _ => return Ok(()),
            }
        }
        let before = self.verified.rows;
        let meter = Meter::start(0, Some(total));
        let rows = u64::from(self.options.batch_rows.max(1));
        loop {
            let end = self.ranges.boundary(connection, &start, &hi, rows).await?;
            let Some(end) = end else {
                return Ok(());
            };
            self.range(connection, &start, &end, rows).await?;
            if let Some(record) = self.record {
                record
                    .advance(connection, &backfill.table, &end, self.verified)
                    .await?;
            }
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

    /// The last key that an earlier process had compared in this table.
    fn cursor(&self) -> Option<&'a Key> {
        let (table, key) = self.record?.cursor.as_ref()?;
        (*table == self.ranges.backfill.table).then_some(key)
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
                    self.mismatch(connection, key, &self.ranges.backfill.columns)
                        .await?;
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
            self.mismatch(connection, key, &columns).await?;
        }
        Ok(())
    }

    /// A row that waits for one column is still compared in the others.
    async fn mismatch(
        &mut self,
        connection: &mut Connection,
        key: Key,
        columns: &[String],
    ) -> Result<(), DatabaseError> {
        let waits = self.quarantined.get(&key);
        if waits.is_some_and(|waits| columns.iter().all(|column| waits.contains(column))) {
            return Ok(());
        }
        self.verified.mismatches += 1;
        if self.options.repair {
            self.repair(connection, &key).await?;
        }
        if self.verified.first.len() < self.options.named {
            self.verified.first.push(Mismatch {
                table: self.ranges.backfill.table.clone(),
                key,
                columns: columns.to_vec(),
            });
        }
        Ok(())
    }

    /// Fills the row from the side that is right, by the backfill's own statement: in one statement, so that no write of the row
    /// in between is lost. A row that cannot be converted stays as it is.
    async fn repair(
        &mut self,
        connection: &mut Connection,
        key: &Key,
    ) -> Result<(), DatabaseError> {
        let backfill = self.ranges.backfill;
        let file = match self.options.side {
            Side::New => Some(&backfill.batch),
            Side::Old => backfill.reverse.as_ref(),
        };
        let Some(file) = file else {
            return Ok(());
        };
        match self.ranges.convert(connection, file, key, key).await {
            Ok(changed) => self.verified.repaired += changed.min(1),
            Err(DatabaseError::Data(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
