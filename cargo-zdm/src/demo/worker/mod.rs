//! A process under load: the binary's hidden command `demo-worker`.
//!
//! Comes in: an assignment and orders on stdin. Goes out: events on stdout.
//! Must not know: the migration, its stages, the other processes.

mod channel;
mod reader;
mod session;
mod writer;

use super::error::WorkError;
use super::message::{Event, Role};
use channel::Channel;
use session::Session;

/// After so many failures without a success a process gives up.
const GIVE_UP_AFTER: u32 = 20;

/// Runs until it is told to stop, or until its input ends.
pub(crate) async fn work() -> Result<(), String> {
    let (assignment, mut channel) = Channel::open()?;
    let mut session = Session::open(&assignment)
        .await
        .map_err(|error| error.to_string())?;
    channel.tell(&Event::Ready);
    match assignment.role {
        Role::Writer => writer::write(&mut session, &mut channel).await,
        Role::Reader => reader::read(&mut session, &mut channel).await,
    }?;
    session.close().await.map_err(|error| error.to_string())
}

/// Counts failures in a row and tells of each.
#[derive(Debug, Default)]
struct Failures(u32);

impl Failures {
    fn forget(&mut self) {
        self.0 = 0;
    }

    fn tell(&mut self, error: &WorkError, what: &str, channel: &Channel) -> Result<(), String> {
        self.0 += 1;
        channel.tell(&Event::Failed {
            problem: format!("{what}: {error}"),
        });
        if self.0 == GIVE_UP_AFTER {
            return Err(format!(
                "{GIVE_UP_AFTER} failures in a row, the last: {error}"
            ));
        }
        Ok(())
    }
}
