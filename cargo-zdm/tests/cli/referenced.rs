//! Tables that others refer to: dropping them would empty or change rows of those, or leave them without what they name.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const TEAMS: &str = "use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Team {
    #[zdm(primary_key)]
    pub id: i64,
}
";

const MEMBERS: &str = "
#[derive(Migratable)]
pub struct Member {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = \"teams(id)\", on_delete = \"cascade\")]
    pub team_id: i64,
}
";

/// Runs a test on both databases, each in a crate of its own.
fn on_both(test: impl Fn(&Project)) {
    let server = Server::start();
    test(&Project::on(server.database("app"), ""));
    test(&Project::sqlite(""));
}

fn created(project: &Project, models: &str) {
    user_crate(project);
    project.write("src/models.rs", models);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO teams (id) VALUES (1)");
}

/// No version knows it, and its rows would go with the teams, or lose what they name.
fn referred_to_by_notes(project: &Project, on_delete: &str) {
    project.execute(&format!(
        "CREATE TABLE notes (id bigint, team_id bigint, FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE {on_delete})"
    ));
    project.execute("INSERT INTO notes (id, team_id) VALUES (7, 1)");
}

#[test]
fn rows_of_a_table_outside_the_versions_outlive_a_rollback() {
    for on_delete in ["CASCADE", "SET NULL"] {
        on_both(|project| {
            created(project, &format!("{TEAMS}{MEMBERS}"));
            project.execute("INSERT INTO members (id, team_id) VALUES (3, 1)");
            referred_to_by_notes(project, on_delete);
            let run = project.zdm(&["rollback", "init", "--drop-rows"]);
            assert_eq!(run.code, 4, "{run:#?}");
            run.says("nothing_refers_to_it");
            run.says("notes (team_id) refers to teams");
            assert!(!run.err.contains("members"), "it goes as well: {run:#?}");
            let dry = project.done(&["rollback", "init", "--dry-run"]);
            dry.says("notes (team_id) refers to teams");
            assert_eq!(project.value("SELECT team_id FROM notes"), "1");
            assert_eq!(project.value("SELECT count(*) FROM members"), "1");

            project.execute("DROP TABLE notes");
            project.done(&["rollback", "init", "--drop-rows"]);
            assert_eq!(project.stage("init"), "absent");
        });
    }
}

#[test]
fn a_later_version_that_refers_to_a_table_stands_on_it() {
    on_both(|project| {
        created(project, TEAMS);
        project.write("src/models.rs", &format!("{TEAMS}{MEMBERS}"));
        project.done(&["generate", "members"]);
        project.done(&["expand"]);
        project.execute("INSERT INTO members (id, team_id) VALUES (3, 1)");
        let run = project.zdm(&["rollback", "init", "--drop-rows"]);
        assert_eq!(run.code, 4, "{run:#?}");
        run.says("0002_members is in this database and stands on teams");
        run.says("cargo zdm rollback members");
        assert_eq!(project.value("SELECT count(*) FROM members"), "1");
        project.done(&["rollback", "members", "--drop-rows"]);
        project.done(&["rollback", "init", "--drop-rows"]);
        assert_eq!(project.stage("init"), "absent");
    });
}

#[test]
fn contract_drops_no_table_that_others_refer_to() {
    on_both(|project| {
        created(project, &format!("{TEAMS}{MEMBERS}"));
        project.execute("INSERT INTO members (id, team_id) VALUES (3, 1)");
        referred_to_by_notes(project, "CASCADE");
        project.write("src/models.rs", "");
        project.done(&[
            "generate",
            "less",
            "--drop-table",
            "teams",
            "--drop-table",
            "members",
        ]);
        project.done(&["expand"]);
        project.done(&["switch", "less", "--to", "complete"]);
        project.done(&["finalize"]);
        let run = project.zdm(&["contract", "less"]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("notes (team_id) refers to teams");
        assert_eq!(project.value("SELECT team_id FROM notes"), "1");
        assert_eq!(project.value("SELECT count(*) FROM teams"), "1");

        project.execute("DROP TABLE notes");
        project.done(&["contract", "less"]);
        assert_eq!(project.stage("less"), "contracted");
    });
}

/// The table's own references act on no row while it goes.
#[test]
fn a_table_that_refers_to_itself_goes() {
    on_both(|project| {
        let parent = "    #[zdm(references = \"teams(id)\", on_delete = \"restrict\")]\n    pub parent: Option<i64>,\n}";
        created(project, &TEAMS.replace('}', parent));
        project.execute("INSERT INTO teams (id, parent) VALUES (2, 1)");
        project.done(&["rollback", "init", "--drop-rows"]);
        assert_eq!(project.stage("init"), "absent");
    });
}
