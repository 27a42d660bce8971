//! `generate --database-url`: rows that cannot be converted and what is lost are counted before anything is written.

use serde_json::{Value, json};
use zdm_tests::postgres::Server;

use crate::full_disk::tree;
use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::{Project, Run};

pub(crate) const TEXT: &str = "pub age: Option<String>";
pub(crate) const GLOB: &str = "age <> '' AND age NOT GLOB '*[^0-9]*' AND length(age) < 10";

/// `99999999999` passes the pattern and overflows all the same.
pub(crate) const ROWS: &str = "INSERT INTO users (id, age) VALUES
    (1, 'abc'), (2, '99999999999'), (3, '007'), (4, ''), (5, NULL), (6, '36')";

/// A crate whose table is there with its rows, and whose struct has changed since.
pub(crate) fn changed(project: &Project, dialect: &str, before: &str, rows: &str, after: &str) {
    let model = |field: &str| BEFORE.replace("    pub name: String", &format!("    {field}"));
    user_crate(project);
    project.write("src/models.rs", &model(before));
    project.done(&["init", "--dialect", dialect]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute(rows);
    project.write("src/models.rs", &model(after));
}

/// The text becomes a number.
pub(crate) fn number(valid_if: &str) -> String {
    format!(
        "#[zdm(column = \"age_int\", from(\"age\"), up = \"CAST(age AS INTEGER)\", down = \"CAST(age_int AS TEXT)\", \
         valid_if = \"{valid_if}\", on_invalid = \"quarantine\")]\n    pub age: Option<i32>"
    )
}

pub(crate) fn counting(project: &Project, more: &[&str]) -> Run {
    let command = [
        "generate",
        "--format",
        "json",
        "--database-url",
        &project.url,
    ];
    project.zdm(&[&command[..], more].concat())
}

pub(crate) fn counted(project: &Project) -> Value {
    let run = counting(project, &[]);
    assert_eq!(run.code, 0, "{run:#?}");
    run.object()["measured"].clone()
}

/// The page of the last version.
pub(crate) fn page(project: &Project) -> String {
    project.done(&["review"]).out
}

#[test]
fn rows_are_counted_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    changed(
        &project,
        "postgres",
        TEXT,
        ROWS,
        &number("age ~ '^[0-9]+$'"),
    );
    rows_are_counted(&project);
    assert_eq!(
        project.value("SELECT count(*) FROM pg_proc WHERE proname LIKE 'zdm%'"),
        "0"
    );
}

#[test]
fn rows_are_counted_on_sqlite() {
    let project = Project::sqlite("");
    changed(&project, "sqlite", TEXT, ROWS, &number(GLOB));
    rows_are_counted(&project);
}

fn rows_are_counted(project: &Project) {
    let measured = counted(project);
    let found = &measured[0];
    assert_eq!(found["column"], "age_int", "{measured}");
    assert_eq!(
        found["rows"],
        json!({ "found": {
            "rows": 6,
            "unconvertible": { "count": 3, "keys": [["1"], ["2"], ["4"]] },
            "losses": { "up": { "count": 1, "keys": [["3"]] }, "down": { "count": 0 } },
        }})
    );
    assert_eq!(
        found["examples"]["unconvertible"][1],
        json!({ "key": ["2"], "steps": ["'99999999999'"] })
    );
    assert_eq!(
        found["examples"]["lost_by_up"],
        json!([{ "key": ["3"], "steps": ["'007'", "7", "'7'"] }])
    );
    let edges = &found["edges"]["found"];
    assert_eq!(edges["tried"], 5, "{measured}");
    assert_eq!(edges["changed"][0], json!(["-1", "NULL"]), "{measured}");

    let page = page(project);
    for line in [
        "**cannot be converted**: 3 of 6 rows, by key: `1`, `2`, `4`\n",
        "**lost by `up`**: the value does not come back in 1 of 3 rows, by key: `3`\n",
        "**lost by `down`**: nothing in 3 converted rows; of 5 values at the edges of the type `-1` comes back as `NULL`",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    let plan = std::fs::read_to_string(project.path("zdm/0002_users_age_int/plan.toml")).unwrap();
    for text in [&page, &plan] {
        assert!(!text.contains("99999999999"), "a row's value: {text}");
    }
    // Later, and without the database, nothing is stale.
    project.done(&["check"]);
    project.done(&["generate"]).says("nothing has changed");

    let told = project.done(&["generate", "--amend", "--database-url", &project.url]);
    told.says("3 of 6 rows cannot be converted, on_invalid = quarantine: (1) 'abc', (2) '99999999999', (4) ''");
    told.says("lost by `up`: 1 of 3 rows: (3) '007' → 7 → '7'");
    let amended = project.done(&["generate", "--amend", "--format", "json"]);
    assert_eq!(amended.object()["measured"], Value::Null);
    assert!(self::page(project).contains("no database was asked"));
    assert_eq!(project.value("SELECT count(*) FROM users"), "6");
}

/// `up` is declared total: a NULL where new takes none stops the command.
#[test]
fn an_up_that_the_rows_refute_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    let after = "#[zdm(column = \"initial\", from(\"age\"), up = \"left(age, 1)\", \
                 down = \"initial\")]\n    pub initial: String";
    changed(&project, "postgres", TEXT, ROWS, after);
    refuted(
        &project,
        "users.initial: 1 of 6 rows cannot be converted: (5) NULL",
    );
}

