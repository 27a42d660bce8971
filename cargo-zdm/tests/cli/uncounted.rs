//! `generate --database-url` on a database that does not answer: what could not be counted says why and is never shown as
//! none; a database that cannot be asked at all stops the command. It is only read.

use zdm_tests::postgres::Server;

use crate::counted::{GLOB, ROWS, TEXT, changed, counted, counting, number, page};
use crate::project::Project;

/// The reason, which the page gives too.
fn unknown(project: &Project, more: &[&str], words: &str) {
    let run = counting(project, &[&["--dry-run"], more].concat());
    assert_eq!(run.code, 0, "{run:#?}");
    let reason = &run.object()["measured"][0]["rows"]["unknown"];
    assert!(reason.as_str().unwrap().contains(words), "{reason}");
    let url = &project.url;
    let command = ["generate", "--dry-run", "--database-url", url];
    let told = project.done(&[&command[..], more].concat());
    told.says("users.age_int: not counted: ");
}

#[test]
fn what_cannot_be_counted_says_why_on_sqlite() {
    let project = Project::sqlite("");
    changed(&project, "sqlite", TEXT, ROWS, &number(GLOB));
    project.execute(
        "WITH RECURSIVE n(i) AS (SELECT 7 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
         INSERT INTO users (id, age) SELECT i, '1' FROM n",
    );
    unknown(
        &project,
        &["--count-timeout", "1ns"],
        "it takes longer than 1ns; `--count-timeout`",
    );
    project.execute("ALTER TABLE users RENAME COLUMN age TO years");
    unknown(
        &project,
        &[],
        "`users` has no column `age` in this database",
    );
    project.execute("DROP TABLE users");
    unknown(&project, &[], "there is no table `users` in this database");
    counted(&project);
    let page = page(&project);
    assert!(
        page.contains("**not measured**: which rows cannot be converted, and what `up` and `down` lose; there is no table `users`"),
        "{page}"
    );
}

#[test]
fn what_cannot_be_counted_says_why_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    let sleepy = number("age ~ '^[0-9]+$' AND pg_sleep(3600) IS NOT NULL");
    changed(&project, "postgres", TEXT, ROWS, &sleepy);
    unknown(
        &project,
        &["--count-timeout", "1ms"],
        "it takes longer than 1ms; `--count-timeout`",
    );
    project.execute("DROP TABLE users");
    unknown(&project, &[], "there is no table `users`");
    let run = project.zdm(&[
        "generate",
        "--database-url",
        "postgres://app:s3cret@localhost:1/shop",
    ]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("cannot connect to postgres://app:…@localhost:1/shop");
    run.says("nothing has been written");
    assert!(!run.err.contains("s3cret"), "{run:#?}");
}

#[test]
fn what_the_database_does_not_understand_is_a_finding_on_sqlite() {
    not_understood(&Project::sqlite(""), "sqlite");
}

#[test]
fn what_the_database_does_not_understand_is_a_finding_on_postgres() {
    let server = Server::start();
    not_understood(&Project::on(server.database("shop"), ""), "postgres");
}

fn not_understood(project: &Project, dialect: &str) {
    let after = "#[zdm(column = \"age_int\", from(\"age\"), up = \"to_years(age)\", down = \"to_text(age_int)\",
                       valid_if = \"age <> ''\", on_invalid = \"quarantine\")]
                 pub age: Option<i32>";
    changed(project, dialect, TEXT, ROWS, after);
    let run = project.zdm(&["generate", "--database-url", &project.url]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("this database does not understand what is declared");
    run.says("users.age_int: `up`: ");
    run.says("to_years");
    run.says("users.age_int: `down(age = …)`: ");
    run.says("nothing has been written");
}

/// The type `json` has no equality of its own.
#[test]
fn a_json_is_counted() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    let after = "#[zdm(column = \"data\", from(\"age\"), up = \"CAST(age AS json)\", down = \"CAST(data AS text)\",
                       on_invalid = \"quarantine\", sql_type = \"json\")]
                 pub age: Option<String>";
    changed(&project, "postgres", TEXT, ROWS, after);
    let run = counting(&project, &["--dry-run"]);
    assert_eq!(run.code, 0, "{run:#?}");
    let rows = &run.object()["measured"][0]["rows"];
    assert!(rows["found"].is_object(), "{rows}");
}

#[test]
fn an_up_that_would_write_is_not_let() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    let up = "#[zdm(column = \"age_int\", from(\"age\"), up = \"scribble(age)\", down = \"CAST(age_int AS TEXT)\", on_invalid = \"null\")]
    pub age: Option<i32>";
    changed(&project, "postgres", TEXT, ROWS, up);
    project.execute(
        "CREATE TABLE scribbled (age text);
         CREATE FUNCTION scribble(age text) RETURNS integer LANGUAGE sql
         AS 'INSERT INTO scribbled VALUES (age) RETURNING 1'",
    );
    unknown(
        &project,
        &[],
        "cannot execute INSERT in a read-only transaction",
    );
    assert_eq!(project.value("SELECT count(*) FROM scribbled"), "0");
}

#[test]
fn a_role_without_rights_is_told_the_grants() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    changed(
        &project,
        "postgres",
        TEXT,
        ROWS,
        &number("age ~ '^[0-9]+$'"),
    );
    project.execute("CREATE ROLE app LOGIN; REVOKE TEMPORARY ON DATABASE shop FROM PUBLIC");
    let url = server.url_of("shop", "app");
    let command = [
        "generate",
        "--dry-run",
        "--format",
        "json",
        "--database-url",
        &url,
    ];
    let rows = || project.done(&command).object()["measured"][0]["rows"].clone();
    let grants = "GRANT SELECT ON users TO app; GRANT TEMPORARY ON DATABASE shop TO app;";
    let reason = rows()["unknown"].clone();
    assert!(reason.as_str().unwrap().contains(grants), "{reason}");
    project.execute(grants);
    assert_eq!(rows()["found"]["rows"], 6);
}

#[test]
fn a_database_that_cannot_be_asked_stops_the_command() {
    let project = Project::sqlite("");
    changed(&project, "sqlite", TEXT, ROWS, &number(GLOB));
    for (url, code, words) in [
        (
            "sqlite://nowhere.db",
            3,
            "there is no database file nowhere.db",
        ),
        (
            "postgres://app:s3cret@localhost:1/shop",
            2,
            "SQL is written for sqlite, the database is postgres",
        ),
        (
            "mysql://localhost/shop",
            2,
            "`mysql` is no kind of database",
        ),
    ] {
        let run = project.zdm(&["generate", "--database-url", url]);
        assert_eq!(run.code, code, "{url}: {run:#?}");
        run.says(words);
        run.says("nothing has been written");
        assert!(!run.err.contains("s3cret"), "{run:#?}");
        assert!(!project.path("zdm/0002_users_age_int").exists());
        assert!(!project.path("nowhere.db").exists());
    }
}
