//! A versions' folder that is not what was reviewed: every command that acts on a database says which file, and does nothing.

use std::fs;

use crate::database::on_sqlite;
use crate::project::Project;
use crate::versions;

const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["expand"],
    &["advance"],
    &["advance", "--before-deploy"],
    &["switch", "--to", "dual_write"],
    &["backfill"],
    &["verify"],
    &["quarantine", "list"],
    &["contract"],
    &["rollback"],
];

/// All commands refuse with these words, and the audit log stays as it is.
fn every_command_refuses(project: &Project, words: &[&str]) {
    let log = "SELECT count(*) FROM zdm_audit";
    let before = project.value(log);
    for command in COMMANDS {
        let run = project.zdm(command);
        assert_eq!(run.code, 3, "{command:?}: {run:#?}");
        run.says("nothing has been executed");
        for word in words {
            run.says(word);
        }
    }
    assert_eq!(project.value(log), before);
}

#[test]
fn a_file_edited_after_it_was_executed() {
    on_sqlite("", |project| {
        project.done(&["expand"]);
        let up = project.path("zdm/0002_users_full_name/1_expand/up.sql");
        let sql = fs::read_to_string(&up).unwrap();
        fs::write(&up, sql.replace("full_name", "fool_name")).unwrap();
        every_command_refuses(
            project,
            &["1_expand/up.sql of version 0002_users_full_name was edited"],
        );
    });
}

#[test]
fn a_plan_edited_together_with_its_file() {
    on_sqlite("", |project| {
        project.done(&["expand"]);
        let plan = project.path("zdm/0002_users_full_name/plan.toml");
        let text = fs::read_to_string(&plan).unwrap();
        fs::write(
            &plan,
            text.replace("reversible = true", "reversible = false"),
        )
        .unwrap();
        every_command_refuses(
            project,
            &["plan.toml of version 0002_users_full_name was edited"],
        );
    });
}

#[test]
fn files_that_are_gone_or_nobody_generated() {
    on_sqlite("", |project| {
        project.done(&["expand"]);
        project.write("zdm/0001_init/1_expand/more.sql", "DROP TABLE users;\n");
        every_command_refuses(
            project,
            &["1_expand/more.sql does not belong to version 0001_init"],
        );
        fs::remove_file(project.path("zdm/0001_init/1_expand/more.sql")).unwrap();
        fs::remove_file(project.path("zdm/0001_init/1_expand/down.sql")).unwrap();
        every_command_refuses(
            project,
            &["1_expand/down.sql of version 0001_init is missing"],
        );
        fs::remove_dir_all(project.path("zdm/0001_init")).unwrap();
        every_command_refuses(project, &["0001"]);
    });
}

#[test]
fn an_edited_chain_and_a_forked_history() {
    on_sqlite("", |project| {
        project.done(&["expand"]);
        let file = project.path("zdm/zdm.sum");
        let sum = fs::read_to_string(&file).unwrap();
        fs::write(&file, sum.replace(versions::INIT, "3333cccc3333")).unwrap();
        every_command_refuses(project, &["zdm.sum does not hold at version 0001_init"]);
        fs::write(&file, format!("<<<<<<< ours\n{sum}>>>>>>> theirs\n")).unwrap();
        every_command_refuses(project, &["the history has forked", "--rebase"]);
        fs::write(&file, &sum).unwrap();
        let other = project.path("zdm/0002_other");
        fs::create_dir(&other).unwrap();
        every_command_refuses(project, &["0002_other", "same number", "--rebase"]);
        fs::remove_dir(other).unwrap();
        project.done(&["status"]);
    });
}

#[test]
fn a_folder_that_was_chained_anew_after_it_was_executed() {
    on_sqlite("", |project| {
        project.done(&["expand"]);
        versions::write_one_way(&project.path("zdm"), "sqlite");
        let run = project.zdm(&["status"]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("0002_users_full_name");
        run.says("was executed in this database with other SQL");
    });
}
