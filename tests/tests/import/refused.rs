//! An import writes everything or nothing, and never over a file.

use zdm_tests::project::{Project, execute};

async fn project(sql: &str) -> (Project, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("app.db").display());
    execute(&url, sql).await;
    (Project::new(url), folder)
}

/// The run ends so and says so, and no file has changed.
fn refuses(project: &Project, arguments: &[&str], code: i32, words: &str) {
    let before = project.files();
    let run = project.zdm(&[&["import"], arguments].concat());
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(code), "{told}");
    assert!(told.contains(words), "{words}: {told}");
    assert!(told.contains("nothing has been written"), "{told}");
    assert_eq!(project.files(), before);
    assert_eq!(project.text("src/lib.rs"), "//! A crate.\n");
}

#[tokio::test]
async fn what_is_there_is_not_overwritten() {
    let (project, _folder) = project("CREATE TABLE users (id INTEGER PRIMARY KEY)").await;
    refuses(&project, &["--out", "models"], 2, "--out models");
    refuses(
        &project,
        &["--out", "src/a/models"],
        2,
        "--out src/a/models",
    );
    refuses(&project, &["--tables", "users,teams"], 2, "no table teams");
    project.write("src/models.rs", "");
    refuses(&project, &[], 2, "models.rs is there already");
    std::fs::remove_file(project.path("src/models.rs")).unwrap();
    std::fs::create_dir(project.path("zdm")).unwrap();
    refuses(&project, &[], 2, "zdm is there already");
    std::fs::remove_dir(project.path("zdm")).unwrap();
    project.write("zdm.toml", "");
    refuses(&project, &[], 2, "zdm.toml is there already");
    std::fs::remove_file(project.path("zdm.toml")).unwrap();

    let before = project.files();
    let dry = project.done(&["import", "--dry-run"]);
    assert_eq!(dry["tables"][0], "users", "{dry}");
    assert_eq!(project.files(), before);
    project.done(&["import"]);
    assert_eq!(
        project.text("src/lib.rs"),
        "//! A crate.\npub mod models;\npub mod zdm;\n"
    );
}

#[tokio::test]
async fn a_database_without_anything_to_take_over_says_so() {
    let (project, _folder) = project("CREATE TABLE log (line)").await;
    refuses(&project, &[], 1, "a table needs columns");
}

#[tokio::test]
async fn a_crate_with_models_keeps_them() {
    let (project, _folder) = project("CREATE TABLE users (id INTEGER PRIMARY KEY)").await;
    let model = "#[derive(zdm_runtime::Migratable)]\npub struct Team {\n    #[zdm(primary_key)]\n    pub id: i64,\n}\n";
    project.write("src/lib.rs", model);
    let run = project.zdm(&["import"]);
    assert_eq!(run.status.code(), Some(2));
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(
        told.contains("src/lib.rs:2") && told.contains("init --baseline"),
        "{told}"
    );
    assert!(!project.path("src/models").exists());
}

#[tokio::test]
async fn only_the_tables_that_were_asked_for_get_structs() {
    let (project, _folder) = project(
        "CREATE TABLE teams (id INTEGER PRIMARY KEY);
         CREATE TABLE users (id INTEGER PRIMARY KEY, team_id INTEGER REFERENCES teams (id))",
    )
    .await;
    let run = project.done(&["import", "--tables", "users", "--out", "src/tables"]);
    assert_eq!(
        zdm_tests::project::left_out(&run),
        [
            "- table teams: not asked for",
            "! foreign key users.fk_users_team_id: no attribute says a reference to teams, which has no struct"
        ]
    );
    assert!(
        project
            .text("src/tables/users.rs")
            .contains("pub team_id: Option<i64>,")
    );
    project.done(&["expand"]);
}
