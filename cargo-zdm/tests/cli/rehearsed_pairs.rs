//! Versions rehearsed whose rows are in two tables, because columns move between them, or are found by another key afterwards.

use serde_json::Value;
use zdm_tests::postgres::Server;

use crate::generate::user_crate;
use crate::project::{Project, Run};
use crate::rehearse::{assert_clean, assert_whole_way, rehearse};

const HEAD: &str = "use zdm_runtime::Migratable;\n";

/// Users and their addresses in one table.
const ONE: &str = r#"
#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    #[zdm(index)]
    pub street: Option<String>,
    #[zdm(sql_type = "varchar(20)")]
    pub postal: Option<String>,
}
"#;

const SPLIT: &str = r#"
#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable, Debug, Clone)]
#[zdm(table = "addresses", split_from = "users(id)")]
pub struct Address {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    pub user_id: i64,
    #[zdm(index)]
    pub street: String,
    #[zdm(from("postal"), sql_type = "varchar(20)")]
    pub postal_code: Option<String>,
}
"#;

/// An address that has a key of its own.
const TWO: &str = r#"
#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
}

#[derive(Migratable, Debug, Clone)]
#[zdm(table = "addresses")]
pub struct Address {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique, references = "users(id)", on_delete = "cascade")]
    pub user_id: i64,
    pub street: String,
    pub city: Option<String>,
}
"#;

const MERGED: &str = r#"
#[derive(Migratable, Debug, Clone)]
#[zdm(merged_from = "addresses(user_id)")]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    pub street: Option<String>,
    pub city: Option<String>,
}
"#;

/// Parcels of lines of orders, by a key of two columns; they stay where a line has one.
const PARCELS: &str = r#"
#[derive(Migratable, Debug, Clone)]
#[zdm(table = "order_lines", primary_key(order_id, line))]
pub struct OrderLine {
    pub order_id: i64,
    pub line: String,
    pub amount: i32,
}

#[derive(Migratable, Debug, Clone)]
#[zdm(unique(columns(order_id, line)),
      foreign_key(columns(order_id, line), references = "order_lines(order_id, line)"),
      foreign_key(columns(sent_order, sent_line), references = "order_lines(order_id, line)"))]
pub struct Parcel {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub order_id: i64,
    pub line: String,
    #[zdm(references = "depots(id)")]
    pub depot: i64,
    pub sent_order: Option<i64>,
    pub sent_line: Option<String>,
    pub weight: Option<i32>,
}

#[derive(Migratable, Debug, Clone)]
pub struct Depot {
    #[zdm(primary_key)]
    pub id: i64,
}
"#;

fn moved() -> String {
    let text = PARCELS.replace("    pub weight: Option<i32>,\n", "");
    text.replace(
        "    pub amount: i32,\n",
        "    pub amount: i32,\n    #[zdm(moved_from = \"parcels.weight\")]\n    pub weight: Option<i32>,\n",
    )
}

/// Limits by user; afterwards by user and action.
const LIMITS: &str = r"
#[derive(Migratable, Debug, Clone)]
pub struct Limit {
    #[zdm(primary_key)]
    pub user_id: i64,
    pub burst: i64,
}
";

const LIMITS_BY_ACTION: &str = r#"
#[derive(Migratable, Debug, Clone)]
#[zdm(primary_key(user_id, action))]
pub struct Limit {
    pub user_id: i64,
    pub burst: i64,
    #[zdm(default = "0")]
    pub action: i64,
}
"#;

/// Users by a number that the database counts, and notes that go on referring to it.
const NUMBERED: &str = r#"
#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(unique)]
    pub handle: String,
    pub name: String,
}

#[derive(Migratable, Debug, Clone)]
pub struct Note {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(references = "users(id)")]
    pub user_id: i64,
    pub text: String,
}
"#;

fn by_handle() -> String {
    let text = NUMBERED.replace(
        "    #[zdm(primary_key, auto)]\n    pub id: i64,\n    #[zdm(unique)]\n    pub handle: String,",
        "    #[zdm(auto, unique)]\n    pub id: i64,\n    #[zdm(primary_key)]\n    pub handle: String,",
    );
    assert_ne!(text, NUMBERED);
    text
}

/// A crate whose second version leads from the first structs to the others.
fn generated(project: &Project, before: &str, after: &str) {
    user_crate(project);
    project.write("src/models.rs", &format!("{HEAD}{before}"));
    project.done(&["init"]);
    project.write("src/models.rs", &format!("{HEAD}{after}"));
    project.done(&["generate", "next"]);
}

