//! The comparison of one table, range by range.
//!
//! Must not know: what becomes of the result.

use std::collections::{BTreeMap, BTreeSet};

use super::record::Record;
use super::{Mismatch, Side, VerificationError, VerificationOptions, Verified};
use crate::backfill::estimate;
use crate::database::{Connection, DatabaseError, Dialect};
use crate::key::Key;
use crate::manifest::{Address, Backfill};
use crate::progress::{Meter, OnProgress};
use crate::ranges::{Ranges, Split};

/// The first range where the rows themselves come out for their checksums, and nothing is known of how long they are.
const FIRST_ROWS: u64 = 100;
/// How long an answer may be before the next range is a smaller one.
const LONG: usize = 4 * 1024 * 1024;

/// What became of a row that differed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filled {
    /// This comparison has filled it.
    Here,
    /// Somebody else has, or it is gone.
    Before,
    /// It is as it was.
    Not,
}

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
        if let Some(address) = &backfill.address {
            return self.at_once(connection, address, on_progress).await;
        }
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
        let most = u64::from(self.options.batch_rows.max(1));
        let mut rows = match connection.dialect() {
            Dialect::Postgres => most,
            Dialect::Sqlite => most.min(FIRST_ROWS),
        };
        loop {
            let end = self.ranges.boundary(connection, &start, &hi, rows).await?;
            let Some(end) = end else {
                return Ok(());
            };
            let bytes = self.range(connection, &start, &end, rows).await?;
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
            rows = next_rows(rows, bytes).min(most);
            // Ranges that share a row would count it twice.
            match self.ranges.boundary(connection, &end, &hi, 2).await? {
                Some(next) if next != end => start = next,
                _ => return Ok(()),
            }
        }
    }

    /// Rows that nothing tells apart may be moved from one range into another, so one statement compares all of them.
    async fn at_once(
        &mut self,
        connection: &mut Connection,
        address: &Address,
        on_progress: OnProgress<'_>,
    ) -> Result<(), VerificationError> {
        // It is on record when it is compared.
        if self.cursor().is_some() {
            return Ok(());
        }
        let backfill = self.ranges.backfill;
        let total = estimate(connection, &backfill.table).await?;
        let meter = Meter::start(0, Some(total));
        let (first, last) = (Key::of([&address.first]), Key::of([&address.last]));
        let before = self.verified.rows;
        self.range(connection, &first, &last, total.max(1)).await?;
        if let Some(record) = self.record {
            record
                .advance(connection, &backfill.table, &last, self.verified)
                .await?;
        }
        let rows = self.verified.rows - before;
        on_progress(&meter.read(&backfill.table, rows, self.options.batch_rows, None));
        Ok(())
    }

    /// The last key that an earlier process had compared in this table.
    fn cursor(&self) -> Option<&'a Key> {
        let (table, key) = self.record?.cursor.as_ref()?;
        (*table == self.ranges.backfill.table).then_some(key)
    }

    /// Compares a range. One that fails is halved down to the rows that fail: a row that the conversion cannot read is
    /// no match, unless it waits in quarantine. How long the longest answer was.
    async fn range(
        &mut self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
        rows: u64,
    ) -> Result<usize, VerificationError> {
        let mut longest = 0;
        let mut open = vec![(start.clone(), end.clone(), rows)];
        while let Some((start, end, rows)) = open.pop() {
            match self.whole(connection, &start, &end).await {
                Ok(bytes) => {
                    longest = longest.max(bytes);
                    continue;
                }
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
        Ok(longest)
    }

    async fn whole(
        &mut self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
    ) -> Result<usize, DatabaseError> {
        let summed = self.verified.checksums.is_some();
        let backfill = self.ranges.backfill;
        let checksums = backfill.checksums.as_deref().filter(|_| summed);
        let compared = self
            .ranges
            .compare(connection, start, end, checksums)
            .await?;
        let differing = if compared.mismatches > 0 {
            self.ranges.mismatches(connection, start, end).await?
        } else {
            BTreeMap::new()
        };
        self.verified.rows += compared.rows;
        if let (Some(all), Some(these)) = (&mut self.verified.checksums, &compared.checksums) {
            all.add(these);
        }
        if backfill.address.is_some() {
            // All that differ count, though only the first of them are named.
            let named = u64::try_from(differing.len()).unwrap_or_default();
            self.verified.mismatches += compared.mismatches.saturating_sub(named);
        }
        let named = differing.len();
        for (key, columns) in differing {
            self.mismatch(connection, key, &columns).await?;
        }
        let unnamed = compared.mismatches > u64::try_from(named).unwrap_or_default();
        if self.options.repair && unnamed && backfill.address.is_some() {
            self.repair_unnamed(connection, start, end).await?;
        }
        Ok(compared.bytes)
    }

    /// Repairs the rows behind the first that are named, as long as that makes any of them consistent.
    async fn repair_unnamed(
        &mut self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
    ) -> Result<(), DatabaseError> {
        loop {
            let before = self.verified.right_by_now();
            let differing = self.ranges.mismatches(connection, start, end).await?;
            for key in differing.keys() {
                self.repair(connection, key).await?;
            }
            if self.verified.right_by_now() == before {
                return Ok(());
            }
        }
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
    /// in between is lost. A row that cannot be converted stays as it is, and what others have filled first is theirs.
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
        let filled = if backfill.address.is_some() {
            self.fill(connection, file, key).await
        } else {
            connection.begin().await?;
            let filled = self.fill_alone(connection, file, key).await;
            connection.end(filled).await
        };
        match filled {
            Ok(Filled::Here) => self.verified.repaired += 1,
            Ok(Filled::Before) => self.verified.by_others += 1,
            Ok(Filled::Not) | Err(DatabaseError::Data(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// In a transaction, before which all others are kept out that repair: between two tables a statement that has waited for a row
    /// does not look again at what it joins, and would count what was filled meanwhile.
    async fn fill_alone(
        &self,
        connection: &mut Connection,
        file: &str,
        key: &Key,
    ) -> Result<Filled, DatabaseError> {
        if connection.dialect() == Dialect::Postgres {
            let alone = "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('zdm.repair ' || $1))::text";
            let migration = self.ranges.migration.id();
            connection.query(alone, &[migration.into()]).await?;
        }
        let compared = self.ranges.compare(connection, key, key, None).await?;
        if compared.mismatches == 0 {
            return Ok(Filled::Before);
        }
        self.fill(connection, file, key).await
    }

    async fn fill(
        &self,
        connection: &mut Connection,
        file: &str,
        key: &Key,
    ) -> Result<Filled, DatabaseError> {
        if self.ranges.convert(connection, file, key, key).await? > 0 {
            return Ok(Filled::Here);
        }
        let compared = self.ranges.compare(connection, key, key, None).await?;
        Ok(match compared.mismatches {
            0 => Filled::Before,
            _ => Filled::Not,
        })
    }
}

/// The rows of the next range, after one of so many whose answer was so long.
fn next_rows(rows: u64, bytes: usize) -> u64 {
    if bytes > LONG {
        let times = u64::try_from(bytes / LONG + 1).unwrap_or(u64::MAX);
        (rows / times).max(1)
    } else if bytes > LONG / 2 {
        rows
    } else {
        rows.saturating_mul(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_the_length_of_their_rows() {
        assert_eq!(next_rows(100, 0), 200);
        assert_eq!(next_rows(100, LONG), 100);
        assert_eq!(next_rows(100, 10 * LONG), 9);
        assert_eq!(next_rows(2, 100 * LONG), 1);
    }
}
