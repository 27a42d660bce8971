//! The time for which contract keeps old is ended by hand: by whom, with whose agreement, and what is told to who waits for it.

use zdm_tests::postgres::Server;

use crate::kept::{at_complete, waits};
use crate::project::Project;

/// The command as another person.
fn approve(project: &Project, who: &str) {
    project.done(&["approve", "parts", "--actor", who]);
}

fn ask_for_approval(project: &Project) {
    ask_for(project, "approvals = 1");
}

/// One line more of the policy.
fn ask_for(project: &Project, line: &str) {
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    let asked = written.replace("[policy]\n", &format!("[policy]\n{line}\n"));
    assert_ne!(asked, written);
    project.write("zdm.toml", &asked);
}

/// In a team of two nobody else is there who could agree.
#[test]
fn who_agreed_before_contract_agrees_to_the_end_of_the_time_as_well() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    ask_for_approval(project);
    let ann = ["approve", "parts", "--actor", "ann", "--format", "json"];
    let approve = || project.done(&ann).object();
    assert_eq!(approve()["changed"], true);
    assert_eq!(approve()["changed"], false);
    project.done(&["contract", "parts", "--actor", "bob"]);
    let now = ["contract", "parts", "--now", "--actor", "bob"];
    waits(project, &now, "from before contract");
    let again = approve();
    assert_eq!(again["changed"], true, "{again}");
    assert_eq!(again["approvals"], 1, "one person counts once: {again}");
    assert_eq!(approve()["changed"], false);
    project.done(&now).says("what was kept is gone");
    assert_eq!(project.stage("parts"), "contracted");
}

/// What only the kept columns hold is in no backup from before contract.
#[test]
fn each_contract_and_the_drop_of_what_was_kept_have_a_backup_of_their_own() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    ask_for(
        project,
        "backup_hook = \"test ! -e full && echo made >> made\"",
    );
    let made = || {
        let made = std::fs::read_to_string(project.path("made"));
        made.map_or(0, |made| made.lines().count())
    };
    let contract = ["contract", "parts"];
    project.done(&contract);
    assert_eq!(made(), 1);
    waits(project, &contract, "kept_long_enough");
    assert_eq!(
        made(),
        1,
        "nothing is backed up for a time that is not over"
    );
    project.done(&["rollback", "parts"]);
    assert_eq!(project.stage("parts"), "complete");
    project.done(&contract);
    assert_eq!(made(), 2, "for the second contract");

    let now = ["contract", "parts", "--now"];
    project
        .done(&["contract", "parts", "--now", "--dry-run"])
        .says("the last backup is from before contract");
    std::fs::write(project.path("full"), "").unwrap();
    let failed = project.zdm(&now);
    assert_eq!(failed.code, 3, "{failed:#?}");
    failed.says("nothing was dropped");
    assert_eq!(project.stage("parts"), "kept");
    std::fs::remove_file(project.path("full")).unwrap();
    project.execute("UPDATE zdm.migration SET kept_until = 1 WHERE kept_until IS NOT NULL");
    project.done(&["advance"]).says("what was kept is gone");
    assert_eq!(made(), 3, "for the drop");
}

#[test]
fn the_time_is_ended_by_hand() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    let now = ["contract", "parts", "--now"];
    let early = project.zdm(&now);
    assert_eq!(early.code, 2, "{early:#?}");
    early.says("keeps nothing yet");
    ask_for_approval(project);
    approve(project, "ann");
    project.done(&["contract", "parts"]);

    // Ann has agreed to a drop after 14 days.
    waits(project, &now, "from before contract");
    waits(project, &["contract", "parts"], "kept_long_enough");
    assert_eq!(project.stage("parts"), "kept");
    let planned = project.done(&["contract", "parts", "--now", "--dry-run"]);
    planned.says("this cannot be undone");
    planned.says("that is ended now");
    approve(project, "bob");
    waits(project, &["contract", "parts"], "kept_long_enough");
    project.done(&["pause", "parts"]);
    waits(project, &now, "not_paused");
    project.done(&["resume", "parts"]);
    project.done(&now).says("what was kept is gone");
    assert_eq!(project.stage("parts"), "contracted");
    let ended = "SELECT detail FROM zdm.audit WHERE action = 'end window' AND outcome = 'done'";
    let detail = project.value(ended);
    assert!(detail.contains("old is kept for another 13 d"), "{detail}");
    project.done(&now).says("nothing is left to contract");
}

/// What was ended by hand goes on without it, if it was interrupted.
#[test]
fn an_interrupted_drop_waits_for_no_time_any_more() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    project.done(&["contract", "parts"]);
    project.execute(
        "CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped'; END $$;
         CREATE EVENT TRIGGER stop ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION stop()",
    );
    let stopped = project.zdm(&["contract", "parts", "--now"]);
    assert_ne!(stopped.code, 0, "{stopped:#?}");
    project.execute("DROP EVENT TRIGGER stop; DROP FUNCTION stop");
    assert_eq!(project.stage("parts"), "dropping");
    project.done(&["advance"]).says("what was kept is gone");
    assert_eq!(project.stage("parts"), "contracted");
}

#[test]
fn who_waits_for_it_is_told_for_what_and_how_long() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    at_complete(project);
    let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    let brings = models.replace(
        "pub title: String,",
        "pub title: String,\n    pub name: Option<i32>,",
    );
    project.write("src/models.rs", &brings);
    project.done(&["generate", "names"]);
    let expand = ["expand", "names"];
    waits(project, &expand, "contract 0002_parts first");
    waits(project, &expand, "old is dropped 14 days later");
    project.done(&["contract", "parts"]);
    waits(
        project,
        &expand,
        "0002_parts still has to drop the column parts.name",
    );
    waits(
        project,
        &expand,
        "in 13 d 23 h, when the time is over for which 0002_parts keeps old",
    );
    waits(project, &expand, "`cargo zdm contract parts --now`");
    project.done(&["contract", "--now"]);
    project.done(&expand);
}
