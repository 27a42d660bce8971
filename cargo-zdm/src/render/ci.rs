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
                folder_in_shell => in_shell(&known.folder),
                folder_in_yaml => in_yaml(&known.folder),
                entry => in_yaml(&entry(&known.folder)),
                postgres,
                features => if postgres { "postgres,tls" } else { "sqlite" },
                url_env => known.url_env.as_str(),
                version => env!("CARGO_PKG_VERSION"),
            },
        )?;
        Ok(format!("{}\n", text.trim_end()))
    }
}

/// What the program `pre-commit` splits into words as a shell does.
fn entry(folder: &str) -> String {
    let inner = format!("cd {} && cargo zdm check", in_shell(folder));
    format!("sh -c {}", in_shell(&inner))
}

/// One word of a shell.
fn in_shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    if !text.starts_with('-') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A scalar of YAML, quoted where it would not be read as it stands (YAML 1.2.2, "7.3.3. Plain Style").
fn in_yaml(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./-' &".contains(c);
    let starts_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.');
    if starts_plain && !text.ends_with(' ') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}
