//! The statements of one table's backfill, asked for ranges of keys. Both ends belong to a range.
//!
//! Must not know: ledgers, leases, what the statements say.

mod unseen;
mod whole;

use std::collections::BTreeMap;

use crate::checksum::Checksums;
use crate::database::{Connection, DatabaseError, Row, Value};
use crate::key::Key;
use crate::manifest::Backfill;
use crate::migration::Migration;
use unseen::Unseen;

/// A table's backfill with its SQL at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranges<'a> {
    pub(crate) migration: &'a Migration,
    /// What the plan says of it.
    pub(crate) backfill: &'a Backfill,
}

/// What a range holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) rows: u64,
    pub(crate) mismatches: u64,
    pub(crate) checksums: Option<Checksums>,
    /// How long the answer is that the checksums are made of.
    pub(crate) bytes: usize,
}

/// A value that cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) key: Key,
    pub(crate) column: String,
    pub(crate) value_type: String,
}

/// A range in two, to find the row on which a statement fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Split {
    /// No row is left in it.
    Empty,
    /// It holds one row.
    Row(Key),
    /// Start, end and the number of rows at most, of each half.
    Halves([(Key, Key, u64); 2]),
}

/// The statements of a column to which a function of the application gives its values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByFunction<'a> {
    /// Reads the rows that it is called for.
    pub(crate) inputs: &'a str,
    /// How many columns it takes.
    pub(crate) taken: usize,
    /// Takes its values.
    pub(crate) batch: &'a str,
    /// Takes values away of rows that it refused, where these may have any.
    pub(crate) refused: Option<&'a str>,
}

impl<'a> Ranges<'a> {
    pub(crate) fn of(migration: &'a Migration, backfill: &'a Backfill) -> Self {
        Self {
            migration,
            backfill,
        }
    }

    /// The least and the greatest key; `None` for an empty table.
    pub(crate) async fn bounds(
        self,
        connection: &mut Connection,
    ) -> Result<Option<(Key, Key)>, DatabaseError> {
        if self.backfill.address.is_some() {
            return self.ends(connection).await;
        }
        let mut unseen = Unseen::default();
        while let Some((lo, hi)) = self.ends(connection).await? {
            let lost = if !self.has(connection, &lo).await? {
                lo
            } else if !self.has(connection, &hi).await? {
                hi
            } else {
                return Ok(Some((lo, hi)));
            };
            unseen.again(lost, &self.backfill.table)?;
        }
        Ok(None)
    }

    async fn ends(self, connection: &mut Connection) -> Result<Option<(Key, Key)>, DatabaseError> {
        let columns = self.backfill.key.len();
        let rows = connection
            .query_file(self.migration.file(&self.backfill.bounds), &[])
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let greatest = row.get(columns..).unwrap_or_default();
        Ok(Some((
            Key::read(row, columns)?,
            Key::read(greatest, columns)?,
        )))
    }

    /// The greatest key among the first `limit` rows; `None` for an empty range.
    pub(crate) async fn boundary(
        self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
        limit: u64,
    ) -> Result<Option<Key>, DatabaseError> {
        let mut unseen = Unseen::default();
        while let Some(key) = self.last(connection, start, end, limit).await? {
            if self.has(connection, &key).await? {
                return Ok(Some(key));
            }
            unseen.again(key, &self.backfill.table)?;
        }
        Ok(None)
    }

    /// Where about `limit` rows end: at the greatest key among them, or at an address at which no row needs to stand.
    pub(crate) async fn step(
        self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
        limit: u64,
    ) -> Result<Option<Key>, DatabaseError> {
        let address = self.backfill.address.as_ref();
        match address.and_then(|address| address.step.as_ref()) {
            Some(file) => self.reached(connection, file, (start, end), limit).await,
            None => self.boundary(connection, start, end, limit).await,
        }
    }

    /// How many rows of the table one statement finds that are not consistent; where it is on the way back, as `back` has it. `None`: a
    /// key finds rows, so that a pass over all ranges says the same.
    pub(crate) async fn left(
        self,
        connection: &mut Connection,
        back: bool,
    ) -> Result<Option<u64>, DatabaseError> {
        let Some(address) = &self.backfill.address else {
            return Ok(None);
        };
        let file = if back {
            address.left_back.as_ref().unwrap_or(&address.left)
        } else {
            &address.left
        };
        let rows = self.looked_at(connection, file, &[]).await?;
        counted(&rows, "how many rows are left").map(Some)
    }

    /// Whether a row lies behind `end`, up to `key`.
    pub(crate) async fn reaches_beyond(
        self,
        connection: &mut Connection,
        end: &Key,
        key: &Key,
    ) -> Result<bool, DatabaseError> {
        let last = self.boundary(connection, end, key, 2).await?;
        Ok(last.is_some_and(|last| last != *end))
    }

    /// Whether a row is found by the text of its key.
    pub(crate) async fn has(
        self,
        connection: &mut Connection,
        key: &Key,
    ) -> Result<bool, DatabaseError> {
        Ok(self.last(connection, key, key, 1).await?.is_some())
    }

    async fn last(
        self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
        limit: u64,
    ) -> Result<Option<Key>, DatabaseError> {
        let file = &self.backfill.boundary;
        self.reached(connection, file, (start, end), limit).await
    }

