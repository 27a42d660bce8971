//! Tables of a schema that they name: what stands in the way of their columns is told as it is of any other table.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

fn models(key: &str) -> String {
    format!(
        "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\n#[zdm(schema = \"Sales\", table = \"invoices\")]\n\
         pub struct Invoice {{\n    {key}\n    pub note: String,\n}}\n"
    )
}

const OLD: &str = "#[zdm(primary_key, auto)]\n    pub id: i32,";

/// The first version is expanded, the second one generated and expanded.
fn changed(project: &Project, key: &str) {
    user_crate(project);
    project.execute("CREATE SCHEMA \"Sales\"");
    project.write("src/models.rs", &models(OLD));
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO \"Sales\".invoices (note) VALUES ('one'), ('two')");
    project.write("src/models.rs", &models(key));
    project.done(&["generate", "keys"]);
}

fn waits(project: &Project, command: &[&str], told: &str) {
    let waits = project.zdm(command);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says(told);
}

#[test]
fn a_key_grows_in_a_schema_and_goes_back() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    changed(
        &project,
        "#[zdm(primary_key, auto, from(\"id\"), final_name = \"id\")]\n    pub id: i64,",
    );
    project.done(&["advance", "--before-deploy"]);
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill", "--workers", "3"]);
    project.execute("CREATE INDEX by_hand ON \"Sales\".invoices (id, note)");
    waits(&project, &["advance"], "by_hand");
    project.execute("DROP INDEX \"Sales\".by_hand");
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("keys"), "complete");
    let back = ["rollback", "--to", "dual_write"];
    project.execute("SELECT setval('\"Sales\".invoices_id_seq', 3000000000)");
    waits(&project, &back, "has counted to 3000000000");
    project.execute("INSERT INTO \"Sales\".invoices (note) VALUES ('beyond')");
    project.execute("SELECT setval('\"Sales\".invoices_id_seq', 7)");
    waits(&project, &back, "Sales.invoices.id holds 3000000001");
    project.execute("DELETE FROM \"Sales\".invoices WHERE id > 2");
    project.done(&back);
    assert_eq!(
        project.value("SELECT max(id)::text || ' ' || pg_typeof(max(id)) FROM \"Sales\".invoices"),
        "2 integer"
    );
}

/// Every write would fail once the column has another name.
#[test]
fn triggers_that_read_a_renamed_key_are_told_in_a_schema() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    changed(
        &project,
        "#[zdm(primary_key, auto, renamed_from = \"id\")]\n    pub number: i32,",
    );
    let rows = "REFERENCING NEW TABLE AS ins FOR EACH STATEMENT";
    for (body, of) in [
        ("PERFORM NEW.id", "FOR EACH ROW"),
        ("PERFORM (new).id", "FOR EACH ROW"),
        ("PERFORM count(*) FROM ins WHERE id = 1", rows),
    ] {
        project.execute(&format!(
            "CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {body}; RETURN NEW; END'"
        ));
        project.execute(&format!(
            "CREATE TRIGGER touch AFTER INSERT ON \"Sales\".invoices {of} EXECUTE FUNCTION touched()"
        ));
        waits(
            &project,
            &["expand"],
            "trigger touch names the column Sales.invoices.id",
        );
        project.execute("DROP FUNCTION touched CASCADE");
    }
    project.done(&["expand"]);
}

/// A name alone would be looked for beside the table.
#[test]
fn a_view_of_another_schema_is_told_with_it() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    changed(
        &project,
        "#[zdm(primary_key, auto, from(\"id\"), final_name = \"id\")]\n    pub id: i64,",
    );
    project.done(&["advance", "--before-deploy"]);
    project.execute("CREATE SCHEMA billing");
    project.execute("CREATE VIEW billing.paid AS SELECT id FROM \"Sales\".invoices");
    project.execute("CREATE VIEW \"Sales\".beside AS SELECT id FROM \"Sales\".invoices");
    project.execute("CREATE VIEW \"Sales\".above AS SELECT id FROM billing.paid");
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("view billing.paid names the column Sales.invoices.id");
    waits.says("view beside names the column Sales.invoices.id");
    waits.says("view above names the view billing.paid");
    project.execute("DROP VIEW billing.paid CASCADE");
    project.execute("DROP VIEW \"Sales\".beside");
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("keys"), "complete");
}
