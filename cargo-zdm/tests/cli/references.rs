//! Queries past the generated code: found in every kind of place, told with what stands for the column, and in the way of what takes
//! it away.

use serde_json::Value;

use crate::generate::{AFTER, be_hasty, user_crate};
use crate::project::{Project, Run};
use crate::split::forward;

/// A crate whose `users.name` is being renamed to `full_name`.
fn renaming() -> Project {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    project
}

/// What was found: `src/queries.rs:2 reads users.name`, with what is not certain or does not count.
fn shown(run: &Run) -> Vec<String> {
    let object = run.object();
    let references = object["references"].as_array().unwrap().iter();
    references
        .map(|found| {
            let text = |key: &str| found[key].as_str().unwrap().to_owned();
            let mut line = format!(
                "{}:{} {} {}",
                text("file"),
                found["line"],
                text("access"),
                text("name")
            );
            if found["certainty"] != "certain" {
                line = format!("{line}, {}", text("certainty"));
            }
            for word in ["every", "aside", "allowed"] {
                if found[word] == Value::Bool(true) {
                    line = format!("{line}, {word}");
                }
            }
            line
        })
        .collect()
}

#[track_caller]
fn finds(project: &Project, expected: &[&str]) {
    let run = project.zdm(&["references", "--format", "json"]);
    assert_eq!(run.code, i32::from(!expected.is_empty()), "{run:#?}");
    assert_eq!(shown(&run), expected, "{run:#?}");
}

#[test]
fn nothing_is_found_where_generated_code_alone_names_the_columns() {
    let project = renaming();
    finds(&project, &[]);
    project.write(
        "src/queries.rs",
        r#"
async fn by_name(conn: &mut Connection, flags: Flags, name: &str) {
    checked!(users::fragments::sql, flags => sqlx::query_scalar!(
        "SELECT id FROM users WHERE " full_name " = $1 AND " guard("$2"), name, flags.epoch()
    ).fetch_all(conn));
    checked!(users::fragments::sql, flags => sqlx::query!(
        "UPDATE users SET " set_full_name("$1") " WHERE id = 1 AND " guard("$2"), name, flags.epoch()
    ).execute(conn));
}
"#,
    );
    finds(&project, &[]);
    std::fs::remove_file(project.path("src/queries.rs")).unwrap();
    let named = project.zdm(&["references", "users.id", "--format", "json"]);
    assert_eq!(named.code, 0, "{named:#?}");
    let unknown = project.done(&["references", "users.nothing"]);
    unknown.says("no version knows of users.nothing");
}

#[test]
fn every_literal_that_is_sql_is_read() {
    let project = renaming();
    project.write(
        "src/queries.rs",
        r##"
const ALL: &str = "SELECT id, name FROM users";
const LONG: &str = "
    SELECT id
    FROM users
    WHERE name = $1";
const RAW: &str = r#"UPDATE users SET name = $1, full_name = $1"#;
const LIST: &str = "id, name";
const PUT: &str = concat!("DELETE FROM users", " WHERE name = $1");
fn some(column: &str) -> String {
    format!("SELECT {LIST} FROM users WHERE {column} = $1");
    format!("SELECT {column} FROM users ORDER BY name {}", "DESC");
    let update = "update the name of users";
    "INSERT INTO users VALUES ($1, $2)".to_owned() + column
}
// A comment: SELECT name FROM users
/// And documentation: SELECT name FROM users
fn others() {
    let other = "SELECT name FROM teams";
    let broken = "SELECT name FROM users WHERE ((((name";
    log("users", "name");
    sqlx::query("SELECT * FROM users");
}
"##,
    );
    finds(
        &project,
        &[
            "src/queries.rs:2 reads users.name",
            "src/queries.rs:6 reads users.name",
            "src/queries.rs:7 writes users.name",
            "src/queries.rs:7 writes users.full_name",
            "src/queries.rs:8 reads users.name",
            "src/queries.rs:9 reads users.name",
            "src/queries.rs:12 reads users.name",
            "src/queries.rs:14 writes users.name, every",
            "src/queries.rs:20 names users.name, unread",
            "src/queries.rs:22 reads users.name, every",
        ],
    );
}

