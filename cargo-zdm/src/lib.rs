//! The library behind `cargo zdm`: source → schema → diff → changes → plan → render → lint → output → files.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod catalogue;
pub mod changes;
mod choose;
pub mod cli;
mod commands;
pub mod config;
pub mod context;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod demo;
pub mod dialect;
pub mod diff;
mod difference;
pub mod error;
pub mod files;
mod git;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod import;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod load;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod measure;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod operate;
mod parallel;
pub mod pipeline;
pub mod plan;
pub mod references;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod rehearse;
pub mod render;
mod secret;
pub mod source;
mod statements;
pub mod terminal;
pub mod versions;

use dialect::Dialect;
use files::FileTree;
use pipeline::code::Code;
use pipeline::{Draft, Fate, Finding, ModuleLine, Named, Options, PipelineError};
use plan::Plan;
use source::Models;
use versions::{History, Snapshot};
use zdm_runtime::manifest::Manifest;

/// What `generate` has made; nothing is on disk yet: [`FileTree::write`] with the root puts it there.
#[derive(Debug)]
pub struct Generated {
    /// What the disk lacks, relative to the root: files that are as they would be generated now are left out.
    pub files: FileTree,
    /// The new version, with its plan; `None` where the structs are as the last version left them.
    pub version: Option<(Manifest, Plan)>,
    /// What the user's crate lacks to have the code in it, where [`Options::add_module`] does not add it.
    pub undeclared: Option<ModuleLine>,
}

/// From the structs to everything that is generated from them: a version of SQL where they have changed, and the Rust code.
pub fn generate(options: &Options) -> Result<Generated, PipelineError> {
    draft(options)?.finish(options)
}

/// The first half of [`generate`]: what changes is planned, and nothing is written down yet.
pub fn draft(options: &Options) -> Result<Draft, PipelineError> {
    let (models, history) = read(options)?;
    let declared = Snapshot::of(&models.schema)?;
    let dialect = Dialect::named(&options.dialect)?;
    options.check_dialect(&history)?;
    let in_transition = pipeline::transitions::of(&history, &declared, &dialect)?;
    let planned = pipeline::version::plan(options, &history, &dialect, &declared)?;
    if let Some(planned) = &planned {
        let before = history.last_schema(&declared)?;
        pipeline::in_flight::check_free(&planned.plan, &before, &in_transition)?;
    }
    Ok(Draft {
        models,
        dialect,
        history,
        in_transition,
        planned,
    })
}

impl Draft {
    /// The second half of [`generate`].
    pub fn finish(self, options: &Options) -> Result<Generated, PipelineError> {
        let Self {
            models,
            dialect,
            mut history,
            mut in_transition,
            planned,
        } = self;
        let mut files = FileTree::default();
        let mut version = None;
        if let Some(planned) = planned {
            let (manifest, folder) = pipeline::version::render(&planned, &dialect)?;
            in_transition.extend(pipeline::transitions::begun(
                options, &history, &planned, &manifest,
            ));
            let appended = history.append(manifest.clone(), folder, options.baseline)?;
            files.insert_all(&options.versions, appended);
            for path in pipeline::version::taken(&planned, &options.versions) {
                files.remove(path);
            }
            version = Some((manifest, planned.plan));
        }
        let code = Code::of(options, &models, &history, &in_transition, &dialect)?;
        files.insert_all("".into(), code.formatted()?);
        let roles = pipeline::roles::beside_disk(options, &models, &in_transition, &dialect)?;
        files.insert_all("".into(), roles);
        let mut undeclared = pipeline::code::module_line(options, &models)?;
        if options.add_module
            && let Some(added) = undeclared.take()
        {
            files.insert(added.file, added.text);
        }
        Ok(Generated {
            files,
            version,
            undeclared,
        })
    }
}

/// The models and the versions, side by side: the first have to wait for cargo.
fn read(options: &Options) -> Result<(Models, History), PipelineError> {
    let (history, models) = parallel::both(|| options.history(), || source::read(&options.source));
    Ok((models?, history?))
}

