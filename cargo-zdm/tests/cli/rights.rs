//! A role without a right: the command says which one is missing and the GRANT that gives it, and does nothing.

use zdm_tests::postgres::Server;

use crate::database::HASTY;
use crate::project::Project;
use crate::versions;

/// The same project as the role `app`, which may log in and nothing else.
fn as_app(server: &Server) -> (Project, Project) {
    let url = server.database("shop");
    let owner = Project::on(url, HASTY);
    let app = Project::on(server.url_of("shop", "app"), HASTY);
    for project in [&owner, &app] {
        versions::write(&project.path("zdm"), "postgres");
    }
    owner.execute("CREATE ROLE app LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    (owner, app)
}

/// Runs `command` as `app`; follows what it is told until it is done, and returns what it was told.
fn granted_step_by_step(owner: &Project, app: &Project, command: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let run = app.zdm(&[command, &["--format", "json"]].concat());
        if run.code == 0 {
            return told;
        }
        assert_eq!(run.code, 3, "{run:#?}");
        let error = run.object()["error"].clone();
        assert_eq!(error["safe"], "nothing was executed", "{error}");
        let next = error["next"].as_str().unwrap();
        let (_, grants) = next.split_once('`').unwrap_or_else(|| panic!("{error}"));
        let (grants, _) = grants.split_once('`').unwrap();
        assert!(!told.contains(&grants.to_owned()), "again: {error}");
        owner.execute(grants);
        told.push(grants.to_owned());
    }
}

#[test]
fn creating_the_control_tables_and_the_first_tables() {
    let server = Server::start();
    let (owner, app) = as_app(&server);
    assert_eq!(
        granted_step_by_step(&owner, &app, &["expand"]),
        [
            "GRANT CREATE ON DATABASE shop TO app;",
            "GRANT CREATE ON SCHEMA public TO app;"
        ]
    );
}

#[test]
fn a_role_that_is_not_the_owner() {
    let server = Server::start();
    let (owner, app) = as_app(&server);
    owner.done(&["expand", "init"]);
    assert_eq!(
        granted_step_by_step(&owner, &app, &["status"]),
        ["GRANT SELECT ON ALL TABLES IN SCHEMA zdm TO app; GRANT USAGE ON SCHEMA zdm TO app;"]
    );
    // The owner is a superuser here, so only its own role can be handed on.
    owner.execute("CREATE ROLE keeper; ALTER TABLE users OWNER TO keeper");
    assert_eq!(
        granted_step_by_step(&owner, &app, &["expand"]),
        [
            "GRANT CREATE ON SCHEMA public TO app; GRANT keeper TO app;",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA zdm TO app;"
        ]
    );
}

#[test]
fn a_backfill_without_update() {
    let server = Server::start();
    let (owner, app) = as_app(&server);
    owner.done(&["expand"]);
    owner.fill();
    owner.done(&["switch", "--to", "dual_write"]);
    owner.execute("GRANT USAGE ON SCHEMA zdm TO app; GRANT ALL ON ALL TABLES IN SCHEMA zdm TO app");
    assert_eq!(
        granted_step_by_step(&owner, &app, &["backfill"]),
        ["GRANT SELECT, UPDATE ON users TO app;"]
    );
    assert_eq!(
        owner.value("SELECT full_name FROM users WHERE id = 1"),
        "ada"
    );
}
