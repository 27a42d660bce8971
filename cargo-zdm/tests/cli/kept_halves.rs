//! A way back from contract that ends in the middle: what is told of it, and how it goes on.

use zdm_tests::postgres::Server;

use crate::constraints::{completed, created};
use crate::project::{Project, Run};

fn models(field: &str) -> String {
    ["Box", "Part"]
        .map(|name| {
            let table = if name == "Box" {
                "#[zdm(table = \"boxes\")]"
            } else {
                ""
            };
            format!(
                "
#[derive(Migratable)]
{table}
pub struct {name} {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
}}
"
            )
        })
        .concat()
}

fn stop_at(project: &Project, table: &str) {
    project.execute(&format!(
        "CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
             IF current_query() LIKE '%{table}%' THEN RAISE 'stopped'; END IF;
         END $$;
         CREATE EVENT TRIGGER stop ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION stop()",
    ));
}

/// A name that changes, `complete` and finalized, whose contract keeps old for a time.
fn keeping(project: &Project, rows: &str) {
    created(project, "postgres", &models("pub name: String,"), rows);
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    let asked = "[generate]\nkeep = \"14d\"\n";
    project.write("zdm.toml", &written.replace("[generate]\n", asked));
    completed(
        project,
        &models("#[zdm(renamed_from = \"name\")]\n    pub title: String,"),
    );
    project.done(&["finalize", "change"]);
}

fn shut(run: &Run) {
    assert_eq!(run.code, 4, "{run:#?}");
    run.says("section_done: a way back from contract has begun and not ended: 1 of 2 steps of 5_contract/2_keep are in effect");
    run.says("ends it; after that, `cargo zdm contract");
}

#[test]
fn a_way_back_that_ended_in_the_middle_is_told_and_goes_on() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    keeping(
        project,
        "INSERT INTO boxes VALUES (1, 'a'); INSERT INTO parts VALUES (1, 'a')",
    );
    project.done(&["contract", "change"]);

    stop_at(project, "boxes");
    let stopped = project.zdm(&["rollback", "change"]);
    assert_ne!(stopped.code, 0, "{stopped:#?}");
    stopped.says("stopped");
    let status = project.done(&["status", "change"]);
    status.says(
        "a way back from contract has begun: 1 of 2 steps of 5_contract/2_keep are in effect still",
    );
    status.says("`cargo zdm rollback change` goes on");
    status.says("next: bring old back, which has begun");
    assert!(
        !status.out.contains("old is kept under another name until"),
        "{status:#?}"
    );
    shut(&project.zdm(&["contract", "change"]));
    shut(&project.zdm(&["contract", "change", "--now"]));
    assert_eq!(project.zdm(&["advance"]).code, 4);

    project.execute("DROP EVENT TRIGGER stop; DROP FUNCTION stop");
    project.done(&["rollback", "change"]);
    assert_eq!(project.stage("change"), "complete");
    project.done(&["resume", "change"]);
    project.done(&["contract", "change"]);
    assert_eq!(project.stage("change"), "kept");
    project
        .done(&["status", "change"])
        .says("old is kept under another name until");
}

/// Whoever wanted to end the time has not ended it where the first step fails.
#[test]
fn a_drop_that_fails_at_its_first_step_has_ended_nothing() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    keeping(project, "");
    project.done(&["contract", "change"]);
    project.execute(
        "CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped'; END $$;
         CREATE EVENT TRIGGER stop ON ddl_command_start WHEN TAG IN ('DROP TRIGGER') EXECUTE FUNCTION stop()",
    );
    let stopped = project.zdm(&["contract", "change", "--now"]);
    assert_ne!(stopped.code, 0, "{stopped:#?}");
    project.execute("DROP EVENT TRIGGER stop; DROP FUNCTION stop");
    assert_eq!(project.stage("change"), "kept");
    let ended = |outcome: &str| {
        project.value(&format!(
            "SELECT count(*) FROM zdm.audit WHERE action = 'end window' AND outcome = '{outcome}'"
        ))
    };
    assert_eq!(["begun", "failed", "done"].map(ended), ["1", "1", "0"]);
    let told = "SELECT detail FROM zdm.audit WHERE action = 'end window' AND outcome = 'failed'";
    let told = project.value(told);
    assert!(told.contains("13 d") && told.contains("stopped"), "{told}");
    project.done(&["rollback", "change"]);
    project.done(&["resume", "change"]);
    project.done(&["contract", "change"]);
    project.done(&["contract", "change", "--now"]);
    assert_eq!(["begun", "failed", "done"].map(ended), ["2", "1", "1"]);
}

/// What has been renamed away comes back first, and then a hop is made, whose gates may be shut from the start.
#[test]
fn a_way_back_over_half_a_contract_asks_the_hop_first() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    keeping(project, "");
    stop_at(project, "parts");
    let stopped = project.zdm(&["contract", "change"]);
    assert_ne!(stopped.code, 0, "{stopped:#?}");
    project.execute("DROP EVENT TRIGGER stop; DROP FUNCTION stop");
    assert_eq!(project.stage("change"), "complete");
    let begun = "SELECT count(*) FROM zdm.step WHERE section = 'keep'";
    assert_eq!(project.value(begun), "1");

    let dry = ["rollback", "change", "--dry-run"];
    let shown = project.done(&dry);
    shown.says("open  nobody_final");
    assert!(!shown.out.contains("shut"), "{shown:#?}");
    project.execute(
        "INSERT INTO zdm.instance (instance, label, started_at, lease_until) VALUES ('last', 'last', 0, 99999999999999);
         INSERT INTO zdm.instance_code (instance, migration, code_state) SELECT 'last', migration, 'final' FROM zdm.migration;
         INSERT INTO zdm.instance_fence SELECT 'last', table_name, epoch FROM zdm.fence",
    );
    project.done(&dry).says("shut  nobody_final");
    let refused = project.zdm(&["rollback", "change"]);
    assert_eq!(refused.code, 4, "{refused:#?}");
    refused.says("nobody_final");
    assert_eq!(project.value(begun), "1", "nothing was begun");
    project.execute(
        "DELETE FROM zdm.instance_code; DELETE FROM zdm.instance_fence; DELETE FROM zdm.instance",
    );
    project.done(&["rollback", "change"]);
    assert_eq!(project.stage("change"), "ramp_down");
    assert_eq!(project.value(begun), "0");
}