#[test]
fn macros_and_builders_of_clients_are_read() {
    let project = renaming();
    project.write(
        "src/queries.rs",
        r#"
async fn asks(pool: &Pool) {
    sqlx::query!("SELECT name FROM users WHERE id = $1", 1);
    sqlx::query_as!(User, "SELECT id, name FROM users");
    query_scalar!("SELECT name FROM users").fetch_one(pool).await;
    query_unchecked!("DELETE FROM users WHERE name = $1", name);
    sqlx::query_as::<_, User>("SELECT u.name FROM users u").fetch_all(pool).await;
    diesel::sql_query("SELECT name FROM users").load(pool);
    pool.execute("UPDATE users SET name = ''").await;
}
fn builds() {
    let mut builder = QueryBuilder::new("SELECT id FROM users WHERE ");
    builder.push("name = ").push_bind(1);
}
fn writes(out: &mut String) {
    write!(out, "SELECT id FROM users").unwrap();
    out.push_str(" WHERE name = $1");
}
"#,
    );
    finds(
        &project,
        &[
            "src/queries.rs:3 reads users.name",
            "src/queries.rs:4 reads users.name",
            "src/queries.rs:5 reads users.name",
            "src/queries.rs:6 reads users.name",
            "src/queries.rs:7 reads users.name",
            "src/queries.rs:8 reads users.name",
            "src/queries.rs:9 writes users.name",
            "src/queries.rs:13 names users.name, perhaps",
            "src/queries.rs:17 names users.name, perhaps",
        ],
    );
}

#[test]
fn included_files_are_read_from_where_they_are_included() {
    let project = renaming();
    for folder in ["queries", "src/sql"] {
        std::fs::create_dir(project.path(folder)).unwrap();
    }
    project.write(
        "queries/by_file.sql",
        "SELECT id\nFROM users\nWHERE name = $1",
    );
    project.write("src/sql/beside.sql", "-- all\nSELECT name\nFROM users");
    project.write("queries/put.sql", "UPDATE users SET name = $1");
    project.write("queries/unused.sql", "SELECT name FROM users");
    project.write(
        "src/queries.rs",
        r#"
const BESIDE: &str = include_str!("sql/beside.sql");
const PUT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/put.sql"));
fn asks() {
    sqlx::query_file!("queries/by_file.sql", 1);
    sqlx::query_file_as!(User, "queries/missing.sql");
}
"#,
    );
    finds(
        &project,
        &[
            "queries/by_file.sql:3 reads users.name",
            "queries/put.sql:1 writes users.name",
            "src/sql/beside.sql:2 reads users.name",
        ],
    );
}

#[test]
fn names_of_diesel_are_read() {
    let project = renaming();
    project.write(
        "src/schema.rs",
        "diesel::table! {\n    users (id) {\n        id -> Int8,\n        name -> Text,\n    }\n}\n",
    );
    project.write(
        "src/queries.rs",
        r"
use crate::schema::users;
fn reads() {
    users::table.select(users::name);
    users::table.filter(users::dsl::name.eq(1));
    diesel::update(users::table).set(users::name.eq(2));
    let name = 1;
}
#[derive(Insertable)]
#[diesel(table_name = users)]
struct NewUser {
    name: String,
}
",
    );
    project.write(
        "src/open.rs",
        "use crate::schema::users::dsl::*;\nfn reads() {\n    users.filter(name.eq(1));\n}\n",
    );
    finds(
        &project,
        &[
            "src/open.rs:3 reads users.name",
            "src/queries.rs:4 reads users.name",
            "src/queries.rs:5 reads users.name",
            "src/queries.rs:6 writes users.name",
            "src/queries.rs:12 writes users.name",
            "src/schema.rs:4 names users.name",
        ],
    );
}

