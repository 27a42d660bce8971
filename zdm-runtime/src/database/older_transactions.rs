//! Transactions that began before a moment: until they end, something written under an older stage may still be committed.
//!
//! `SQLite` has none after a write of ours: its one write lock was the barrier, and a reader with an older snapshot cannot
//! become a writer (`SQLite`'s manual, "Isolation In SQLite").

use std::collections::BTreeSet;

use super::{Connection, DatabaseError, Dialect, Value};

/// An open transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OlderTransaction {
    /// Its virtual transaction id, or the name of a prepared one.
    pub id: String,
    /// The backend's process id; `None`: it is prepared and nobody's.
    pub pid: Option<i64>,
    /// Application name and role, as far as this role may see them.
    pub who: String,
}

/// A plain role sees every row of `pg_locks`, and of `pg_stat_activity` each row's pid, database, role and application, but no
/// `backend_type`: so only what is known to be autovacuum, which writes no rows, is left out (`PostgreSQL`'s manual, "The Cumulative
/// Statistics System" and "pg_locks").
const OPEN: &str = "SELECT l.virtualxid, l.pid::bigint, \
    coalesce(nullif(a.application_name, ''), 'application unknown') || ', role ' || coalesce(a.usename::text, 'unknown') \
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
    WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid() \
    AND (a.datid IS NULL OR a.datid = (SELECT oid FROM pg_database WHERE datname = pg_catalog.current_database())) \
    AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'autovacuum launcher')";

const PREPARED: &str = "SELECT gid, NULL::bigint, 'prepared by ' || owner::text FROM pg_prepared_xacts \
    WHERE database = pg_catalog.current_database()";

/// Every transaction that is open at this moment, but for our own.
pub async fn open(
    connection: &mut Connection,
) -> Result<BTreeSet<OlderTransaction>, DatabaseError> {
    read(connection, OPEN).await
}

/// Every prepared transaction. One that was [`open`] may turn into one, so ask when none of those is left.
pub async fn prepared(
    connection: &mut Connection,
) -> Result<BTreeSet<OlderTransaction>, DatabaseError> {
    read(connection, PREPARED).await
}

async fn read(
    connection: &mut Connection,
    sql: &str,
) -> Result<BTreeSet<OlderTransaction>, DatabaseError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(BTreeSet::new());
    }
    let rows = connection.query(sql, &[]).await?;
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [
                Value::Text(Some(id)),
                Value::Int(pid),
                Value::Text(Some(who)),
            ] => Ok(OlderTransaction {
                id: id.clone(),
                pid: *pid,
                who: who.clone(),
            }),
            _ => Err(DatabaseError::unexpected(
                "which transactions are open",
                &row,
            )),
        })
        .collect()
}
