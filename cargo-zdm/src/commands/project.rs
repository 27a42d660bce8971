//! What the build-time commands share: the pipeline's options out of `zdm.toml`, and putting files on disk.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use crate::config::FILE;
use crate::context::{Context, Project};
use crate::error::Failure;
use crate::files::{Difference, FileError, FileTree, finish};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::operate::session::{NamesOld, Session};
use crate::pipeline::{Mode, Options, PipelineError};
use crate::plan::BuildError;
use crate::render::rust::{Client, RenderError};
use crate::source::{SourceError, SourceOptions};
use crate::versions::VersionError;

/// The pipeline's options as `zdm.toml` and the command line have them. What an earlier command was killed at is ended
/// first, so that nothing is read half written.
pub(super) fn options(context: &Context, project: &Project) -> Result<Options, Failure> {
    let Some(dialect) = project.config.database.dialect.clone() else {
        return Err(Failure::usage(
            format!("{FILE} does not say for which database SQL is to be written"),
            "add dialect = \"postgres\" or dialect = \"sqlite\" under [database]",
        ));
    };
    let generate = &project.config.generate;
    // A crate may hold several projects, each with a zdm.toml of its own below the crate's folder.
    let manifest = context
        .manifest()
        .or_else(|| nearest_manifest(&project.root))
        .unwrap_or_else(|| project.root.join("Cargo.toml"));
    let root = utf8(project.root.clone())?;
    finish(&root)?;
    Ok(Options {
        root,
        source: SourceOptions {
            manifest_path: Some(manifest),
            only: generate
                .models
                .iter()
                .map(|path| project.root.join(path))
                .collect(),
            code: Some(project.root.join(&generate.code)),
            unwritten: std::collections::BTreeMap::new(),
        },
        dialect,
        client: Client::named(&generate.client),
        code: utf8(generate.code.clone())?,
        versions: utf8(generate.versions.clone())?,
        templates: utf8(generate.templates.clone())?,
        name: None,
        mode: Mode::Append,
        dropped_tables: Vec::new(),
        direct: Vec::new(),
        nets: generate.has_nets(),
        tests: generate.tests,
        keep: generate.keep.map(|window| window.as_secs()),
        no_keep: false,
        baseline: false,
        needed: None,
        roles: project.config.database.roles.clone(),
        add_module: false,
    })
}

/// What asks the sources before old goes; `None` where there is no `Cargo.toml`, as in a production image.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn names_old(context: &Context, session: &Session) -> Result<Option<NamesOld>, Failure> {
    let mut project = context.project()?;
    let given = context.manifest().filter(|manifest| manifest.is_file());
    if given.or_else(|| nearest_manifest(&project.root)).is_none() {
        return Ok(None);
    }
    let dialect = session.connection.dialect().name().to_owned();
    project.config.database.dialect.get_or_insert(dialect);
    let options = options(context, &project)?;
    Ok(Some(Box::new(move |id| {
        crate::none_names_old(&options, id)
            .map_err(|error| Failure::from(error).safe("nothing was dropped"))
    })))
}

fn nearest_manifest(root: &Path) -> Option<PathBuf> {
    root.ancestors()
        .map(|folder| folder.join("Cargo.toml"))
        .find(|manifest| manifest.is_file())
}

/// Puts the files on disk, or only looks, and tells what changed: lines for people, objects for programs.
pub(super) fn put(
    files: &FileTree,
    options: &Options,
    dry_run: bool,
) -> Result<(String, Vec<Value>), Failure> {
    let changed = if dry_run {
        files.differences(&options.root)?
    } else {
        files.write(&options.root)?
    };
    let mut lines = String::new();
    let mut objects = Vec::new();
    for (path, difference) in changed {
        let word = match difference {
            Difference::Missing => "new",
            Difference::Changed => "changed",
            Difference::Superfluous => "removed",
        };
        let _ = writeln!(lines, "  {word:8} {path}");
        objects.push(json!({ "path": path, "change": word }));
    }
    Ok((lines, objects))
}

pub(super) fn utf8(path: PathBuf) -> Result<Utf8PathBuf, Failure> {
    Utf8PathBuf::try_from(path).map_err(|error| {
        Failure::environment(
            format!("a path is not UTF-8: {error}"),
            "rename the folder: generated code names it",
        )
    })
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Source(error) => error.into(),
            PipelineError::Versions(error) => error.into(),
            PipelineError::Files(error) => error.into(),
            PipelineError::Plan(error) => error.into(),
            PipelineError::StillNamed { .. } => Self::findings(
                error,
                "change these places; where another column is meant, say so in a comment beside it (`zdm: allow users.age`), which stays on \
                 record in the repository; `cargo zdm references` lists them again",
            )
            .safe("nothing has been written"),
            PipelineError::TableInTransition { .. }
            | PipelineError::EnumInTransition { .. }
            | PipelineError::TransitionChanged { .. }
            | PipelineError::NothingLeft { .. }
            | PipelineError::Raw { .. }
            | PipelineError::VersionInTransition { .. }
            | PipelineError::Template { .. }
            | PipelineError::OwnTemplates { .. }
            | PipelineError::Render(
                RenderError::UserTemplate { .. } | RenderError::Unserved { .. },
            )
            | PipelineError::UserSource { .. } => Self::findings(
                error,
                "do what the message says, then run the command again",
            )
            .safe("nothing has been written"),
            PipelineError::OtherDialect { .. }
            | PipelineError::Roles { .. }
            | PipelineError::SeveralCrates { .. }
            | PipelineError::Render(RenderError::NoDriver { .. })
            | PipelineError::NotInTransition { .. } => {
                Self::usage(error, "correct the command or zdm.toml")
                    .safe("nothing has been written")
            }
            other => Self::environment(other, "mend the cause, then run the command again")
                .safe("nothing has been written"),
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Mistakes(_) => Self::findings(
                error,
                "correct the places shown, then run the command again",
            ),
            SourceError::NothingThere(_) => Self::usage(error, "correct zdm.toml"),
            SourceError::RuntimeRenamed { .. } => {
                Self::usage(error, "correct Cargo.toml, then run the command again")
            }
            other => Self::environment(other, "mend the cause, then run the command again"),
        }
        .safe("nothing has been written")
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::findings(
            error,
            "say in the struct what happened, then run `cargo zdm generate` again",
        )
        .safe("nothing has been written")
    }
}

impl From<VersionError> for Failure {
    fn from(error: VersionError) -> Self {
        match error {
            VersionError::File(error) => error.into(),
            VersionError::NothingToAmend
            | VersionError::NotForked
            | VersionError::Merged { .. } => Self::usage(
                error,
                "leave the option out, or see `cargo zdm generate --help`",
            ),
            other => Self::findings(
                other,
                "restore the versions' folder, then run the command again",
            ),
        }
        .safe("nothing has been written")
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::environment(error, "make room or rights, then run the command again")
    }
}
