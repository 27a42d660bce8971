//! Mistakes in `up`: `generate` names the file and the line and what to write instead, and writes nothing.

use crate::full_disk::tree;
use crate::generate::{BEFORE, user_crate};
use crate::project::Project;

/// The text column becomes a number, by the given attributes; the field stands at line 7.
fn with_age(attributes: &str) -> String {
    BEFORE.replace(
        "    pub name: String,",
        &format!(
            "    #[zdm(column = \"age_int\", from(\"age\"), {attributes}, down = \"CAST(age_int AS TEXT)\")] pub age: Option<i32>,"
        ),
    )
}

fn refused(dialect: &str, attributes: &str, words: &[&str]) {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write("src/models.rs", &BEFORE.replace("name", "age"));
    project.done(&["init", "--dialect", dialect]);
    project.write("src/models.rs", &with_age(attributes));
    let before = tree(&project.path(""));
    for command in ["generate", "check"] {
        let run = project.zdm(&[command]);
        assert_eq!(run.code, 1, "{command} {attributes}: {run:#?}");
        run.says("src/models.rs:8");
        run.says("users.age_int");
        for word in words {
            run.says(word);
        }
        assert_eq!(tree(&project.path("")), before, "{command} {attributes}");
    }
}

#[test]
fn sql_that_does_not_parse() {
    for dialect in ["postgres", "sqlite"] {
        refused(
            dialect,
            "up = \"CAST(age AS INTEGER) +\"",
            &[
                "`CAST(age AS INTEGER) +` is not understood",
                "Expected: an expression",
            ],
        );
    }
}

#[test]
fn what_sqlite_would_refuse_when_the_table_is_created() {
    let auto = BEFORE.replace(
        "#[zdm(primary_key, auto)]",
        "#[zdm(primary_key, auto, sql_type = \"BIGINT\")]",
    );
    let cast = BEFORE.replace("pub name", "#[zdm(default = \"'x'::text\")]\n    pub name");
    for (models, place, words) in [
        (
            auto,
            "src/models.rs:7",
            "users.id: an `auto` column of type BIGINT is none that SQLite counts",
        ),
        (
            cast,
            "src/models.rs:9",
            "`::` is PostgreSQL's cast; write `CAST(… AS …)`",
        ),
    ] {
        let project = Project::sqlite("");
        user_crate(&project);
        project.write("src/models.rs", &models);
        let before = tree(&project.path(""));
        let run = project.zdm(&["init", "--dialect", "sqlite"]);
        assert_eq!(run.code, 1, "{run:#?}");
        run.says(place);
        run.says(words);
        assert_eq!(tree(&project.path("")), before);
        project.done(&["init", "--dialect", "postgres", "--dry-run"]);
    }
}

#[test]
fn a_column_that_is_not_there() {
    for dialect in ["postgres", "sqlite"] {
        refused(
            dialect,
            "up = \"CAST(agee AS INTEGER)\"",
            &["`agee`", "only `age`"],
        );
    }
}

#[test]
fn an_up_that_may_fail_without_a_word_about_it() {
    for dialect in ["postgres", "sqlite"] {
        refused(
            dialect,
            "up = \"CAST(age AS INTEGER)\"",
            &["on_invalid = \"quarantine\""],
        );
    }
}
