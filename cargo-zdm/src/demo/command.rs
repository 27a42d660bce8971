//! The commands of the migration, run as a person or a pipeline would run them: in processes of their own.
//!
//! Comes in: arguments. Goes out: the object that the command ends with. A shut gate is tried again, a killed command too.
//! Must not know: what the commands do.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::process::{Child, Command};

use super::error::DemoError;
use super::message::Version;
use super::project::{Project, URL_VARIABLE};
use crate::load::random::Random;

/// Between two tries at a shut gate.
const RETRY: Duration = Duration::from_millis(100);
/// How long a gate may stay shut: longer than any lease of a process or command that was killed.
const PATIENCE: Duration = Duration::from_mins(3);
/// Who acts, for the audit log: with a host, so that a command may take over from a killed one.
const ACTOR: &str = "demo@localhost";
/// The exit code of a shut gate.
const SHUT: i32 = 4;

/// Runs commands on the demo's database.
#[derive(Debug)]
pub(super) struct Commands {
    executable: PathBuf,
    project: Project,
    url: String,
    /// Kill every command once with SIGKILL, at a moment that this chooses, before it may finish.
    kill: Option<Random>,
}

impl Commands {
    /// Commands for the versions of a project, on a database.
    pub(super) fn new(project: Project, url: &str, kill: bool) -> Result<Self, DemoError> {
        Ok(Self {
            executable: std::env::current_exe().map_err(DemoError::Start)?,
            project,
            url: url.to_owned(),
            kill: kill.then(|| Random::new(1)),
        })
    }

    /// Runs a command until it succeeds, waiting where a gate is shut.
    pub(super) async fn run(
        &mut self,
        version: Version,
        arguments: &[&str],
    ) -> Result<Value, DemoError> {
        if let Some(random) = &mut self.kill {
            let moment = Duration::from_millis(random.below(250));
            let mut child = self.start(version, arguments)?;
            tokio::time::sleep(moment).await;
            child.kill().await.map_err(DemoError::Start)?;
        }
        let begun = Instant::now();
        loop {
            let output = self
                .start(version, arguments)?
                .wait_with_output()
                .await
                .map_err(DemoError::Start)?;
            let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if output.status.success() {
                return Ok(last_object(&answer));
            }
            if output.status.code() != Some(SHUT) {
                let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                return Err(DemoError::Command {
                    command: arguments.join(" "),
                    answer: if complaint.is_empty() {
                        answer
                    } else {
                        complaint
                    },
                });
            }
            if begun.elapsed() > PATIENCE {
                return Err(DemoError::Shut {
                    command: arguments.join(" "),
                    seconds: PATIENCE.as_secs(),
                    answer: shut_gates(&answer),
                });
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Starts a command and returns at once. It is killed when the value is dropped.
    pub(super) fn start(&self, version: Version, arguments: &[&str]) -> Result<Child, DemoError> {
        let mut command = Command::new(&self.executable);
        // Ctrl-C is for the demo, which then ends its processes.
        #[cfg(unix)]
        command.process_group(0);
        command
            .args(arguments)
            .args(["--format", "json", "--actor", ACTOR, "--manifest-path"])
            .arg(self.project.manifest(version))
            .env(URL_VARIABLE, &self.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(DemoError::Start)
    }
}

/// Why a command has to wait.
fn shut_gates(answer: &str) -> String {
    let object = last_object(answer);
    let gates = object["error"]["gates"].as_array();
    let reasons: Vec<_> = gates
        .into_iter()
        .flatten()
        .filter(|gate| gate["open"] == Value::Bool(false))
        .filter_map(|gate| gate["reason"].as_str())
        .collect();
    if reasons.is_empty() {
        answer.to_owned()
    } else {
        reasons.join("; ")
    }
}

/// The last line of a command's answer, which programs read.
fn last_object(answer: &str) -> Value {
    answer
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .unwrap_or_default()
}
