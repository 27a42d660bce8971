//! Who may know whom: reads the paths `crate::<room>` in cargo-zdm's sources and holds them against ARCHITECTURE.md's
//! picture, and the dependencies of each package against the order of the packages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms that its lines may name. `error` and `config` are words that every room may use; `lib.rs` is the
/// pipeline and may name all but `commands` and `cli`.
const ROOMS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("statements", &[]),
    ("catalogue", &["statements"]),
    ("import", &["catalogue", "dialect", "parallel"]),
    ("diff", &[]),
    ("dialect", &[]),
    ("changes", &["diff", "dialect", "plan"]),
    ("plan", &["changes", "diff", "dialect"]),
    (
        "references",
        &["dialect", "parallel", "source", "statements"],
    ),
    ("render", &["plan", "dialect", "parallel"]),
    ("files", &[]),
    ("measure", &["plan", "dialect"]),
    ("parallel", &[]),
    ("versions", &["diff", "files", "parallel"]),
    ("operate", &["config", "terminal", "versions"]),
    ("config", &[]),
    ("error", &[]),
];

const PACKAGES: &[(&str, &[&str])] = &[
    ("zdm-macros/model", &[]),
    ("zdm-macros", &["zdm-model"]),
    ("zdm-runtime", &["zdm-macros"]),
    ("cargo-zdm", &["zdm-model", "zdm-runtime"]),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the workspace")
        .to_owned()
}

/// Sources without those that are tests alone.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
}

/// The rooms that a source names, before its tests begin.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| {
            line.split("crate::")
                .skip(1)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .filter(|room| !room.is_empty())
        .collect()
}

#[test]
fn rooms_name_only_the_rooms_below_them() {
    let source = workspace().join("cargo-zdm/src");
    let mut violations = Vec::new();
    for (room, allowed) in ROOMS {
        let mut files = Vec::new();
        let folder = source.join(room);
        if folder.is_dir() {
            rust_files(&folder, &mut files);
        }
        let single = source.join(format!("{room}.rs"));
        if single.is_file() {
            files.push(single);
        }
        assert!(
            !files.is_empty(),
            "ARCHITECTURE.md's room `{room}` has no file below {}",
            source.display()
        );
        for file in files {
            let text = fs::read_to_string(&file).expect("the source is readable");
            for named in rooms_named(&text) {
                let known = ROOMS.iter().any(|(known, _)| *known == named)
                    || ["commands", "cli", "terminal", "demo", "load", "rehearse"]
                        .contains(&named.as_str());
                let open = named == *room || named == "error" || allowed.contains(&named.as_str());
                if known && !open {
                    violations.push(format!("{} names crate::{named}", file.display()));
                }
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn the_scan_sees_what_it_should() {
    let named = rooms_named(
        "use crate::diff::Delta;\n// crate::source\nlet a = crate::plan::x(crate::files::y);",
    );
    assert_eq!(
        named.into_iter().collect::<Vec<_>>(),
        ["diff", "files", "plan"]
    );
}

#[test]
fn packages_depend_downwards() {
    let ours: BTreeSet<&str> = ["zdm-model", "zdm-macros", "zdm-runtime", "cargo-zdm"].into();
    for (folder, allowed) in PACKAGES {
        let manifest = fs::read_to_string(workspace().join(folder).join("Cargo.toml"))
            .expect("the manifest is readable");
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            assert!(
                !ours.contains(name) || allowed.contains(&name),
                "{folder} depends on {name}: {allowed:?} are below it"
            );
        }
    }
}
