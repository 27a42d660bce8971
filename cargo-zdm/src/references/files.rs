//! The files that references stand in: their lines, and the SQL that is included.
//!
//! Comes in: paths and texts. Goes out: lines and columns, texts of SQL files.
//! Must not know: what is looked for.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::text::Spot;

/// All files by position: those of Rust first.
pub(super) struct Files {
    files: Vec<File>,
    included: HashMap<Utf8PathBuf, Option<usize>>,
}

/// A file with its text; the text is empty where nothing in it matters.
pub(super) struct File {
    pub(super) path: Utf8PathBuf,
    pub(super) text: String,
}

/// A place as people count.
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: usize,
    /// From 1.
    pub(super) column: usize,
    pub(super) text: &'a str,
    /// The line before.
    pub(super) above: &'a str,
}

impl Files {
    pub(super) fn of(files: impl Iterator<Item = File>) -> Self {
        Self {
            files: files.collect(),
            included: HashMap::new(),
        }
    }

    /// Reads a file that code includes. Where it is not there, the compiler says so.
    pub(super) fn include(&mut self, path: &Utf8Path) {
        if self.included.contains_key(path) {
            return;
        }
        let number = std::fs::read_to_string(path).ok().map(|text| {
            self.files.push(File {
                path: path.to_owned(),
                text,
            });
            self.files.len() - 1
        });
        self.included.insert(path.to_owned(), number);
    }

    /// The number of an included file.
    pub(super) fn included(&self, path: &Utf8Path) -> Option<usize> {
        self.included.get(path).copied().flatten()
    }

    pub(super) fn text(&self, number: usize) -> &str {
        &self.files[number].text
    }

    pub(super) fn path(&self, number: usize) -> &Utf8Path {
        &self.files[number].path
    }

    pub(super) fn line(&self, spot: Spot) -> Line<'_> {
        let text = self.text(spot.file);
        let at = text.floor_char_boundary(spot.at);
        let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
        let above = text[..start].trim_end_matches(['\n', '\r']);
        let above = above.rsplit('\n').next().unwrap_or_default();
        let end = text[at..].find('\n').map_or(text.len(), |found| at + found);
        Line {
            number: text[..at].matches('\n').count() + 1,
            column: text[start..at].chars().count() + 1,
            text: text[start..end].trim_end(),
            above: if start == 0 { "" } else { above },
        }
    }
}
