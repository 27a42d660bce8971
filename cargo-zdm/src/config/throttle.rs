//! `[policy.throttle]`: what a backfill looks at before it goes on.
//!
//! Must not know: how a signal is asked, what holds where nothing is said.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::duration;

/// Where it differs from the defaults of `zdm_runtime::backfill::throttle::Throttle`; docs/backfill.md, "What slows it down".
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Throttle {
    /// Signals that this team does without, by name.
    pub off: Vec<String>,
    /// Wait while a replica is further behind.
    #[serde(deserialize_with = "some_duration")]
    pub replica_lag: Option<Duration>,
    /// So long an autovacuum of the table is waited for; then the backfill crawls beside it.
    #[serde(deserialize_with = "some_duration")]
    pub autovacuum: Option<Duration>,
    /// Wait while more segments of the write-ahead log wait to be archived.
    pub archive_backlog: Option<u32>,
    /// Wait while a transaction or a replication slot is older.
    #[serde(deserialize_with = "some_duration")]
    pub oldest_transaction: Option<Duration>,
    /// Slow above this share of dead rows, in percent.
    pub dead_tuples: Option<u8>,
    /// Slow from so many sessions at work on: the server's cores.
    pub active_sessions: Option<u32>,
    /// SQL whose answer holds the backfill, unless it is empty, NULL, 0 or false.
    pub query: Option<String>,
    /// An address that answers with another status than 2xx to hold the backfill.
    pub url: Option<String>,
    /// A file that stops the backfill while it is there, throttled or not.
    pub kill_switch: Option<PathBuf>,
}

fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}
