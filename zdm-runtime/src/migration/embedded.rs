//! A version inside a binary, as far as its backfill needs it: what is executed there is what was reviewed, too.
//!
//! Must not know: any disk, which files a backfill is made of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{LoadError, Migration, PLAN_FILE, content_hash, directory, hash};

impl Migration {
    /// A version out of the text of its `plan.toml` and of files, each with its path, that are held against their hashes. Only
    /// what the files are for can be done with it.
    pub fn embedded(plan: &str, files: &[(&str, &str)]) -> Result<Self, LoadError> {
        let path = Path::new(PLAN_FILE);
        let manifest = directory::parsed(plan, path)?;
        let mut found = BTreeMap::new();
        for (name, content) in files {
            let (expected, content_is) = (manifest.files.get(*name), hash(content));
            let Some(expected) = expected else {
                return Err(LoadError::Extra {
                    path: PathBuf::from(name),
                });
            };
            if content_is != *expected {
                return Err(LoadError::Edited {
                    path: PathBuf::from(name),
                    expected: expected.clone(),
                    found: content_is,
                });
            }
            found.insert((*name).to_owned(), (*content).to_owned());
        }
        let content_hash = content_hash(&manifest).map_err(|reason| LoadError::Inconsistent {
            path: path.to_owned(),
            reason: reason.to_string(),
        })?;
        Ok(Self {
            manifest,
            files: found,
            content_hash,
        })
    }
}
