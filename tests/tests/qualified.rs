//! Questions to the catalogue call the catalogue's functions. Whoever may create functions in a schema of the `search_path` could else
//! have one called that fits better (`quote_ident(name)` for `quote_ident(text)`), with the rights of who runs a command.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Besides `pg_…` and `has_…_privilege`. What SQLite has as well, or Rust, is not among them.
const FUNCTIONS: &str = "acldefault aclexplode array_append array_length array_position array_remove array_to_string bool_and bool_or clock_timestamp \
    col_description concat_ws current_database current_schema current_schemas current_setting format format_type generate_series hashtext \
    hashtextextended json_agg json_build_array json_build_object jsonb_array_elements_text jsonb_typeof obj_description parse_ident \
    quote_ident quote_literal regexp_replace row_security_active set_config setval split_part string_agg string_to_array to_jsonb to_regclass \
    to_regnamespace to_regtype unnest";

/// What people read, and what code of the user's says as its own role.
const SHOWN: [&str; 5] = [
    "cargo-zdm/src/pipeline/raw/effect.rs",
    "cargo-zdm/src/render/rust",
    "cargo-zdm/src/demo/app",
    "zdm-runtime/src/hop/error.rs",
    "templates/rust",
];

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("tests/ lies in the workspace")
        .to_owned()
}

/// Everything that holds SQL of the tool's own, without tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        let is_of = |ends: &[&str]| ends.iter().any(|end| path.to_string_lossy().ends_with(end));
        if SHOWN.iter().any(|shown| path.ends_with(shown)) || is_of(&["tests", "tests.rs"]) {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if is_of(&[".rs", ".sql", ".j2"]) {
            found.push(path);
        }
    }
}

/// Calls in a line that a function elsewhere could answer: a name before a parenthesis, behind nothing that belongs to it.
fn unqualified<'l>(line: &'l str, functions: &BTreeSet<&str>) -> Vec<&'l str> {
    let line = line.split("//").next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in line.match_indices('(') {
        let before = &line[..at];
        let begins = before.rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
        let (before, name) = (&before[..begins], &before[begins..]);
        let is_right = name.starts_with("has_") && name.ends_with("_privilege");
        let is_catalogues = functions.contains(name) || name.starts_with("pg_") || is_right;
        let is_defined = before.trim_end().ends_with("fn");
        // Of several arrays, which are one on each line, it is the grammar's, and nobody's function.
        let is_grammars = name == "unnest" && line[at + 1..].trim().is_empty();
        let is_elsewhere = before.ends_with(['.', ':', '\'', '%']) || is_defined;
        if is_catalogues && !is_elsewhere && !is_grammars {
            found.push(name);
        }
    }
    found
}

#[test]
fn sql_of_the_tools_own_calls_the_functions_of_the_catalogue() {
    let functions: BTreeSet<&str> = FUNCTIONS.split_whitespace().collect();
    let mut files = Vec::new();
    for room in ["zdm-runtime/src", "cargo-zdm/src", "templates/postgres"] {
        sources(&workspace().join(room), &mut files);
    }
    assert!(files.len() > 300, "{} sources are too few", files.len());
    let mut calls = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("the source is readable");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, line) in code.lines().enumerate() {
            let found = unqualified(line, &functions).into_iter();
            calls.extend(found.map(|name| format!("{}:{}: {name}", file.display(), at + 1)));
        }
    }
    assert!(
        calls.is_empty(),
        "write pg_catalog. before\n{}",
        calls.join("\n")
    );
}

#[test]
fn a_call_without_a_schema_is_seen() {
    let functions: BTreeSet<&str> = FUNCTIONS.split_whitespace().collect();
    let line = "SELECT format('%I', quote_ident(x)), pg_catalog.pg_has_role(a, b), pg_get_expr(c, d) // unnest(e)";
    assert_eq!(
        unqualified(line, &functions),
        ["format", "quote_ident", "pg_get_expr"]
    );
    assert!(
        unqualified(
            "let text = format!(\"{has_it}\"); self.has_text(one); has_table(two)",
            &functions
        )
        .is_empty()
    );
}
