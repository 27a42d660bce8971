//! `[generate] tests = true`: a crate has tests of its migration, which `cargo test` runs there.

use crate::generate::user_crate;
use crate::project::{Project, Run};

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
fn library() -> Project {
    let project = Project::sqlite("");
    user_crate(&project);
    let manifest = std::fs::read_to_string(project.path("Cargo.toml")).unwrap();
    let (package, _) = manifest.split_once("[dependencies]").unwrap();
    let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../zdm-runtime");
    project.write(
        "Cargo.toml",
        &format!(
            "{package}[dependencies]\n\
             zdm-runtime = {{ path = {runtime:?}, features = [\"sqlite\"] }}\n\
             sqlx = {{ version = \"0.9\", default-features = false, features = [\"runtime-tokio\", \"macros\"] }}\n\n\
             [dev-dependencies]\n\
             zdm-runtime = {{ path = {runtime:?}, features = [\"testing\"] }}\n\n\
             [workspace]\n"
        ),
    );
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    std::fs::copy(lock, project.path("Cargo.lock")).unwrap();
    project.write("src/models.rs", BEFORE);
    project.done(&["init", "--dialect", "sqlite"]);
    let config = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    assert!(config.contains("# tests = true"), "{config}");
    project.write("zdm.toml", &config.replacen("# tests", "tests", 1));
    project
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
    let project = library();
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
    let project = library();
    let config = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    project.write("zdm.toml", &config.replace("tests = true", "tests = false"));
    project.write("src/models.rs", &after(RIGHT, ""));
    project.done(&["generate", "ages"]);
    assert!(!project.path(TESTS).exists());
}
