//! The oracle: a plain table beside the rehearsed ones, which holds what is known of every row and how often it was written.
//!
//! It is written in the transaction of the write that it records, so it is right at every moment in every snapshot: a read that
//! differs is stale, a row that differs is lost.
//! Must not know: what the values mean.

use std::collections::HashMap;

use zdm_runtime::database::{Connection, DatabaseError, Dialect, Row, Value};

use super::compare::Known;
use super::error::WorkError;

/// The table's name. A database that has it is a rehearsal's.
pub(super) const TABLE: &str = "cargo_zdm_rehearsal";

const CREATE: &str = "
CREATE TABLE cargo_zdm_rehearsal (
    tab bigint NOT NULL,
    row_key text NOT NULL,
    present bigint NOT NULL,
    known text NOT NULL,
    writes bigint NOT NULL,
    PRIMARY KEY (tab, row_key)
)";

const ONE: &str = "SELECT present, known FROM cargo_zdm_rehearsal WHERE tab = $1 AND row_key = $2";

const ALL: &str = "SELECT row_key, known FROM cargo_zdm_rehearsal WHERE tab = $1 AND present = 1";

const RECORD: &str = "
INSERT INTO cargo_zdm_rehearsal (tab, row_key, present, known, writes) VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (tab, row_key) DO UPDATE SET present = excluded.present, known = excluded.known,
    writes = cargo_zdm_rehearsal.writes + 1
RETURNING writes";

/// Creates the table.
pub(super) async fn create(connection: &mut Connection) -> Result<(), DatabaseError> {
    connection.run_file(CREATE).await
}

/// What is known of a row that is there.
pub(super) async fn one(
    connection: &mut Connection,
    tab: usize,
    key: &str,
) -> Result<Option<Vec<Known>>, WorkError> {
    let rows = connection.query(ONE, &[number(tab), key.into()]).await?;
    match rows.first().map(Vec::as_slice) {
        None | Some([Value::Int(Some(0)), _]) => Ok(None),
        Some([Value::Int(Some(_)), Value::Text(Some(known))]) => parse(known).map(Some),
        Some(other) => Err(strange(other)),
    }
}

/// What is known of every row of a table, by key.
pub(super) async fn all(
    connection: &mut Connection,
    tab: usize,
) -> Result<HashMap<String, Vec<Known>>, WorkError> {
    let rows = connection.query(ALL, &[number(tab)]).await?;
    rows.iter()
        .map(|row| match row.as_slice() {
            [Value::Text(Some(key)), Value::Text(Some(known))] => Ok((key.clone(), parse(known)?)),
            other => Err(strange(other)),
        })
        .collect()
}

/// The same, locked until the transaction ends: nobody else changes it meanwhile.
pub(super) async fn locked(
    connection: &mut Connection,
    tab: usize,
    key: &str,
) -> Result<Option<Vec<Known>>, WorkError> {
    if connection.dialect() == Dialect::Postgres {
        let sql = format!("{ONE} FOR UPDATE");
        connection.query(&sql, &[number(tab), key.into()]).await?;
    }
    one(connection, tab, key).await
}

/// Whether a row is there, and how often it was written.
pub(super) async fn state(
    connection: &mut Connection,
    tab: usize,
    key: &str,
) -> Result<(bool, i64), WorkError> {
    let sql = "SELECT present, writes FROM cargo_zdm_rehearsal WHERE tab = $1 AND row_key = $2";
    let rows = connection.query(sql, &[number(tab), key.into()]).await?;
    match rows.first().map(Vec::as_slice) {
        None => Ok((false, 0)),
        Some([Value::Int(Some(present)), Value::Int(Some(writes))]) => Ok((*present == 1, *writes)),
        Some(other) => Err(strange(other)),
    }
}

/// Keeps what is known of a row from now on; `None`: it is not there. The row itself is written, and so locked, before.
/// Returns how often it was written.
pub(super) async fn keep(
    connection: &mut Connection,
    (tab, key): (usize, &str),
    known: Option<Vec<Known>>,
) -> Result<i64, WorkError> {
    let present = i64::from(known.is_some());
    let known = serde_json::to_string(&known.unwrap_or_default());
    let known = known.map_err(|error| WorkError::Answer(error.to_string()))?;
    let values = [number(tab), key.into(), present.into(), known.into()];
    let rows = connection.query(RECORD, &values).await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Int(Some(writes))]) => Ok(*writes),
        other => Err(WorkError::Answer(format!("{TABLE} answered {other:?}"))),
    }
}

/// How often each row was written, by table and key.
pub(super) async fn counts(
    connection: &mut Connection,
) -> Result<HashMap<(usize, String), i64>, WorkError> {
    let sql = "SELECT tab, row_key, writes FROM cargo_zdm_rehearsal";
    let rows = connection.query(sql, &[]).await?;
    rows.iter()
        .map(|row| match row.as_slice() {
            [
                Value::Int(Some(tab)),
                Value::Text(Some(key)),
                Value::Int(Some(writes)),
            ] => {
                let tab = usize::try_from(*tab).unwrap_or_default();
                Ok(((tab, key.clone()), *writes))
            }
            other => Err(strange(other)),
        })
        .collect()
}

/// Whether the database has the oracle's table.
pub(super) async fn is_there(connection: &mut Connection) -> Result<bool, DatabaseError> {
    let sql = match connection.dialect() {
        Dialect::Postgres => {
            "SELECT count(*) FROM pg_class WHERE oid = CAST(pg_catalog.to_regclass($1) AS oid)"
        }
        Dialect::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name = $1",
    };
    let found = connection.query(sql, &[TABLE.into()]).await?;
    Ok(found != [[Value::from(0)]])
}

fn number(tab: usize) -> Value {
    Value::from(i64::try_from(tab).unwrap_or(i64::MAX))
}

fn parse(known: &str) -> Result<Vec<Known>, WorkError> {
    serde_json::from_str(known)
        .map_err(|error| WorkError::Answer(format!("{TABLE} holds {known}: {error}")))
}

fn strange(row: &[Value]) -> WorkError {
    let row: Row = row.to_vec();
    WorkError::Answer(format!("{TABLE} answered {row:?}"))
}
