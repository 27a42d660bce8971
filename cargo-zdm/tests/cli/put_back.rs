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
