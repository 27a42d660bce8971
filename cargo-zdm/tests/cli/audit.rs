//! `status --audit`: the log, and whether somebody has changed it.

use serde_json::Value;

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;

#[test]
fn a_changed_log_is_found_on_sqlite() {
    on_sqlite(HASTY, |project| a_changed_log_is_found(project, "zdm_"));
}

#[test]
fn a_changed_log_is_found_on_postgres() {
    on_postgres(HASTY, |project| a_changed_log_is_found(project, "zdm."));
}

fn chain(project: &Project) -> (i32, Value) {
    let run = project.zdm(&["status", "--audit", "--format", "json"]);
    (run.code, run.object()["chain"].clone())
}

fn a_changed_log_is_found(project: &Project, zdm: &str) {
    project.done(&["expand"]);
    project.fill();
    project.done(&["advance", "--before-deploy"]);
    let (code, whole) = chain(project);
    assert_eq!((code, &whole["whole"]), (0, &true.into()), "{whole}");
    assert_eq!(whole["unchained"], 0, "{whole}");
    let entries = whole["entries"].as_i64().unwrap();
    let counted = project.value(&format!("SELECT count(*) FROM {zdm}audit"));
    assert_eq!(entries.to_string(), counted);
    let told = project.done(&["status", "--audit"]);
    told.says("the chain is whole");
    told.says(whole["hash"].as_str().unwrap());
    // One migration's entries, and the chain of all.
    let one = project.done(&["status", "init", "--audit", "--format", "json"]);
    assert_eq!(one.object()["chain"], whole);

    project.execute(&format!(
        "UPDATE {zdm}audit SET actor = 'somebody else' WHERE sequence = 2"
    ));
    let (code, broken) = chain(project);
    assert_eq!(code, 1, "{broken}");
    assert_eq!(broken["whole"], false, "{broken}");
    assert_eq!(broken["findings"][0]["finding"], "changed", "{broken}");
    let run = project.zdm(&["status", "init", "--audit"]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("entry 2 (row 2) was changed");

    project.execute(&format!("DELETE FROM {zdm}audit WHERE sequence >= 2"));
    let (code, broken) = chain(project);
    assert_eq!(code, 1, "{broken}");
    let told = broken["findings"][0]["told"].as_str().unwrap();
    assert_eq!(told, format!("entries 2 to {entries} were removed"));
}

#[test]
fn before_anything_is_installed_there_is_no_log() {
    on_postgres(HASTY, |project| {
        assert_eq!(chain(project), (0, Value::Null));
    });
}
