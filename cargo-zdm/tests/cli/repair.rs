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
}
