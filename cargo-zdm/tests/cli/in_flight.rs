//! A version on a table that another one has in transition: what stands aside from its pairs is generated, expanded and written
//! while the first one goes its way; all else waits.

use zdm_tests::postgres::Server;

use crate::generate::{AFTER, be_hasty, user_crate};
use crate::project::Project;

const NOTE: &str = "pub full_name: String,\n    #[zdm(index)]\n    pub note: Option<String>,";

fn in_transition(project: &Project) {
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada')");
    project.write("src/models.rs", AFTER);
    project.done(&["generate", "full_name"]);
    project.done(&["expand"]);
    project.done(&["switch", "full_name", "--to", "dual_write"]);
}

#[test]
fn a_column_and_its_index_come_while_another_is_renamed() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    in_transition(project);
    project.write(
        "src/models.rs",
        &AFTER.replace("pub full_name: String,", NOTE),
    );
    project.done(&["generate", "note"]);
    let code = |file: &str| std::fs::read_to_string(project.path(file)).unwrap();
    let written = code("src/zdm/m0002_full_name/dual_write.rs");
    assert!(written.contains("(full_name, name, note)"), "{written}");
    assert!(code("src/zdm/m0002_full_name/switch_reads.rs").contains("note"));
    let checked = project.cargo_zdm(&["check"]);
    assert_eq!(checked.code, 0, "{checked:#?}");

    project.done(&["expand", "note"]);
    project.execute("UPDATE users SET note = 'first'");
    for command in [
        "backfill full_name",
        "verify full_name",
        "switch full_name --to shadow",
        "switch full_name --to 100%",
        "verify full_name",
        "switch full_name --to ramp_down",
    ] {
        project.done(&command.split(' ').collect::<Vec<_>>());
    }
    // The first one goes all the way back beside the second, and forward again.
    project.done(&["rollback", "full_name", "--to", "dual_write"]);
    for command in [
        "switch full_name --to shadow",
        "switch full_name --to 100%",
        "verify full_name",
        "switch full_name --to ramp_down",
        "switch full_name --to complete",
        "finalize full_name",
        "contract full_name",
    ] {
        project.done(&command.split(' ').collect::<Vec<_>>());
    }
    assert_eq!(
        project.value("SELECT full_name || note FROM users"),
        "adafirst"
    );
    let checked = project.cargo_zdm(&["check"]);
    assert_eq!(checked.code, 0, "{checked:#?}");
}

/// SQLite makes a renamed column NOT NULL by a rebuild, which knows no column that comes later.
#[test]
fn nothing_comes_where_a_rebuild_would_lose_it() {
    let project = Project::sqlite("");
    in_transition(&project);
    project.write(
        "src/models.rs",
        &AFTER.replace("pub full_name: String,", NOTE),
    );
    let refused = project.cargo_zdm(&["generate", "note"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says("which the transition builds anew");
}

#[test]
fn what_meets_the_pairs_waits() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    in_transition(&project);
    for (field, change) in [
        (
            "#[zdm(index)]\n    pub full_name: String,",
            "would build the index idx_users_full_name",
        ),
        (
            "pub full_name: String,\n    #[zdm(up = \"length(full_name)\")]\n    pub length: i64,",
            "writes both sides of length",
        ),
    ] {
        project.write(
            "src/models.rs",
            &AFTER.replace("pub full_name: String,", field),
        );
        let refused = project.cargo_zdm(&["generate", "more"]);
        assert_eq!(refused.code, 1, "{refused:#?}");
        refused.says(change);
        refused.says("cargo zdm finalize 0002_full_name");
    }
}

const WHOLE: &str = r"
use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub street: Option<String>,
}
";

const SPLIT: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
}

#[derive(Migratable)]
#[zdm(table = "addresses", split_from = "users(id)")]
pub struct Address {
    #[zdm(primary_key, references = "users(id)", on_delete = "cascade")]
    pub user_id: i64,
    pub street: String,
}
"#;

#[test]
fn nothing_comes_to_a_table_that_is_being_split() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write("src/models.rs", WHOLE);
    project.done(&["init", "--dialect", "postgres"]);
    project.write("src/models.rs", SPLIT);
    project.done(&["generate", "split"]);
    let note = SPLIT.replace(
        "pub id: i64,",
        "pub id: i64,\n    pub note: Option<String>,",
    );
    project.write("src/models.rs", &note);
    let refused = project.cargo_zdm(&["generate", "note"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says("while columns move out of it or into it");
}
