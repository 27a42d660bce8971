//! A project's own templates of generated Rust, as they stand in their folder.
//!
//! Comes in: the folder. Goes out: which templates they stand for, and what `check` says of them.
//! Must not know: what is rendered with them.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Finding, Options, PipelineError};
use crate::files::{FileError, entries, read_if_there};
use crate::render::rust::{Override, Standing, ejectable};

/// The files in place of built-in templates, in the order of their paths.
pub(crate) fn read(options: &Options) -> Result<Vec<Override>, PipelineError> {
    let folder = options.root.join(&options.templates);
    let all = ejectable(options.client);
    let mut found = Vec::new();
    for path in below(&folder)? {
        let name = name(&folder, &path);
        let path = options.templates.join(&name);
        let Some(of) = all.iter().find(|template| template.file == name) else {
            return Err(PipelineError::Template {
                file: path,
                reason: unknown(options, &name),
            });
        };
        let bytes = read_if_there(&options.root.join(&path))?.unwrap_or_default();
        let text = String::from_utf8(bytes).map_err(|_| PipelineError::Template {
            file: path.clone(),
            reason: "it is not UTF-8: save it as UTF-8".to_owned(),
        })?;
        found.push(Override::new(of, path, &text));
    }
    Ok(found)
}

/// What the built-in templates have moved away from.
pub(crate) fn findings(overrides: &[Override]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for found in overrides {
        let file = found.of.file;
        let message = match found.standing() {
            Standing::Older => "the built-in template has changed since this one was ejected",
            Standing::Unmarked => {
                "its first line does not say which built-in text it was taken from"
            }
            Standing::Same | Standing::Own => continue,
        };
        let next = if found.is_as_ejected() {
            format!(
                "nobody has changed it: run `cargo zdm templates eject {file}`, which writes the present one, or remove the file"
            )
        } else {
            format!(
                "see `cargo zdm templates diff {file}`, take over what is missing, and begin the file with `{}`",
                found.of.mark().trim_end()
            )
        };
        findings.push(Finding {
            kind: "template",
            place: found.path.to_string(),
            message: message.to_owned(),
            next,
        });
    }
    findings
}

/// What says the same as the built-in template: no mistake, and needed by nobody.
pub(crate) fn same(overrides: &[Override]) -> impl Iterator<Item = &Utf8Path> {
    let same = overrides
        .iter()
        .filter(|found| found.standing() == Standing::Same);
    same.map(|found| found.path.as_path())
}

/// A file that no template is called by must not be without effect in silence.
fn unknown(options: &Options, name: &str) -> String {
    let known = "`cargo zdm templates list` shows the names";
    if name.ends_with(".sql.j2") {
        return format!(
            "statements are the write protocol, a wrong one loses data, so they are nobody's own: remove the file; {known}"
        );
    }
    let last = Utf8Path::new(name).file_name();
    let all = ejectable(options.client);
    let near = all
        .iter()
        .find(|template| Utf8Path::new(template.file).file_name() == last);
    match near {
        Some(near) => format!(
            "no template is called so: rename it to {}; {known}",
            near.file
        ),
        None => format!("no template is called so: rename or remove it; {known}"),
    }
}

fn name(folder: &Utf8Path, path: &Utf8Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = below.iter().collect();
    parts.join("/")
}

fn below(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, FileError> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}
