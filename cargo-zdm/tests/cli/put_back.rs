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

/// The index of a unique constraint is built apart, and no step that drops the constraint takes it away: forward is shut, and nobody is
/// sent there.
#[test]
fn where_nothing_leads_forward_nobody_is_sent_there() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let parts = |attribute: &str, field: &str| {
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
    };
    let before = parts(
        "#[zdm(unique(columns(code), name = \"once\"))]",
        "pub code: String,",
    );
    let after = parts("", "#[zdm(renamed_from = \"code\")]\n    pub sku: String,");
    let rows = "INSERT INTO parts (id, code) VALUES (1, 'a'), (2, 'b')";
    created(project, "postgres", &before, rows);
    completed(project, &after);
    project.execute("UPDATE parts SET sku = 'a'");
    let stuck = project.zdm(&["rollback"]);
    assert_eq!(stuck.code, 3, "{stuck:#?}");
    stuck.says("once");
    assert!(!stuck.err.contains("go forward again"), "{stuck:#?}");
    let forward = project.zdm(&["switch", "--to", "complete"]);
    assert_eq!(forward.code, 4, "{forward:#?}");
    forward.says("undo_ended");
    forward.says("cargo zdm rollback");
    project.execute("UPDATE parts SET sku = 'b', code = 'b' WHERE id = 2");
    back_to(project, "ramp_down");
    assert_eq!(constraint(project, "once"), "1");
}
