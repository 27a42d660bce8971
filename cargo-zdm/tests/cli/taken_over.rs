//! Names that go over: what is refused, what waits, and what `check` says meanwhile.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

fn models(structs: &str) -> String {
    format!("use zdm_runtime::Migratable;\n\n{structs}")
}

fn user(attributes: &str, fields: &str) -> String {
    format!(
        "#[derive(Migratable)]\n{attributes}\npub struct User {{\n    #[zdm(primary_key)]\n    pub id: i64,\n    {fields}\n}}\n"
    )
}

fn begun(project: &Project, structs: &str) {
    user_crate(project);
    project.write("src/models.rs", &models(structs));
    project.done(&["init", "--dialect", "postgres"]);
    be_hasty(project);
}

fn refused(project: &Project, structs: &str, words: &str) {
    project.write("src/models.rs", &models(structs));
    let run = project.cargo_zdm(&["generate", "more"]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says(words);
}

#[test]
fn check_is_content_while_a_name_goes_over() {
    let project = Project::sqlite("");
    begun(&project, &user("", "pub amount: i32,"));
    let wider = user(
        "",
        "#[zdm(from(\"amount\"), final_name = \"amount\")]\n    pub amount: i64,",
    );
    project.write("src/models.rs", &models(&wider));
    project.done(&["generate", "wider"]);
    let checked = project.cargo_zdm(&["check"]);
    assert_eq!(checked.code, 0, "{checked:#?}");
}

#[test]
fn a_column_of_the_same_type_takes_over_no_name() {
    let project = Project::sqlite("");
    begun(&project, &user("", "pub email: String,"));
    let lower = "#[zdm(from(\"email\"), up = \"lower(email)\", down = \"email_new\", final_name = \"email\")]\n    pub email: String,";
    refused(
        &project,
        &user("", lower),
        "it takes over the name of a column of the same type",
    );
}

#[test]
fn tables_that_exchange_or_share_a_name_are_refused() {
    let project = Project::sqlite("");
    let two = user("", "")
        + &user("#[zdm(table = \"clients\")]", "").replace("struct User", "struct Client");
    begun(&project, &two);
    let exchanged = user("#[zdm(renamed_from = \"clients\")]", "")
        + &user("#[zdm(table = \"clients\", renamed_from = \"users\")]", "")
            .replace("struct User", "struct Client");
    refused(&project, &exchanged, "and both were there before");
    let twice = user("#[zdm(table = \"people\", renamed_from = \"users\")]", "")
        + &user("#[zdm(table = \"persons\", renamed_from = \"users\")]", "")
            .replace("struct User", "struct Person");
    refused(
        &project,
        &twice,
        "`users` is renamed to `people` and to `persons`",
    );
}

#[test]
fn a_foreign_key_onto_a_column_in_transition_waits() {
    let project = Project::sqlite("");
    begun(&project, &user("", "#[zdm(unique)]\n    pub code: i32,"));
    let renamed = user(
        "",
        "#[zdm(unique, renamed_from = \"code\")]\n    pub nr: i32,",
    );
    project.write("src/models.rs", &models(&renamed));
    project.done(&["generate", "nr"]);
    let pet = "#[derive(Migratable)]\npub struct Pet {\n    #[zdm(primary_key)]\n    pub id: i64,\n    \
               #[zdm(references = \"users(nr)\")]\n    pub who: i32,\n}\n";
    refused(
        &project,
        &(renamed + pet),
        "refers to its nr by the foreign key fk_pets_who",
    );
}

#[test]
fn what_names_a_table_waits_until_it_has_its_name() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    begun(&project, &user("", "pub score: i64,"));
    project.done(&["expand"]);
    let renamed = "#[zdm(table = \"people\", renamed_from = \"users\")]";
    project.write("src/models.rs", &models(&user(renamed, "pub score: i64,")));
    project.done(&["generate", "people"]);
    project.done(&["expand"]);
    let default = user(
        "#[zdm(table = \"people\")]",
        "#[zdm(default = \"7\")]\n    pub score: i64,",
    );
    project.write("src/models.rs", &models(&default));
    project.done(&["generate", "score"]);
    let waits = project.zdm(&["expand", "score"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("people is a view of users until 0002_people gives the table its name");
    project.done(&["switch", "people", "--to", "complete"]);
    project.done(&["contract", "people"]);
    project.done(&["expand", "score"]);
    project.execute("INSERT INTO people (id) VALUES (1)");
    assert_eq!(project.value("SELECT score::text FROM people"), "7");
}
