//! `[generate] tests = true`: a crate has tests of its migration, which `cargo test` runs there.

use crate::generate::user_crate;
use crate::project::{Project, Run};
use zdm_tests::postgres::Server;

const BEFORE: &str = r"
use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub age: Option<String>,
}
";

/// The same with `age` as a number, by this way back and with these words beside it.
fn after(down: &str, words: &str) -> String {
    let convert = format!(
        "#[zdm(from(\"age\"), up = \"CAST(age AS INTEGER)\", down = \"{down}\",\n        \
         valid_if = \"age <> '' AND age NOT GLOB '*[^0-9]*' AND length(age) < 4\", on_invalid = \"null\"{words})]\n    pub age_years: Option<i32>"
    );
    BEFORE.replace("pub age: Option<String>", &convert)
}

const RIGHT: &str = "CAST(age_years AS TEXT)";
/// A three-digit number at most, and what text says of one but a number does not.
const NAMED: &str = ",\n        up_loses(\"leading zeros\"), down_loses(\"negative numbers\", \"large numbers\", \"huge numbers\")";

/// A library that is like a user's, at its first version.
fn library(project: &Project, dialect: &str, models: &str) {
    user_crate(project);
    let manifest = std::fs::read_to_string(project.path("Cargo.toml")).unwrap();
    let (package, _) = manifest.split_once("[dependencies]").unwrap();
    let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../zdm-runtime");
    project.write(
        "Cargo.toml",
        &format!(
            "{package}[dependencies]\n\
             zdm-runtime = {{ path = {runtime:?}, features = [{dialect:?}] }}\n\
             sqlx = {{ version = \"0.9\", default-features = false, features = [\"runtime-tokio\", \"macros\"] }}\n\n\
             [dev-dependencies]\n\
             zdm-runtime = {{ path = {runtime:?}, features = [\"testing\"] }}\n\n\
             [workspace]\n"
        ),
    );
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    std::fs::copy(lock, project.path("Cargo.lock")).unwrap();
    project.write("src/models.rs", models);
    project.done(&["init", "--dialect", dialect]);
    let config = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    assert!(config.contains("# tests = true"), "{config}");
    project.write("zdm.toml", &config.replacen("# tests", "tests", 1));
}

fn cargo_test(project: &Project) -> Run {
    let mut cargo = zdm_tests::tool::cargo();
    cargo
        .args(["test", "--quiet", "--offline", "--target-dir"])
        .arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/.."));
    project.run(cargo)
}

fn fails(project: &Project, says: &[&str]) {
    let run = cargo_test(project);
    assert_ne!(run.code, 0, "{run:#?}");
    for text in says {
        assert!(run.out.contains(text), "{text}: {}\n{}", run.out, run.err);
    }
}

const DUAL_WRITE: &str = "src/zdm/m0002_ages/dual_write.rs";
const TESTS: &str = "src/zdm/m0002_ages/tests.rs";

#[test]
fn what_nobody_named_fails_and_what_is_named_passes() {
    let project = Project::sqlite("");
    library(&project, "sqlite", BEFORE);
    project.write("src/models.rs", &after(RIGHT, ""));
    project.done(&["generate", "ages"]);
    project.done(&["check"]);
    fails(
        &project,
        &[
            "`up` loses \"leading zeros\"",
            "'007' → 7 → '7'",
            "up_loses(\"leading zeros\")",
            "down_loses(\"huge numbers\", \"large numbers\", \"negative numbers\")",
            "run `cargo zdm generate`",
        ],
    );

    // The version stays as it is: a loss can be named when it is merged.
    project.write("src/models.rs", &after(RIGHT, NAMED));
    assert_eq!(project.zdm(&["check"]).code, 1);
    project.done(&["generate"]);
    project.done(&["check"]);
    let run = cargo_test(&project);
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);

    // Code that does not write new beside old is found under load.
    let code = std::fs::read_to_string(project.path(DUAL_WRITE)).unwrap();
    let (before, both) = code.split_once("const UPDATE_BOTH").unwrap();
    let forgetful = both.replacen("age_years = $3", "age_years = age_years", 1);
    project.write(DUAL_WRITE, &format!("{before}const UPDATE_BOTH{forgetful}"));
    fails(
        &project,
        &[
            "0002_ages, at dual_write",
            "rows are not consistent",
            "`cargo zdm check`",
        ],
    );
    project.write(DUAL_WRITE, &code);

    let stale = NAMED.replace(
        "\"leading zeros\"",
        "\"leading zeros\", \"dates\", \"zeal\"",
    );
    project.write("src/models.rs", &after(RIGHT, &stale));
    project.done(&["generate"]);
    fails(
        &project,
        &[
            "`up_loses` names \"dates\", of which none was tried",
            "names \"zeal\"",
        ],
    );

    // A conversion that is wrong loses what nobody would name.
    project.write(
        "src/models.rs",
        &after("CAST(age_years + 1 AS TEXT)", NAMED),
    );
    project.done(&["generate", "--amend"]);
    fails(
        &project,
        &[
            "`up` loses \"numbers\"",
            "'7' → 7 → '8'",
            "mend `up` or `down`",
        ],
    );

    project.write("src/models.rs", &after(RIGHT, NAMED));
    project.done(&["generate", "--amend"]);
    project.done(&["finalize"]);
    assert!(!project.path(TESTS).exists());
    let struct_text = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    assert!(!struct_text.contains("loses"), "{struct_text}");
}

