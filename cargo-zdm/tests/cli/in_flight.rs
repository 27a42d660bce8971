//! A version on a table that another one has in transition: what stands aside from its pairs is generated, expanded and written
//! while the first one goes its way, and so are pairs of its own, which move afterwards; all else waits.

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

/// How the rows get a value of the column is no attribute of the version that added it.
#[test]
fn a_column_that_came_beside_a_rename_becomes_not_null_in_the_next_version() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada')");
    let beside = AFTER.replace("pub full_name: String,", NOTE);
    project.write("src/models.rs", &beside);
    project.done(&["generate", "full_name"]);
    project.done(&["expand"]);
    let filled = beside.replace(
        "#[zdm(index)]\n    pub note: Option<String>,",
        "#[zdm(index, up = \"'none'\")]\n    pub note: String,",
    );
    project.write("src/models.rs", &filled);
    project.done(&["generate", "note"]);
    project.done(&["check"]);
    project.done(&["expand"]);
    for version in ["full_name", "note"] {
        way(project, version, TO_SHADOW);
        way(project, version, TO_COMPLETE);
    }
    project.done(&["finalize"]);
    project.done(&["check"]);
    for version in ["full_name", "note"] {
        way(project, version, &["contract"]);
    }
    assert_eq!(
        project.value("SELECT full_name || note FROM users"),
        "adanone"
    );
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
            "pub full_name: String,\n    #[zdm(up = \"length(full_name)\", on_invalid = \"reject\")]\n    pub length: i32,",
            "writes both sides of length by way of full_name, which belongs to the transition",
        ),
    ] {
        project.write(
            "src/models.rs",
            &AFTER.replace("pub full_name: String,", field),
        );
        waits(&project, change, "0002_full_name");
    }
}

