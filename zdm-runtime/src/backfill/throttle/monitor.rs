//! Asks all signals once a second, on a connection of its own, and publishes the most severe answer.
//!
//! A signal that does not answer is unknown, and unknown holds: at once, and for good after a while. Must not know: batches.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::postgres::Server;
use super::{Signal, Throttle, ThrottleError, Verdict, outside};
use crate::database::{Connection, Dialect};

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(1);
/// So long a signal may be silent before the backfill ends.
const SILENCE: Duration = Duration::from_secs(15);

/// The last verdict, and when it was found: an old one says nothing.
#[derive(Debug, Clone)]
pub struct Published {
    verdict: Verdict,
    found: Instant,
}

impl Published {
    /// A verdict of this moment.
    pub fn now(verdict: Verdict) -> Self {
        Self {
            verdict,
            found: Instant::now(),
        }
    }

    /// What holds now.
    pub(crate) fn verdict(&self) -> Verdict {
        let age = self.found.elapsed();
        if age < SILENCE {
            return self.verdict.clone();
        }
        let reason = format!("the signals have said nothing for {} s", age.as_secs());
        if age < SILENCE * 2 {
            Verdict::Hold(reason)
        } else {
            Verdict::Stop(reason)
        }
    }
}

/// The signals that count here.
#[derive(Debug)]
pub struct Monitor {
    throttle: Throttle,
    signals: Vec<Signal>,
    server: Server,
    silent_since: BTreeMap<Signal, Instant>,
}

impl Monitor {
    /// Asks every signal once: one that cannot be read is found before the first batch, all of them at once.
    pub async fn probe(
        connection: &mut Connection,
        throttle: &Throttle,
        tables: &[String],
    ) -> Result<Self, Vec<ThrottleError>> {
        let mut monitor = Self {
            throttle: throttle.clone(),
            signals: counting(throttle, connection.dialect()),
            server: Server::of(tables),
            silent_since: BTreeMap::new(),
        };
        let mut unreadable = Vec::new();
        for signal in monitor.signals.clone() {
            if let Err(error) = monitor.ask(connection, signal).await {
                unreadable.push(error);
            }
        }
        if unreadable.is_empty() {
            Ok(monitor)
        } else {
            Err(unreadable)
        }
    }

    /// The most severe answer of all signals.
    pub async fn verdict(&mut self, connection: &mut Connection) -> Verdict {
        let mut worst = Verdict::Go;
        for signal in self.signals.clone() {
            let verdict = match self.ask(connection, signal).await {
                Ok(verdict) => {
                    self.silent_since.remove(&signal);
                    verdict
                }
                Err(error) => self.unknown(signal, &error),
            };
            worst = worst.max(verdict);
        }
        worst
    }

    async fn ask(
        &mut self,
        connection: &mut Connection,
        signal: Signal,
    ) -> Result<Verdict, ThrottleError> {
        match signal {
            Signal::Query => outside::query(connection, self.throttle.query.as_deref()).await,
            Signal::Url => outside::url(self.throttle.url.as_deref()).await,
            _ => self.server.ask(connection, signal, &self.throttle).await,
        }
    }

    fn unknown(&mut self, signal: Signal, error: &ThrottleError) -> Verdict {
        let since = *self.silent_since.entry(signal).or_insert_with(Instant::now);
        let reason = match error {
            ThrottleError::NotGranted { .. } => {
                format!("the signal {signal} cannot be read by this role any more")
            }
            ThrottleError::Unreadable { reason, .. } => {
                format!("the signal {signal} cannot be read: {reason}")
            }
        };
        if since.elapsed() < SILENCE {
            Verdict::Hold(reason)
        } else {
            Verdict::Stop(format!("{reason}, for {} s now", since.elapsed().as_secs()))
        }
    }
}

/// The server's own signals are `PostgreSQL`'s; the team's own are everywhere.
fn counting(throttle: &Throttle, dialect: Dialect) -> Vec<Signal> {
    let counts = |signal: &Signal| match signal {
        _ if throttle.off.contains(signal) => false,
        Signal::Query => throttle.query.is_some(),
        Signal::Url => throttle.url.is_some(),
        Signal::ActiveSessions => {
            dialect == Dialect::Postgres && throttle.active_sessions.is_some()
        }
        _ => dialect == Dialect::Postgres,
    };
    Signal::ALL.into_iter().filter(counts).collect()
}

/// Publishes verdicts until nobody listens any more. A connection that is lost is opened anew, by the same URL.
pub async fn watch(
    mut connection: Connection,
    url: String,
    mut monitor: Monitor,
    verdicts: watch::Sender<Published>,
) {
    while !verdicts.is_closed() {
        let verdict = monitor.verdict(&mut connection).await;
        if !monitor.silent_since.is_empty()
            && connection.query("SELECT 1", &[]).await.is_err()
            && let Ok(anew) = Connection::open(&url).await
        {
            connection = anew;
        }
        verdicts.send_replace(Published::now(verdict));
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = verdicts.closed() => {}
        }
    }
}
