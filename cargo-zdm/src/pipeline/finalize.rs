//! The end of a transition in the repository: `code.toml` says final, the code forgets the old names, and the attributes
//! that described the transition go from the structs.
//!
//! Comes in: the models and the history. Goes out: the changed history, and the user's files without spent attributes.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use zdm_model::Column;
use zdm_runtime::manifest::Manifest;

use super::spent::{self, Spent};
use super::transitions::InTransition;
use super::{Options, PipelineError, code};
use crate::files::FileTree;
use crate::source::Models;
use crate::versions::{History, Snapshot};

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
    history: &History,
    models: &Models,
    declared: &Snapshot<'_>,
    chosen: &[&InTransition],
) -> Result<FileTree, PipelineError> {
    let over = over(history, declared, chosen)?;
    let mut texts: BTreeMap<Utf8PathBuf, String> = BTreeMap::new();
    let mut without = |file: &Utf8Path, remove: &dyn Fn(&str) -> syn::Result<String>| {
        let text = match texts.remove(file) {
            Some(text) => text,
            None => code::text(file)?.unwrap_or_default(),
        };
        let text = remove(&text).map_err(|error| PipelineError::UserSource {
            file: file.to_owned(),
            reason: error.to_string(),
        })?;
        texts.insert(file.to_owned(), text);
        Ok::<_, PipelineError>(())
    };
    for model in &models.models {
        if let Some(spent) = over.get(&model.table_name) {
            without(&model.file, &|text| {
                spent::remove(text, &model.ident, spent)
            })?;
        }
    }
    for (found, enumeration) in models.enums.iter().zip(&models.schema.enums) {
        let mut exchanges = chosen.iter().flat_map(|transition| &transition.exchanges);
        if exchanges.any(|name| *name == enumeration.name) {
            without(&found.file, &|text| {
                spent::remove_from_enum(text, &found.ident)
            })?;
        }
    }
    let mut tree = FileTree::default();
    for (file, text) in texts {
        tree.insert(relative(&options.root, &file), text);
    }
    Ok(tree)
}

/// What of a table's struct these migrations have used up.
fn over(
    history: &History,
    declared: &Snapshot<'_>,
    chosen: &[&InTransition],
) -> Result<BTreeMap<String, Spent>, PipelineError> {
    let mut over: BTreeMap<String, Spent> = BTreeMap::new();
    for transition in chosen {
        for pair in &transition.pairs {
            let spent = over.entry(pair.table.clone()).or_default();
            spent.fields.push(pair.new.field.clone());
        }
        for key in &transition.renamed_keys {
            let table = declared.schema.table(&key.table);
            let of_key = |column: &&Column| key.columns.iter().any(|(_, new)| *new == column.name);
            let columns = table.into_iter().flat_map(|table| &table.columns);
            let fields = columns.filter(of_key).map(|column| column.field.clone());
            let spent = over.entry(key.table.clone()).or_default();
            spent.fields.extend(fields);
        }
        for moved in &transition.moves {
            let spent = over.entry(moved.keeper().to_owned()).or_default();
            let columns = moved.columns.iter();
            spent
                .fields
                .extend(columns.map(|pair| moved.kept(pair).field.clone()));
            spent.moved |= !moved.part_stays;
        }
        let (before, after) = history.concerned(&transition.manifest, declared)?;
        for before in before.tables {
            let Some(after) = after.table(&before.name) else {
                continue;
            };
            let gone = before
                .columns
                .into_iter()
                .map(|column| column.name)
                .filter(|name| after.column(name).is_none());
            over.entry(before.name).or_default().dropped.extend(gone);
        }
    }
    Ok(over)
}

/// Relative to the root where the file is below it; a crate elsewhere in the workspace keeps its absolute path.
pub(crate) fn relative(root: &Utf8Path, file: &Utf8Path) -> Utf8PathBuf {
    file.strip_prefix(root).unwrap_or(file).to_owned()
}
