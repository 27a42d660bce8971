//! The rows of a range: read, computed, written back where they are still as they were read.
//!
//! Comes in: a range inside a transaction. Goes out: how many rows have their value, which have none and why.
//! Must not know: the ledger, what becomes of rows without a value.

use std::collections::BTreeMap;
use std::pin::Pin;

use super::call::Fault;
use super::{Function, Of};
use crate::database::{Connection, DatabaseError, Value};
use crate::key::Key;
use crate::ranges::{ByFunction, Ranges};

/// So often in a row a row may be found as it was and take no value: then its key does not find it.
const ENOUGH: u32 = 5;

/// What became of a range.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pub(crate) changed: u64,
    /// The rows for which the function gave an `Err`.
    pub(crate) refused: Vec<(Key, String)>,
    /// The row at which nobody can go on.
    pub(crate) stopped: Option<(Key, String)>,
}

/// A row that waits for its value.
pub(super) struct Read<R> {
    /// The key and what the function takes.
    pub(super) texts: Texts,
    pub(super) row: R,
}

type Texts = Vec<Option<String>>;

/// What became of rows.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) changed: u64,
    /// Row by row, up to one at which nobody can go on.
    pub(super) outcomes: Vec<Result<(), Fault>>,
}

impl Written {
    pub(super) fn is_stopped(&self) -> bool {
        let mut outcomes = self.outcomes.iter();
        outcomes.any(|outcome| matches!(outcome, Err(Fault::Failed(_))))
    }
}

/// What a kind of database does with rows.
pub(super) trait Driver: Send + Sync {
    type Row: Send;

    fn read(
        &self,
        connection: &mut Connection,
        sql: &str,
        range: &[Value],
        texts: usize,
    ) -> impl Future<Output = Result<Vec<Read<Self::Row>>, DatabaseError>> + Send;

    /// Writes what the function gives, and takes away what rows have that it refuses.
    fn write(
        &self,
        connection: &mut Connection,
        sql: ByFunction<'_>,
        range: &[Value],
        rows: Vec<Read<Self::Row>>,
        keys: usize,
    ) -> impl Future<Output = Result<Written, DatabaseError>> + Send;
}

/// Fills a range. A row that somebody changes in between keeps what it has and is read again, until none is left that waits.
///
/// As one type, because the compiler does not see of the other that it may be sent to another thread.
pub(crate) fn fill<'a>(
    function: &Function,
    ranges: Ranges<'a>,
    connection: &'a mut Connection,
    start: &'a Key,
    end: &'a Key,
) -> Pin<Box<dyn Future<Output = Result<Filled, DatabaseError>> + Send + 'a>> {
    match function.of {
        #[cfg(feature = "postgres")]
        Of::Postgres(calls) => Box::pin(by(calls, ranges, connection, start, end)),
        #[cfg(feature = "sqlite")]
        Of::Sqlite(calls) => Box::pin(by(calls, ranges, connection, start, end)),
    }
}

async fn by<D: Driver>(
    driver: D,
    ranges: Ranges<'_>,
    connection: &mut Connection,
    start: &Key,
    end: &Key,
) -> Result<Filled, DatabaseError> {
    let Some(sql) = ranges.by_function() else {
        return Ok(Filled::default());
    };
    let keys = ranges.backfill.key.len();
    let texts = keys + sql.taken;
    let range = Key::range(start, end);
    let mut changed = 0;
    let mut refused: BTreeMap<Key, (Texts, String)> = BTreeMap::new();
    let mut same = Same::default();
    loop {
        let rows = driver.read(connection, sql.inputs, &range, texts).await?;
        let rows = keyed(rows, keys)?;
        refused.retain(|key, (texts, _)| rows.get(key).is_some_and(|read| read.texts == *texts));
        let (mut at, mut open) = (Vec::new(), Vec::new());
        for (key, read) in rows {
            if !refused.contains_key(&key) {
                at.push((key, read.texts.clone()));
                open.push(read);
            }
        }
        if at.is_empty() {
            return Ok(filled(changed, refused));
        }
        same.met(&at[0], &ranges.backfill.table)?;
        let written = driver.write(connection, sql, &range, open, keys).await?;
        changed += written.changed;
        let all = written.changed == at.len() as u64;
        for ((key, texts), outcome) in at.into_iter().zip(written.outcomes) {
            match outcome {
                Ok(()) => {}
                Err(Fault::Refused(reason)) => {
                    refused.insert(key, (texts, reason));
                }
                Err(Fault::Failed(reason)) => {
                    return Ok(Filled {
                        stopped: Some((key, reason)),
                        ..filled(changed, refused)
                    });
                }
            }
        }
        if all {
            return Ok(filled(changed, refused));
        }
    }
}

fn keyed<R>(rows: Vec<Read<R>>, keys: usize) -> Result<BTreeMap<Key, Read<R>>, DatabaseError> {
    rows.into_iter()
        .map(|read| {
            let key: Vec<Value> = read.texts[..keys]
                .iter()
                .map(|text| Value::Text(text.clone()))
                .collect();
            Ok((Key::read(&key, keys)?, read))
        })
        .collect()
}

fn filled(changed: u64, refused: BTreeMap<Key, (Texts, String)>) -> Filled {
    let refused = refused.into_iter();
    Filled {
        changed,
        refused: refused.map(|(key, (_, reason))| (key, reason)).collect(),
        stopped: None,
    }
}

/// A row that is read as it was before, although it was to be written.
#[derive(Default)]
struct Same {
    row: Option<(Key, Texts)>,
    times: u32,
}

impl Same {
    fn met(&mut self, row: &(Key, Texts), table: &str) -> Result<(), DatabaseError> {
        self.times = if self.row.as_ref() == Some(row) {
            self.times + 1
        } else {
            1
        };
        if self.times >= ENOUGH {
            return Err(DatabaseError::InexactKey {
                table: table.to_owned(),
                key: row.0.to_string(),
            });
        }
        self.row = Some(row.clone());
        Ok(())
    }
}
