//! A user's folder outside the workspace, and the real binaries run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A temporary folder with a `zdm.toml`.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    /// The database's URL; every run gets it as `DATABASE_URL`.
    pub(crate) url: String,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    /// Exit code.
    pub(crate) code: i32,
    /// stdout.
    pub(crate) out: String,
    /// stderr.
    pub(crate) err: String,
}

impl Project {
    /// With a `SQLite` file of its own, and `policy` below `[policy]`.
    pub(crate) fn sqlite(policy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("app.db").display());
        Self::new(folder, url, policy)
    }

    /// On a database that is there already.
    pub(crate) fn on(url: String, policy: &str) -> Self {
        Self::new(tempfile::tempdir().unwrap(), url, policy)
    }

    fn new(folder: tempfile::TempDir, url: String, policy: &str) -> Self {
        let project = Self { folder, url };
        std::fs::create_dir(project.path("zdm")).unwrap();
        std::fs::write(project.path("zdm.toml"), format!("[policy]\n{policy}\n")).unwrap();
        project
    }

    /// A path inside.
    pub(crate) fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Writes a file.
    pub(crate) fn write(&self, below: &str, text: &str) {
        std::fs::write(self.path(below), text).unwrap();
    }

    /// `cargo zdm …` as cargo starts it.
    pub(crate) fn cargo_zdm(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-zdm"));
        command.arg("zdm").args(arguments);
        Run::from(self.at_home(command).output().unwrap())
    }

    /// Plain `zdm …`.
    pub(crate) fn zdm(&self, arguments: &[&str]) -> Run {
        Run::from(self.command(arguments).output().unwrap())
    }

    /// Whether the system gives a test a terminal of its own: a bare chroot does not.
    #[cfg(target_os = "linux")]
    pub(crate) fn has_terminals() -> bool {
        let mut probe = Command::new("script");
        probe.args(["--quiet", "--return", "--command", "true", "/dev/null"]);
        let outcome = probe.stdin(std::process::Stdio::null()).output();
        outcome.is_ok_and(|output| output.status.success())
    }

    /// Plain `zdm …` on a terminal, where somebody types a line.
    #[cfg(target_os = "linux")]
    pub(crate) fn on_a_terminal(&self, arguments: &str, typed: &str) -> Run {
        use std::io::Write as _;
        let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_zdm"));
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        let mut running = self
            .at_home(command)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(running.stdin.take().unwrap(), "{typed}").unwrap();
        Run::from(running.wait_with_output().unwrap())
    }

    /// Plain `zdm …`, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zdm"));
        command.args(arguments);
        self.at_home(command)
    }

    /// Any program, started here.
    pub(crate) fn run(&self, command: Command) -> Run {
        Run::from(self.at_home(command).output().unwrap())
    }

    /// A run that must end with 0.
    pub(crate) fn done(&self, arguments: &[&str]) -> Run {
        let run = self.zdm(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:#?}");
        run
    }

    fn at_home(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env("DATABASE_URL", &self.url);
        command
    }
}

impl Run {
    /// The last line on stdout, parsed.
    pub(crate) fn object(&self) -> Value {
        let last = self.out.trim_end().lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// stdout and stderr together hold `words`.
    pub(crate) fn says(&self, words: &str) {
        assert!(
            self.out.contains(words) || self.err.contains(words),
            "`{words}` is missing: {self:#?}"
        );
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("killed by a signal"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
