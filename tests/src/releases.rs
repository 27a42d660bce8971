//! A user's crate through its releases: what is generated for each is what is checked in beside the test that compiles it.
//! `ZDM_BLESS=1` writes it anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use crate::project::Project;

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// The crate, and the folder of the test with a folder for each release.
#[derive(Debug)]
pub struct Releases {
    project: Project,
    folder: PathBuf,
}

impl Releases {
    /// A crate on this database, for the test `tests/<test>`.
    pub fn new(url: String, test: &str) -> Self {
        let project = Project::new(url);
        project.write("src/lib.rs", "//! A crate.\n\npub mod models;\n");
        project.write(
            "zdm.toml",
            "[database]\ndialect = \"postgres\"\n\n[policy]\nsoak = \"0s\"\nramp_dwell = \"0s\"\nsleepers = \"0s\"\n",
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(test);
        Self { project, folder }
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
            let run = self.project.zdm(arguments);
            match run.status.code() {
                Some(4) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Some(3)
                    if String::from_utf8_lossy(&run.stderr).contains("did not get its lock") => {}
                _ => return run,
            }
        }
    }

    /// The generated code and the models, as they are compiled here.
    fn is_checked_in(&self, release: &str) {
        let module = format!("crate::{release}::models");
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
        if std::env::var_os("ZDM_BLESS").is_some() {
            for (path, text) in &generated {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
        }
        let checked_in: BTreeMap<PathBuf, String> = generated
            .keys()
            .filter_map(|path| Some((path.clone(), std::fs::read_to_string(path).ok()?)))
            .collect();
        assert!(
            checked_in == generated,
            "{release}: the generated code is another; ZDM_BLESS=1 writes it anew"
        );
    }
}
