//! The real command line, acting on one database under a policy without waiting times.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use zdm_tests::tool;

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// `cargo zdm` with what it needs in production, `zdm.toml` and `zdm/`, and a database.
pub(crate) struct Tool {
    folder: TempDir,
    database_url: String,
}

impl Tool {
    pub(crate) fn on(database_url: &str) -> Self {
        let folder = TempDir::with_prefix("zdm-accounts-").unwrap();
        let toml = std::fs::read_to_string(Path::new(PROJECT).join("zdm.toml")).unwrap();
        let mut impatient = toml.clone();
        for (patient, hasty) in [
            ("soak = \"1d\"", "soak = \"0s\""),
            ("dwell = \"10m\"", "dwell = \"0s\""),
        ] {
            assert!(toml.contains(patient), "{toml}");
            impatient = impatient.replace(patient, hasty);
        }
        std::fs::write(folder.path().join("zdm.toml"), impatient).unwrap();
        symlink(Path::new(PROJECT).join("zdm"), folder.path().join("zdm")).unwrap();
        Self {
            folder,
            database_url: database_url.to_owned(),
        }
    }

    /// Runs a command that must succeed, and returns the object that it ends with.
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let output = self.output(arguments);
        assert!(
            output.status.success(),
            "cargo zdm {}: {}\n{}{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        last_object(&output)
    }

    /// `cargo zdm check`, which needs the crate and no database.
    pub(crate) fn check() -> Output {
        Command::new(tool::binary())
            .args(["zdm", "check", "--manifest-path"])
            .arg(Path::new(PROJECT).join("Cargo.toml"))
            .output()
            .expect("the tool was built")
    }

    /// Runs a command that must be refused with this exit code, and returns the object that it ends with.
    pub(crate) fn refused(&self, code: i32, arguments: &[&str]) -> Value {
        let output = self.output(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "cargo zdm {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr),
        );
        last_object(&output)
    }

    fn output(&self, arguments: &[&str]) -> Output {
        Command::new(tool::binary())
            .arg("zdm")
            .args(arguments)
            .args(["--format", "json", "--manifest-path"])
            .arg(self.folder.path().join("zdm.toml"))
            .env("DATABASE_URL", &self.database_url)
            .output()
            .expect("the tool was built")
    }
}

fn last_object(output: &Output) -> Value {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}
