//! Expand has the database read what deployed code will ask, before any code is deployed.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

fn expanded(project: &Project, up: &str) {
    user_crate(project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    let new = format!(
        "#[zdm(column = \"key\", from(\"name\"), up = \"{up}\", down = \"key\",
               valid_if = \"name <> ''\", on_invalid = \"reject\")]\n    pub name: String"
    );
    project.write("src/models.rs", &BEFORE.replace("pub name: String", &new));
    project.done(&["generate"]);
    let run = project.zdm(&["expand"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("lowr");
}

/// What the database cannot read, expand does not call done; the way back is open, and so is the way on.
#[test]
fn an_up_that_names_no_function_stops_expand_on_sqlite() {
    let project = Project::sqlite("");
    expanded(&project, "lowr(name)");
    assert_eq!(project.zdm(&["switch", "--to", "dual_write"]).code, 2);
    project.done(&["rollback"]);
    assert_eq!(
        project.value("SELECT count(*) FROM pragma_table_info('users') WHERE name = 'key'"),
        "0"
    );
}

#[test]
fn an_up_that_names_no_function_stops_expand_on_postgres() {
    let server = Server::start();
    let project = Project::on(server.database("shop"), "");
    expanded(&project, "lowr(name)");
    project.execute(
        "CREATE FUNCTION lowr(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)'",
    );
    project.done(&["expand"]);
    assert_eq!(project.stage("users_key"), "off");
}