/// A cast cuts what is too long for new, an assignment refuses it; a write is an assignment.
#[test]
fn a_value_that_is_too_long_for_new() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    let after = "#[zdm(sql_type = \"varchar(3)\", from(\"age\"), up = \"age\", down = \"short\")]
    pub short: Option<String>";
    changed(&project, "postgres", TEXT, ROWS, after);
    let run = counting(&project, &[]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("users.short: 1 of 6 rows cannot be converted: (2) '99999999999'");
}

#[test]
fn an_up_that_the_rows_refute_on_sqlite() {
    let project = Project::sqlite("");
    let after = "#[zdm(column = \"initial\", from(\"age\"), up = \"substr(age, 1, 1)\", \
                 down = \"initial\")]\n    pub initial: String";
    changed(&project, "sqlite", TEXT, ROWS, after);
    refuted(
        &project,
        "users.initial: 1 of 6 rows cannot be converted: (5) NULL",
    );
}

fn refuted(project: &Project, words: &str) {
    let before = tree(&project.path("src"));
    let run = counting(project, &[]);
    assert_eq!(run.code, 1, "{run:#?}");
    let error = &run.object()["error"];
    assert!(
        error["message"].as_str().unwrap().contains(words),
        "{error}"
    );
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("src/models.rs:9"),
        "{error}"
    );
    assert!(
        error["next"].as_str().unwrap().contains("on_invalid"),
        "{error}"
    );
    assert_eq!(
        error["measured"][0]["rows"]["found"]["unconvertible"]["count"],
        1
    );
    let versions = std::fs::read_dir(project.path("zdm")).unwrap();
    assert!(
        versions
            .flatten()
            .all(|entry| !entry.file_name().to_string_lossy().starts_with("0002"))
    );
    assert_eq!(tree(&project.path("src")), before);
    // Somebody mends the rows.
    project.execute("UPDATE users SET age = 'x' WHERE id IN (4, 5)");
    counted(project);
}

/// A merge, a column that is filled, names that need quotes, types with values of their own.
const OTHERS: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "Order", primary_key(shop, number))]
pub struct Order {
    pub shop: String,
    pub number: i64,
    FIELDS
}
"#;
const OTHERS_BEFORE: &str = r#"
    #[zdm(column = "Select")]
    pub first: String,
    pub last: String,
    pub payload: Option<Vec<u8>>,
"#;
const OTHERS_AFTER: &str = r#"
    #[zdm(column = "From", from("Select", "last"), up = "\"Select\" || ' ' || last",
        down("Select" = "substr(\"From\", 1, 2)", last = "substr(\"From\", 4)"))]
    pub name: String,
    #[zdm(column = "blob", from("payload"), up = "coalesce(payload, 'x')", down = "blob")]
    pub blob: Option<Vec<u8>>,
    #[zdm(up = "length(shop)")]
    pub width: i32,