/// What is not as it should be: for CI. Needs neither rustfmt nor a database.
pub fn check(options: &Options) -> Result<Vec<Finding>, PipelineError> {
    let (models, history) = read(options)?;
    let declared = Snapshot::of(&models.schema)?;
    let dialect = Dialect::named(&options.dialect)?;
    options.check_dialect(&history)?;
    let planned = pipeline::version::plan(options, &history, &dialect, &declared)?;
    let in_transition = pipeline::transitions::of(&history, &declared, &dialect)?;
    let mut findings = Vec::new();
    if let Some(planned) = &planned {
        findings.extend(pipeline::findings::ungenerated(planned));
    }
    let code = Code::of(options, &models, &history, &in_transition, &dialect)?;
    findings.extend(pipeline::findings::of_files(options, &code.beside_disk()?)?);
    findings.extend(pipeline::roles::finding(
        options,
        &models,
        &in_transition,
        &dialect,
    )?);
    findings.extend(pipeline::findings::spent(
        &models.schema,
        &in_transition,
        planned.as_ref(),
    ));
    findings.extend(pipeline::findings::dropped(&declared, &history)?);
    findings.extend(pipeline::templates::findings(&pipeline::templates::read(
        options,
    )?));
    let schema = history.last_schema(&declared)?;
    let sought = pipeline::references::sought(&history, &schema);
    let named = pipeline::references::find(options, &schema, &sought)?;
    findings.extend(pipeline::references::findings(&named));
    Ok(findings)
}

/// Refuses where production code names what the version of this id takes away, and where that cannot be found out.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn none_names_old(options: &Options, id: &str) -> Result<(), PipelineError> {
    let (models, history) = read(options)?;
    let declared = Snapshot::of(&models.schema)?;
    let schema = history.last_schema(&declared)?;
    pipeline::references::none_names_old(options, &history, &schema, &[id.to_owned()])
}

/// What [`references()`] has found.
#[derive(Debug)]
pub struct References {
    /// The places, ordered.
    pub named: Vec<Named>,
    /// What was looked for: `users.age`, or a table.
    pub looked_for: Vec<String>,
    /// What was asked for, where no version knows of it.
    pub unknown: Option<String>,
}

/// Where code names by hand what a version takes away or fills; or the column or table `name`, whatever it is.
pub fn references(options: &Options, name: Option<&str>) -> Result<References, PipelineError> {
    let history = options.history()?;
    options.check_dialect(&history)?;
    let schema = history.last_schema(&Snapshot::EMPTY)?;
    let (sought, unknown) = match name {
        None => (pipeline::references::sought(&history, &schema), None),
        Some(name) => {
            let (sought, known) = pipeline::references::asked(&history, &schema, name);
            (vec![sought], (!known).then(|| name.to_owned()))
        }
    };
    Ok(References {
        named: pipeline::references::find(options, &schema, &sought)?,
        looked_for: sought.iter().map(|sought| sought.target.name()).collect(),
        unknown,
    })
}

/// The file of a table's struct with the attribute that says what became of a column that is gone; nothing is on disk yet.
pub fn declare(
    options: &Options,
    (table, column): (&str, &str),
    fate: &Fate,
) -> Result<FileTree, PipelineError> {
    let models = source::read(&options.source)?;
    pipeline::declare::written(options, &models, (table, column), fate)
}

/// What `finalize` has made; nothing is on disk yet.
#[derive(Debug)]
pub struct Finalized {
    /// What the disk lacks, relative to the root: the code without old names, `code.toml`, and the user's files without
    /// spent attributes.
    pub files: FileTree,
    /// Folders of the versions that are final now.
    pub versions: Vec<String>,
}

/// Ends the transition of a migration, or of all, in the repository.
pub fn finalize(options: &Options, name: Option<&str>) -> Result<Finalized, PipelineError> {
    let (models, mut history) = read(options)?;
    let declared = Snapshot::of(&models.schema)?;
    let dialect = Dialect::named(&options.dialect)?;
    let in_transition = pipeline::transitions::of(&history, &declared, &dialect)?;
    let chosen = pipeline::finalize::chosen(&history, &in_transition, name)?;
    let ids: Vec<String> = chosen.iter().map(|over| over.manifest.id.clone()).collect();
    let schema = history.last_schema(&declared)?;
    pipeline::references::none_names_old(options, &history, &schema, &ids)?;
    let mut files =
        pipeline::finalize::without_attributes(options, &history, &models, &declared, &chosen)?;
    let versions = chosen.iter().map(|over| over.manifest.folder()).collect();
    files.insert_all(&options.versions, history.make_final(&ids));
    let remaining: Vec<_> = in_transition
        .iter()
        .filter(|transition| !ids.contains(&transition.manifest.id))
        .cloned()
        .collect();
    let code = Code::of(options, &models, &history, &remaining, &dialect)?;
    files.insert_all("".into(), code.formatted()?);
    let roles = pipeline::roles::beside_disk(options, &models, &remaining, &dialect)?;
    files.insert_all("".into(), roles);
    Ok(Finalized { files, versions })
}
