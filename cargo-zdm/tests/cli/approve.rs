//! `approve`: nobody drops old alone where the team asks for a second person.

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::{Project, Run};
use crate::versions;

fn policy() -> String {
    format!("{HASTY}\napprovals = 1")
}

#[test]
fn contract_waits_for_somebody_else_on_sqlite() {
    on_sqlite(&policy(), |project| {
        contract_waits_for_somebody_else(project, "zdm_", None);
    });
}

#[test]
fn contract_waits_for_somebody_else_on_postgres() {
    on_postgres(&policy(), |project| {
        contract_waits_for_somebody_else(project, "zdm.", Some("owner"));
    });
}

/// At `complete`, with nothing left but the approval.
fn at_complete(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    assert_eq!(project.zdm(&["advance"]).code, 4);
    versions::finalize(&project.path("zdm"));
}

fn contract(project: &Project, actor: &str) -> Run {
    project.zdm(&[
        "contract",
        "users_full_name",
        "--actor",
        actor,
        "--format",
        "json",
    ])
}

/// Refused by this gate alone, in these words.
fn shut(run: &Run, words: &str) {
    assert_eq!(run.code, 4, "{run:#?}");
    let object = run.object();
    let gates = object["error"]["gates"].as_array().unwrap();
    let shut: Vec<_> = gates.iter().filter(|gate| gate["open"] == false).collect();
    assert_eq!(shut.len(), 1, "{object}");
    assert_eq!(shut[0]["gate"], "approved", "{object}");
    let reason = shut[0]["reason"].as_str().unwrap();
    assert!(reason.contains(words), "`{words}` is missing: {reason}");
    let opens = shut[0]["opens_when"].as_str().unwrap();
    assert!(opens.contains("cargo zdm approve"), "{opens}");
}

fn contract_waits_for_somebody_else(project: &Project, zdm: &str, role: Option<&str>) {
    at_complete(project);
    shut(&contract(project, "anna@laptop"), "0 of 1 approvals");
    let approve = |actor: &str| {
        let approve = [
            "approve",
            "users_full_name",
            "--note",
            "looked at",
            "--actor",
            actor,
            "--format",
            "json",
        ];
        project.done(&approve).object()
    };
    assert_eq!(approve("anna@laptop")["changed"], true);
    // The same person on another host, and twice.
    assert_eq!(approve("Anna@bastion")["changed"], false);
    shut(
        &contract(project, "anna@bastion"),
        "that of anna@bastion does not count",
    );
    let advanced = project.zdm(&["advance", "--actor", "anna@laptop"]);
    assert_eq!(advanced.code, 4, "{advanced:#?}");
    assert_eq!(project.stage("users_full_name"), "complete");

    let told = project.done(&["status", "users_full_name", "--actor", "bert"]);
    told.says("approved by anna@laptop");
    told.says("looked at");
    told.says("open  approved: approved by anna@laptop");
    let status = project
        .done(&["status", "users_full_name", "--format", "json"])
        .object();
    let on_record = &status["migrations"][0]["approvals"][0];
    assert_eq!(on_record["counts"], true, "{status}");
    assert_eq!(on_record["database_role"].as_str(), role, "{status}");

    // What is on record is believed only as it was written.
    let forged = format!("UPDATE {zdm}audit SET actor = 'carl' WHERE action = 'approve'");
    project.execute(&forged);
    let run = contract(project, "bert");
    assert_eq!(run.code, 4, "{run:#?}");
    run.says("was changed or inserted by hand");
    project.execute(&forged.replace("carl", "anna@laptop"));
    let run = project.done(&["contract", "users_full_name", "--actor", "bert"]);
    run.says("old is gone");
    assert_eq!(project.stage("users_full_name"), "contracted");
    let late = project.zdm(&["approve", "users_full_name"]);
    assert_eq!(late.code, 2, "{late:#?}");
}

/// Whoever changes any other entry has made the log unbelievable, too.
#[test]
fn no_approval_counts_in_a_log_that_was_changed() {
    on_sqlite(&policy(), |project| {
        at_complete(project);
        project.done(&["approve", "users_full_name", "--actor", "anna"]);
        project.execute("UPDATE zdm_audit SET detail = '' WHERE sequence = 1");
        let run = contract(project, "bert");
        assert_eq!(run.code, 1, "{run:#?}");
        run.says("entry 1 (row 1) was changed");
        assert_eq!(project.stage("users_full_name"), "complete");
    });
}

#[test]
fn a_way_back_ends_an_approval() {
    on_sqlite(&policy(), |project| {
        project.done(&["expand"]);
        project.fill();
        for arguments in [
            &["switch", "--to", "dual_write"][..],
            &["approve", "users_full_name", "--actor", "anna"],
            &["rollback", "users_full_name", "--to", "off"],
            &["resume", "users_full_name"],
        ] {
            project.done(arguments);
        }
        assert_eq!(project.zdm(&["advance"]).code, 4);
        versions::finalize(&project.path("zdm"));
        shut(
            &contract(project, "bert"),
            "from before the migration was last moved back",
        );
        project.done(&["status"]).says("it does not count any more");
        let again = [
            "approve",
            "users_full_name",
            "--actor",
            "anna",
            "--format",
            "json",
        ];
        assert_eq!(project.done(&again).object()["changed"], true);
        assert_eq!(contract(project, "bert").code, 0);
    });
}

/// An approval of other files, as the folder held them when the version was expanded before.
#[test]
fn an_approval_of_other_content_does_not_count() {
    on_sqlite(&policy(), |project| {
        at_complete(project);
        project.done(&["approve", "users_full_name", "--actor", "anna"]);
        // The record of what was executed moves on, as `expand` of other files would leave it.
        let approved = project.value("SELECT content_hash FROM zdm_audit WHERE action = 'approve'");
        let executed = "SELECT content_hash FROM zdm_migration WHERE migration = '2222bbbb2222'";
        assert_eq!(project.value(executed), approved);
        project.execute(
            "UPDATE zdm_migration SET content_hash = 'other' WHERE migration = '2222bbbb2222'",
        );
        let gates = project.connected(async |connection| {
            zdm_runtime::audit::approvals(connection, "2222bbbb2222")
                .await
                .unwrap()
        });
        assert_eq!(gates.len(), 1);
        assert!(!gates[0].counts() && !gates[0].of_this_content, "{gates:?}");
    });
}

#[test]
fn what_has_nothing_to_drop_is_not_approved() {
    on_sqlite("", |project| {
        project.done(&["expand", "init"]);
        for migration in ["users_full_name", "init"] {
            let run = project.zdm(&["approve", migration]);
            assert_eq!(run.code, 2, "{run:#?}");
            run.says("nothing was put on record");
        }
        project.done(&["expand"]);
        project
            .done(&["approve", "users_full_name"])
            .says("asks for no approval");
    });
}

#[test]
fn an_approval_cannot_be_waived() {
    on_sqlite(
        &format!("{}\nwaive = [\"approved\"]", policy()),
        |project| {
            let run = project.zdm(&["expand"]);
            assert_eq!(run.code, 2, "{run:#?}");
            run.says("cannot be waived");
        },
    );
}
