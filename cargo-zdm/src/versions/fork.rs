//! Two versions behind the same one: finding it, and telling whose is whose.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use camino::Utf8Path;

use super::sum::{Sum, number};
use super::{VersionError, forked, version_folders};

/// Every folder has its line, every line its number in turn.
pub(super) fn check(sum: &Sum, folders: &BTreeSet<String>) -> Result<(), VersionError> {
    let mut all = folders.clone();
    all.extend(sum.lines.iter().map(|line| line.folder.clone()));
    if let Some((first, second)) = same_number(&all) {
        return Err(forked(format!("{first} and {second} have the same number")));
    }
    for folder in folders {
        if sum.lines.iter().all(|line| line.folder != *folder) {
            return Err(VersionError::NoLine {
                folder: folder.clone(),
            });
        }
    }
    for (at, folder) in (1..).zip(&all) {
        if number(folder) != Some(at) {
            return Err(VersionError::VersionMissing {
                folder: format!("{at:04}"),
            });
        }
    }
    Ok(())
}

/// The folder of the user's own version among two with the same number.
pub(super) fn own_version(folder: &Utf8Path, named: Option<&str>) -> Result<String, VersionError> {
    let (first, second) = same_number(&version_folders(folder)?).ok_or(VersionError::NotForked)?;
    let is = |version: &str, wanted: &str| {
        version == wanted
            || version
                .split_once('_')
                .is_some_and(|(_, name)| name == wanted)
    };
    if let Some(named) = named {
        if is(&first, named) {
            return Ok(first);
        }
        if is(&second, named) {
            return Ok(second);
        }
    }
    match (is_merged(folder, &first), is_merged(folder, &second)) {
        (true, false) => Ok(second),
        (false, true) => Ok(first),
        _ => Err(VersionError::WhoseVersion {
            name: second
                .split_once('_')
                .map_or("", |(_, name)| name)
                .to_owned(),
            first,
            second,
        }),
    }
}

fn same_number(folders: &BTreeSet<String>) -> Option<(String, String)> {
    let mut seen: BTreeMap<Option<u32>, &String> = BTreeMap::new();
    folders.iter().find_map(|folder| {
        let first = seen.insert(number(folder), folder)?;
        Some((first.clone(), folder.clone()))
    })
}

/// Whether the default branch of the remote has the version. Without git or a remote, nothing is merged.
pub(super) fn is_merged(folder: &Utf8Path, version: &str) -> bool {
    let listing = Command::new("git")
        .args(["ls-tree", "--name-only", "origin/HEAD", "--", version])
        .current_dir(folder)
        .output();
    listing.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}
