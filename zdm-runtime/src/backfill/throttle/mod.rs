//! When a backfill goes slower, waits or stops: what the server, its replicas and the team's own signals say.
//!
//! Comes in: [`Throttle`], the team's choice. Goes out: a [`Verdict`] with its reason, renewed all the time. Which signals there are
//! and their thresholds: pt-online-schema-change, gh-ost, Spirit and GitLab's batched migrations use the same.
//! Must not know: batches.

mod monitor;
mod outside;
mod postgres;

use std::fmt;
use std::time::Duration;

pub use monitor::{Monitor, Published, watch};

use crate::database::DatabaseError;

/// Something that a backfill looks at before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// How far behind the replicas are.
    ReplicaLag,
    /// Somebody else's vacuum or DDL beside reads and writes on the table, most of all an autovacuum.
    Autovacuum,
    /// Segments of the write-ahead log that wait to be archived.
    ArchiveBacklog,
    /// The oldest transaction, or a replication slot, that keeps dead rows from being removed.
    OldestTransaction,
    /// The share of dead rows in the table.
    DeadTuples,
    /// How many sessions are at work.
    ActiveSessions,
    /// The team's own SQL.
    Query,
    /// The team's own HTTP endpoint.
    Url,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ReplicaLag,
        Self::Autovacuum,
        Self::ArchiveBacklog,
        Self::OldestTransaction,
        Self::DeadTuples,
        Self::ActiveSessions,
        Self::Query,
        Self::Url,
    ];

    /// The name in `zdm.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReplicaLag => "replica_lag",
            Self::Autovacuum => "autovacuum",
            Self::ArchiveBacklog => "archive_backlog",
            Self::OldestTransaction => "oldest_transaction",
            Self::DeadTuples => "dead_tuples",
            Self::ActiveSessions => "active_sessions",
            Self::Query => "query",
            Self::Url => "url",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which signals count, and from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    /// Signals that this team does without.
    pub off: Vec<Signal>,
    /// Wait while a replica is further behind.
    pub replica_lag: Duration,
    /// So long somebody else's vacuum of the table is waited for; then the backfill crawls beside it.
    pub autovacuum: Duration,
    /// Wait while more segments wait to be archived.
    pub archive_backlog: i64,
    /// Wait while a transaction or a slot is older.
    pub oldest_transaction: Duration,
    /// Slow above this share of dead rows, in percent.
    pub dead_tuples: i64,
    /// Slow from so many sessions at work on. `None`: nobody said, and a server does not tell how many cores it has.
    pub active_sessions: Option<i64>,
    /// SQL whose answer holds the backfill, unless it is empty, NULL, 0 or false.
    pub query: Option<String>,
    /// An address that answers with another status than 2xx to hold the backfill.
    pub url: Option<String>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            off: Vec::new(),
            replica_lag: Duration::from_secs(5),
            autovacuum: Duration::from_mins(10),
            archive_backlog: 42,
            oldest_transaction: Duration::from_mins(10),
            dead_tuples: 20,
            active_sessions: None,
            query: None,
            url: None,
        }
    }
}

/// What follows for the next batch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verdict {
    /// Nothing is in the way.
    #[default]
    Go,
    /// Rest as long as the last batch took.
    Slow(String),
    /// Rest nine times as long as the last batch took.
    Crawl(String),
    /// Wait.
    Hold(String),
    /// End here; running again goes on.
    Stop(String),
}

impl Verdict {
    /// Why the backfill is slower than it could be.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Go => None,
            Self::Slow(reason) | Self::Crawl(reason) | Self::Hold(reason) | Self::Stop(reason) => {
                Some(reason)
            }
        }
    }
}

/// A signal that cannot be read, so that it says nothing: found before the first batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThrottleError {
    /// The role lacks the right.
    #[error(
        "the signal {signal} cannot be read by this role, so a backfill would not see when to wait. Nothing was changed. Let the role \
         read it:\n    {grant}\nor do without it: off = [\"{signal}\"] under [policy.throttle] in zdm.toml"
    )]
    NotGranted {
        /// Which.
        signal: Signal,
        /// The statement that helps.
        grant: String,
    },
    /// It answers with an error.
    #[error(
        "the signal {signal} cannot be read: {reason}. Nothing was changed. Mend it, or do without it: off = [\"{signal}\"] under \
         [policy.throttle] in zdm.toml"
    )]
    Unreadable {
        /// Which.
        signal: Signal,
        /// What it said.
        reason: String,
    },
}

impl ThrottleError {
    fn unreadable(signal: Signal, error: &DatabaseError) -> Self {
        Self::Unreadable {
            signal,
            reason: error.to_string(),
        }
    }
}
