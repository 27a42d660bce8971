//! Mistakes in the request and in the surroundings: exit codes 2 and 3, told for people and for programs.

use crate::database::on_postgres;
use crate::project::Project;
use crate::versions;

#[test]
fn an_unknown_command_is_usage() {
    let project = Project::sqlite("");
    assert_eq!(project.zdm(&["explode"]).code, 2);
    assert_eq!(project.cargo_zdm(&["explode"]).code, 2);
    let run = project.zdm(&["explode", "--format", "json"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.object()["error"]["kind"], "usage");
}

#[test]
fn help_is_no_mistake() {
    let project = Project::sqlite("");
    let help = project.cargo_zdm(&["expand", "--help"]);
    assert_eq!(help.code, 0);
    help.says("Examples:");
    help.says("Usage: cargo zdm expand");
    project.done(&["switch", "--help"]).says("25%");
    project.done(&["--version"]).says(env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_stage_that_does_not_exist_is_usage() {
    let project = Project::sqlite("");
    let run = project.zdm(&["switch", "--to", "tomorrow"]);
    assert_eq!(run.code, 2);
    run.says("write dual_write, shadow, 25%, ramp_down or complete");
    let run = project.zdm(&["switch", "--to", "off"]);
    assert_eq!(run.code, 2);
    run.says("rollback");
}

#[test]
fn a_folder_without_zdm_toml_says_what_to_do() {
    let project = Project::sqlite("");
    std::fs::remove_file(project.path("zdm.toml")).unwrap();
    let run = project.zdm(&["expand", "--format", "json"]);
    assert_eq!(run.code, 3);
    let error = &run.object()["error"];
    assert_eq!(error["kind"], "environment");
    assert!(error["next"].as_str().unwrap().contains("init"), "{error}");
}

#[test]
fn a_mistake_in_zdm_toml_is_shown_at_its_line() {
    let project = Project::sqlite("soap = \"1d\"");
    let run = project.zdm(&["expand"]);
    assert_eq!(run.code, 2);
    run.says("line 2");
    run.says("unknown field `soap`");
}

#[test]
fn a_server_that_is_not_there_is_environment_and_no_password_is_shown() {
    let project = Project::on("postgres://app:s3cret@127.0.0.1:1/shop".to_owned(), "");
    versions::write(&project.path("zdm"), "postgres");
    for format in ["human", "json"] {
        let run = project.zdm(&["expand", "--format", format]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("127.0.0.1:1/shop");
        assert!(!format!("{run:?}").contains("s3cret"), "{run:#?}");
    }
}

#[test]
fn a_database_of_another_kind_is_usage() {
    let project = Project::sqlite("");
    versions::write(&project.path("zdm"), "postgres");
    let run = project.zdm(&["expand"]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("0001_init is written for postgres");
}

#[test]
fn a_migration_that_nobody_knows_lists_the_known_ones() {
    let project = Project::sqlite("");
    versions::write(&project.path("zdm"), "sqlite");
    let run = project.zdm(&["expand", "users_salary"]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("0001_init, 0002_users_full_name");
}

#[test]
fn edited_sql_is_not_executed() {
    let project = Project::sqlite("");
    versions::write(&project.path("zdm"), "sqlite");
    std::fs::write(
        project.path("zdm/0001_init/1_expand/up.sql"),
        "DROP TABLE users;\n",
    )
    .unwrap();
    let run = project.zdm(&["expand"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("was edited after it was generated");
}

#[test]
fn completions_are_for_the_binary_that_was_asked() {
    let project = Project::sqlite("");
    project.done(&["completions", "bash"]).says("_zdm()");
    assert_eq!(project.zdm(&["completions", "tcsh"]).code, 2);
}

/// `"$user"` leads the default search_path, and the control tables' schema is called zdm: `users` was created in it.
#[test]
fn a_role_that_would_mix_its_tables_with_the_control_tables_is_told() {
    on_postgres("", |project| {
        project.execute("CREATE ROLE zdm SUPERUSER LOGIN");
        let url = project.url.replacen("owner@", "zdm@", 1);
        let run = project.zdm(&["expand", "--database-url", &url]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("ALTER ROLE zdm SET search_path = public");
        assert_eq!(
            project.value("SELECT count(*) FROM pg_class WHERE relname = 'users'"),
            "0"
        );
        project.done(&["expand"]);
    });
}
