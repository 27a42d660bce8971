//! Tells how far an index is while the session's own connection builds it, which may take hours.
//!
//! Comes in: the session, a section. Goes out: a line whenever the build enters another phase, and now and then in a long one.
//! Must not know: how a step is executed.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use zdm_runtime::database::{Connection, Dialect, catalogue};
use zdm_runtime::executor;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;

use super::session::{Session, connect};
use crate::error::Failure;
use crate::terminal::Terminal;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// A phase that lasts is told again after that.
const AGAIN: Duration = Duration::from_secs(30);

/// Looks until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch(Option<JoinHandle<()>>);

impl Watch {
    /// Only where the section builds an index beside writers.
    pub(crate) async fn start(
        session: &mut Session,
        place: usize,
        (section, direction): (Section, Direction),
    ) -> Result<Self, Failure> {
        let builds = session
            .manifest(place)
            .steps_of(section, direction)
            .any(|step| step.builds_index.is_some());
        let connection = &session.connection;
        if !builds || connection.dialect() != Dialect::Postgres || connection.is_pooled() {
            return Ok(Self(None));
        }
        let pid = catalogue::backend_pid(&mut session.connection).await?;
        let connection = connect(session.url()).await?;
        let told = tell(connection, pid, session.terminal);
        Ok(Self(Some(tokio::spawn(told))))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// What cannot be told is not told: the build itself says how it ends.
async fn tell(mut connection: Connection, pid: i64, terminal: Terminal) {
    let mut last = (String::new(), None, Instant::now());
    loop {
        tokio::time::sleep(EVERY).await;
        let Ok(Some(building)) = executor::building(&mut connection, pid).await else {
            continue;
        };
        let phase = (building.phase.clone(), building.waits_for);
        if (&last.0, last.1) != (&phase.0, phase.1) || last.2.elapsed() >= AGAIN {
            terminal.say(&format!("  index {building}"));
            last = (phase.0, phase.1, Instant::now());
        }
    }
}
