//! Ways between folders, as generated code spells them.
//!
//! Must not know: what is in them.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::Options;

/// The folder of the crate that generated code is part of: where its tests run.
pub(super) fn package(options: &Options) -> Utf8PathBuf {
    let code = options.root.join(&options.code);
    let mut folders = code.ancestors();
    let package = folders.find(|folder| folder.join("Cargo.toml").is_file());
    package.unwrap_or(&options.root).to_owned()
}

/// The way from one folder to another, by their names alone.
pub(super) fn embedded_path(from: &Utf8Path, to: &Utf8Path) -> String {
    let (from, to) = (plain(from), plain(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[common..].iter().map(|_| "..");
    let way: Vec<&str> = up.chain(to[common..].iter().copied()).collect();
    way.join("/")
}

fn plain(path: &Utf8Path) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Utf8Component::ParentDir if !parts.is_empty() => {
                parts.pop();
            }
            Utf8Component::CurDir => {}
            part => parts.push(part.as_str()),
        }
    }
    parts
}
