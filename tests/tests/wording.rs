//! What people are told reads as one text: a line of a message that was joined by hand has no gap in its middle.

use std::fs;
use std::path::{Path, PathBuf};

/// Columns of aligned text are narrower.
const GAP: &str = "         ";

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What a command does is put into a column of its own, behind `#` or in a list of examples.
fn has_gap(line: &str) -> bool {
    let Some((before, after)) = line.trim_start().split_once(GAP) else {
        return false;
    };
    let ends = before.ends_with(|c: char| c.is_alphanumeric() || ",;.`".contains(c));
    let begins = after
        .trim_start()
        .starts_with(|c: char| c.is_alphanumeric() || c == '`');
    ends && begins
        && !["//", "cargo zdm "]
            .iter()
            .any(|start| before.starts_with(start))
}

#[test]
fn no_message_has_a_gap() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the workspace");
    let mut files = Vec::new();
    for package in ["cargo-zdm", "zdm-runtime", "zdm-macros"] {
        rust_files(&workspace.join(package).join("src"), &mut files);
    }
    assert!(files.len() > 300, "{} sources are too few", files.len());
    let mut gaps = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("the source is readable");
        let lines = text.lines().enumerate().filter(|(_, line)| has_gap(line));
        gaps.extend(lines.map(|(at, line)| format!("{}:{}: {line}", file.display(), at + 1)));
    }
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

#[test]
fn a_gap_is_seen() {
    assert!(has_gap(r#"    "this          is 13""#));
    assert!(!has_gap(
        r#"    "cargo zdm advance             # contract""#
    ));
    assert!(!has_gap("             deeply.indented()"));
}
