//! `dual_write = "both"`: what triggers make of writes that name one side alone, stage by stage, and what they count.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const BEFORE: &str = "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Part {
    #[zdm(primary_key)]
    pub id: i32,
    #[zdm(default = \"'none'\")]
    pub name: String,
    pub size: i32,
    pub weight: String,
}
";

const AFTER: &str = "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Part {
    #[zdm(primary_key)]
    pub id: i32,
    #[zdm(renamed_from = \"name\", default = \"'none'\")]
    pub title: String,
    #[zdm(from(\"size\"), up = \"size::bigint\", down = \"length::integer\")]
    pub length: i64,
    #[zdm(from(\"weight\"), up = \"weight::integer\", down = \"coalesce(grams, 0)::text\", on_invalid = \"quarantine\")]
    pub grams: Option<i32>,
    #[zdm(up = \"'P' || id\")]
    pub code: String,
}
";

fn choose(project: &Project, dual_write: &str) {
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    let line = format!("[generate]\ndual_write = \"{dual_write}\"\n");
    project.write("zdm.toml", &written.replace("[generate]\n", &line));
}

fn declared(project: &Project, dual_write: &str) {
    declared_as(project, dual_write, [BEFORE, AFTER]);
}

fn declared_as(project: &Project, dual_write: &str, [before, after]: [&str; 2]) {
    user_crate(project);
    project.write("src/models.rs", before);
    project.done(&["init"]);
    be_hasty(project);
    choose(project, dual_write);
    if project.url.starts_with("postgres") {
        // Up to PostgreSQL 14 everybody may create functions in `public`.
        project.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    }
    project.done(&["expand"]);
    project.write("src/models.rs", after);
}

fn row(project: &Project, id: i32) -> String {
    project.value(&format!(
        "SELECT concat_ws(' ', name, title, size, length, weight, coalesce(grams::text, '-'), coalesce(code, '-')) FROM parts WHERE id = {id}"
    ))
}

fn caught(project: &Project) -> i64 {
    let status = project
        .done(&["status", "parts", "--format", "json"])
        .object();
    let caught = &status["migrations"][0]["caught"];
    assert_eq!(caught[0]["table"], "parts", "{status}");
    caught[0]["writes"].as_i64().unwrap()
}

/// A statement, and how often triggers had to complete what it wrote.
fn writes(project: &Project, sql: &str, completed: i64) {
    let before = caught(project);
    project.execute(sql);
    assert_eq!(caught(project) - before, completed, "{sql}");
}

fn objects(project: &Project) -> String {
    project.value(
        "SELECT ((SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zzz_zdm_%')
            + (SELECT count(*) FROM pg_class WHERE relname LIKE '%_parts_caught')
            + (SELECT count(*) FROM pg_proc WHERE proname LIKE '%_parts_caught'))::text",
    )
}

