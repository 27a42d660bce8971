//! A command that is slow, and another one that has moved the migration meanwhile: nobody takes it back by going forward.

use std::process::Stdio;
use std::time::Duration;

use zdm_tests::postgres::Server;

use crate::generate::{AFTER, be_hasty, user_crate};
use crate::project::{Project, Run};

/// It was at `dual_write` when `advance` began to fill, and others have all reads on new when that ends.
#[test]
fn advance_decides_again_where_others_were_faster() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada'), ('eve')");
    project.write("src/models.rs", AFTER);
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
    project.done(&["switch", "--to", "dual_write"]);
    let slow = project.beside("SELECT 1 FROM users WHERE id = 1 FOR UPDATE", || {
        let slow = project
            .command(&["advance"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::scope(|scope| scope.spawn(|| others_go_on(project)).join().unwrap());
        slow
    });
    let run = Run::from(slow.wait_with_output().unwrap());
    // No read goes on before the sides are compared, which those others must have done.
    assert_eq!(run.code, 4, "{run:#?}");
    assert_eq!(
        project.value("SELECT stage FROM zdm.stage WHERE stage <> 'off'"),
        "live",
        "{run:#?}"
    );
    let taken_back = "SELECT count(*) FROM zdm.migration WHERE taken_back_at IS NOT NULL";
    assert_eq!(project.value(taken_back), "0", "{run:#?}");
}

fn others_go_on(project: &Project) {
    let fills = "SELECT count(*) FROM zdm.operator WHERE owner LIKE '%, backfilling)'";
    while project.value(fills) == "0" {
        std::thread::sleep(Duration::from_millis(10));
    }
    project.execute(
        "UPDATE zdm.stage SET stage = 'live', read_basis_points = 5000 WHERE stage = 'dual_write'",
    );
}

/// What a process leaves in the ledger that went on although its claim had run out, while old code wrote alone.
#[test]
fn what_was_filled_at_off_is_filled_again() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada'), ('eve')");
    project.write("src/models.rs", AFTER);
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill"]);
    project.execute("CREATE TABLE late AS SELECT * FROM zdm.chunk");
    project.done(&["rollback", "--to", "off"]);
    project.execute(
        "INSERT INTO zdm.chunk OVERRIDING SYSTEM VALUE SELECT * FROM late; UPDATE users SET name = 'bob' WHERE id = 1",
    );
    project.done(&["resume", "two"]);
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill"]).says(": 2 rows");
    project.done(&["verify"]);
    let filled = "SELECT full_name FROM users WHERE id = 1";
    assert_eq!(project.value(filled), "bob");
}
