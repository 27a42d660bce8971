//! Repositories that speak another client than sqlx, by a line of `zdm.toml`.

use crate::generate::{AFTER, BEFORE, user_crate};
use crate::project::Project;

fn project(dialect: &str) -> Project {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init", "--dialect", dialect]);
    project
}

fn text(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path(path)).unwrap()
}

fn speaks(project: &Project, client: &str) {
    generates_with(project, &format!("client = \"{client}\""));
}

fn generates_with(project: &Project, lines: &str) {
    let before = text(project, "zdm.toml");
    let (head, rest) = before.split_once("[generate]\n").unwrap();
    let after = format!("{head}[generate]\n{lines}\n{rest}");
    project.write("zdm.toml", &after);
}

#[test]
fn a_project_changes_its_client() {
    let project = project("postgres");
    let version = text(&project, "zdm/0001_init/plan.toml");
    speaks(&project, "diesel-async");
    project
        .done(&["generate"])
        .says("changed  src/zdm/users.rs");
    let code = text(&project, "src/zdm/users.rs");
    assert!(
        code.contains("use diesel_async::AsyncPgConnection;"),
        "{code}"
    );
    assert!(!code.contains("sqlx"), "{code}");
    assert_eq!(text(&project, "zdm/0001_init/plan.toml"), version);
    project
        .done(&["check"])
        .says("everything is as it would be");

    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    project
        .done(&["templates", "eject", "client"])
        .says("zdm/templates/client.rs.j2");
    project
        .done(&["check"])
        .says("says what the built-in template says");
}

/// The writers of the whole way stand on sqlx's connections; what the database computes needs none of the client's.
#[test]
fn tests_beside_a_migration_say_what_they_leave_out() {
    let project = project("postgres");
    generates_with(&project, "client = \"diesel-async\"\ntests = true");
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    let folders = std::fs::read_dir(project.path("src/zdm")).unwrap();
    let mut tests = folders.map(|entry| entry.unwrap().path().join("tests.rs"));
    let tests = tests.find(|file| file.exists()).unwrap();
    let code = std::fs::read_to_string(tests).unwrap();
    assert!(code.contains("_is_consistent_in_both_directions"), "{code}");
    assert!(
        code.contains("the whole way, since its writers are driven on sqlx's connections"),
        "{code}"
    );
    assert!(
        !code.contains("use sqlx") && !code.contains("Journey"),
        "{code}"
    );
}

#[test]
fn what_it_cannot_serve_is_refused_all_at_once_and_nothing_is_written() {
    let project = project("postgres");
    speaks(&project, "diesel-async");
    project.done(&["generate"]);
    let fields = "pub name: String,\n    #[zdm(from(\"name\"), with = \"crate::models::short\")]\n    pub short: String,\n    \
        #[zdm(sql_type = \"ltree\")]\n    pub path: Option<Path>";
    let models = BEFORE.replace("pub name: String", fields);
    let functions = "pub struct Path;\npub fn short(name: String) -> String {\n    name\n}\n";
    project.write("src/models.rs", &format!("{models}\n{functions}"));
    let refused = project.zdm(&["generate"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    for words in [
        "column `path`",
        "`ltree`",
        "column `short`",
        "crate::models::short",
        "client = \"sqlx\"",
        "nothing has been written",
    ] {
        assert!(refused.err.contains(words), "{words}: {refused:#?}");
    }
    assert!(!project.path("zdm/0002_users_short").exists());
}

#[test]
fn a_database_that_it_does_not_reach_is_refused_by_name() {
    let project = project("sqlite");
    speaks(&project, "diesel-async");
    let refused = project.zdm(&["generate"]);
    assert_eq!(refused.code, 2, "{refused:#?}");
    assert!(
        refused.err.contains("diesel-async") && refused.err.contains("sqlite"),
        "{refused:#?}"
    );

    let before = text(&project, "zdm.toml");
    project.write(
        "zdm.toml",
        &before.replace("diesel-async\"\n", "diesel\"\n"),
    );
    let refused = project.zdm(&["generate"]);
    assert_eq!(refused.code, 2, "{refused:#?}");
    assert!(
        refused
            .err
            .contains("client = \"sqlx\" or client = \"diesel-async\""),
        "{refused:#?}"
    );
}