#[test]
fn what_is_written_to_one_side_comes_to_the_other_at_every_stage() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    declared(project, "both");
    project.execute("INSERT INTO parts VALUES (1, 'bolt', 1, '10'), (2, 'nut', 2, '20'), (3, 'old', 3, 'heavy')");
    project.done(&["generate", "parts"]);
    project.done(&["expand"]);
    assert_eq!(objects(project), "0");
    project.done(&["switch", "--to", "dual_write"]);
    assert_eq!(objects(project), "3");

    // Old alone, new alone, and both as code writes them.
    writes(project, "UPDATE parts SET name = 'screw' WHERE id = 1", 1);
    assert_eq!(
        row(project, 1),
        "screw screw 1 10 - -",
        "other pairs wait for the backfill"
    );
    writes(
        project,
        "UPDATE parts SET length = 7, code = 'X' WHERE id = 1",
        1,
    );
    writes(
        project,
        "UPDATE parts SET name = 'b', title = 'b' WHERE id = 1",
        0,
    );
    writes(project, "UPDATE parts SET code = 'Y' WHERE id = 2", 0);
    writes(
        project,
        "INSERT INTO parts (id, name, size, weight) VALUES (4, 'd', 4, '40')",
        1,
    );
    assert_eq!(row(project, 4), "d d 4 4 40 40 P4");
    writes(
        project,
        "INSERT INTO parts (id, title, length, grams) VALUES (5, 'e', 5, 50)",
        1,
    );
    assert_eq!(row(project, 5), "e e 5 5 50 50 P5");
    project.done(&["backfill"]);
    assert_eq!(caught(project), 4, "the backfill is not counted");
    assert_eq!(row(project, 3), "old old 3 3 heavy - P3");

    // What everybody reads is right; a value that cannot be converted is not lost unseen.
    writes(
        project,
        "UPDATE parts SET name = 'old side', title = 'new side' WHERE id = 1",
        1,
    );
    assert_eq!(row(project, 1), "old side old side 7 7 10 10 X");
    writes(project, "UPDATE parts SET weight = 'light' WHERE id = 2", 0);
    let differs = project.zdm(&["verify"]);
    assert_eq!(differs.code, 1, "{differs:#?}");
    differs.says("1 of 5 rows have sides that differ: parts (2) in grams");
    project.done(&["backfill"]);
    let verified = project.done(&["verify"]);
    verified.says("written to one side of parts alone, and completed by its trigger: 5");
    project.done(&["switch", "--to", "shadow"]);
    project.done(&["switch", "--to", "100%"]);
    // NOT NULL has come to new, and nobody outside need know it.
    writes(
        project,
        "INSERT INTO parts (id, name, size, weight) VALUES (6, 'f', 6, '60')",
        1,
    );
    writes(project, "UPDATE parts SET size = 8 WHERE id = 6", 1);
    assert_eq!(row(project, 6), "f f 8 8 60 60 P6");
    project.done(&["verify"]);
    project.done(&["switch", "--to", "ramp_down"]);
    writes(
        project,
        "UPDATE parts SET name = 'old side', title = 'now new' WHERE id = 1",
        1,
    );
    assert_eq!(row(project, 1), "now new now new 7 7 10 10 X");
    project.done(&["switch", "--to", "complete"]);

    // Code writes new alone from here on.
    writes(
        project,
        "INSERT INTO parts (id, title, length, grams, code) VALUES (7, 'g', 7, 70, 'G')",
        0,
    );
    assert_eq!(row(project, 7), "g g 7 7 70 70 G");
    writes(
        project,
        "UPDATE parts SET title = 'h', grams = NULL WHERE id = 7",
        0,
    );
    assert_eq!(row(project, 7), "h h 7 7 0 - G");
    writes(project, "UPDATE parts SET name = 'i' WHERE id = 7", 1);
    assert_eq!(row(project, 7), "i i 7 7 0 - G");
    // Old has no place for it, and the write goes through all the same.
    writes(
        project,
        "UPDATE parts SET length = 3000000000 WHERE id = 6",
        0,
    );
    assert_eq!(row(project, 6), "f f 8 3000000000 60 60 P6");
    writes(project, "UPDATE parts SET length = 9 WHERE id = 6", 0);
    taken_back_and_done_again(project);
}