"#;

fn several_kinds(project: &Project, dialect: &str) {
    user_crate(project);
    project.write("src/models.rs", &OTHERS.replace("FIELDS", OTHERS_BEFORE));
    project.done(&["init", "--dialect", dialect]);
    project.done(&["expand"]);
    project.execute(
        "INSERT INTO \"Order\" (shop, number, \"Select\", last, payload)
         VALUES ('a', 1, 'li', 'x', NULL), ('b', 2, 'ada', 'y', NULL)",
    );
    project.write("src/models.rs", &OTHERS.replace("FIELDS", OTHERS_AFTER));
    let measured = counted(project);
    let of = |column: &str| {
        let pairs = measured.as_array().unwrap();
        let found = pairs.iter().find(|pair| pair["column"] == column);
        found.unwrap_or_else(|| panic!("{column}: {measured}"))["rows"]["found"].clone()
    };
    assert_eq!(of("width")["rows"], 2, "{measured}");
    assert_eq!(of("width")["losses"], Value::Null, "{measured}");
    let lost = json!({ "count": 1, "keys": [["b", "2"]] });
    assert_eq!(of("From")["losses"]["up"], lost, "{measured}");
    assert_eq!(of("blob")["losses"]["up"]["count"], 2, "{measured}");
}

#[test]
fn several_kinds_of_pairs_on_postgres() {
    let server = Server::start();
    several_kinds(&Project::on(server.database("shop"), ""), "postgres");
}

#[test]
fn several_kinds_of_pairs_on_sqlite() {
    several_kinds(&Project::sqlite(""), "sqlite");
}

#[test]
fn what_is_built_in_needs_no_count() {
    let project = Project::sqlite("");
    let after = "#[zdm(renamed_from = \"age\")]\n    pub years: Option<String>";
    changed(&project, "sqlite", TEXT, ROWS, after);
    project
        .done(&["generate", "--database-url", &project.url])
        .says("nothing to count: every conversion is built in");
}

#[test]
fn rows_are_counted_one_way_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    let after = number("age ~ '^[0-9]+$'");
    rows_are_counted_one_way(&project, "postgres", &after);
}

#[test]
fn rows_are_counted_one_way_on_sqlite() {
    rows_are_counted_one_way(&Project::sqlite(""), "sqlite", &number(GLOB));
}

/// There is no way back to try: nothing is said of losses, and that nothing comes back is.
fn rows_are_counted_one_way(project: &Project, dialect: &str, after: &str) {
    let after = after.replace("down = \"CAST(age_int AS TEXT)\"", "one_way");
    changed(project, dialect, TEXT, ROWS, &after);
    let measured = counted(project);
    assert_eq!(
        measured[0]["rows"],
        json!({ "found": {
            "rows": 6,
            "unconvertible": { "count": 3, "keys": [["1"], ["2"], ["4"]] },
        }})
    );
    assert_eq!(
        measured[0]["examples"]["unconvertible"][1],
        json!({ "key": ["2"], "steps": ["'99999999999'"] })
    );
    let page = page(project);
    for told in [
        "**cannot be converted**: 3 of 6 rows, by key: `1`, `2`, `4`\n",
        "`one_way`: nothing comes back",
        "| way back from the end | no: `one_way`",
        "The first dual write: `one_way` declares no `down`",
        "Entering `dual_write` is the point of no return",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains("**lost by"), "{page}");
    let version = project.path("zdm/0002_users_age_int");
    let plan = std::fs::read_to_string(version.join("plan.toml")).unwrap();
    assert!(plan.contains("one_way = true") && plan.contains("reversible = false"));
    assert!(!plan.contains("down = ["), "{plan}");
    assert!(!version.join("3_backfill/reverse.sql").exists());
    project.done(&["check"]);
    project.done(&["expand"]);
    project
        .done(&["switch", "--to", "dual_write", "--dry-run"])
        .says("point of no return");
}
