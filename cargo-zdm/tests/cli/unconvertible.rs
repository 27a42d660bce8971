//! Rows that cannot be converted, on `PostgreSQL` and through the real commands: no statement of the application meets an
//! error, the backfill and the gates say what waits.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

/// `99999999999` passes the pattern and overflows all the same.
const ROWS: &str = "INSERT INTO users (id, age) VALUES
    (1, 'abc'), (2, '99999999999'), (3, '007'), (4, ''), (5, NULL), (6, '36')";

/// A crate whose text becomes a number by `on_invalid`, expanded, with the rows in it and code that writes both.
fn dual_write(server: &Server, on_invalid: &str) -> (Project, String) {
    let project = Project::on(server.database("shop"), "");
    user_crate(&project);
    let model = |field: &str| BEFORE.replace("    pub name: String", &format!("    {field}"));
    project.write("src/models.rs", &model("pub age: Option<String>"));
    project.done(&["init", "--dialect", "postgres"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute(ROWS);
    let field = format!(
        "#[zdm(column = \"age_int\", from(\"age\"), up = \"CAST(age AS INTEGER)\", down = \"CAST(age_int AS TEXT)\", \
         valid_if = \"age ~ '^[0-9]+$'\", on_invalid = {on_invalid})]\n    pub age: Option<i32>"
    );
    project.write("src/models.rs", &model(&field));
    project.done(&["generate"]);
    project.done(&["expand"]);
    let function = project.value(
        "SELECT format('%s.%I', n.nspname, p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname = 'zdm' AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')",
    );
    (project, function)
}

fn sides(project: &Project) -> String {
    project.value("SELECT string_agg(coalesce(age_int::text, '-'), ' ' ORDER BY id) FROM users")
}

/// What the statements of generated code ask of every row: the conversion, and whether the sides agree.
fn no_statement_fails(project: &Project, function: &str, converted: &str) {
    let read = format!(
        "SELECT string_agg(coalesce({function}(age)::text, '-'), ' ' ORDER BY id) FROM users"
    );
    assert_eq!(project.value(&read), converted);
    project.value(&format!(
        "SELECT count(*) FROM users WHERE age_int IS NOT DISTINCT FROM {function}(age)
         OR age IS NOT DISTINCT FROM CAST(age_int AS TEXT)"
    ));
    // A dual write of what was read, for every row: what cannot be converted keeps its text.
    project.execute(&format!(
        "UPDATE users SET age_int = {function}(age), age = CASE WHEN {function}(age) IS NOT DISTINCT FROM
         {function}(age) THEN age ELSE CAST({function}(age) AS TEXT) END"
    ));
    assert_eq!(
        project.value("SELECT string_agg(coalesce(age, '-'), ' ' ORDER BY id) FROM users"),
        "abc 99999999999 007  - 36"
    );
}

#[test]
fn quarantine_holds_rows_until_they_are_fixed_or_waived() {
    let server = Server::start();
    let (project, function) = dual_write(&server, "\"quarantine\"");
    no_statement_fails(&project, &function, "- - 7 - - 36");
    project.execute("UPDATE users SET age_int = NULL");
    project.done(&["switch", "--to", "dual_write"]);
    let filled = project.done(&["backfill", "--format", "json"]).object();
    assert_eq!(filled["quarantined"], 3, "{filled}");
    assert_eq!(sides(&project), "- - 7 - - 36");
    no_statement_fails(&project, &function, "- - 7 - - 36");
    let listed = project
        .done(&["quarantine", "list", "--format", "json"])
        .object();
    let keys: Vec<_> = listed["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["key"])
        .collect();
    assert_eq!(keys.len(), 3, "{listed}");
    project.done(&["verify"]);
    project.done(&["switch", "--to", "shadow"]);
    no_statement_fails(&project, &function, "- - 7 - - 36");

    project.execute("UPDATE users SET age = '8', age_int = 8 WHERE id = 1");
    let fixed = project.zdm(&["quarantine", "fix", "--format", "json"]);
    assert_eq!(fixed.code, 1, "{fixed:#?}");
    assert_eq!(project.value("SELECT age_int FROM users WHERE id = 1"), "8");
    project.execute("UPDATE users SET age = 'abc' WHERE id = 1");
    project.execute("UPDATE users SET age_int = NULL WHERE id = 1");

    project.done(&["switch", "--to", "100%"]);
    project.done(&["verify"]);
    project.done(&["switch", "--to", "ramp_down"]);
    project.done(&["switch", "--to", "complete"]);
    let shut = project.zdm(&["contract", "--format", "json"]);
    assert_eq!(shut.code, 4, "{shut:#?}");
    shut.says("quarantine");
    assert_eq!(
        project.value("SELECT age FROM users WHERE id = 2"),
        "99999999999"
    );
    project.done(&[
        "quarantine",
        "waive",
        "--reason",
        "the owner of the data agreed",
    ]);
    assert_eq!(project.zdm(&["contract"]).code, 4);
    project.done(&["finalize"]);
    project.done(&["contract"]);
    assert_eq!(sides(&project), "- - 7 - - 36");
}

#[test]
fn null_and_default_stand_for_what_cannot_be_converted() {
    for (on_invalid, converted) in [
        ("\"null\"", "- - 7 - - 36"),
        ("default(\"0\")", "0 0 7 0 - 36"),
    ] {
        let server = Server::start();
        let (project, function) = dual_write(&server, on_invalid);
        no_statement_fails(&project, &function, converted);
        project.execute("UPDATE users SET age_int = NULL");
        project.done(&["finalize"]);
        project.done(&["advance"]);
        assert_eq!(project.stage("users_age_int"), "contracted");
        assert_eq!(sides(&project), converted);
    }
}

#[test]
fn reject_stops_the_backfill_at_the_rows_and_no_statement() {
    let server = Server::start();
    let (project, function) = dual_write(&server, "\"reject\"");
    no_statement_fails(&project, &function, "- - 7 - - 36");
    project.execute("UPDATE users SET age_int = NULL");
    project.done(&["switch", "--to", "dual_write"]);
    let stopped = project.zdm(&["backfill", "--format", "json"]);
    assert_eq!(stopped.code, 1, "{stopped:#?}");
    stopped.says("users");
    assert_eq!(project.zdm(&["switch", "--to", "shadow"]).code, 4);
    no_statement_fails(&project, &function, "- - 7 - - 36");
    project.execute("UPDATE users SET age = '1' WHERE id IN (1, 2, 4)");
    project.done(&["backfill"]);
    project.done(&["verify"]);
    assert_eq!(sides(&project), "1 1 7 1 - 36");
    project.done(&["finalize"]);
    project.done(&["advance"]);
    assert_eq!(project.stage("users_age_int"), "contracted");
}

/// A row that waits for its age is still compared in its name (invariant 3: what is not verified is not read).
#[test]
fn a_row_in_quarantine_is_compared_in_its_other_columns() {
    let server = Server::start();
    for (url, valid) in [
        (server.database("shop"), "age ~ '^[0-9]{1,9}$'"),
        (String::new(), "age NOT GLOB '*[^0-9]*' AND age <> ''"),
    ] {
        let project = match url.as_str() {
            "" => Project::sqlite(""),
            _ => Project::on(url, ""),
        };
        user_crate(&project);
        let fields = |fields: &str| BEFORE.replace("    pub name: String", fields);
        let before = "    pub name: String,\n    pub age: Option<String>";
        project.write("src/models.rs", &fields(before));
        project.done(&["init"]);
        be_hasty(&project);
        project.done(&["expand"]);
        project.execute("INSERT INTO users (name, age) VALUES ('ada', '36'), ('grace', 'old')");
        let after = format!(
            "    #[zdm(renamed_from = \"name\")]\n    pub full_name: String,\n    #[zdm(column = \"age_int\", \
             from(\"age\"), up = \"CAST(age AS INTEGER)\", down = \"CAST(age_int AS TEXT)\", valid_if = \"{valid}\", \
             on_invalid = \"quarantine\")]\n    pub age: Option<i32>"
        );
        project.write("src/models.rs", &fields(&after));
        project.done(&["generate"]);
        project.done(&["expand"]);
        project.done(&["switch", "--to", "dual_write"]);
        let filled = project.done(&["backfill", "--format", "json"]).object();
        assert_eq!(filled["quarantined"], 1, "{filled}");
        let passed = project.done(&["verify", "--format", "json"]).object();
        assert_eq!(
            (&passed["rows"], &passed["skipped"]),
            (&2.into(), &1.into()),
            "{passed}"
        );

        // A writer outside of the application.
        project.execute("UPDATE users SET name = 'hopper' WHERE id = 2");
        let run = project.zdm(&["verify", "--format", "json"]);
        assert_eq!(run.code, 1, "{run:#?}");
        let found = run.object();
        assert_eq!(found["mismatches"], 1, "{found}");
        assert_eq!(
            found["first"],
            serde_json::json!([{ "table": "users", "key": "2", "columns": ["full_name"] }])
        );
        assert_eq!(project.zdm(&["switch", "--to", "shadow"]).code, 4);
    }
}

/// SQLite casts a text that overflows to a number that the field's type cannot hold, and every read of the row would fail.
#[test]
fn what_overflows_waits_in_quarantine_on_sqlite() {
    let project = Project::sqlite("");
    user_crate(&project);
    let model = |field: &str| BEFORE.replace("    pub name: String", &format!("    {field}"));
    project.write("src/models.rs", &model("pub age: Option<String>"));
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (age) VALUES ('36'), ('99999999999'), ('2147483647')");
    let field = "#[zdm(column = \"age_int\", from(\"age\"), up = \"CAST(age AS INTEGER)\", \
                 down = \"CAST(age_int AS TEXT)\", valid_if = \"age NOT GLOB '*[^0-9]*'\", \
                 on_invalid = \"quarantine\")]\n    pub age: Option<i32>";
    project.write("src/models.rs", &model(field));
    project.done(&["generate"]);
    project.done(&["expand"]);
    project.done(&["switch", "--to", "dual_write"]);
    let filled = project.done(&["backfill", "--format", "json"]).object();
    assert_eq!(filled["quarantined"], 1, "{filled}");
    assert_eq!(
        project.value("SELECT group_concat(coalesce(age_int, '-'), ' ') FROM users"),
        "36 - 2147483647"
    );
    let narrower = "#[zdm(column = \"age_small\", from(\"age\"), up = \"CAST(age AS INTEGER)\", \
                    down = \"CAST(age_small AS TEXT)\")]\n    pub age: Option<i16>";
    project.write("src/models.rs", &model(narrower));
    let refused = project.zdm(&["generate", "--amend"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says("on_invalid");
}

/// NULL is the value of a row where `down` makes of it what old has: nothing waits, and `reject` has nothing to stop at.
#[test]
fn what_null_stands_for_does_not_wait() {
    let server = Server::start();
    for (rule, waits) in [("quarantine", 2), ("reject", 0)] {
        let projects = [
            ("sqlite", Project::sqlite("")),
            ("postgres", Project::on(server.database(rule), "")),
        ];
        for (dialect, project) in projects {
            user_crate(&project);
            let model =
                |field: &str| BEFORE.replace("    pub name: String", &format!("    {field}"));
            project.write("src/models.rs", &model("pub age: String"));
            project.done(&["init", "--dialect", dialect]);
            be_hasty(&project);
            project.done(&["expand"]);
            project.execute(
                "INSERT INTO users (id, age) VALUES (1, ''), (2, '7'), (3, ''), (4, '36')",
            );
            if waits > 0 {
                project.execute("INSERT INTO users (id, age) VALUES (5, 'abc'), (6, ' ')");
            }
            let field = format!(
                "#[zdm(column = \"age_int\", from(\"age\"), up = \"CAST(NULLIF(age, '') AS INTEGER)\", \
                 down = \"coalesce(CAST(age_int AS TEXT), '')\", valid_if = \"age NOT IN ('abc', ' ')\", on_invalid = \"{rule}\")]\n    \
                 pub age: Option<i32>"
            );
            project.write("src/models.rs", &model(&field));
            project.done(&["generate"]);
            project.done(&["expand"]);
            project.done(&["switch", "--to", "dual_write"]);
            let filled = project.done(&["backfill", "--format", "json"]).object();
            assert_eq!(filled["quarantined"], waits, "{filled}");
            project.done(&["verify"]);
            assert_eq!(
                project.value("SELECT CAST(sum(age_int) AS text) FROM users"),
                "43"
            );
        }
    }
}
