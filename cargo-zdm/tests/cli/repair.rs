//! `verify --repair`: rows that a writer outside the application left with two values.

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;

#[test]
fn rows_that_differ_are_repaired_on_sqlite() {
    on_sqlite(HASTY, rows_that_differ_are_repaired);
}

#[test]
fn rows_that_differ_are_repaired_on_postgres() {
    on_postgres(HASTY, rows_that_differ_are_repaired);
}

fn rows_that_differ_are_repaired(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill"]);
    project.execute("UPDATE users SET name = 'by hand' WHERE id = 2");
    let told = project.done(&["verify", "--repair"]);
    told.says("1 of 1 rows that differ were filled anew (users (2) in full_name)");
    told.says("all consistent");
    told.says("checksum of old and new: ");
    project.done(&["status"]).says("last verification of new: ");
    let of_two = "SELECT full_name FROM users WHERE id = 2";
    assert_eq!(project.value(of_two), "by hand");
    project.done(&["switch", "--to", "shadow"]);
    project.execute("UPDATE users SET name = 'again' WHERE id = 2");
    let run = project.zdm(&["verify", "--repair"]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("cargo zdm rollback");
    assert_eq!(project.value(of_two), "by hand");
    project.done(&["rollback"]);
    let mended = project
        .done(&["verify", "--repair", "--format", "json"])
        .object();
    assert_eq!(
        (&mended["verified"], &mended["repaired"]),
        (&true.into(), &1.into()),
        "{mended}"
    );
    assert_eq!(project.value(of_two), "again");
    let sums = &mended["checksums"];
    assert!(
        sums["new"].is_string() && sums["old"] == sums["new"],
        "{mended}"
    );
    let status = project.done(&["status", "--format", "json"]).object();
    let last = &status["migrations"][1]["verification"];
    assert_eq!((&last["checksums"], &last["mismatches"]), (sums, &0.into()));

    // The same rows are the same sum; a policy may leave it out.
    let policy = project.path("zdm.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    let again = project.done(&["verify", "--format", "json"]).object();
    assert_eq!(&again["checksums"], sums);
    std::fs::write(
        &policy,
        text.replace("[policy]", "[policy]\nchecksums = false"),
    )
    .unwrap();
    let without = project.done(&["verify", "--format", "json"]).object();
    assert_eq!(
        (&without["verified"], &without["checksums"]),
        (&true.into(), &serde_json::Value::Null)
    );
}
