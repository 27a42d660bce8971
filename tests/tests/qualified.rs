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

/// An `oid` compared with a `regclass` or its like, for which the catalogue has no operator: what is on the right of one.
fn mixed(line: &str) -> Option<&str> {
    let is_mixed = |right: &str| {
        let literal = right
            .split_once('\'')
            .filter(|(before, _)| before.is_empty());
        let cast = right
            .strip_prefix("CAST('")
            .and_then(|rest| rest.split_once("' AS "));
        let colons = literal.and_then(|(_, rest)| rest.split_once("'::"));
        let is_bare = |(_, of_type): (&str, &str)| {
            let of_type = of_type.trim_start_matches("pg_catalog.");
            let ends = of_type.find(|c: char| !c.is_ascii_lowercase());
            of_type.starts_with("reg") && ends.is_none_or(|at| !of_type[at..].starts_with("::"))
        };
        right.starts_with("pg_catalog.to_reg")
            || cast.is_some_and(is_bare)
            || colons.is_some_and(is_bare)
    };
    let operators = ["= ", "<> ", " IN (", " IN (SELECT "];
    let mut rights = operators.iter().flat_map(|operator| {
        line.match_indices(operator)
            .map(|(at, found)| &line[at + found.len()..])
    });
    rights.find(|right| is_mixed(right))
}

/// What a look at each line of the tool's own SQL finds.
fn found(look: impl Fn(&str) -> Vec<String>) -> String {
    let mut files = Vec::new();
    for room in ["zdm-runtime/src", "cargo-zdm/src", "templates/postgres"] {
        sources(&workspace().join(room), &mut files);
    }
    assert!(files.len() > 300, "{} sources are too few", files.len());
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("the source is readable");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, line) in code.lines().enumerate() {
            let found = look(line).into_iter();
            all.extend(found.map(|found| format!("{}:{}: {found}", file.display(), at + 1)));
        }
    }
    all.join("\n")
}

#[test]
fn sql_of_the_tools_own_calls_the_functions_of_the_catalogue() {
    let functions: BTreeSet<&str> = FUNCTIONS.split_whitespace().collect();
    let calls = found(|line| {
        let names = unqualified(line, &functions).into_iter();
        names.map(str::to_owned).collect()
    });
    assert!(calls.is_empty(), "write pg_catalog. before\n{calls}");
}

#[test]
fn sql_of_the_tools_own_compares_no_oid_with_a_name() {
    let rights = found(|line| mixed(line).map(str::to_owned).into_iter().collect());
    assert!(rights.is_empty(), "make an oid of\n{rights}");
}

#[test]
fn a_comparison_of_two_types_is_seen() {
    for line in [
        "WHERE oid = pg_catalog.to_regclass($1)",
        "AND classid <> 'pg_class'::regclass",
        "d.classid = CAST('pg_class' AS regclass) AND true",
        "c.oid IN (SELECT pg_catalog.to_regtype(name) FROM given)",
    ] {
        assert!(mixed(line).is_some(), "{line}");
    }
    for line in [
        "WHERE oid = CAST(pg_catalog.to_regclass($1) AS oid)",
        "AND classid <> 'pg_class'::regclass::oid",
        "d.classid = CAST(CAST('pg_class' AS regclass) AS oid)",
        "main CONSTANT pg_catalog.oid := 'x'; let register = \"regular\"",
    ] {
        assert!(mixed(line).is_none(), "{line}");
    }
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