#[test]
fn tests_are_told_apart_and_a_comment_allows() {
    let project = renaming();
    for folder in ["tests", "examples"] {
        std::fs::create_dir(project.path(folder)).unwrap();
    }
    let query = "fn asks() { query(\"SELECT name FROM users\"); }\n";
    project.write("tests/old.rs", query);
    project.write("examples/old.rs", query);
    project.write("src/in_a_file.rs", query);
    project.write(
        "src/lib.rs",
        &format!(
            "pub mod models;\npub mod zdm;\n#[cfg(test)]\nmod in_a_file;\n#[cfg(test)]\nmod tests {{\n    {query}}}\n\
             // It is a report of the past. zdm: allow users.name\n{query}\n// zdm: allow users.id\n{query}"
        ),
    );
    finds(
        &project,
        &[
            "examples/old.rs:1 reads users.name, aside",
            "src/in_a_file.rs:1 reads users.name, aside",
            "src/lib.rs:7 reads users.name, aside",
            "src/lib.rs:10 reads users.name, allowed",
            "src/lib.rs:13 reads users.name",
            "tests/old.rs:1 reads users.name, aside",
        ],
    );
    let told = project.zdm(&["references"]);
    told.says("src/lib.rs:13:");
    told.says("put `fragments::full_name(flags)` in its place");
    told.says("src/zdm/users.rs");
}

#[test]
fn other_crates_of_the_workspace_are_read_and_other_projects_are_not() {
    let project = renaming();
    let manifest = std::fs::read_to_string(project.path("Cargo.toml")).unwrap();
    let members = "[workspace]\nmembers = [\"worker\", \"other\"]\n";
    project.write("Cargo.toml", &manifest.replace("[workspace]\n", members));
    for name in ["worker", "other"] {
        std::fs::create_dir_all(project.path(format!("{name}/src"))).unwrap();
        let package =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        project.write(&format!("{name}/Cargo.toml"), &package);
        let query = "fn asks() { query(\"SELECT name FROM users\"); }\n";
        project.write(&format!("{name}/src/lib.rs"), query);
    }
    project.write("other/zdm.toml", "");
    finds(&project, &["worker/src/lib.rs:1 reads users.name"]);
}

#[test]
fn what_is_no_rust_is_told_by_its_words() {
    let project = renaming();
    project.write("src/broken.rs", "fn broken( { \"users\n\n name'");
    finds(&project, &["src/broken.rs:3 names users.name, unread"]);
}

#[test]
fn any_column_or_table_can_be_asked_for() {
    let project = renaming();
    project.write(
        "src/queries.rs",
        "fn asks() {\n    query(\"SELECT id FROM users\");\n    query(\"DELETE FROM users WHERE id = 1\");\n    query(\"SELECT * FROM teams\");\n}\n",
    );
    let column = project.zdm(&["references", "users.id", "--format", "json"]);
    assert_eq!(column.code, 1);
    assert_eq!(
        shown(&column),
        [
            "src/queries.rs:2 reads users.id",
            "src/queries.rs:3 reads users.id"
        ]
    );
    let table = project.zdm(&["references", "users", "--format", "json"]);
    assert_eq!(
        shown(&table),
        [
            "src/queries.rs:2 reads users",
            "src/queries.rs:3 writes users"
        ]
    );
    assert!(table.object()["references"][0].get("next").is_none());
}

