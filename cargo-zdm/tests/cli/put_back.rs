//! What a rollback puts back in several statements, of which one fails: forward leads over it, and so does the way back once it is mended.

use zdm_tests::postgres::Server;

use crate::constraints::{back_to, completed, created};
use crate::project::Project;

/// How many constraints have the name.
pub(crate) fn constraint(project: &Project, name: &str) -> String {
    project.value(&format!(
        "SELECT count(*) FROM pg_constraint WHERE conname = '{name}'"
    ))
}

/// The undo adds the check and then compares the rows. What fails there stands in nobody's way further on, nor on the way back later.
#[test]
fn a_row_that_the_check_of_old_refuses_is_told_and_leads_forward() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let parts = |check: &str, field: &str| {
        format!(
            "
#[derive(Migratable)]
{check}
pub struct Part {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
}}
"
        )
    };
    let before = parts(
        "#[zdm(check(name = \"small\", expr = \"size < 100\"))]",
        "pub size: i32,",
    );
    let after = parts(
        "",
        "#[zdm(from(\"size\"), up = \"size::bigint\", down = \"len::integer\")]\n    pub len: i64,",
    );
    created(
        project,
        "postgres",
        &before,
        "INSERT INTO parts (id, size) VALUES (1, 10)",
    );
    completed(project, &after);
    project.execute("INSERT INTO parts (id, len) VALUES (2, 700)");
    let back = ["rollback", "--to", "ramp_down"];
    let validated = "SELECT convalidated FROM pg_constraint WHERE conname = 'small'";
    for _ in 0..2 {
        // Twice over: the second attempt goes on after what the first has put back.
        for _ in 0..2 {
            let stuck = project.zdm(&back);
            assert_eq!(stuck.code, 3, "{stuck:#?}");
            stuck.says("small");
            stuck.says("or go forward again: `cargo zdm switch --to complete change`");
            assert_eq!(project.value(validated), "0");
            assert_eq!(project.stage("change"), "ramp_down");
        }
        project.done(&["switch", "--to", "complete", "change"]);
        assert_eq!(project.stage("change"), "complete");
        assert_eq!(constraint(project, "small"), "0");
        project.execute("UPDATE parts SET len = len + 1 WHERE id = 2");
    }
    project.execute("UPDATE parts SET len = 7 WHERE id = 2");
    back_to(project, "ramp_down");
    assert_eq!(project.value(validated), "1");
    assert_eq!(project.value("SELECT size FROM parts WHERE id = 2"), "7");
    back_to(project, "dual_write");
}

fn parts(attribute: &str, field: &str) -> String {
    format!(
        "
#[derive(Migratable)]
{attribute}
pub struct Part {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
}}
"
    )
}

const BACK: [&str; 3] = ["rollback", "--to", "ramp_down"];
const FORWARD: [&str; 4] = ["switch", "--to", "complete", "change"];

/// The way back fails twice over and names the rows, forward leads on, and new takes again what old does not.
fn leads_forward(project: &Project, says: &[&str], write: &str) {
    for _ in 0..2 {
        for _ in 0..2 {
            let stuck = project.zdm(&BACK);
            assert_eq!(stuck.code, 3, "{stuck:#?}");
            for words in says {
                stuck.says(words);
            }
            stuck.says("run the same command again");
            stuck.says("or go forward again: `cargo zdm switch --to complete change`");
            assert_eq!(project.stage("change"), "ramp_down");
        }
        project.done(&FORWARD);
        assert_eq!(project.stage("change"), "complete");
        project.execute(write);
    }
}

/// The index of a unique constraint is built apart, and may be there without it.
#[test]
fn duplicates_that_a_unique_constraint_refuses_lead_forward() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let before = parts(
        "#[zdm(unique(columns(code), name = \"once\"))]",
        "pub code: String,",
    );
    let after = parts("", "#[zdm(renamed_from = \"code\")]\n    pub sku: String,");
    let rows = "INSERT INTO parts (id, code) VALUES (1, 'a'), (2, 'b')";
    created(project, "postgres", &before, rows);
    completed(project, &after);
    project.execute("UPDATE parts SET sku = 'a'");
    let says = ["once", "2 rows of parts: (1), (2)", "Key (code)=(a)"];
    leads_forward(project, &says, "UPDATE parts SET sku = 'a'");

    // Killed after the index was built and before it was the constraint's.
    project.execute("UPDATE parts SET sku = 'b' WHERE id = 2");
    stopped_at(project, "USING INDEX");
    let built = "SELECT count(*) FROM pg_class WHERE relname = 'once'";
    assert_eq!(
        (
            project.value(built).as_str(),
            constraint(project, "once").as_str()
        ),
        ("1", "0")
    );
    project.done(&FORWARD);
    assert_eq!(project.value(built), "0");
    project.execute("UPDATE parts SET sku = 'a'");

    project.execute("UPDATE parts SET sku = 'b' WHERE id = 2");
    back_to(project, "ramp_down");
    assert_eq!(constraint(project, "once"), "1");
    back_to(project, "dual_write");
}

