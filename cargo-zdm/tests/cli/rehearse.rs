//! A version rehearsed on a scratch database: the whole way where it is right, and what is found where it loses something.

use serde_json::Value;
use zdm_tests::postgres::Server;

use crate::generate::user_crate;
use crate::project::{Project, Run};

const BEFORE: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
pub struct Team {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub title: String,
}

#[derive(Migratable, Debug, Clone)]
#[zdm(check(name = "level_known", expr = "level IN ('low', 'high')"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
    pub age: Option<String>,
    #[zdm(unique)]
    pub email: String,
    pub level: String,
    pub points: i32,
    #[zdm(references = "teams(id)", on_delete = "set null")]
    pub team_id: Option<i64>,
}
"#;

const POSTGRES_AGE: &str = r#"#[zdm(column = "age_int", from("age"), up = "CAST(age AS INTEGER)", down = "CAST(age_int AS TEXT)",
          valid_if = "age ~ '^[0-9]{1,9}$'", on_invalid = "quarantine")]
    pub age: Option<i32>"#;

const SQLITE_AGE: &str = r#"#[zdm(column = "age_int", from("age"), up = "CAST(age AS INTEGER)", down = "CAST(age_int AS TEXT)",
          valid_if = "length(age) < 9 AND CAST(CAST(age AS INTEGER) AS TEXT) = age", on_invalid = "quarantine")]
    pub age: Option<i32>"#;

/// A name that changes, a type that does, a column that is filled.
const NAME: &str = "#[zdm(renamed_from = \"name\")]\n    pub full_name: String";
const SLUG: &str = "pub level: String,\n    #[zdm(up = \"lower(email)\")]\n    pub slug: String";

fn changed(replacements: &[(&str, &str)]) -> String {
    let mut text = BEFORE.to_owned();
    for (from, to) in replacements {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

fn all(age: &str) -> String {
    changed(&[
        ("pub name: String", NAME),
        ("pub age: Option<String>", age),
        ("pub level: String", SLUG),
    ])
}

/// A crate whose second version leads to these structs; nothing of it is in a database.
fn generated(project: &Project, after: &str) {
    user_crate(project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    project.write("src/models.rs", after);
    project.done(&["generate", "people"]);
}

pub(crate) fn rehearse(project: &Project, more: &[&str]) -> Run {
    let mut arguments = vec!["rehearse", "--rows", "150", "--format", "json"];
    arguments.extend(more);
    project.zdm(&arguments)
}

/// Nothing was found, everything was gone through.
pub(crate) fn assert_clean(run: &Run, edges: usize) -> Value {
    assert_eq!(run.code, 0, "{run:#?}");
    let report = run.object();
    for found in ["failed_statements", "lost_writes", "stale_reads"] {
        assert_eq!(report[found], 0, "{report}");
    }
    assert_eq!(report["ended"], true, "{report}");
    assert_eq!(
        report["not_driven"].as_array().map(Vec::len),
        Some(0),
        "{report}"
    );
    assert_eq!(
        report["rolled_back"].as_array().map(Vec::len),
        Some(edges),
        "{report}"
    );
    for phase in report["phases"].as_array().into_iter().flatten() {
        assert!(phase["statements"].as_u64() > Some(0), "{report}");
    }
    report
}

pub(crate) fn assert_whole_way(report: &Value) {
    let phases = report["phases"].as_array().unwrap().iter();
    let phases: Vec<_> = phases
        .map(|phase| phase["phase"].as_str().unwrap())
        .collect();
    let all = [
        "before",
        "expand",
        "dual_write",
        "backfill",
        "switch_reads",
        "contract",
    ];
    assert_eq!(phases, all);
    let killed = &report["killed"];
    for kind in ["backfills", "instances"] {
        assert_eq!(killed[kind], 1, "{report}");
    }
    for kind in ["connections", "sleepers_woken", "sleepers_refused"] {
        assert!(killed[kind].as_u64() > Some(1), "{kind}: {report}");
    }
}

#[test]
fn a_version_that_is_right_goes_the_whole_way_on_sqlite() {
    let project = Project::sqlite("");
    generated(&project, &all(SQLITE_AGE));
    let report = assert_clean(&rehearse(&project, &[]), 8);
    assert_whole_way(&report);
    // The application's own database was not touched.
    assert!(!project.path("app.db").exists());
}

#[test]
fn a_version_that_is_right_goes_the_whole_way_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    generated(&project, &all(POSTGRES_AGE));
    let scratch = server.database("scratch");
    let report = assert_clean(&rehearse(&project, &["--scratch-url", &scratch]), 8);
    assert_whole_way(&report);
    let left = Project::on(scratch, "");
    let objects = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE n.nspname IN ('public', 'zdm') AND c.relkind IN ('r', 'v', 'S')";
    assert_eq!(
        left.value(objects),
        "0",
        "the scratch database is empty again"
    );
    assert_eq!(
        project.value(objects),
        "0",
        "the application's own was not touched"
    );
}

/// Contract that keeps old is taken back, and what was kept is dropped, though neither its time nor anybody's approval was waited for.
#[test]
fn what_contract_keeps_is_brought_back_and_dropped() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    let asked = written.replace("[generate]\n", "[generate]\nkeep = \"14d\"\n");
    let asked = asked.replace("[policy]\n", "[policy]\napprovals = 1\n");
    assert!(asked.contains("approvals = 1"), "{asked}");
    project.write("zdm.toml", &asked);
    project.write("src/models.rs", &all(POSTGRES_AGE));
    project.done(&["generate", "people"]);
    let planned = project.done(&["rehearse", "--dry-run"]);
    planned.says("kept          back to complete");
    let scratch = server.database("scratch");
    let report = assert_clean(&rehearse(&project, &["--scratch-url", &scratch]), 9);
    assert_whole_way(&report);
    let edges = report["rolled_back"].as_array().unwrap();
    assert!(edges.contains(&Value::from("kept → complete")), "{report}");
}

#[test]
fn a_column_that_goes_and_one_that_comes_are_rehearsed() {
    let project = Project::sqlite("");
    let gone = [
        (
            "#[derive(Migratable, Debug, Clone)]\n#[zdm(check",
            "#[derive(Migratable, Debug, Clone)]\n#[zdm(drops(\"age\"), check",
        ),
        (
            "    pub age: Option<String>,\n",
            "    pub note: Option<String>,\n",
        ),
    ];
    generated(&project, &changed(&gone));
    let report = assert_clean(&rehearse(&project, &[]), 2);
    assert_eq!(report["rolled_back"][0], "complete → off", "{report}");
}

/// As many rows as elsewhere, scaled down; what is there is only read.
#[test]
fn rows_are_like_those_of_another_database() {
    let project = Project::sqlite("");
    let text = "#[zdm(column = \"points_text\", from(\"points\"))]\n    pub points: String";
    let slug = changed(&[("pub level: String", SLUG), ("pub points: i32", text)]);
    generated(&project, &slug);
    project.write("src/models.rs", BEFORE);
    project.done(&["expand", "init"]);
    project.execute("INSERT INTO teams (title) VALUES ('red'), ('green'), ('blue')");
    project.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
         INSERT INTO users (name, age, email, level, points) SELECT 'Only One', i, i || '@example.org', 'high', i FROM n",
    );
    project.write("src/models.rs", &slug);
    let report = assert_clean(&rehearse(&project, &["--like", &project.url.clone()]), 8);
    assert_eq!(report["rows"]["users"], 150, "{report}");
    // A number becomes a text, and no other text can be a number again.
    let losses = report["losses"].to_string();
    assert!(
        losses.contains("users.points_text: old cannot hold"),
        "{losses}"
    );
    assert_eq!(
        project.value("SELECT count(*) FROM users WHERE name = 'Only One'"),
        "300"
    );
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'cargo_zdm%'";
    assert_eq!(project.value(tables), "0", "it was only read");
    let keep = ["--like", &project.url.clone(), "--dry-run"].map(str::to_owned);
    let keep: Vec<&str> = keep.iter().map(String::as_str).collect();
    let plan = rehearse(&project, &keep);
    assert_eq!(plan.code, 0, "{plan:#?}");
    let steps = plan.object()["steps"].to_string();
    assert!(
        steps.contains("back to off") && steps.contains("contracted"),
        "{steps}"
    );
}

