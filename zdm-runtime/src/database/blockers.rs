//! Who holds the lock that a statement did not get, and how many wait for this session.
//!
//! Must not know: what the statement was for.

use std::fmt;
use std::time::Duration;

use super::catalogue::relation;
use super::{Connection, DatabaseError, Dialect, Value};

/// A session that holds a lock in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// The server process.
    pub pid: i64,
    /// The lock that it holds.
    pub mode: String,
    /// For how long its transaction has been open, where the role may see it.
    pub age: Option<Duration>,
    /// The beginning of its latest statement, where the role may see it.
    pub query: Option<String>,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} holds {}", self.pid, self.mode)?;
        if let Some(age) = self.age {
            write!(f, ", open for {} s", age.as_secs())?;
        }
        match &self.query {
            Some(query) => write!(f, ": {}", query.replace('\n', " ")),
            None => Ok(()),
        }
    }
}

/// Blockers as the end of a sentence.
pub(crate) fn name(blockers: &[Blocker]) -> String {
    if blockers.is_empty() {
        return "whoever held the lock is gone by now".to_owned();
    }
    let blockers: Vec<String> = blockers.iter().map(ToString::to_string).collect();
    format!("in the way: {}", blockers.join("; "))
}

/// The same, of the refusal that they caused: `SQLite` does not know for whom it waited.
pub(crate) fn who(blockers: &[Blocker], refusal: &DatabaseError) -> String {
    if refusal.is_locked_file() {
        return "another process holds the write lock of the file (`lsof` on the file names it)"
            .to_owned();
    }
    name(blockers)
}

/// What conflicts with a lock on a table: `PostgreSQL`'s manual, "Explicit Locking", "Conflicting Lock Modes".
const CONFLICTS: [(&str, &str); 8] = [
    ("ACCESS SHARE", "AccessExclusiveLock"),
    ("ROW SHARE", "ExclusiveLock AccessExclusiveLock"),
    (
        "ROW EXCLUSIVE",
        "ShareLock ShareRowExclusiveLock ExclusiveLock AccessExclusiveLock",
    ),
    (
        "SHARE UPDATE EXCLUSIVE",
        "ShareUpdateExclusiveLock ShareLock ShareRowExclusiveLock ExclusiveLock AccessExclusiveLock",
    ),
    (
        "SHARE",
        "RowExclusiveLock ShareUpdateExclusiveLock ShareRowExclusiveLock ExclusiveLock AccessExclusiveLock",
    ),
    (
        "SHARE ROW EXCLUSIVE",
        "RowExclusiveLock ShareUpdateExclusiveLock ShareLock ShareRowExclusiveLock ExclusiveLock AccessExclusiveLock",
    ),
    (
        "EXCLUSIVE",
        "RowShareLock RowExclusiveLock ShareUpdateExclusiveLock ShareLock ShareRowExclusiveLock ExclusiveLock \
         AccessExclusiveLock",
    ),
    (
        "ACCESS EXCLUSIVE",
        "AccessShareLock RowShareLock RowExclusiveLock ShareUpdateExclusiveLock ShareLock ShareRowExclusiveLock \
         ExclusiveLock AccessExclusiveLock",
    ),
];

/// Other sessions whose locks on the table conflict with `lock`, longest first. A waiting session cannot ask, so this
/// is asked right after the wait was given up. `SQLite` does not know who holds its one write lock.
pub(crate) async fn of_table(
    connection: &mut Connection,
    table: &str,
    lock: &str,
) -> Result<Vec<Blocker>, DatabaseError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let modes = CONFLICTS
        .iter()
        .find(|(name, _)| *name == lock)
        .map_or(CONFLICTS[7].1, |(_, modes)| modes);
    holders(connection, table, modes).await
}

/// Other sessions that hold row locks of the table.
pub(crate) async fn of_rows(
    connection: &mut Connection,
    table: &str,
) -> Result<Vec<Blocker>, DatabaseError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    holders(connection, table, "RowShareLock RowExclusiveLock").await
}

async fn holders(
    connection: &mut Connection,
    table: &str,
    modes: &str,
) -> Result<Vec<Blocker>, DatabaseError> {
    let rows = connection
        .query(
            "SELECT lock.pid, pg_catalog.string_agg(DISTINCT lock.mode, ', '),
                    (extract(epoch FROM pg_catalog.clock_timestamp() - min(session.xact_start)) * 1000)::bigint,
                    left(min(session.query), 120)
             FROM pg_locks AS lock
             LEFT JOIN pg_stat_activity AS session ON session.pid = lock.pid
             WHERE lock.granted AND lock.locktype = 'relation' AND lock.pid <> pg_catalog.pg_backend_pid()
               AND lock.database = (SELECT oid FROM pg_database WHERE datname = pg_catalog.current_database())
               AND lock.relation = CAST(pg_catalog.to_regclass($1) AS oid)
               AND lock.mode = ANY (pg_catalog.string_to_array($2, ' '))
             GROUP BY lock.pid
             ORDER BY 3 DESC NULLS LAST",
            &[relation(table).as_str().into(), modes.into()],
        )
        .await?;
    rows.iter().map(|row| blocker(row)).collect()
}

fn blocker(row: &[Value]) -> Result<Blocker, DatabaseError> {
    let [
        Value::Int(Some(pid)),
        Value::Text(Some(mode)),
        Value::Int(age),
        Value::Text(query),
    ] = row
    else {
        return Err(DatabaseError::unexpected("who holds a lock", row));
    };
    Ok(Blocker {
        pid: *pid,
        mode: mode.clone(),
        age: age
            .and_then(|age| u64::try_from(age).ok())
            .map(Duration::from_millis),
        query: query.clone(),
    })
}

/// Who else is at work at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Around {
    /// Sessions that wait for a lock that this session holds.
    pub(crate) waiting: i64,
    /// Transactions of others, of which none is the tool's own.
    pub(crate) at_work: i64,
}

/// Asked before the commit that frees whoever waits. `pg_locks` shows every session to every role, and `pg_stat_activity` at least
/// its `application_name`.
pub(crate) async fn around(connection: &mut Connection) -> Result<Around, DatabaseError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(Around::default());
    }
    let rows = connection
        .query(
            "SELECT (SELECT pg_catalog.count(DISTINCT pid) FROM pg_locks
                     WHERE NOT granted AND pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(pid))),
                    (SELECT count(*) FROM pg_locks AS lock
                     LEFT JOIN pg_stat_activity AS session ON session.pid = lock.pid
                     WHERE lock.locktype = 'virtualxid' AND lock.granted AND lock.pid <> pg_catalog.pg_backend_pid()
                       AND session.application_name IS DISTINCT FROM 'zdm')",
            &[],
        )
        .await?;
    match rows.first().map(Vec::as_slice).unwrap_or_default() {
        [Value::Int(Some(waiting)), Value::Int(Some(at_work))] => Ok(Around {
            waiting: *waiting,
            at_work: *at_work,
        }),
        row => Err(DatabaseError::unexpected("how many sessions wait", row)),
    }
}
