//! The registry's project in a folder of its own: its sources change, the real tool acts on it, cargo builds it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;
use zdm_tests::tool;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

const MAIN: &str = include_str!("registry/main.rs");
const BEFORE: [&str; 2] = [
    include_str!("registry/before/models.rs"),
    include_str!("registry/before/digest.rs"),
];
const AFTER: [&str; 2] = [
    include_str!("registry/after/models.rs"),
    include_str!("registry/after/digest.rs"),
];

/// A crate that owns the table.
pub(crate) struct Project {
    folder: TempDir,
    database_url: String,
}

impl Project {
    /// A crate with nothing but its manifest and its main function.
    pub(crate) fn new(database_url: &str) -> Self {
        let folder = TempDir::with_prefix("zdm-registry-").unwrap();
        let manifest = format!(
            "[package]\nname = \"registry\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n\
             sqlx = {{ version = \"0.9\", default-features = false, features = [\"runtime-tokio\", \"postgres\"] }}\n\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n\
             zdm-runtime = {{ path = {:?}, features = [\"postgres\"] }}\n\n\
             [workspace]\n",
            format!("{WORKSPACE}/zdm-runtime")
        );
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        // The versions that the workspace is locked to, so that nothing is fetched.
        std::fs::copy(
            Path::new(WORKSPACE).join("Cargo.lock"),
            folder.path().join("Cargo.lock"),
        )
        .unwrap();
        std::fs::write(folder.path().join("src/main.rs"), MAIN).unwrap();
        Self {
            folder,
            database_url: database_url.to_owned(),
        }
    }

    /// The struct `before` or `after`, and where the digest stands in it.
    pub(crate) fn write(&self, version: &str) {
        let [models, digest] = if version == "before" { BEFORE } else { AFTER };
        std::fs::write(self.folder.path().join("src/models.rs"), models).unwrap();
        std::fs::write(self.folder.path().join("src/digest.rs"), digest).unwrap();
    }

    /// The policy's waiting times are for people who watch; nobody does here.
    pub(crate) fn without_waiting_times(&self) {
        let file = self.folder.path().join("zdm.toml");
        let mut toml = std::fs::read_to_string(&file).unwrap();
        for (patient, hasty) in [
            ("soak = \"1d\"", "soak = \"0s\""),
            ("ramp_dwell = \"10m\"", "ramp_dwell = \"0s\""),
        ] {
            assert!(toml.contains(patient), "{toml}");
            toml = toml.replace(patient, hasty);
        }
        std::fs::write(&file, toml).unwrap();
    }

    /// Runs `cargo zdm …` in the project, prints what it says, and tells whether it was done; `false`: a gate is shut.
    pub(crate) fn zdm(&self, arguments: &[&str]) -> bool {
        println!("\n$ cargo zdm {}", arguments.join(" "));
        let began = Instant::now();
        let output = Command::new(tool::binary())
            .arg("zdm")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("DATABASE_URL", &self.database_url)
            .output()
            .expect("the tool was built");
        print!("{}", String::from_utf8_lossy(&output.stdout));
        print!("{}", String::from_utf8_lossy(&output.stderr));
        println!("({} ms)", began.elapsed().as_millis());
        match output.status.code() {
            Some(0) => true,
            Some(4) => false,
            _ => panic!("cargo zdm {}: {}", arguments.join(" "), output.status),
        }
    }

    /// Builds what the sources are now, and keeps the program under another name.
    pub(crate) fn build(&self, name: &str) -> PathBuf {
        let target = Path::new(WORKSPACE).join("target/real");
        let status = tool::cargo()
            .args(["build", "--quiet", "--offline", "--target-dir"])
            .arg(&target)
            .current_dir(self.folder.path())
            .status()
            .expect("cargo runs");
        assert!(status.success(), "the project does not build");
        let program = self.folder.path().join(name);
        std::fs::copy(target.join("debug/registry"), &program).unwrap();
        program
    }
}
