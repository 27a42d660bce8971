//! The signals of `[policy.throttle]`, asked on a connection of their own while a backfill runs.
//!
//! Comes in: the policy. Goes out: verdicts for the workers, or all signals that cannot be read.
//! Must not know: what a worker makes of a verdict.

use tokio::sync::watch;
use zdm_runtime::backfill::throttle::{self, Monitor, Published, Signal};

use super::session::connect;
use crate::config::{FILE, Throttle};
use crate::error::Failure;

/// Asks every signal once, then goes on in the background for as long as somebody listens.
pub(crate) async fn watched(
    url: &str,
    policy: &Throttle,
    tables: &[String],
) -> Result<watch::Receiver<Published>, Failure> {
    let wanted = wanted(policy)?;
    let mut connection = connect(url).await?;
    let mut monitor = Monitor::probe(&mut connection, &wanted, tables)
        .await
        .map_err(|unreadable| {
            let unreadable: Vec<_> = unreadable.iter().map(ToString::to_string).collect();
            Failure::environment(
                unreadable.join("\n"),
                "grant what is named, or switch the signal off in zdm.toml, then run the same command again",
            )
        })?;
    let first = monitor.verdict(&mut connection).await;
    let (sender, receiver) = watch::channel(Published::now(first));
    tokio::spawn(throttle::watch(connection, url.to_owned(), monitor, sender));
    Ok(receiver)
}

fn wanted(policy: &Throttle) -> Result<throttle::Throttle, Failure> {
    let mut off = Vec::new();
    for name in &policy.off {
        let signal = Signal::ALL.into_iter().find(|signal| signal.name() == name);
        off.push(signal.ok_or_else(|| unknown(name))?);
    }
    let usual = throttle::Throttle::default();
    Ok(throttle::Throttle {
        off,
        replica_lag: policy.replica_lag.unwrap_or(usual.replica_lag),
        autovacuum: policy.autovacuum.unwrap_or(usual.autovacuum),
        archive_backlog: policy
            .archive_backlog
            .map_or(usual.archive_backlog, i64::from),
        oldest_transaction: policy
            .oldest_transaction
            .unwrap_or(usual.oldest_transaction),
        dead_tuples: policy.dead_tuples.map_or(usual.dead_tuples, i64::from),
        active_sessions: policy.active_sessions.map(i64::from),
        query: policy.query.clone(),
        url: policy.url.clone(),
    })
}

fn unknown(name: &str) -> Failure {
    let names = Signal::ALL.map(Signal::name).join(", ");
    Failure::usage(
        format!("{FILE}, [policy.throttle] off: there is no signal `{name}`"),
        format!("the signals are {names}"),
    )
}