fn on_sqlite(before: &str, after: &str, edges: usize) -> Value {
    let project = Project::sqlite("");
    generated(&project, before, after);
    assert_clean(&rehearse(&project, &[]), edges)
}

fn on_postgres(before: &str, after: &str, edges: usize) -> Value {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    generated(&project, before, after);
    let scratch = server.database("scratch");
    assert_clean(&rehearse(&project, &["--scratch-url", &scratch]), edges)
}

#[test]
fn a_table_that_is_split_is_rehearsed() {
    assert_whole_way(&on_postgres(ONE, SPLIT, 8));
}

#[test]
fn a_table_that_is_merged_is_rehearsed() {
    assert_whole_way(&on_sqlite(TWO, MERGED, 8));
}

#[test]
fn columns_that_move_are_rehearsed() {
    assert_whole_way(&on_postgres(PARCELS, &moved(), 8));
}

#[test]
fn a_key_that_gets_a_column_is_rehearsed() {
    on_sqlite(LIMITS, LIMITS_BY_ACTION, 2);
}

/// Notes refer to a number that the database counts, and that is no key any more.
#[test]
fn another_key_is_rehearsed() {
    on_postgres(NUMBERED, &by_handle(), 2);
}

/// A step of the user's own in expand, and what takes it back.
fn with_own_sql(project: &Project, (before, after): (&str, &str), up: &str, down: &str) -> Run {
    user_crate(project);
    project.write("src/models.rs", &format!("{HEAD}{before}"));
    project.done(&["init"]);
    std::fs::create_dir_all(project.path("zdm/raw/expand")).unwrap();
    project.write("zdm/raw/expand/after_own.up.sql", up);
    project.write("zdm/raw/expand/after_own.down.sql", down);
    project.write("src/models.rs", &format!("{HEAD}{after}"));
    project.done(&["generate", "next"]);
    let run = rehearse(project, &[]);
    assert_eq!(run.code, 1, "{run:#?}");
    run
}

/// Nothing is refused, and nothing is deleted, in a table whose rows have a key of their own.
#[test]
fn a_write_that_does_nothing_is_found() {
    let run = with_own_sql(
        &Project::sqlite(""),
        (PARCELS, &moved()),
        "CREATE TRIGGER kept BEFORE DELETE ON parcels BEGIN SELECT RAISE(IGNORE); END;\n",
        "DROP TRIGGER kept;\n",
    );
    let problems = run.object()["problems"].to_string();
    assert!(
        problems.contains("delete from parcels")
            && problems.contains("found no row, which was there"),
        "{problems}"
    );
}

/// Only values that move may have no place in a row without a parcel.
#[test]
fn a_refusal_that_the_move_is_not_the_reason_of_is_found() {
    let run = with_own_sql(
        &Project::sqlite(""),
        (PARCELS, &moved()),
        "CREATE TRIGGER fixed BEFORE UPDATE OF amount ON order_lines \
             WHEN NOT EXISTS (SELECT 1 FROM parcels WHERE order_id = NEW.order_id AND line = NEW.line) \
             BEGIN SELECT RAISE(ABORT, 'not without a parcel'); END;\n",
        "DROP TRIGGER fixed;\n",
    );
    let problems = run.object()["problems"].to_string();
    assert!(
        problems.contains("of order_lines") && problems.contains("not without a parcel"),
        "{problems}"
    );
}

/// The oracle bites: a step of the user's own changes one of the two tables, and the triggers carry that to the other.
#[test]
fn own_sql_that_changes_one_of_two_tables_is_found() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write("src/models.rs", &format!("{HEAD}{ONE}"));
    project.done(&["init"]);
    std::fs::create_dir_all(project.path("zdm/raw/dual_write")).unwrap();
    for (file, sql) in [
        (
            "up",
            "UPDATE users SET street = 'elsewhere' WHERE street IS NOT NULL;\n",
        ),
        ("down", "UPDATE users SET street = street WHERE 1 = 0;\n"),
    ] {
        project.write(&format!("zdm/raw/dual_write/after_tidy.{file}.sql"), sql);
    }
    project.write("src/models.rs", &format!("{HEAD}{SPLIT}"));
    project.done(&["generate", "next"]);
    let run = rehearse(&project, &[]);
    assert_eq!(run.code, 1, "{run:#?}");
    assert!(run.object()["lost_writes"].as_u64() > Some(0), "{run:#?}");
    let problems = run.object()["problems"].to_string();
    assert!(
        problems.contains("lost write: addresses (")
            && problems.contains("street was last written as"),
        "{problems}"
    );
}
