//! What lies in a version's directory, held against the hashes of its plan.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::LoadError;
use crate::manifest::{FORMAT, Manifest};

pub(super) fn read_manifest(directory: &Path, path: &Path) -> Result<Manifest, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => LoadError::NoPlan {
            path: path.to_owned(),
            folder: directory.to_owned(),
        },
        _ => unreadable(path, source),
    })?;
    parsed(&text, path)
}

/// The text of a plan, which stands there.
pub(super) fn parsed(text: &str, path: &Path) -> Result<Manifest, LoadError> {
    let malformed = |source| LoadError::Malformed {
        path: path.to_owned(),
        source: Box::new(source),
    };
    // The format first: a newer plan may have words that this version would only call unknown.
    let table: toml::Table = text.parse().map_err(malformed)?;
    let format = table.get("format").and_then(toml::Value::as_integer);
    if let Some(found) = format.and_then(|format| u32::try_from(format).ok())
        && found > FORMAT
    {
        return Err(LoadError::NewerFormat {
            path: path.to_owned(),
            found,
        });
    }
    toml::from_str(text).map_err(malformed)
}

pub(super) fn read_files(
    directory: &Path,
    manifest: &Manifest,
) -> Result<BTreeMap<String, String>, LoadError> {
    let mut files = BTreeMap::new();
    for (name, expected) in &manifest.files {
        let path = directory.join(name);
        let content = match std::fs::read(&path) {
            Ok(content) => content,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                return Err(LoadError::Missing { path });
            }
            Err(source) => return Err(unreadable(&path, source)),
        };
        let found = blake3::hash(&content).to_hex().to_string();
        if found != *expected {
            return Err(LoadError::Edited {
                path,
                expected: expected.clone(),
                found,
            });
        }
        let content = String::from_utf8(content).map_err(|error| {
            unreadable(&path, io::Error::new(io::ErrorKind::InvalidData, error))
        })?;
        files.insert(name.clone(), content);
    }
    for path in sql_files(directory)? {
        let listed = manifest
            .files
            .keys()
            .any(|name| directory.join(name) == path);
        if !listed {
            return Err(LoadError::Extra { path });
        }
    }
    Ok(files)
}

fn sql_files(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = Vec::new();
    for path in entries(directory)? {
        if path.is_dir() {
            found.extend(sql_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
    Ok(found)
}

pub(super) fn directories(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    Ok(entries(directory)?
        .into_iter()
        .filter(|path| path.is_dir())
        .collect())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut paths = std::fs::read_dir(directory)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(|source| unreadable(directory, source))?;
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, source: io::Error) -> LoadError {
    LoadError::Unreadable {
        path: path.to_owned(),
        source,
    }
}
