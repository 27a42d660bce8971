//! The versions up to the one that is rehearsed, in a folder of their own, as a checkout of that moment has them.
//!
//! Comes in: the version. Goes out: a `zdm.toml` beside the versions, all before the last one finalized.
//! Must not know: any database.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zdm_runtime::manifest::Manifest;

use super::scratch::folder;
use crate::error::Failure;
use crate::pipeline::rehearsed::Rehearsed;
use crate::versions::{CodeStates, State, code_states};

const FOLDER: &str = "zdm";
const SUM: &str = "zdm.sum";

/// The folder. It goes with its value.
#[derive(Debug)]
pub(super) struct Project(TempDir);

impl Project {
    /// Copies the versions.
    pub(super) fn write(rehearsed: &Rehearsed) -> Result<Self, Failure> {
        let project = Self(folder()?);
        let from = rehearsed.options.root.join(&rehearsed.options.versions);
        let versions = &rehearsed.history.versions()[..=rehearsed.place];
        let folders: Vec<String> = versions.iter().map(Manifest::folder).collect();
        for folder in &folders {
            let to = project.versions().join(folder);
            copied(from.join(folder).as_std_path(), &to).map_err(|error| refused(&to, &error))?;
        }
        let sum = from.join(SUM);
        let text =
            std::fs::read_to_string(&sum).map_err(|error| refused(sum.as_std_path(), &error))?;
        // Each line's hash stands on those before it.
        let kept = text.lines().filter(|line| {
            let folder = line.split(' ').next().unwrap_or_default();
            line.starts_with('#') || folders.iter().any(|kept| kept == folder)
        });
        let sum = kept.collect::<Vec<_>>().join("\n") + "\n";
        put(&project.versions().join(SUM), &sum)?;
        let dialect = &rehearsed.options.dialect;
        let config =
            format!("[database]\ndialect = \"{dialect}\"\n\n[generate]\nversions = \"{FOLDER}\"\n");
        put(&project.manifest(), &config)?;
        project.deploy(rehearsed, State::Transition)?;
        Ok(project)
    }

    /// From now on the code of the version is in this state.
    pub(super) fn deploy(&self, rehearsed: &Rehearsed, state: State) -> Result<(), Failure> {
        let mut states = CodeStates::default();
        let versions = &rehearsed.history.versions()[..=rehearsed.place];
        for (at, version) in versions.iter().enumerate() {
            if rehearsed.history.code().of(&version.id) == Some(State::Baseline) {
                states.set(&version.id, State::Baseline);
            } else if version.route.has_final_code() {
                states.set(
                    &version.id,
                    if at == rehearsed.place {
                        state
                    } else {
                        State::Final
                    },
                );
            }
        }
        put(
            &self.versions().join(code_states::FILE),
            &states.text(&|_| None),
        )
    }

    /// Its `zdm.toml`.
    pub(super) fn manifest(&self) -> PathBuf {
        self.0.path().join("zdm.toml")
    }

    fn versions(&self) -> PathBuf {
        self.0.path().join(FOLDER)
    }
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| refused(path, &error))
}

fn copied(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copied(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn refused(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(
        format!("{} cannot be copied: {error}", path.display()),
        "make room or grant the right, and run the rehearsal again",
    )
}