/// The oracle bites: a `down` that loses the value, so that what new code has written is not what is read.
#[test]
fn a_down_that_loses_values_is_found() {
    let project = Project::sqlite("");
    let wrong = SQLITE_AGE.replace("CAST(age_int AS TEXT)\"", "CAST(age_int + 1 AS TEXT)\"");
    generated(&project, &changed(&[("pub age: Option<String>", &wrong)]));
    let run = rehearse(&project, &[]);
    assert_eq!(run.code, 1, "{run:#?}");
    let report = run.object();
    assert!(report["lost_writes"].as_u64() > Some(0), "{report}");
    assert_eq!(report["ended"], false, "{report}");
    // Which side is read first is chance.
    run.says(" was last written as (");
}

/// A step of the user's own that changes rows under the application.
#[test]
fn own_sql_that_loses_a_write_is_found() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    std::fs::create_dir_all(project.path("zdm/raw/expand")).unwrap();
    project.write(
        "zdm/raw/expand/after_tidy.up.sql",
        "UPDATE users SET level = 'low' WHERE level = 'high';\n",
    );
    project.write(
        "zdm/raw/expand/after_tidy.down.sql",
        "UPDATE users SET level = level WHERE 1 = 0;\n",
    );
    project.write("src/models.rs", &changed(&[("pub name: String", NAME)]));
    project.done(&["generate", "people"]);
    let run = rehearse(&project, &[]);
    assert_eq!(run.code, 1, "{run:#?}");
    assert!(run.object()["lost_writes"].as_u64() > Some(0), "{run:#?}");
    run.says("level was last written as (high)");
}

#[test]
fn a_database_with_tables_is_refused() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    generated(&project, &all(POSTGRES_AGE));
    let nameless = rehearse(&project, &[]);
    assert_eq!(nameless.code, 2, "{nameless:#?}");
    nameless.says("--scratch-url");
    project.execute("CREATE TABLE precious (id int)");
    let refused = rehearse(&project, &["--scratch-url", &project.url]);
    assert_eq!(refused.code, 2, "{refused:#?}");
    refused.says("DATABASE_URL");
    let other = server.database("other");
    Project::on(other.clone(), "").execute("CREATE TABLE precious (id int)");
    let refused = rehearse(&project, &["--scratch-url", &other]);
    assert_eq!(refused.code, 2, "{refused:#?}");
    refused.says("public.precious");
}
