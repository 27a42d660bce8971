//! A `zdm.toml` written by hand: `generate` says what the crate lacks to have the code in it.

use crate::generate::user_crate;
use crate::project::Project;

#[test]
fn code_that_no_module_declares_is_told_until_one_does() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write("zdm.toml", "[database]\ndialect = \"sqlite\"\n");
    let told =
        "src/lib.rs has no module for the code, so it is no part of the crate: add\npub mod zdm;";
    project.done(&["generate"]).says(told);
    let again = project.done(&["generate"]);
    again.says("nothing has changed");
    again.says(told);
    let object = project.done(&["generate", "--format", "json"]).object();
    assert_eq!(object["undeclared"]["file"], "src/lib.rs", "{object}");
    assert_eq!(object["undeclared"]["line"], "pub mod zdm;", "{object}");
    for declared in [
        "pub mod models;\npub mod zdm;\n",
        "pub mod models;\nmod db { #[path = \"../zdm/mod.rs\"] pub mod made; }\n",
    ] {
        project.write("src/lib.rs", declared);
        let object = project.done(&["generate", "--format", "json"]).object();
        assert!(object["undeclared"].is_null(), "{declared}: {object}");
    }
}

#[test]
fn a_crate_without_models_is_told_what_comes_first() {
    let project = Project::sqlite("");
    user_crate(&project);
    let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    project.write("src/models.rs", "");
    project
        .done(&["init"])
        .says("derive `Migratable` on a struct");
    project.write("src/models.rs", &models);
    project.done(&["generate"]).says("add\npub mod zdm;");
}

#[test]
fn init_adds_no_second_module_for_the_code() {
    let project = Project::sqlite("");
    user_crate(&project);
    let declared = "pub mod models;\npub mod db;\n";
    project.write("src/lib.rs", declared);
    project.write("src/db.rs", "pub mod zdm;\n");
    project.write(
        "zdm.toml",
        "[database]\ndialect = \"sqlite\"\n[generate]\ncode = \"src/db/zdm\"\n",
    );
    project.done(&["init"]);
    let root = std::fs::read_to_string(project.path("src/lib.rs")).unwrap();
    assert_eq!(root, declared);
}
