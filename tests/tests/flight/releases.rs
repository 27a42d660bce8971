//! The user's crate through its releases: what is generated for each is what is checked in here. `ZDM_BLESS=1` writes it
//! anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zdm_tests::project::Project;

pub(crate) const FIRST: &str = "full_names";
pub(crate) const SECOND: &str = "towns";

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Releases {
    project: Project,
    dialect: &'static str,
}

impl Releases {
    pub(crate) fn new(dialect: &'static str, url: String) -> Self {
        let project = Project::new(url);
        project.write("src/lib.rs", "//! A crate.\n\npub mod models;\n");
        project.write(
            "zdm.toml",
            &format!(
                "[database]\ndialect = \"{dialect}\"\n\n[policy]\nsoak = \"0s\"\nramp_dwell = \"0s\"\nsleepers = \"0s\"\n"
            ),
        );
        Self { project, dialect }
    }

    /// The release before, and its table.
    pub(crate) fn init(&self) {
        self.project.write("src/models.rs", &self.models("zero"));
        self.project.done(&["init"]);
        self.project.done(&["expand"]);
        self.is_checked_in("zero", None);
    }

    /// The release that a version begins with, and what that adds to the table.
    pub(crate) fn begin(&self, version: &str) {
        let (release, folder) = match version {
            FIRST => ("first", "0002_full_names"),
            _ => ("both", "0003_towns"),
        };
        self.project.write("src/models.rs", &self.models(release));
        self.project.done(&["generate", version]);
        self.project.done(&["check"]);
        self.project.done(&["expand"]);
        self.is_checked_in(release, Some(folder));
    }

    /// The release after it.
    pub(crate) fn finalize(&self, version: &str) {
        self.project.done(&["finalize", version]);
        self.project.done(&["check"]);
        self.is_checked_in(if version == FIRST { "second" } else { "last" }, None);
    }

    /// A command that waits for instances is repeated until they have followed.
    pub(crate) fn until_done(&self, arguments: &[&str]) {
        tokio::task::block_in_place(|| {
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
        });
    }

    /// A command finds this gate shut.
    pub(crate) fn waits(&self, arguments: &[&str], gate: &str) {
        let run = tokio::task::block_in_place(|| self.project.zdm(arguments));
        let said = String::from_utf8_lossy(&run.stderr) + String::from_utf8_lossy(&run.stdout);
        assert_eq!(run.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.contains(gate), "{arguments:?}: {said}");
    }

    /// The generated code and the models, as they are compiled here, and what a reviewer is told of the version.
    fn is_checked_in(&self, release: &str, version: Option<&str>) {
        let module = format!("crate::{}::{release}::models", self.dialect);
        let mut generated = BTreeMap::new();
        let folder = self.folder().join(release);
        for path in self.project.files() {
            let Ok(below) = path.strip_prefix(self.project.path("src")) else {
                continue;
            };
            if below.starts_with("zdm") || below == "models.rs" {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.replace("crate::models", &module);
                generated.insert(folder.join(below), text);
            }
        }
        if let Some(version) = version {
            let page = self.project.text(&format!("zdm/{version}/README.md"));
            generated.insert(folder.join("README.md"), page);
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

    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/flight")
            .join(self.dialect)
    }

    fn models(&self, release: &str) -> String {
        std::fs::read_to_string(self.folder().join(format!("{release}.rs"))).unwrap()
    }
}
