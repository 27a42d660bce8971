//! The processes under load, seen from the demo: started, told, awaited, ended.
//!
//! Comes in: which processes there shall be. Goes out: orders to them; what they report lands in the [`Tally`].
//! Must not know: what they write and read, the migration's steps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use zdm_runtime::phase::Phase;

use super::error::DemoError;
use super::message::{Assignment, Order, Role, Version};
use super::tally::Tally;

/// How long nothing may happen of what is waited for: a hang is an error, not a wait without end.
const PATIENCE: Duration = Duration::from_mins(3);

/// How many more writes or reads of a process count as its having been seen.
const SEEN: u64 = 25;

/// One process.
#[derive(Debug)]
struct Process {
    child: Child,
    orders: ChildStdin,
    role: Role,
    version: Version,
}

/// All processes under load. They end with it.
#[derive(Debug)]
pub(super) struct Fleet {
    executable: PathBuf,
    url: String,
    rows: i64,
    phase: Phase,
    processes: BTreeMap<u32, Process>,
    started: u32,
    tally: Arc<watch::Sender<Tally>>,
}

impl Fleet {
    /// No process yet; those to come are copies of the running binary.
    pub(super) fn new(url: &str, rows: i64) -> Result<Self, DemoError> {
        Ok(Self {
            executable: std::env::current_exe().map_err(DemoError::Start)?,
            url: url.to_owned(),
            rows,
            phase: Phase::Expand,
            processes: BTreeMap::new(),
            started: 0,
            tally: Arc::new(watch::Sender::new(Tally::default())),
        })
    }

