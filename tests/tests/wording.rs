//! What people are told reads as one text: a line of a message that was joined by hand has no gap in its middle. What databases are told has no
//! character that one of them lacks.

use std::fs;
use std::path::{Path, PathBuf};

/// Columns of aligned text are narrower.
const GAP: &str = "         ";

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let is_rust = |path: &Path| path.extension().is_some_and(|extension| extension == "rs");
    files(folder, &is_rust, found);
}

fn files(folder: &Path, fits: &dyn Fn(&Path) -> bool, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            files(&path, fits, found);
        } else if fits(&path) {
            found.push(path);
        }
    }
}

fn text_of(paths: &[PathBuf]) -> String {
    let texts = paths.iter().map(fs::read_to_string);
    texts.map(|text| text.expect("text is readable")).collect()
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

/// A server in another encoding than UTF-8 refuses a file for a character in its comments.
#[test]
fn sql_is_ascii_but_for_what_users_write() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = tests.parent().expect("tests/ lies in the workspace");
    let mut odd = Vec::new();
    let mut look = |folder: &Path, users: &str| {
        let mut written = Vec::new();
        let is_sql = |path: &Path| path.extension().is_some_and(|extension| extension == "sql");
        files(folder, &is_sql, &mut written);
        for path in &written {
            let text = text_of(std::slice::from_ref(path));
            let strange = text.chars().find(|c| !c.is_ascii() && !users.contains(*c));
            odd.extend(strange.map(|c| format!("{}: {c}", path.display())));
        }
        written.len()
    };
    let mut cases = 0;
    for kind in fs::read_dir(tests.join("cases")).expect("the cases are there") {
        let kind = kind.expect("the entry is readable").path();
        for case in fs::read_dir(kind).expect("a kind is a folder") {
            let case = case.expect("the entry is readable").path();
            let mut of_users = Vec::new();
            let is_input = |path: &Path| !path.starts_with(case.join("expected"));
            files(&case, &is_input, &mut of_users);
            let found = look(&case.join("expected"), &text_of(&of_users));
            cases += usize::from(found > 0);
        }
    }
    assert!(cases > 100, "{cases} cases are too few");
    for folder in ["cargo-zdm/src/demo/app", "examples", "zdm-runtime/src"] {
        let found = look(&workspace.join(folder), "");
        assert!(found > 0, "{folder} has no SQL");
    }
    assert_eq!(odd, Vec::<String>::new());
}
