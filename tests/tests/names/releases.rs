//! The user's crate through its releases: what is generated for each is what is checked in here. `ZDM_BLESS=1` writes it
//! anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zdm_tests::project::Project;

pub(crate) const VERSION: &str = "customers";

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Releases(Project);

impl Releases {
    pub(crate) fn new(url: String) -> Self {
        let project = Project::new(url);
        project.write("src/lib.rs", "//! A crate.\n\npub mod models;\n");
        project.write(
            "zdm.toml",
            "[database]\ndialect = \"postgres\"\n\n[policy]\nsoak = \"0s\"\nramp_dwell = \"0s\"\nsleepers = \"0s\"\n",
        );
        Self(project)
    }

    /// The first release, and its tables.
    pub(crate) fn init(&self) {
        self.0.write("src/models.rs", &text("old/models.rs"));
        self.0.done(&["init"]);
        self.0.done(&["expand"]);
        self.is_checked_in("old");
    }

    /// The second, and what it adds to the table.
    pub(crate) fn transition(&self) {
        self.0.write("src/models.rs", &text("transition/models.rs"));
        self.0.done(&["generate", VERSION]);
        self.0.done(&["expand"]);
        self.is_checked_in("transition");
    }

    /// The third.
    pub(crate) fn last(&self) {
        self.0.done(&["finalize"]);
        self.is_checked_in("last");
    }

    /// The fourth, and the view of the table's new name.
    pub(crate) fn renamed(&self) {
        self.0.write("src/models.rs", &text("renamed/models.rs"));
        self.0.done(&["generate", "clients"]);
        self.0.done(&["expand"]);
        self.is_checked_in("renamed");
    }

    /// A command that waits for instances is repeated until they have followed.
    pub(crate) fn until_done(&self, arguments: &[&str]) {
        let began = Instant::now();
        loop {
            let run = self.0.zdm(arguments);
            match run.status.code() {
                Some(0) => return,
                Some(4) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                _ => panic!("{arguments:?}: {run:#?}"),
            }
        }
    }

    /// The generated code and the models, as they are compiled here.
    fn is_checked_in(&self, release: &str) {
        let module = format!("crate::{release}::models");
        let mut generated = BTreeMap::new();
        for path in self.0.files() {
            let Ok(below) = path.strip_prefix(self.0.path("src")) else {
                continue;
            };
            if below.starts_with("zdm") || below == "models.rs" {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.replace("crate::models", &module);
                generated.insert(folder(release).join(below), text);
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

fn folder(release: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/names")
        .join(release)
}

fn text(below: &str) -> String {
    std::fs::read_to_string(folder(below)).unwrap()
}
