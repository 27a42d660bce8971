//! `zdm/code.toml`: per migration, by id, what the repository's code is: `transition`, `final` or `baseline`.
//!
//! Comes in: the versions' folder. Goes out: [`CodeStates`]. A missing file means: no code yet, nothing is final.
//! Must not know: any database.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::Failure;

const FILE: &str = "code.toml";

/// The states by the migration's id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct CodeStates(BTreeMap<String, State>);

/// What the code is about one migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It names old and new.
    Transition,
    /// It names only new.
    Final,
    /// The tables were there before the tool.
    Baseline,
}

impl CodeStates {
    /// Reads the file.
    pub(crate) fn read(versions: &Path) -> Result<Self, Failure> {
        let path = versions.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let broken = |error: &dyn std::fmt::Display| {
            Failure::environment(
                format!("{} is not understood: {error}", path.display()),
                "restore it from version control; nothing has been executed",
            )
        };
        let text = std::fs::read_to_string(&path).map_err(|error| broken(&error))?;
        toml::from_str(&text).map_err(|error| broken(&error))
    }

    /// What the code is about a migration; code that does not mention it was generated before.
    pub(crate) fn of(&self, id: &str) -> Option<State> {
        self.0.get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_by_id() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            CodeStates::read(folder.path()).unwrap(),
            CodeStates::default()
        );
        let file = folder.path().join(FILE);
        std::fs::write(
            &file,
            "2222bbbb2222 = \"final\"\n1111aaaa1111 = \"baseline\"\n",
        )
        .unwrap();
        let states = CodeStates::read(folder.path()).unwrap();
        assert_eq!(states.of("2222bbbb2222"), Some(State::Final));
        assert_eq!(states.of("1111aaaa1111"), Some(State::Baseline));
        assert_eq!(states.of("333"), None);
        std::fs::write(&file, "x = \"finished\"\n").unwrap();
        assert!(CodeStates::read(folder.path()).is_err());
    }
}