#[test]
fn without_the_word_there_are_no_tests() {
    let project = Project::sqlite("");
    library(&project, "sqlite", BEFORE);
    let config = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    project.write("zdm.toml", &config.replace("tests = true", "tests = false"));
    project.write("src/models.rs", &after(RIGHT, ""));
    project.done(&["generate", "ages"]);
    assert!(!project.path(TESTS).exists());
}

const SEVERAL_BEFORE: &str = r#"
use zdm_runtime::{Migratable, MigratableEnum};

#[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Happy,
    Sad,
}

#[derive(Migratable)]
pub struct Team {
    #[zdm(primary_key)]
    pub code: String,
}

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "teams(code)")]
    pub team: String,
    pub mood: Mood,
    #[zdm(unique)]
    pub email: String,
    pub full_name: String,
}

#[derive(Migratable)]
pub struct Post {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = "users(id)")]
    pub author: i64,
    pub stars: i32,
    pub mood_text: String,
}
"#;

/// A unique column under another name, one that is split, a wider type, and a text that becomes an enum.
fn several_after() -> String {
    SEVERAL_BEFORE
        .replace("#[zdm(unique)]\n    pub email", "#[zdm(unique, renamed_from = \"email\")]\n    pub mail")
        .replace(
            "pub full_name: String,",
            r#"#[zdm(from("full_name"), up = "split_part(full_name, ' ', 1)",
        down = "CASE WHEN last = '' THEN first ELSE first || ' ' || last END", up_loses("spaces"),
        down_loses("capitals", "moments", "punctuation", "several words", "spaces", "texts of the expressions"))]
    pub first: String,
    #[zdm(from("full_name"), up = "regexp_replace(full_name, '^[^ ]* ?', '')")]
    pub last: String,"#,
        )
        .replace("pub stars: i32", "#[zdm(from(\"stars\"))]\n    pub rating: i64")
}

const AS_ENUM: &str = r#"#[zdm(from("mood_text"), up = "CAST(mood_text AS mood)", down = "CAST(mood AS text)",
        valid_if = "mood_text IN ('happy', 'sad')", on_invalid = "reject")]
    pub mood: Mood,"#;

#[test]
fn several_tables_go_all_the_way_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    library(&project, "postgres", SEVERAL_BEFORE);
    project.write("src/models.rs", &several_after());
    project.done(&["generate", "several"]);
    let tests = "src/zdm/m0002_several/tests.rs";
    let text = std::fs::read_to_string(project.path(tests)).unwrap();
    assert!(!text.contains("Not tested here"), "{text}");
    let run = cargo_test(&project);
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    assert!(run.out.contains("4 passed"), "{}", run.out);

    // What the whole way cannot be tested with is said, and the rest is tested.
    let with_enum = several_after().replace("pub mood_text: String,", AS_ENUM);
    project.write("src/models.rs", &with_enum);
    project.done(&["generate", "--amend"]);
    let text = std::fs::read_to_string(project.path(tests)).unwrap();
    assert!(text.contains("- the whole way, for `posts`: "), "{text}");
    let run = cargo_test(&project);
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    assert!(run.out.contains("4 passed"), "{}", run.out);
    let left = "SELECT CAST(count(*) AS text) FROM pg_database WHERE datname LIKE 'zdm\\_test%'";
    assert_eq!(project.value(left), "0");
}
