//! A workflow and hooks that run the tool, as text for the team to change.
//!
//! Comes in: what is known of the project. Goes out: text.
//! Must not know: the disk, git.

use minijinja::context;

use crate::dialect::environment;

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A workflow of GitHub Actions.
    Github,
    /// A hook of git.
    Hook,
    /// The configuration of the program `pre-commit`.
    PreCommit,
}

/// What is known of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The folder of `zdm.toml` below the repository's: `.`, `crates/shop`.
    pub folder: String,
    /// `postgres` or `sqlite`.
    pub dialect: String,
    /// The variable that holds the database's URL.
    pub url_env: String,
}

impl Kind {
    /// Where it goes, below the repository's folder.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Github => ".github/workflows/zdm.yml",
            Self::Hook => ".git-hooks/pre-commit",
            Self::PreCommit => ".pre-commit-config.yaml",
        }
    }

    /// The text.
    pub fn text(self, known: &Known) -> Result<String, minijinja::Error> {
        let template = match self {
            Self::Github => include_str!("../../templates/ci/github.yml.j2"),
            Self::Hook => include_str!("../../templates/ci/pre-commit.sh.j2"),
            Self::PreCommit => include_str!("../../templates/ci/pre-commit-config.yaml.j2"),
        };
        let postgres = known.dialect == "postgres";
        let text = environment()?.render_str(
            template,
            context! {
                folder => known.folder.as_str(),
                postgres,
                features => if postgres { "postgres,tls" } else { "sqlite" },
                url_env => known.url_env.as_str(),
                version => env!("CARGO_PKG_VERSION"),
            },
        )?;
        Ok(format!("{}\n", text.trim_end()))
    }
}