    /// What was reported up to now.
    pub(super) fn tally(&self) -> watch::Ref<'_, Tally> {
        self.tally.borrow()
    }

    /// Adds what is known from elsewhere than from the processes.
    pub(super) fn add(&self, change: impl FnOnce(&mut Tally)) {
        self.tally.send_modify(change);
    }

    /// Starts processes of a version and waits until each has written or read.
    pub(super) async fn start(
        &mut self,
        version: Version,
        roles: &[Role],
    ) -> Result<(), DemoError> {
        let mut new = Vec::new();
        for role in roles {
            new.push(self.spawn(version, *role).await?);
        }
        self.wait(|tally| new.iter().all(|slot| tally.is_ready(*slot)))
            .await?;
        for slot in &new {
            self.order(*slot, Order::Phase(self.phase)).await?;
        }
        self.seen_by_all().await
    }

    /// From now on everything counts for this phase.
    pub(super) async fn enter(&mut self, phase: Phase) -> Result<(), DemoError> {
        self.phase = phase;
        for slot in self.slots(|_| true) {
            self.order(slot, Order::Phase(phase)).await?;
        }
        Ok(())
    }

    /// Waits until every process has done some more of its work in this phase.
    pub(super) async fn seen_by_all(&mut self) -> Result<(), DemoError> {
        let phase = self.phase;
        let before: Vec<_> = self
            .slots(|_| true)
            .into_iter()
            .map(|slot| (slot, self.tally().count(phase, slot)))
            .collect();
        self.wait(|tally| {
            before.iter().all(|(slot, before)| {
                let now = tally.count(phase, *slot);
                now.writes + now.reads >= before.writes + before.reads + SEEN
            })
        })
        .await
    }

    /// Has a reader of every running version compare all rows with the oracle.
    pub(super) async fn compare(&mut self) -> Result<(), DemoError> {
        let mut asked: BTreeMap<Version, u32> = BTreeMap::new();
        for (slot, process) in &self.processes {
            if process.role == Role::Reader {
                asked.entry(process.version).or_insert(*slot);
            }
        }
        let slots: Vec<_> = asked
            .into_values()
            .map(|slot| (slot, self.tally().comparisons(slot)))
            .collect();
        for (slot, _) in &slots {
            self.order(*slot, Order::Compare).await?;
        }
        self.wait(|tally| {
            slots
                .iter()
                .all(|(slot, before)| tally.comparisons(*slot) > *before)
        })
        .await
    }

    /// Tells one process of a role something.
    pub(super) async fn order_one(&mut self, role: Role, order: Order) -> Result<(), DemoError> {
        match self.slots(|process| process.role == role).last() {
            Some(slot) => self.order(*slot, order).await,
            None => Ok(()),
        }
    }

    /// Kills a writer with SIGKILL in the middle of a transaction and starts another one.
    pub(super) async fn kill_writer(&mut self, version: Version) -> Result<(), DemoError> {
        let writers =
            self.slots(|process| process.role == Role::Writer && process.version == version);
        let Some(slot) = writers.first().copied() else {
            return Ok(());
        };
        self.tally.send_modify(|tally| tally.leave(slot));
        self.order(slot, Order::Hang).await?;
        self.wait(|tally| tally.is_hanging(slot)).await?;
        if let Some(mut process) = self.processes.remove(&slot) {
            process.child.kill().await.map_err(DemoError::Start)?;
        }
        self.start(version, &[Role::Writer]).await
    }

    /// Has every process of a version finish what it began, and end.
    pub(super) async fn stop(&mut self, version: Version) -> Result<(), DemoError> {
        let slots = self.slots(|process| process.version == version);
        for slot in &slots {
            self.tally.send_modify(|tally| tally.leave(*slot));
            self.order(*slot, Order::Stop).await?;
        }
        self.wait(|tally| slots.iter().all(|slot| tally.has_ended(*slot)))
            .await?;
        for slot in slots {
            if let Some(mut process) = self.processes.remove(&slot) {
                let status = process.child.wait().await.map_err(DemoError::Start)?;
                if !status.success() {
                    return Err(ended(&process, slot, &status.to_string()));
                }
            }
        }
        Ok(())
    }

    /// Kills whatever still runs, and waits until it is gone.
    pub(super) async fn end(mut self) {
        for (slot, mut process) in std::mem::take(&mut self.processes) {
            self.tally.send_modify(|tally| tally.leave(slot));
            if let Err(error) = process.child.kill().await {
                eprintln!("process {slot} of the demo could not be ended: {error}");
            }
        }
    }

    /// Waits for something to be reported; an end that nobody asked for is an error.
    async fn wait(&mut self, reached: impl Fn(&Tally) -> bool) -> Result<(), DemoError> {
        let mut watch = self.tally.subscribe();
        let waited = tokio::time::timeout(
            PATIENCE,
            watch.wait_for(|tally| reached(tally) || tally.ended_early().is_some()),
        );
        let early = match waited.await {
            Ok(Ok(tally)) => tally.ended_early(),
            Ok(Err(_)) | Err(_) => return Err(DemoError::Silent(PATIENCE.as_secs())),
        };
        let Some(slot) = early else { return Ok(()) };
        match self.processes.get_mut(&slot) {
            Some(process) => {
                let status = process.child.wait().await.map_err(DemoError::Start)?;
                Err(ended(process, slot, &status.to_string()))
            }
            None => Ok(()),
        }
    }

    async fn spawn(&mut self, version: Version, role: Role) -> Result<u32, DemoError> {
        self.started += 1;
        let slot = self.started;
        let mut command = Command::new(&self.executable);
        // Ctrl-C is for the demo, which then ends its processes.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command
            .arg("demo-worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(DemoError::Start)?;
        let (Some(orders), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(DemoError::Start(std::io::ErrorKind::BrokenPipe.into()));
        };
        tokio::spawn(listen(slot, output, Arc::clone(&self.tally)));
        let process = Process {
            child,
            orders,
            role,
            version,
        };
        self.processes.insert(slot, process);
        let assignment = Assignment {
            role,
            version,
            url: self.url.clone(),
            slot,
            rows: self.rows,
        };
        self.send(slot, &assignment).await?;
        Ok(slot)
    }

    async fn order(&mut self, slot: u32, order: Order) -> Result<(), DemoError> {
        self.send(slot, &order).await
    }

    async fn send(&mut self, slot: u32, message: &impl serde::Serialize) -> Result<(), DemoError> {
        let Some(process) = self.processes.get_mut(&slot) else {
            return Ok(());
        };
        let line = serde_json::to_string(message)
            .map_err(|error| DemoError::Start(std::io::Error::other(error)))?;
        let sent = process
            .orders
            .write_all(format!("{line}\n").as_bytes())
            .await;
        sent.map_err(|error| ended(process, slot, &error.to_string()))
    }

    fn slots(&self, wanted: impl Fn(&Process) -> bool) -> Vec<u32> {
        self.processes
            .iter()
            .filter(|(_, process)| wanted(process))
            .map(|(slot, _)| *slot)
            .collect()
    }
}

fn ended(process: &Process, slot: u32, how: &str) -> DemoError {
    DemoError::Ended(
        format!("{:?} {slot} of {:?}", process.role, process.version).to_lowercase(),
        how.to_owned(),
    )
}

/// Takes a process's lines until they end.
async fn listen(slot: u32, output: ChildStdout, tally: Arc<watch::Sender<Tally>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(event) => tally.send_modify(|tally| tally.take(slot, event)),
            Err(error) => tally.send_modify(|tally| {
                let problem = format!("process {slot} said what is no event: {line} ({error})");
                tally.take(slot, super::message::Event::Failed { problem });
            }),
        }
    }
    tally.send_modify(|tally| tally.end(slot));
}