    async fn reached(
        self,
        connection: &mut Connection,
        file: &str,
        (start, end): (&Key, &Key),
        limit: u64,
    ) -> Result<Option<Key>, DatabaseError> {
        let mut values = Key::range(start, end);
        values.push(Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
        let rows = connection
            .query_file(self.migration.file(file), &values)
            .await?;
        rows.first()
            .map(|row| Key::read(row, self.backfill.key.len()))
            .transpose()
    }

    /// How many rows a range holds.
    pub(crate) async fn count(
        self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
    ) -> Result<u64, DatabaseError> {
        let sql = self.migration.file(&self.backfill.count);
        let rows = connection.query_file(sql, &Key::range(start, end)).await?;
        counted(&rows, "how many rows a range has")
    }

    /// Makes every row of the range consistent by one of the plan's files; how many rows that changed.
    pub(crate) async fn convert(
        self,
        connection: &mut Connection,
        file: &str,
        start: &Key,
        end: &Key,
    ) -> Result<u64, DatabaseError> {
        connection
            .execute_file(self.migration.file(file), &Key::range(start, end))
            .await
    }

    /// The statements of the column to which a function of the application gives its values; none where SQL converts.
    pub(crate) fn by_function(self) -> Option<ByFunction<'a>> {
        let computed = self.backfill.computed.as_ref()?;
        let refused = computed.refused.as_ref();
        Some(ByFunction {
            inputs: self.migration.file(&computed.inputs),
            taken: computed.taken.len(),
            batch: self.migration.file(&self.backfill.batch),
            refused: refused.map(|path| self.migration.file(path)),
        })
    }

    /// Counts the rows of the range and those that are not consistent; where it is asked for, with checksums.
    pub(crate) async fn compare(
        self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
        checksums: Option<&str>,
    ) -> Result<Compared, DatabaseError> {
        let file = checksums.unwrap_or(&self.backfill.verify);
        let rows = self
            .looked_at(connection, file, &Key::range(start, end))
            .await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let (checksums, bytes) = match row.get(2..) {
            Some([Value::Int(Some(by_down)), answer @ ..]) => {
                let by_down = u64::try_from(*by_down).unwrap_or_default();
                let read = Checksums::read(&self.backfill.table, by_down, answer)?;
                (Some(read), length(answer))
            }
            _ => (None, 0),
        };
        let [Value::Int(Some(seen)), Value::Int(mismatches), ..] = row else {
            return Err(DatabaseError::unexpected(
                "how many rows are consistent",
                row,
            ));
        };
        Ok(Compared {
            rows: u64::try_from(*seen).unwrap_or_default(),
            // A sum over no rows is NULL.
            mismatches: u64::try_from(mismatches.unwrap_or_default()).unwrap_or_default(),
            checksums,
            bytes,
        })
    }

    /// The keys of the rows of the range that are not consistent, with the new columns that are not.
    pub(crate) async fn mismatches(
        self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
    ) -> Result<BTreeMap<Key, Vec<String>>, DatabaseError> {
        let columns = self.backfill.key.len();
        let rows = self
            .looked_at(
                connection,
                &self.backfill.mismatches,
                &Key::range(start, end),
            )
            .await?;
        let mut found: BTreeMap<Key, Vec<String>> = BTreeMap::new();
        for row in &rows {
            let Some([Value::Text(Some(column))]) = row.get(columns..) else {
                return Err(DatabaseError::unexpected("which column differs", row));
            };
            let key = Key::read(row, columns)?;
            found.entry(key).or_default().push(column.clone());
        }
        Ok(found)
    }

    /// The values of the range that cannot be converted, where the plan has a test for that.
    pub(crate) async fn invalid(
        self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
    ) -> Result<Vec<Invalid>, DatabaseError> {
        let Some(file) = &self.backfill.invalid else {
            return Ok(Vec::new());
        };
        let columns = self.backfill.key.len();
        let rows = connection
            .query_file(self.migration.file(file), &Key::range(start, end))
            .await?;
        rows.iter()
            .map(|row| match row.get(columns..) {
                Some([Value::Text(Some(column)), Value::Text(Some(value_type))]) => Ok(Invalid {
                    key: Key::read(row, columns)?,
                    column: column.clone(),
                    value_type: value_type.clone(),
                }),
                _ => Err(DatabaseError::unexpected(
                    "which values cannot be converted",
                    row,
                )),
            })
            .collect()
    }

    /// Divides a range of at most `rows` rows. The halves share no row: a row that fails would fail both.
    pub(crate) async fn split(
        self,
        connection: &mut Connection,
        start: &Key,
        end: &Key,
        rows: u64,
    ) -> Result<Split, DatabaseError> {
        let mut rows = rows.max(1);
        loop {
            let half = rows.div_ceil(2);
            let Some(middle) = self.boundary(connection, start, end, half).await? else {
                return Ok(Split::Empty);
            };
            let right = match self.boundary(connection, &middle, end, 2).await? {
                Some(next) if next != middle => Some(next),
                _ => None,
            };
            match right {
                Some(next) => {
                    return Ok(Split::Halves([
                        (start.clone(), middle, half),
                        (next, end.clone(), rows - half),
                    ]));
                }
                None if half == 1 => return Ok(Split::Row(middle)),
                None => rows = half,
            }
        }
    }
}

fn counted(rows: &[Row], what: &'static str) -> Result<u64, DatabaseError> {
    match rows.first().map(Vec::as_slice).unwrap_or_default() {
        [Value::Int(Some(count))] => Ok(u64::try_from(*count).unwrap_or_default()),
        row => Err(DatabaseError::unexpected(what, row)),
    }
}

fn length(answer: &[Value]) -> usize {
    let lengths = answer.iter().map(|value| match value {
        Value::Text(Some(text)) => text.len(),
        _ => 0,
    });
    lengths.sum()
}