/// The first `ALTER TABLE` of the way back that says so fails.
fn stopped_at(project: &Project, words: &str) {
    project.execute(&format!(
        "CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
             IF current_query() LIKE '%{words}%' THEN RAISE 'stopped'; END IF;
         END $$;
         CREATE EVENT TRIGGER stop ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION stop()"
    ));
    let stopped = project.zdm(&BACK);
    assert_ne!(stopped.code, 0, "{stopped:#?}");
    stopped.says("stopped");
    project.execute("DROP EVENT TRIGGER stop; DROP FUNCTION stop");
}

/// What refuses NULL on the way to NOT NULL would go on refusing it.
#[test]
fn rows_without_a_value_that_old_demands_lead_forward() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let before = parts("", "pub size: i32,");
    let after = parts(
        "",
        "#[zdm(from(\"size\"), up = \"size::bigint\", down = \"len::integer\")]\n    pub len: Option<i64>,",
    );
    let rows = "INSERT INTO parts (id, size) VALUES (1, 10), (2, 20), (3, 30)";
    created(project, "postgres", &before, rows);
    completed(project, &after);
    let write = "INSERT INTO parts (id, len) VALUES (4, NULL); DELETE FROM parts WHERE id = 4";
    project.execute("UPDATE parts SET len = NULL WHERE id > 1");
    for _ in 0..2 {
        // Nothing gives them an old value, which the comparison tells.
        let stuck = project.zdm(&BACK);
        assert_eq!(stuck.code, 1, "{stuck:#?}");
        stuck.says("2 of 3 rows have sides that differ: parts (2) in len, parts (3) in len");
        stuck.says("old demands a value and `down` gives none");
        stuck.says("or go forward again: `cargo zdm switch --to complete change`");
        project.done(&FORWARD);
        project.execute(write);
    }

    // Written when old was compared already, and before it demanded a value again.
    project.execute("UPDATE parts SET len = 7 WHERE id > 1");
    stopped_at(project, "NOT VALID");
    project.execute("UPDATE parts SET len = NULL, size = NULL WHERE id > 1");
    for _ in 0..2 {
        let stuck = project.zdm(&BACK);
        assert_eq!(stuck.code, 3, "{stuck:#?}");
        stuck.says("parts_size_not_null");
        stuck.says("It is 2 rows of parts: (2), (3)");
        stuck.says("mend these rows and run the same command again");
        stuck.says("or go forward again: `cargo zdm switch --to complete change`");
        assert_eq!(constraint(project, "parts_size_not_null"), "1");
    }
    project.done(&FORWARD);
    assert_eq!(constraint(project, "parts_size_not_null"), "0");
    project.execute(write);
    project.execute("UPDATE parts SET len = 7 WHERE id > 1");
    back_to(project, "ramp_down");
    assert_eq!(constraint(project, "parts_size_not_null"), "0");
    project.refuses("UPDATE parts SET size = NULL, len = NULL", "size");
    back_to(project, "dual_write");
}

/// A check of the same name that the struct declares is nobody's leftover.
#[test]
fn a_check_that_is_called_as_the_one_of_not_null_stays() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let check = "#[zdm(check(name = \"parts_size_not_null\", expr = \"id > 0\"))]";
    let before = parts(check, "pub size: i32,");
    let after = parts(check, "#[zdm(renamed_from = \"size\")]\n    pub len: i32,");
    let rows = "INSERT INTO parts (id, size) VALUES (1, 10)";
    created(project, "postgres", &before, rows);
    completed(project, &after);
    assert_eq!(constraint(project, "parts_size_not_null"), "1");
}

/// An index that a killed way back has left by half refuses writes all the same.
#[test]
fn half_an_index_of_old_is_taken_away_on_the_way_forward() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let before = parts("", "#[zdm(unique)]\n    pub code: String,");
    let after = parts("", "#[zdm(renamed_from = \"code\")]\n    pub sku: String,");
    let rows = "INSERT INTO parts (id, code) VALUES (1, 'a'), (2, 'b')";
    created(project, "postgres", &before, rows);
    completed(project, &after);
    let index = "SELECT count(*) FROM pg_class WHERE relname = 'uq_parts_code'";
    assert_eq!(project.value(index), "0");
    killed_while_it_builds(project);
    assert_eq!(project.value(index), "1");
    project.done(&FORWARD);
    assert_eq!(project.value(index), "0");
    project.execute("UPDATE parts SET sku = 'a'");
    let says = ["uq_parts_code", "2 rows of parts: (1), (2)"];
    leads_forward(project, &says, "UPDATE parts SET sku = 'a'");
    project.execute("UPDATE parts SET sku = 'b' WHERE id = 2");
    killed_while_it_builds(project);
    back_to(project, "ramp_down");
    assert_eq!(project.value(index), "1");
    project.refuses("UPDATE parts SET code = 'a'", "uq_parts_code");
}

/// The connection that builds an index is cut off: nobody clears away what it leaves.
fn killed_while_it_builds(project: &Project) {
    project.execute(
        "CREATE FUNCTION cut() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
             IF current_query() LIKE '%uq_parts_code%' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
         END $$;
         CREATE EVENT TRIGGER cut ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION cut()",
    );
    let cut = project.zdm(&BACK);
    assert_ne!(cut.code, 0, "{cut:#?}");
    project.execute("DROP EVENT TRIGGER cut; DROP FUNCTION cut");
}
