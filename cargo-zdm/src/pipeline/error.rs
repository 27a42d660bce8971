//! Why a build-time command stops. Nothing has been written.

use camino::Utf8PathBuf;

use crate::dialect::DialectError;
use crate::files::FileError;
use crate::plan::BuildError;
use crate::render::rust::{FormatError, RenderError};
use crate::source::SourceError;
use crate::versions::VersionError;

/// The stage that stops, with its reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// Reading the models.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Reading the saved versions.
    #[error(transparent)]
    Versions(#[from] VersionError),
    /// The dialect.
    #[error(transparent)]
    Dialect(#[from] DialectError),
    /// Planning.
    #[error(transparent)]
    Plan(#[from] BuildError),
    /// Rendering Rust.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Formatting Rust.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Reading or writing files.
    #[error(transparent)]
    Files(#[from] FileError),
    /// Writing TOML: a mistake of this program.
    #[error("a version cannot be written as TOML: {0}")]
    Toml(#[from] toml::ser::Error),
    /// Models in two crates.
    #[error(
        "models stand in two crates, {first} and {second}; generated code belongs to one. Name the files of one crate under `models` in [generate] of zdm.toml, and give the other a zdm.toml of its own"
    )]
    SeveralCrates {
        /// A crate's root file.
        first: Utf8PathBuf,
        /// Another one's.
        second: Utf8PathBuf,
    },
    /// The database changed its kind.
    #[error(
        "the versions were generated for {before}, zdm.toml says {now}: a database of another kind needs versions of its own, in another folder (`versions` under [generate])"
    )]
    OtherDialect {
        /// What the last version was generated for.
        before: String,
        /// What is wanted now.
        now: String,
    },
    /// Roles that cannot be written down.
    #[error("[database.roles] in zdm.toml: {reason}")]
    Roles {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The user's own SQL that cannot become a step.
    #[error("{file}: {reason}")]
    Raw {
        /// The file.
        file: Utf8PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A file among the project's own templates that cannot be one.
    #[error("{file}: {reason}")]
    Template {
        /// The file.
        file: Utf8PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// What the project's own templates make is no Rust.
    #[error("{source}\nThe project has templates of its own, which may be the cause: {files}")]
    OwnTemplates {
        /// What rustfmt says.
        source: FormatError,
        /// The templates.
        files: String,
    },
    /// Two migrations of one table.
    #[error(
        "table `{table}` is in transition by {migration}, and the new version {change}: meanwhile the table gets columns, indexes and further pairs of old and new columns that have nothing to do with the transition, and all else afterwards. Run `cargo zdm finalize {migration}` once it is complete everywhere, or put the change into it with `cargo zdm generate --amend` if it is not merged"
    )]
    TableInTransition {
        /// The table.
        table: String,
        /// The migration's folder.
        migration: String,
        /// What the new version would do: `would drop the column users.age`.
        change: String,
    },
    /// A version that names an enum whose types exchange their names.
    #[error(
        "the enum `{name}` is in transition by {migration}: the name means the type with the values from before, until that of the new ones takes it, so that a table, column or value of it waits. Run `cargo zdm finalize {migration}` once it is complete everywhere"
    )]
    EnumInTransition {
        /// The enum.
        name: String,
        /// The migration's folder.
        migration: String,
    },
    /// The attributes that a migration in transition was generated from are gone or changed.
    #[error(
        "the transition attributes of {migration} have changed since it was generated (`renamed_from`, `moved_from`, `from`, `final_name`, `up`, `down`, `valid_if`, `on_invalid`). Restore them, or generate it again with `cargo zdm generate --amend` if it is not merged; `cargo zdm finalize` removes them when it is over"
    )]
    TransitionChanged {
        /// The migration's folder.
        migration: String,
    },
    /// `--amend` or `--rebase`, and the structs are as they were before that version.
    #[error(
        "the structs do not differ from the version before {folder}: there is nothing to generate it from. Remove the folder and its line in zdm.sum if it is not merged"
    )]
    NothingLeft {
        /// The version.
        folder: String,
    },
    /// No such migration, or not in transition.
    #[error("{name} is not in transition; these are: {known}")]
    NotInTransition {
        /// What was asked for.
        name: String,
        /// What could have been meant.
        known: String,
    },
    /// The column that counts the writes of a row is in two columns or two tables.
    #[error(
        "{file}:{line}: `{column}` of `{model}` counts the writes of a row (`version`), and `{migration}` replaces it or moves columns between \
         its table and another one: a write through the other side would not be counted, and one that it overtook would not be \
         refused; nothing has been written: take `version` off the field, in a release before this one, and put it back after \
         `cargo zdm finalize`"
    )]
    VersionInTransition {
        /// The struct's file.
        file: Utf8PathBuf,
        /// The line of the struct's name.
        line: usize,
        /// The struct.
        model: String,
        /// The column.
        column: String,
        /// The folder of the migration.
        migration: String,
    },
    /// Queries that would fail once the code is final and old is dropped.
    #[error("code names by hand what {migrations} takes away:{places}")]
    StillNamed {
        /// The migrations' folders.
        migrations: String,
        /// A line for each place.
        places: String,
    },
    /// A Rust file of the user's cannot be changed.
    #[error("{file} cannot be read as Rust: {reason}; nothing has been written")]
    UserSource {
        /// The file.
        file: Utf8PathBuf,
        /// Why.
        reason: String,
    },
}
