//! `[policy.throttle]`: what a backfill looks at before it goes on.
//!
//! Must not know: how a signal is asked.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::duration;

/// The signals' thresholds and the team's own signals; docs/guide.md, "What slows a backfill down".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Throttle {
    /// Signals that this team does without, by name.
    pub off: Vec<String>,
    /// Wait while a replica is further behind.
    #[serde(deserialize_with = "duration")]
    pub replica_lag: Duration,
    /// So long an autovacuum of the table is waited for; then the backfill crawls beside it.
    #[serde(deserialize_with = "duration")]
    pub autovacuum: Duration,
    /// Wait while more segments of the write-ahead log wait to be archived.
    pub archive_backlog: u32,
    /// Wait while a transaction or a replication slot is older.
    #[serde(deserialize_with = "duration")]
    pub oldest_transaction: Duration,
    /// Slow above this share of dead rows, in percent.
    pub dead_tuples: u8,
    /// Slow from so many sessions at work on: the server's cores.
    pub active_sessions: Option<u32>,
    /// SQL whose answer holds the backfill, unless it is empty, NULL, 0 or false.
    pub query: Option<String>,
    /// An address that answers with another status than 2xx to hold the backfill.
    pub url: Option<String>,
    /// A file that stops the backfill while it is there.
    pub kill_switch: Option<PathBuf>,
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
            kill_switch: None,
        }
    }
}
