//! Limits out of a file.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::Mutex;

use crate::flag_source::{Answer, FlagSource, ReaderLimits};
use crate::{MigrationCode, Share};

/// A TOML file with a section for each migration that it has something to say of, read anew about once a second:
///
/// ```toml
/// [users_full_name]
/// at_most = "25%"
/// read_new = [1, 2]
/// read_old = ["7,en"]
/// ```
///
/// A section of a name that the code does not know says nothing: another release may know it. A file that is not there or is no such file
/// is an error, so that a deployment without it is not one without limits; so is an empty one, which is what another process has just
/// begun to write. Change it by renaming another file over it: one that is written in place may be read half.
#[derive(Debug, Clone)]
pub struct FlagFile {
    path: PathBuf,
    /// One read at a time: a file system that hangs holds one thread, not one more with every question.
    reading: Arc<Mutex<()>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    at_most: Option<String>,
    #[serde(default)]
    read_new: Vec<Key>,
    #[serde(default)]
    read_old: Vec<Key>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Key {
    Number(i64),
    Text(String),
}

impl FlagFile {
    /// The file at this path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            reading: Arc::default(),
        }
    }
}

impl FlagSource for FlagFile {
    fn name(&self) -> String {
        format!("the file {}", self.path.display())
    }

    fn limits<'a>(&'a self, migration: &'a MigrationCode, _instance: &'a str) -> Answer<'a> {
        let (path, name) = (self.path.clone(), migration.name);
        Box::pin(async move {
            let reading = self.reading.clone().lock_owned().await;
            let read = tokio::task::spawn_blocking(move || {
                let _reading = reading;
                read(&path, name)
            });
            read.await?
        })
    }
}

fn read(
    path: &Path,
    migration: &str,
) -> Result<Option<ReaderLimits>, Box<dyn Error + Send + Sync>> {
    let text = std::fs::read_to_string(path)?;
    if text.trim().is_empty() {
        return Err("it is empty: where nothing is limited, write a comment that says so".into());
    }
    let mut sections: BTreeMap<String, Section> = toml::from_str(&text)?;
    let Some(section) = sections.remove(migration) else {
        return Ok(None);
    };
    let mut limits = ReaderLimits::default();
    if let Some(at_most) = section.at_most {
        let points = Share::percent(&at_most).ok_or_else(|| {
            format!("[{migration}] at_most: `{at_most}` is no share: write \"25%\" or \"0.5%\"")
        })?;
        limits = limits.at_most(points);
    }
    let texts = |keys: Vec<Key>| {
        keys.into_iter().map(|key| match key {
            Key::Number(number) => number.to_string(),
            Key::Text(text) => text,
        })
    };
    Ok(Some(
        limits
            .read_new(texts(section.read_new))
            .read_old(texts(section.read_old)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<Option<ReaderLimits>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("readers.toml");
        std::fs::write(&path, text).unwrap();
        read(&path, "names").map_err(|error| error.to_string())
    }

    #[test]
    fn a_section_says_who_may_read_new() {
        let text =
            "[names]\nat_most = \"0%\"\nread_new = [1, \"7,en\"]\nread_old = [-3]\n[others]\n";
        let limits = ReaderLimits::default().at_most(0);
        assert_eq!(
            written(text),
            Ok(Some(limits.read_new(["1", "7,en"]).read_old([-3])))
        );
        assert_eq!(written("[others]\nat_most = \"1%\"\n"), Ok(None));
    }

    #[test]
    fn what_is_no_limit_is_an_error() {
        for (text, said) in [
            ("[names]\nat_most = 25\n", "at_most"),
            ("[names]\nat_most = \"25\"\n", "`25` is no share"),
            ("[names]\natmost = \"25%\"\n", "unknown field `atmost`"),
            ("[others]\nread_new = [[1]]\n", "Key"),
            ("names", "expected"),
            (" \n", "it is empty"),
        ] {
            let error = written(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        assert!(read(Path::new("/nowhere"), "names").is_err());
    }
}
