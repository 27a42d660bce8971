//! A user's crate through its releases: what is generated for each is what is checked in beside the test that compiles it.
//! `ZDM_BLESS=1` writes it anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use crate::project::Project;

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// The crate, and where its releases are compiled.
#[derive(Debug)]
pub struct Releases {
    project: Project,
    /// A folder for each release.
    folder: PathBuf,
    /// The module of that folder: `crate`, `crate::postgres`.
    module: String,
}

impl Releases {
    /// A crate on this database, for the test below `tests/`: `names`, or `flight/postgres` where it has several crates.
    pub fn new(url: String, test: &str) -> Self {
        let dialect = match url.split(':').next() {
            Some("sqlite") => "sqlite",
            _ => "postgres",
        };
        let project = Project::new(url);
        project.write("src/lib.rs", "//! A crate.\n\npub mod models;\n");
        project.write(
            "zdm.toml",
            &format!(
                "[database]\ndialect = \"{dialect}\"\n\n[policy]\nsoak = \"0s\"\nramp_dwell = \"0s\"\nsleepers = \"0s\"\n"
            ),
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let below = test.split('/').skip(1);
        Self {
            project,
            folder: folder.join(test),
            module: ["crate"]
                .into_iter()
                .chain(below)
                .collect::<Vec<_>>()
                .join("::"),
        }
    }

    /// Triggers keep both sides for writers outside the application.
    pub fn under_nets(&self) {
        let mut settings = self.project.text("zdm.toml");
        settings.push_str("\n[generate]\ndual_write = \"both\"\n");
        self.project.write("zdm.toml", &settings);
    }

    /// A release with these models, by these commands.
    ///
    /// # Panics
    ///
    /// Where a command does not end well, or generates something else than what is checked in.
    pub fn declared(&self, release: &str, commands: &[&[&str]]) {
        let models = self.folder.join(release).join("models.rs");
        self.project
            .write("src/models.rs", &std::fs::read_to_string(models).unwrap());
        self.generated(release, commands);
    }

    /// A release that these commands make of the one before.
    ///
    /// # Panics
    ///
    /// As [`Releases::declared`].
    pub fn generated(&self, release: &str, commands: &[&[&str]]) {
        for command in commands {
            self.project.done(command);
        }
        self.is_checked_in(release);
    }

    /// What a reviewer of a release is told of its version: `0003_towns`.
    ///
    /// # Panics
    ///
    /// Where it is something else than what is checked in.
    pub fn reviewed(&self, release: &str, version: &str) {
        let page = self.project.text(&format!("zdm/{version}/README.md"));
        let path = self.folder.join(release).join("README.md");
        compare(release, &BTreeMap::from([(path, page)]));
    }

    /// What a release's code includes of its version: `0002_phone_keys`.
    ///
    /// # Panics
    ///
    /// Where it is something else than what is checked in.
    pub fn embedded(&self, version: &str) {
        let version = Path::new("zdm").join(version);
        let mut included = BTreeMap::new();
        for path in self.project.files() {
            let Ok(below) = path.strip_prefix(self.project.path("")) else {
                continue;
            };
            let of_backfill = below.as_std_path().starts_with(version.join("3_backfill"));
            if of_backfill || below.as_std_path() == version.join("plan.toml") {
                let text = std::fs::read_to_string(&path).unwrap();
                included.insert(self.folder.join(below), text);
            }
        }
        compare(&version.display().to_string(), &included);
    }

    /// A command that finds this gate shut.
    ///
    /// # Panics
    ///
    /// Where it does not.
    pub fn waits(&self, arguments: &[&str], gate: &str) {
        let run = tokio::task::block_in_place(|| self.project.zdm(arguments));
        let said = String::from_utf8_lossy(&run.stderr) + String::from_utf8_lossy(&run.stdout);
        assert_eq!(run.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.contains(gate), "{arguments:?}: {said}");
    }

    /// [`Releases::ended`] of a command that must end well.
    ///
    /// # Panics
    ///
    /// Where it does not.
    pub fn until_done(&self, arguments: &[&str]) {
        let run = self.ended(arguments);
        assert!(run.status.success(), "{arguments:?}: {run:#?}");
    }

    /// A command that waits for instances is repeated until they have followed, and one that did not get a lock beside the
    /// writers goes on, as it says.
    ///
    /// # Panics
    ///
    /// Where it cannot be run.
    pub fn ended(&self, arguments: &[&str]) -> Output {
        let began = Instant::now();
        loop {
            let run = tokio::task::block_in_place(|| self.project.zdm(arguments));
            match run.status.code() {
                Some(4) if began.elapsed() < PATIENCE => {
                    tokio::task::block_in_place(|| {
                        std::thread::sleep(Duration::from_millis(50));
                    });
                }
                Some(3)
                    if String::from_utf8_lossy(&run.stderr).contains("did not get its lock") => {}
                _ => return run,
            }
        }
    }

    /// The generated code and the models, as they are compiled here.
    fn is_checked_in(&self, release: &str) {
        let module = format!("{}::{release}::models", self.module);
        let mut generated = BTreeMap::new();
        for path in self.project.files() {
            let Ok(below) = path.strip_prefix(self.project.path("src")) else {
                continue;
            };
            if below.starts_with("zdm") || below == "models.rs" {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.replace("crate::models", &module);
                generated.insert(self.folder.join(release).join(below), text);
            }
        }
        compare(release, &generated);
    }
}

/// With what is checked in, by path.
fn compare(release: &str, generated: &BTreeMap<PathBuf, String>) {
    if std::env::var_os("ZDM_BLESS").is_some() {
        for (path, text) in generated {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
    let checked_in: BTreeMap<PathBuf, String> = generated
        .keys()
        .filter_map(|path| Some((path.clone(), std::fs::read_to_string(path).ok()?)))
        .collect();
    assert!(
        checked_in == *generated,
        "{release}: what is generated is something else; ZDM_BLESS=1 writes it anew"
    );
}
