//! Whether a worker's next batch may begin, how large it is, and how long the worker rests before it: what makes way for others.
//!
//! Comes in: what the last batch met, what the signals say. Goes out: [`Leave`], and the reason in the chunk's row for whoever asks.
//! Must not know: what a batch does.

use std::path::Path;
use std::time::Duration;

use super::batch::Advance;
use super::ledger::Chunk;
use super::rest::BESIDE;
use super::throttle::Verdict;
use super::worker::{Position, Worker};
use super::{BackfillError, Way};
use crate::database::Connection;
use crate::hop;
use crate::progress::OnProgress;

/// Between two looks whether a signal still holds the backfill.
const WAIT: Duration = Duration::from_millis(500);
const VACUUM_LAGS: &str = "the vacuum of the table has fallen behind: one worker goes on beside it";

/// Whether the next batch may begin.
pub(super) enum Leave {
    Given,
    LeaseLost,
    Stopped(String),
}

impl Worker<'_> {
    /// Waits until nothing speaks against the next batch, and says meanwhile what does.
    pub(super) async fn leave(
        &mut self,
        connection: &mut Connection,
        chunk: &Chunk,
        position: &Position,
        on_progress: OnProgress<'_>,
    ) -> Result<Leave, BackfillError> {
        loop {
            if let Some(reason) = self.told_to_stop(connection).await? {
                return Ok(Leave::Stopped(reason));
            }
            let verdict = self.verdict();
            if let Verdict::Stop(reason) = verdict {
                return Ok(Leave::Stopped(reason));
            }
            let holds = matches!(verdict, Verdict::Hold(_));
            let told = verdict.reason().or(self.slower.as_deref());
            if !self
                .publish(connection, chunk, told.map(str::to_owned), holds)
                .await?
            {
                return Ok(Leave::LeaseLost);
            }
            if !holds {
                return Ok(Leave::Given);
            }
            let reason = verdict.reason().map(|reason| format!("waiting: {reason}"));
            on_progress(&self.progress(position, reason));
            self.wait().await;
        }
    }

    /// Until the next look; a vacuum that has caught up is noticed at once.
    async fn wait(&self) {
        let caught_up = async {
            match self.options.vacuum_lags.clone() {
                // One that has ended has nobody wait for it either.
                Some(mut lags) if self.vacuum_lags() => drop(lags.wait_for(|lags| !lags).await),
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(WAIT) => {}
            () = caught_up => {}
        }
    }

    /// Puts the reason into the chunk's row where it is another one; while the worker waits, the lease is prolonged with it. `false`:
    /// the lease is somebody else's by now.
    async fn publish(
        &mut self,
        connection: &mut Connection,
        chunk: &Chunk,
        reason: Option<String>,
        waits: bool,
    ) -> Result<bool, BackfillError> {
        if !waits && self.published == reason {
            return Ok(true);
        }
        let held = chunk
            .wait(connection, self.options.lease, reason.as_deref())
            .await
            .map_err(|error| self.failure(error))?;
        self.published = reason;
        Ok(held)
    }

    fn verdict(&self) -> Verdict {
        let verdicts = self.options.verdicts.as_ref();
        let told = verdicts.map_or(Verdict::Go, |verdicts| verdicts.borrow().verdict());
        match told {
            Verdict::Hold(_) | Verdict::Stop(_) => told,
            _ if self.vacuum_lags() => Verdict::Hold(VACUUM_LAGS.to_owned()),
            told => told,
        }
    }

    fn vacuum_lags(&self) -> bool {
        let lags = self.options.vacuum_lags.as_ref();
        lags.is_some_and(|lags| lags.has_changed().is_ok() && *lags.borrow())
    }

    /// Gives whoever else is at work their turn.
    pub(super) async fn pause(&self, took: Duration) {
        if !self.options.throttle {
            return;
        }
        // Longer than half a lease, and the chunk would be taken for abandoned.
        let pause = self.rest.after(took, &self.verdict());
        tokio::time::sleep(pause.min(self.options.lease / 2)).await;
    }

    /// Why no further batch may begin. A pause holds the way forward, not the backfill that a rollback needs.
    async fn told_to_stop(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<String>, BackfillError> {
        if let Some(reason) = killed(self.options.kill_switch.as_deref()) {
            return Ok(Some(reason));
        }
        if self.options.way == Way::Reverse {
            return Ok(None);
        }
        let paused = hop::is_paused(connection, self.migration.id())
            .await
            .map_err(|error| self.failure(error))?;
        Ok(paused.then(|| "the migration was paused, `cargo zdm resume` lets it go on".to_owned()))
    }

    /// The size of the next batch, and the reason where it is smaller.
    pub(super) fn adapt(&mut self, advance: &Advance) -> Option<String> {
        let around = advance.around;
        self.rest.look(around.at_work > 0);
        if around.waiting == 0 && self.rest.is_beside() {
            self.pace.after_beside(advance.took);
            // Always the same words, which need to be published once.
            return Some(format!(
                "others are at work: small batches, and rests {BESIDE} times as long"
            ));
        }
        if around.waiting == 0 {
            return self.pace.after(advance.took);
        }
        self.pace.halve();
        Some(format!(
            "{} sessions waited for rows of the last batch: {} rows next",
            around.waiting,
            self.pace.rows()
        ))
    }
}

fn killed(kill_switch: Option<&Path>) -> Option<String> {
    let path = kill_switch?;
    path.exists()
        .then(|| format!("the kill switch {} is there", path.display()))
}
