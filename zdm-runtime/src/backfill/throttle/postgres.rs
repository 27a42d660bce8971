//! `PostgreSQL`'s signals. All but the replicas' lag are read by every role.
//!
//! Must not know: what follows from a verdict.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::{Signal, Throttle, ThrottleError, Verdict};
use crate::database::catalogue::relation;
use crate::database::{Connection, DatabaseError, Row, Value};

/// So many positions of the log are remembered: an hour of rounds.
const REMEMBERED: usize = 3_600;

/// Every replica: its name, whether this role may see more, its lag in milliseconds, where the log is, where it is.
const REPLICAS: &str = "
    SELECT application_name || coalesce(' ' || client_addr::text, ''), state IS NULL,
           coalesce((extract(epoch FROM replay_lag) * 1000)::bigint, 0),
           (pg_catalog.pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint, (replay_lsn - '0/0'::pg_lsn)::bigint
    FROM pg_stat_replication WHERE application_name <> 'pg_basebackup'";

/// What is remembered between two rounds.
#[derive(Debug)]
pub(super) struct Server {
    /// As SQL spells them, in one text.
    tables: String,
    /// When each open transaction and each slot's horizon was seen first: a plain role is not told their age.
    seen: BTreeMap<String, Instant>,
    /// Replicas that were there.
    replicas: BTreeSet<String>,
    /// Where the log was at earlier rounds, oldest first: a replica whose replay stands still reports no lag of its own.
    written: VecDeque<(Instant, i64)>,
    /// Since when somebody else's vacuum is at a table.
    vacuumed_since: Option<Instant>,
}

impl Server {
    pub(super) fn of(tables: &[String]) -> Self {
        let tables: Vec<String> = tables.iter().map(|table| relation(table)).collect();
        Self {
            tables: tables.join("\n"),
            seen: BTreeMap::new(),
            replicas: BTreeSet::new(),
            written: VecDeque::new(),
            vacuumed_since: None,
        }
    }

    pub(super) async fn ask(
        &mut self,
        connection: &mut Connection,
        signal: Signal,
        throttle: &Throttle,
    ) -> Result<Verdict, ThrottleError> {
        let verdict = match signal {
            Signal::ReplicaLag => return self.replica_lag(connection, throttle.replica_lag).await,
            Signal::Autovacuum => self.autovacuum(connection, throttle.autovacuum).await,
            Signal::ArchiveBacklog => archive_backlog(connection, throttle.archive_backlog).await,
            Signal::OldestTransaction => {
                self.oldest_transaction(connection, throttle.oldest_transaction)
                    .await
            }
            Signal::DeadTuples => self.dead_tuples(connection, throttle.dead_tuples).await,
            Signal::ActiveSessions => active_sessions(connection, throttle.active_sessions).await,
            Signal::Query | Signal::Url => Ok(Verdict::Go),
        };
        verdict.map_err(|error| ThrottleError::unreadable(signal, &error))
    }

    /// A replica that was there and is not any more cannot be asked, which is not the same as having none.
    async fn replica_lag(
        &mut self,
        connection: &mut Connection,
        most: Duration,
    ) -> Result<Verdict, ThrottleError> {
        let unreadable = |error| ThrottleError::unreadable(Signal::ReplicaLag, &error);
        let rows = connection.query(REPLICAS, &[]).await.map_err(unreadable)?;
        let mut present = BTreeSet::new();
        let mut worst = (String::new(), Duration::ZERO);
        for row in &rows {
            let [
                Value::Text(Some(name)),
                Value::Int(Some(hidden)),
                Value::Int(Some(told)),
                Value::Int(Some(written)),
                Value::Int(replayed),
            ] = row.as_slice()
            else {
                return Err(unreadable(DatabaseError::unexpected(
                    "how far a replica is",
                    row,
                )));
            };
            if *hidden != 0 {
                return Err(ThrottleError::NotGranted {
                    signal: Signal::ReplicaLag,
                    grant: grant(connection).await.map_err(unreadable)?,
                });
            }
            let lag = duration(*told).max(self.lag_of(*written, *replayed));
            present.insert(name.clone());
            if lag > worst.1 {
                worst = (name.clone(), lag);
            }
        }
        if let Some(gone) = self.replicas.difference(&present).next() {
            return Err(ThrottleError::Unreadable {
                signal: Signal::ReplicaLag,
                reason: format!("the replica {gone} is not connected any more"),
            });
        }
        self.replicas = present;
        Ok(if worst.1 > most {
            Verdict::Hold(format!(
                "the replica {} is {:.0} s behind, more than {} s",
                worst.0,
                worst.1.as_secs_f64(),
                most.as_secs_f64()
            ))
        } else {
            Verdict::Go
        })
    }

    /// Since when what a replica has not replayed is in the log, as far as it was looked at.
    fn lag_of(&mut self, written: i64, replayed: Option<i64>) -> Duration {
        if self.written.back().is_none_or(|(_, last)| *last < written) {
            self.written.push_back((Instant::now(), written));
        }
        if self.written.len() > REMEMBERED {
            self.written.pop_front();
        }
        let Some(replayed) = replayed else {
            return Duration::ZERO;
        };
        let missing = self.written.iter().find(|(_, at)| *at > replayed);
        missing.map_or(Duration::ZERO, |(since, _)| since.elapsed())
    }

    /// Its lock is seen by every role, which `pg_stat_progress_vacuum` is not.
    async fn autovacuum(
        &mut self,
        connection: &mut Connection,
        most: Duration,
    ) -> Result<Verdict, DatabaseError> {
        let rows = connection
            .query(
                "SELECT lock.relation::regclass::text || ' (pid ' || lock.pid || ')'
                 FROM pg_locks AS lock LEFT JOIN pg_stat_activity AS session ON session.pid = lock.pid
                 WHERE lock.locktype = 'relation' AND lock.granted AND lock.mode = 'ShareUpdateExclusiveLock'
                   AND lock.database = (SELECT oid FROM pg_database WHERE datname = pg_catalog.current_database())
                   AND session.application_name IS DISTINCT FROM 'zdm'
                   AND lock.relation IN (SELECT CAST(pg_catalog.to_regclass(named) AS oid) FROM pg_catalog.unnest(pg_catalog.string_to_array($1, E'\\n')) AS named)
                 LIMIT 1",
                &[self.tables.as_str().into()],
            )
            .await?;
        let Some(row) = rows.first() else {
            self.vacuumed_since = None;
            return Ok(Verdict::Go);
        };
        let [Value::Text(Some(whom))] = row.as_slice() else {
            return Err(DatabaseError::unexpected("who vacuums a table", row));
        };
        let since = *self.vacuumed_since.get_or_insert_with(Instant::now);
        Ok(if since.elapsed() < most {
            Verdict::Hold(format!("a vacuum, or DDL beside writers, is at {whom}"))
        } else {
            Verdict::Crawl(format!(
                "a vacuum, or DDL beside writers, has been at {whom} for {} min",
                since.elapsed().as_secs() / 60
            ))
        })
    }

    /// The server tells a plain role which transactions there are, not since when: from when on they were seen counts.
    async fn oldest_transaction(
        &mut self,
        connection: &mut Connection,
        most: Duration,
    ) -> Result<Verdict, DatabaseError> {
        let rows = connection
            .query(
                "SELECT 'the transaction ' || lock.virtualtransaction || ' of pid ' || lock.pid,
                        coalesce((extract(epoch FROM pg_catalog.clock_timestamp() - session.xact_start) * 1000)::bigint, 0)
                 FROM pg_locks AS lock LEFT JOIN pg_stat_activity AS session ON session.pid = lock.pid
                 WHERE lock.locktype = 'virtualxid' AND lock.granted AND lock.pid <> pg_catalog.pg_backend_pid()
                   AND session.application_name IS DISTINCT FROM 'zdm'
                 UNION ALL
                 SELECT 'the prepared transaction ' || gid,
                        (extract(epoch FROM pg_catalog.clock_timestamp() - prepared) * 1000)::bigint
                 FROM pg_prepared_xacts
                 UNION ALL
                 SELECT 'the replication slot ' || slot_name || ' at ' || coalesce(xmin, catalog_xmin)::text, 0::bigint
                 FROM pg_replication_slots WHERE xmin IS NOT NULL",
                &[],
            )
            .await?;
        let mut seen = BTreeMap::new();
        let mut oldest: Option<(String, Duration)> = None;
        for row in rows {
            let [Value::Text(Some(what)), Value::Int(Some(told))] = row.as_slice() else {
                return Err(DatabaseError::unexpected("how old a transaction is", &row));
            };
            let since = self.seen.get(what).copied().unwrap_or_else(Instant::now);
            let age = since.elapsed().max(duration(*told));
            if age > most && oldest.as_ref().is_none_or(|(_, before)| age > *before) {
                oldest = Some((what.clone(), age));
            }
            seen.insert(what.clone(), since);
        }
        self.seen = seen;
        Ok(oldest.map_or(Verdict::Go, |(what, age)| {
            Verdict::Hold(format!(
                "{what} is {} s old: rows that the backfill leaves behind cannot be removed",
                age.as_secs()
            ))
        }))
    }

    async fn dead_tuples(
        &self,
        connection: &mut Connection,
        most: i64,
    ) -> Result<Verdict, DatabaseError> {
        let rows = connection
            .query(
                "SELECT relid::regclass::text, 100 * n_dead_tup / (n_live_tup + n_dead_tup)
                 FROM pg_stat_all_tables
                 WHERE n_dead_tup > 1000
                   AND relid IN (SELECT CAST(pg_catalog.to_regclass(named) AS oid) FROM pg_catalog.unnest(pg_catalog.string_to_array($1, E'\\n')) AS named)
                 ORDER BY 2 DESC LIMIT 1",
                &[self.tables.as_str().into()],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(Verdict::Go);
        };
        let [Value::Text(Some(table)), Value::Int(Some(dead))] = row.as_slice() else {
            return Err(DatabaseError::unexpected("how many rows are dead", row));
        };
        Ok(if *dead > most {
            Verdict::Slow(format!(
                "{dead} % of the rows of {table} are dead: vacuum is behind"
            ))
        } else {
            Verdict::Go
        })
    }
}

async fn archive_backlog(connection: &mut Connection, most: i64) -> Result<Verdict, DatabaseError> {
    // What is written ahead of what was archived last, in segments; another timeline says nothing.
    let rows = connection
        .query(
            "SELECT ((pg_catalog.pg_current_wal_lsn() - '0/0'::pg_lsn)
                     / (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'))::bigint - 1
                    - (('x' || pg_catalog.lpad(pg_catalog.substr(last, 9, 8), 16, '0'))::bit(64)::bigint
                       * (4294967296 / (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'))
                       + ('x' || pg_catalog.lpad(pg_catalog.substr(last, 17, 8), 16, '0'))::bit(64)::bigint)
             FROM (SELECT coalesce(last_archived_wal, last_failed_wal) AS last FROM pg_stat_archiver) AS archived
             WHERE pg_catalog.current_setting('archive_mode') <> 'off' AND last ~ '^[0-9A-F]{24}$' AND NOT pg_catalog.pg_is_in_recovery()",
            &[],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(Verdict::Go);
    };
    let [Value::Int(Some(waiting))] = row.as_slice() else {
        return Err(DatabaseError::unexpected("how many segments wait", row));
    };
    Ok(if *waiting > most {
        Verdict::Hold(format!(
            "{waiting} segments of the write-ahead log wait to be archived, more than {most}"
        ))
    } else {
        Verdict::Go
    })
}

async fn active_sessions(
    connection: &mut Connection,
    most: Option<i64>,
) -> Result<Verdict, DatabaseError> {
    let rows = connection
        .query(
            "SELECT count(*) FROM pg_locks AS lock LEFT JOIN pg_stat_activity AS session ON session.pid = lock.pid
             WHERE lock.locktype = 'virtualxid' AND lock.granted AND lock.pid <> pg_catalog.pg_backend_pid()
               AND session.application_name IS DISTINCT FROM 'zdm' AND session.state IS DISTINCT FROM 'idle in transaction'",
            &[],
        )
        .await?;
    match (rows.first().map(Vec::as_slice), most) {
        (Some([Value::Int(Some(active))]), Some(most)) if *active >= most => Ok(Verdict::Slow(
            format!("{active} sessions are at work, {most} or more"),
        )),
        (Some([Value::Int(Some(_))]), _) => Ok(Verdict::Go),
        (row, _) => Err(DatabaseError::unexpected(
            "how many sessions are at work",
            row.unwrap_or_default(),
        )),
    }
}

async fn grant(connection: &mut Connection) -> Result<String, DatabaseError> {
    let rows = connection
        .query(
            "SELECT pg_catalog.format('GRANT pg_read_all_stats TO %I', current_user)",
            &[],
        )
        .await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Text(Some(grant))]) => Ok(grant.clone()),
        row => {
            let row: Row = row.unwrap_or_default().to_vec();
            Err(DatabaseError::unexpected("who is asking", &row))
        }
    }
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
