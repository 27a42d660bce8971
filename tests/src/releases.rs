//! A user's crate through its releases: what is generated for each is what is checked in beside the test. `ZDM_BLESS=1` writes
//! it anew.
//!
//! Comes in: the models of every release, in a folder of its own below the test's. Goes out: the commands that a user would run.
//! Must not know: what the releases do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::project::Project;

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// The crate, with the database that it belongs to.
pub struct Releases {
    project: Project,
    /// The test's folder below `tests/tests`.
    test: &'static str,
}

impl Releases {
    /// An empty crate for a PostgreSQL database.
    pub fn new(url: String, test: &'static str) -> Self {
        let project = Project::new(url);
        project.write("src/lib.rs", "//! A crate.\n\npub mod models;\n");
        project.write(
            "zdm.toml",
            "[database]\ndialect = \"postgres\"\n\n[policy]\nsoak = \"0s\"\nramp_dwell = \"0s\"\nsleepers = \"0s\"\n",
        );
        Self { project, test }
    }

    /// The first release, and its tables.
    pub fn init(&self, release: &str) {
        self.takes_models_of(release);
        self.project.done(&["init"]);
        self.project.done(&["expand"]);
        self.is_checked_in(release);
    }

    /// A release with changed models, and what it adds to the database.
    pub fn generate(&self, release: &str, version: &str) {
        self.takes_models_of(release);
        self.project.done(&["generate", version]);
        self.project.done(&["expand"]);
        self.is_checked_in(release);
    }

    /// The release after a transition.
    pub fn finalize(&self, release: &str) {
        self.project.done(&["finalize"]);
        self.is_checked_in(release);
    }

    /// A command that waits for instances is repeated until they have followed.
    ///
    /// # Panics
    ///
    /// Where it fails, or waits for too long.
    pub fn until_done(&self, arguments: &[&str]) {
        let began = Instant::now();
        loop {
            let run = self.project.zdm(arguments);
            match run.status.code() {
                Some(0) => return,
                Some(4) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                _ => panic!("{arguments:?}: {run:#?}"),
            }
        }
    }

    fn takes_models_of(&self, release: &str) {
        let path = self.folder(release).join("models.rs");
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.project.write("src/models.rs", &text);
    }

    /// The generated code and the models, as they are compiled in the test.
    fn is_checked_in(&self, release: &str) {
        let module = format!("crate::{release}::models");
        let mut generated = BTreeMap::new();
        for path in self.project.files() {
            let Ok(below) = path.strip_prefix(self.project.path("src")) else {
                continue;
            };
            if below.starts_with("zdm") || below == "models.rs" {
                let text = fs::read_to_string(&path).expect("a text");
                let text = text.replace("crate::models", &module);
                generated.insert(self.folder(release).join(below), text);
            }
        }
        if std::env::var_os("ZDM_BLESS").is_some() {
            for (path, text) in &generated {
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, text).expect("a file");
            }
        }
        let checked_in: BTreeMap<PathBuf, String> = generated
            .keys()
            .filter_map(|path| Some((path.clone(), fs::read_to_string(path).ok()?)))
            .collect();
        assert!(
            checked_in == generated,
            "{release}: the generated code is another; ZDM_BLESS=1 writes it anew"
        );
    }

    fn folder(&self, release: &str) -> PathBuf {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        tests.join(self.test).join(release)
    }
}