/// Sessions that have run the trigger would fail on a column whose type is another since.
#[test]
fn no_later_version_changes_a_column_under_the_trigger() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let (text, short) = ("default =", "sql_type = \"varchar(20)\", default =");
    let [before, after] = [BEFORE, AFTER].map(|models| models.replace(text, short));
    declared_as(project, "both", [&before, &after]);
    project.done(&["generate", "parts"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    project.done(&["finalize", "parts"]);
    let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    let long = models.replace(short, text);
    assert_ne!(long, models);
    project.write("src/models.rs", &long);
    project.done(&["generate", "longer"]);
    let waits = project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("0002_parts keeps both sides of parts by a trigger");
    project.done(&["contract", "parts"]);
    project.done(&["expand"]);
}

fn taken_back_and_done_again(project: &Project) {
    project.done(&["rollback", "--to", "ramp_down"]);
    project.done(&["rollback", "--to", "dual_write"]);
    assert_eq!(objects(project), "3");
    // The section is taken back with its counter, and comes again.
    project.done(&["rollback", "--to", "off"]);
    assert_eq!(objects(project), "0");
    project.execute("INSERT INTO parts (id, name, size, weight) VALUES (8, 'h', 8, '80')");
    project.done(&["resume", "parts"]);
    project.done(&["switch", "--to", "dual_write"]);
    assert_eq!(caught(project), 0);
    writes(project, "UPDATE parts SET name = 'hh' WHERE id = 8", 1);
    assert_eq!(row(project, 8), "hh hh 8 80 - -");
}

#[test]
fn the_choice_is_refused_where_it_cannot_be_kept() {
    let project = &Project::sqlite("");
    declared(project, "both");
    project.write(
        "src/models.rs",
        &BEFORE.replace("pub name", "#[zdm(renamed_from = \"name\")]\n    pub title"),
    );
    let refused = project.zdm(&["generate", "parts"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says("parts: `dual_write = \"both\"` asks for a trigger that keeps its two sides: SQLite has no `create_net`");
    refused.says("Leave `dual_write` out of zdm.toml");
    for (word, told) in [
        (
            "trigger",
            "generated code never leaves the second side to a trigger",
        ),
        ("none", "`none` is not supported"),
    ] {
        let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
        project.write(
            "zdm.toml",
            &written.replace("\"both\"", &format!("\"{word}\"")),
        );
        let refused = project.zdm(&["generate", "parts"]);
        assert_eq!(refused.code, 2, "{refused:#?}");
        refused.says(told);
        project.write("zdm.toml", &written);
    }
}

const PRICE: &str = "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Price {
    #[zdm(primary_key)]
    pub id: i32,
    pub price: f64,
    #[zdm(default = \"5\")]
    pub level: Option<i32>,
    #[zdm(default = \"gen_random_uuid()::text\")]
    pub token: Option<String>,
    pub name: String,
    #[zdm(generated = \"lower(name)\")]
    pub low: Option<String>,
}
";

const AMOUNT: &str = "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Price {
    #[zdm(primary_key)]
    pub id: i32,
    #[zdm(from(\"price\"), sql_type = \"numeric(10,2)\", up = \"price::numeric\", down = \"amount::double precision\",
          on_invalid = \"quarantine\")]
    pub amount: Option<String>,
    #[zdm(from(\"level\"), up = \"level::bigint\", down = \"grade::integer\", on_invalid = \"quarantine\")]
    pub grade: Option<i64>,
    #[zdm(renamed_from = \"token\")]
    pub secret: Option<String>,
    pub name: String,
    #[zdm(generated = \"lower(name)\")]
    pub low: Option<String>,
    #[zdm(up = \"coalesce(low, '?') || id\")]
    pub tag: String,
}
";

#[test]
fn what_a_column_rounds_or_a_default_gives_takes_no_value_away() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    declared(project, "both");
    project.write("src/models.rs", PRICE);
    project.done(&["generate", "prices", "--drop-table", "parts"]);
    project.done(&["expand"]);
    project.execute("INSERT INTO prices (id, price, name) VALUES (1, 19.999, 'A')");
    project.write("src/models.rs", AMOUNT);
    project.done(&["generate", "amounts"]);
    project.done(&["expand"]);

    // It acts with the rights of who is asked to make it, by names that others could have given.
    project.execute("CREATE ROLE other; GRANT CREATE ON SCHEMA public TO other");
    let refused = project.zdm(&["switch", "--to", "dual_write"]);
    assert_ne!(refused.code, 0, "{refused:#?}");
    refused.says("others may create functions where the trigger of");
    refused.says("REVOKE CREATE ON SCHEMA public FROM other");
    project.execute("REVOKE CREATE ON SCHEMA public FROM other");
    project.execute("CREATE SCHEMA others AUTHORIZATION other; ALTER ROLE owner SET search_path = '$user', public, others");
    let refused = project.zdm(&["switch", "--to", "dual_write"]);
    assert_ne!(refused.code, 0, "{refused:#?}");
    refused.says("ALTER SCHEMA others OWNER TO owner");
    project.execute("DROP SCHEMA others; DROP ROLE other");
    project.done(&["switch", "--to", "dual_write"]);
    // A schema called as the role may come later.
    let looked =
        "SELECT array_to_string(proconfig, ';') FROM pg_proc WHERE proname LIKE '%prices_caught'";
    assert_eq!(project.value(looked), "search_path=public, pg_temp");

    project.done(&["backfill"]);
    let is = |id: i32| {
        project.value(&format!(
            "SELECT concat_ws(' ', price, amount, level, grade, secret IS NOT DISTINCT FROM token, tag) FROM prices WHERE id = {id}"
        ))
    };
    assert_eq!(is(1), "19.999 20.00 5 5 t a1");
    let stage = |stage: &str| {
        project.execute(&format!(
            "UPDATE zdm.stage SET stage = '{stage}' WHERE stage <> 'off'"
        ));
    };
    stage("ramp_down");
    // The value is the default's, and nobody has given the other side.
    project.execute("INSERT INTO prices (id, price, level, name) VALUES (2, 1, 5, 'b')");
    assert_eq!(is(2), "1 1.00 5 5 t");
    stage("complete");
    project.execute(
        "INSERT INTO prices (id, amount, grade, secret, name, tag) VALUES (3, 1, NULL, NULL, 'c', 'c3')",
    );
    let given = "SELECT (grade IS NULL AND secret IS NULL)::text FROM prices WHERE id = 3";
    assert_eq!(
        project.value(given),
        "true",
        "code at `complete` may mean NULL"
    );

    project
        .done(&["status", "amounts"])
        .says("completed by its trigger: 1\n");
    project.execute("ALTER TABLE prices ENABLE TRIGGER ALL");
    project
        .done(&["status", "amounts"])
        .says("completed by its trigger: 1, which does not fire any more for everybody");

    // A copy of the rows comes before the stages: both sides are right as they are.
    project.execute("CREATE TABLE kept AS SELECT * FROM zdm.stage; DELETE FROM zdm.stage");
    project.execute("INSERT INTO prices (id, price, amount, name) VALUES (4, 1, 7, 'd')");
    project.execute("INSERT INTO zdm.stage SELECT * FROM kept; DROP TABLE kept");
    assert!(is(4).starts_with("1 7.00 "), "{}", is(4));
}