fn waits(project: &Project, change: &str, transition: &str) {
    let refused = project.cargo_zdm(&["generate", "more"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says(change);
    refused.says(&format!("cargo zdm finalize {transition}"));
}

const PLACES: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct Place {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: Option<String>,
    #[zdm(unique)]
    pub code: String,
    #[zdm(index = "idx_places_both")]
    pub city: String,
    pub note: Option<String>,
}
"#;

/// The first migration, of a column that may be NULL, so that SQLite rebuilds nothing for it.
fn title_in_transition(project: &Project) -> String {
    user_crate(project);
    project.write("src/models.rs", PLACES);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO places (id, name, code, city) VALUES (1, 'ada', 'a', 'here')");
    let first = PLACES.replace("pub name", "#[zdm(renamed_from = \"name\")]\n    pub title");
    project.write("src/models.rs", &first);
    project.done(&["generate", "title"]);
    project.done(&["expand"]);
    first
}

fn way(project: &Project, version: &str, commands: &[&str]) {
    for command in commands {
        let mut words: Vec<_> = command.split(' ').collect();
        words.insert(1, version);
        project.done(&words);
    }
}

const TO_SHADOW: &[&str] = &[
    "switch --to dual_write",
    "backfill",
    "verify",
    "switch --to shadow",
];
const TO_COMPLETE: &[&str] = &[
    "switch --to 100%",
    "verify",
    "switch --to ramp_down",
    "switch --to complete",
];

/// Everything that stands on the columns of a second migration comes and goes with them; a third waits for both.
#[test]
fn what_stands_on_the_pairs_of_a_second_migration_moves_with_them() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let first = title_in_transition(project);
    let second = first
        .replace(
            "pub code",
            "#[zdm(renamed_from = \"code\")]\n    pub number",
        )
        .replace(
            "#[zdm(index = \"idx_places_both\")]\n    pub city",
            "#[zdm(renamed_from = \"city\", index = \"idx_places_both\")]\n    pub town",
        )
        .replace(
            "pub note: Option<String>",
            "#[zdm(up = \"'none'\")]\n    pub note: String",
        );
    project.write("src/models.rs", &second);
    project.done(&["generate", "town"]);
    let third = second.replace(
        "pub note: String,",
        "pub note: String,\n    #[zdm(up = \"'at ' || town\")]\n    pub address: String,",
    );
    project.write("src/models.rs", &third);
    waits(
        project,
        "by way of town, which belongs to the transition",
        "0003_town",
    );
    project.write("src/models.rs", &second);
    project.done(&["check"]);
    project.done(&["expand"]);

    let early = project.zdm(&["switch", "town", "--to", "dual_write"]);
    assert_eq!(early.code, 4, "{early:#?}");
    early.says("0002_title came before it on the same table and is at off");
    way(project, "title", TO_SHADOW);
    way(project, "title", TO_COMPLETE);
    way(project, "town", TO_SHADOW);
    // In the repository the first is over while the second is on its way.
    project.done(&["finalize", "title"]);
    project.done(&["check"]);
    way(project, "title", &["contract"]);
    way(project, "town", TO_COMPLETE);
    project.done(&["finalize"]);
    project.done(&["check"]);
    way(project, "town", &["contract"]);
    assert_eq!(
        project.value("SELECT title || number || town || note FROM places"),
        "adaaherenone"
    );
}

/// A rebuild of the second migration knows nothing of what the first one still has to drop: it waits for that.
#[test]
fn on_sqlite_a_rebuild_waits_until_the_first_migration_is_contracted() {
    let project = &Project::sqlite("");
    let first = title_in_transition(project);
    let second = first.replace(
        "#[zdm(index = \"idx_places_both\")]\n    pub city",
        "#[zdm(renamed_from = \"city\", index = \"idx_places_both\")]\n    pub town",
    );
    project.write("src/models.rs", &second);
    project.done(&["generate", "town"]);
    project.done(&["check"]);
    project.done(&["expand"]);
    way(project, "title", TO_SHADOW);
    way(project, "title", TO_COMPLETE);
    way(project, "town", &TO_SHADOW[..3]);
    let early = project.zdm(&["switch", "town", "--to", "shadow"]);
    assert_eq!(early.code, 4, "{early:#?}");
    early.says("0002_title came before it on the same table and is not contracted");
    assert_eq!(project.value("SELECT name FROM places"), "ada");
    project.done(&["finalize", "title"]);
    way(project, "title", &["contract"]);
    way(project, "town", &TO_SHADOW[3..]);
    way(project, "town", TO_COMPLETE);
    project.done(&["finalize"]);
    way(project, "town", &["contract"]);
    assert_eq!(project.value("SELECT title || town FROM places"), "adahere");
}

/// What is not built for several migrations at once is refused with the way on.
#[test]
fn what_takes_the_table_for_itself_waits() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let first = title_in_transition(project);
    for (attributes, change) in [
        (
            "#[zdm(from(\"city\"), up = \"lower(city)\", one_way)]\n    pub town: String,",
            "(`one_way`)",
        ),
        (
            "#[zdm(column = \"town\", from(\"city\"), up = \"city::integer\", down = \"town::text\", on_invalid = \"null\", final_name = \"city\")]\n    pub city: Option<i32>,",
            "(`final_name`)",
        ),
    ] {
        let column = "#[zdm(index = \"idx_places_both\")]\n    pub city: String,";
        project.write("src/models.rs", &first.replace(column, attributes));
        waits(project, change, "0002_title");
    }
}

/// Another pair, and even a column, where the version has stages to follow because of another table.
#[test]
fn nothing_with_stages_comes_beside_a_one_way_pair() {
    let project = &Project::sqlite("");
    user_crate(project);
    let other = "\n#[derive(Migratable)]\npub struct Tag {\n    #[zdm(primary_key)]\n    pub id: i64,\n    pub word: Option<String>,\n}\n";
    let places = PLACES.to_owned() + other;
    project.write("src/models.rs", &places);
    project.done(&["init"]);
    let title = "#[zdm(from(\"name\"), up = \"lower(name)\", one_way)]\n    pub title";
    let first = places.replace("pub name", title);
    project.write("src/models.rs", &first);
    project.done(&["generate", "title"]);
    let remark = "#[zdm(renamed_from = \"note\")]\n    pub remark";
    project.write("src/models.rs", &first.replace("pub note", remark));
    waits(
        project,
        "goes through all five phases, while writes",
        "0002_title",
    );
    let text = "#[zdm(renamed_from = \"word\")]\n    pub text";
    let more = "pub more: Option<i64>,\n    pub note";
    project.write(
        "src/models.rs",
        &first.replace("pub word", text).replace("pub note", more),
    );
    waits(
        project,
        "goes through all five phases, while writes",
        "0002_title",
    );
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