#[test]
fn check_tells_of_them_and_finalize_waits_until_nothing_names_old() {
    let project = renaming();
    let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    project.done(&["check"]);
    project.write(
        "src/queries.rs",
        "fn asks() {\n    query(\"SELECT name FROM users\");\n    query(\"SELECT full_name FROM users\");\n}\n         #[cfg(test)]\nmod tests {\n    const OLD: &str = \"SELECT name FROM users\";\n}\n",
    );
    let told = project.zdm(&["check", "--format", "json"]);
    assert_eq!(told.code, 1, "{told:#?}");
    let object = told.object();
    let findings = object["findings"].as_array().unwrap().iter();
    let places: Vec<_> = findings
        .map(|found| format!("{} {}", found["kind"], found["place"]).replace('"', ""))
        .collect();
    assert_eq!(places, ["named src/queries.rs:2", "named src/queries.rs:3"]);

    let refused = project.zdm(&["finalize"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says("src/queries.rs:2: reads users.name");
    refused.says("name users.full_name instead");
    refused.says("nothing has been written");
    assert!(!refused.err.contains("queries.rs:3"), "{refused:#?}");
    assert!(!refused.err.contains("queries.rs:7"), "{refused:#?}");
    let now = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    assert_eq!(now, models);
    let code = std::fs::read_to_string(project.path("zdm/code.toml")).unwrap();
    assert!(code.contains("\"transition\""), "{code}");

    project.write(
        "src/queries.rs",
        "fn asks() {\n    // Of the archive. zdm: allow users.name\n    query(\"SELECT name FROM users\");\n             query(\"SELECT full_name FROM users\");\n    query(\"SELECT * FROM users\");\n}\n",
    );
    let refused = project.zdm(&["finalize"]);
    refused.says("src/queries.rs:5: reads every column of users");
    let text = std::fs::read_to_string(project.path("src/queries.rs")).unwrap();
    project.write(
        "src/queries.rs",
        &text.replace("SELECT * FROM", "SELECT id FROM"),
    );
    project.done(&["finalize"]);
    // The new column is one like any other now; the old one is not.
    project.done(&["check"]);
    project.write(
        "src/queries.rs",
        "const OLD: &str = \"SELECT name FROM users\";\n",
    );
    project
        .zdm(&["check"])
        .says("takes away: it fails from contract on");
}

/// A checkout may be older or newer than what was deployed: what it names by hand was not seen by `finalize`.
#[test]
fn contract_asks_the_sources_where_there_are_some() {
    let project = renaming();
    be_hasty(&project);
    forward(&project, "complete");
    project.done(&["finalize"]);
    project.write(
        "src/queries.rs",
        "fn asks() {\n    query(\"SELECT name FROM users\");\n}\n",
    );
    for command in [&["contract"][..], &["advance"]] {
        let refused = project.zdm(command);
        assert_eq!(refused.code, 1, "{refused:#?}");
        refused.says("src/queries.rs:2: reads users.name");
        refused.says("nothing was dropped");
        assert_eq!(
            project.value("SELECT count(*) FROM pragma_table_info('users') WHERE name = 'name'"),
            "1"
        );
    }
    // What cannot be read may name anything.
    project.write("src/models.rs", "pub struct");
    let unread = project.zdm(&["contract"]);
    assert_ne!(unread.code, 0, "{unread:#?}");
    unread.says("nothing was dropped");
    // A production image has no sources.
    std::fs::remove_file(project.path("Cargo.toml")).unwrap();
    project.done(&["contract"]);
}

#[test]
#[cfg(unix)]
fn files_that_no_compiler_reads_are_passed_over() {
    use std::os::unix::ffi::OsStrExt as _;
    let project = renaming();
    std::fs::create_dir_all(project.path("node_modules/users")).unwrap();
    let query = "fn asks() { query(\"SELECT name FROM users\"); }\n";
    project.write("node_modules/users/lib.rs", query);
    std::fs::create_dir(project.path("data")).unwrap();
    let no_text = [query.as_bytes(), b"\xff"].concat();
    std::fs::write(project.path("data/no_text.rs"), no_text).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"\xff.rs");
    std::fs::write(project.path("data").join(name), query).unwrap();
    finds(&project, &[]);
    project.done(&["check"]);
}
