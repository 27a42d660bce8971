//! The end of a transition in the repository: `code.toml` says final, the code forgets the old names, and the attributes
//! that described the transition go from the structs.
//!
//! Comes in: the models and the history. Goes out: the changed history, and the user's files without spent attributes.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use zdm_runtime::manifest::Manifest;

use super::transitions::InTransition;
use super::{Options, PipelineError, code, spent};
use crate::files::FileTree;
use crate::source::Models;
use crate::versions::History;

/// The migrations that are meant: the named one, or all that are in transition.
pub(crate) fn chosen<'a>(
    history: &History,
    transitions: &'a [InTransition],
    name: Option<&str>,
) -> Result<Vec<&'a InTransition>, PipelineError> {
    let Some(name) = name else {
        return Ok(transitions.iter().collect());
    };
    let wanted = history.named(name).map(|version| version.id.as_str());
    let found: Vec<_> = transitions
        .iter()
        .filter(|transition| Some(transition.manifest.id.as_str()) == wanted)
        .collect();
    if found.is_empty() {
        let known: Vec<_> = history.in_transition().map(Manifest::folder).collect();
        return Err(PipelineError::NotInTransition {
            name: name.to_owned(),
            known: if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            },
        });
    }
    Ok(found)
}

/// The user's files without the attributes of these migrations, relative to the root.
pub(crate) fn without_attributes(
    options: &Options,
    models: &Models,
    chosen: &[&InTransition],
) -> Result<FileTree, PipelineError> {
    let mut columns: BTreeMap<(Utf8PathBuf, String), Vec<String>> = BTreeMap::new();
    for pair in chosen.iter().flat_map(|transition| &transition.pairs) {
        for model in models
            .models
            .iter()
            .filter(|model| model.table_name == pair.table)
        {
            let key = (model.file.clone(), model.ident.clone());
            columns.entry(key).or_default().push(pair.new.field.clone());
        }
    }
    let mut texts: BTreeMap<Utf8PathBuf, String> = BTreeMap::new();
    for ((file, ident), fields) in columns {
        let text = match texts.remove(&file) {
            Some(text) => text,
            None => code::text(&file)?.unwrap_or_default(),
        };
        let text =
            spent::remove(&text, &ident, &fields).map_err(|error| PipelineError::UserSource {
                file: file.clone(),
                reason: error.to_string(),
            })?;
        texts.insert(file, text);
    }
    let mut tree = FileTree::default();
    for (file, text) in texts {
        tree.insert(relative(&options.root, &file), text);
    }
    Ok(tree)
}

/// Relative to the root where the file is below it; a crate elsewhere in the workspace keeps its absolute path.
pub(crate) fn relative(root: &Utf8Path, file: &Utf8Path) -> Utf8PathBuf {
    file.strip_prefix(root).unwrap_or(file).to_owned()
}
