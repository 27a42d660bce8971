//! A worker that finds no chunk takes half of what another has still before it.
//!
//! Comes in: the ledger's open chunks. Goes out: one of them cut in two, its rest free to be claimed. The other worker learns of it
//! with its next batch, which it repeats if it reached beyond. Must not know: what a batch does.

use super::ledger::{Ledger, Range};
use super::sample::Sample;
use crate::database::{Connection, DatabaseError, Dialect, Value};
use crate::key::Key;
use crate::manifest::Backfill;

/// An open chunk that somebody works at.
struct Open {
    chunk: i64,
    lo: String,
    hi: String,
    cursor: Option<String>,
    lease_epoch: i64,
}

/// A chunk that is worth cutting, and where.
struct Cut {
    open: Open,
    middle: Key,
    rows: u64,
}

impl Ledger<'_> {
    /// Cuts the chunk with most before it, if that is at least `least` rows. `SQLite` has one writer, so nothing is gained there.
    pub(super) async fn steal(
        &self,
        connection: &mut Connection,
        backfill: &Backfill,
        least: u64,
    ) -> Result<bool, DatabaseError> {
        if connection.dialect() == Dialect::Sqlite {
            return Ok(false);
        }
        let mut best: Option<Cut> = None;
        for open in self.worked_at(connection).await? {
            let Some(cut) = cut(connection, backfill, open).await? else {
                continue;
            };
            if cut.rows >= best.as_ref().map_or(least, |best| best.rows + 1) {
                best = Some(cut);
            }
        }
        let Some(cut) = best else {
            return Ok(false);
        };
        connection.begin().await?;
        let entered = self.enter_rest(connection, &cut).await;
        connection.end(entered).await
    }

    async fn worked_at(&self, connection: &mut Connection) -> Result<Vec<Open>, DatabaseError> {
        let rows = connection
            .query(
                "SELECT chunk, lo, hi, cursor_key, lease_epoch FROM {zdm}chunk
                 WHERE migration = $1 AND table_name = $2 AND direction = $3 AND state <> 'done'
                   AND lease_owner IS NOT NULL AND lo <> '[]' ORDER BY chunk",
                &self.names(),
            )
            .await?;
        rows.into_iter()
            .map(|row| match row.as_slice() {
                [
                    Value::Int(Some(chunk)),
                    Value::Text(Some(lo)),
                    Value::Text(Some(hi)),
                    Value::Text(cursor),
                    Value::Int(Some(lease_epoch)),
                ] => Ok(Open {
                    chunk: *chunk,
                    lo: lo.clone(),
                    hi: hi.clone(),
                    cursor: cursor.clone(),
                    lease_epoch: *lease_epoch,
                }),
                _ => Err(DatabaseError::unexpected("which chunks are open", &row)),
            })
            .collect()
    }

    /// Both halves at once, unless the chunk has moved since it was looked at.
    async fn enter_rest(
        &self,
        connection: &mut Connection,
        cut: &Cut,
    ) -> Result<bool, DatabaseError> {
        let shortened = connection
            .execute(
                "UPDATE {zdm}chunk SET hi = $1
                 WHERE chunk = $2 AND lease_epoch = $3 AND state <> 'done' AND hi = $4
                   AND cursor_key IS NOT DISTINCT FROM $5",
                &[
                    cut.middle.encode().into(),
                    cut.open.chunk.into(),
                    cut.open.lease_epoch.into(),
                    cut.open.hi.as_str().into(),
                    Value::Text(cut.open.cursor.clone()),
                ],
            )
            .await?;
        if shortened == 0 {
            return Ok(true);
        }
        let rest = Range {
            lo: cut.middle.clone(),
            hi: decode(&cut.open.hi)?,
            cursor: Some(cut.middle.clone()),
        };
        self.insert(connection, &rest, "open").await?;
        Ok(true)
    }
}

async fn cut(
    connection: &mut Connection,
    backfill: &Backfill,
    open: Open,
) -> Result<Option<Cut>, DatabaseError> {
    let at = decode(open.cursor.as_ref().unwrap_or(&open.lo))?;
    let sample = Sample::between(connection, backfill, &at, &decode(&open.hi)?).await?;
    Ok(sample.quantile(1, 2).cloned().map(|middle| Cut {
        open,
        middle,
        rows: sample.rows,
    }))
}

fn decode(text: &str) -> Result<Key, DatabaseError> {
    Key::decode(text)
        .map_err(|_| DatabaseError::unexpected("which key a chunk has", &[Value::from(text)]))
}
