//! From a struct to a contracted migration, in a user's crate: init, change the struct, generate, check, the whole way,
//! finalize.

use crate::database::HASTY;
use crate::project::Project;
use zdm_tests::postgres::Server;

pub(crate) const BEFORE: &str = r"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub name: String,
}
";

pub(crate) const AFTER: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
}
"#;

/// A crate with one model and no `zdm.toml`.
pub(crate) fn user_crate(project: &Project) {
    std::fs::remove_file(project.path("zdm.toml")).unwrap();
    std::fs::remove_dir(project.path("zdm")).unwrap();
    std::fs::create_dir(project.path("src")).unwrap();
    let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../zdm-runtime");
    project.write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nzdm-runtime = {{ path = {runtime:?} }}\n\n[workspace]\n"
        ),
    );
    project.write("src/lib.rs", "pub mod models;\n");
    project.write("src/models.rs", BEFORE);
}

/// Puts [`HASTY`] in place of the careful policy that `init` writes.
pub(crate) fn be_hasty(project: &Project) {
    let written = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    let (head, _) = written.split_once("[policy]").unwrap();
    project.write("zdm.toml", &format!("{head}[policy]\n{HASTY}\n"));
}

#[test]
fn from_struct_to_contract_on_sqlite() {
    from_struct_to_contract(&Project::sqlite(""));
}

#[test]
fn from_struct_to_contract_on_postgres() {
    let server = Server::start();
    from_struct_to_contract(&Project::on(server.database("app"), ""));
}

fn from_struct_to_contract(project: &Project) {
    user_crate(project);
    let init = project.done(&["init", "--format", "json"]).object();
    assert_eq!(init["version"], "0001_init", "{init}");
    be_hasty(project);
    let lib = std::fs::read_to_string(project.path("src/lib.rs")).unwrap();
    assert!(lib.contains("mod zdm;"), "{lib}");
    assert_eq!(project.zdm(&["init"]).code, 2);
    project
        .done(&["check"])
        .says("everything is as it would be");
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada'), ('grace')");

    project.write("src/models.rs", AFTER);
    let stale = project.zdm(&["check", "--format", "json"]);
    assert_eq!(stale.code, 1, "{stale:#?}");
    assert!(!stale.object()["findings"].as_array().unwrap().is_empty());
    project.done(&["diff"]).says("full_name");
    let diff = project.done(&["diff", "--format", "json"]).object();
    let phases = &diff["explained"][0]["phases"];
    assert_eq!(phases.as_array().map(Vec::len), Some(5), "{diff}");
    assert_eq!(phases[1]["phase"], "dual_write", "{diff}");
    let reason = "old and new instances run side by side, so every write keeps both sides";
    assert_eq!(phases[1]["reasons"][0], reason, "{diff}");
    let dry = project
        .done(&["generate", "--dry-run", "--format", "json"])
        .object();
    assert_eq!(dry["version"]["route"], "five_phases", "{dry}");
    assert!(!project.path("zdm/0002_users_full_name").exists());
    let generated = project.cargo_zdm(&["zdm-is-no-command"]);
    assert_eq!(generated.code, 2);
    let generated = project.cargo_zdm(&["generate", "--format", "json"]);
    assert_eq!(generated.code, 0, "{generated:#?}");
    assert_eq!(
        generated.object()["version"]["folder"],
        "0002_users_full_name"
    );
    project.done(&["check"]);
    project.done(&["generate"]).says("nothing has changed");
    project.done(&["review"]).says("full_name");

    project.done(&["advance", "--before-deploy"]);
    let waits = project.zdm(&["advance", "--format", "json"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("cargo zdm finalize");
    assert_eq!(project.stage("users_full_name"), "complete");
    assert_eq!(
        project.value("SELECT full_name FROM users ORDER BY full_name LIMIT 1"),
        "ada"
    );

    let finalized = project
        .done(&["finalize", "2", "--format", "json"])
        .object();
    assert_eq!(
        finalized["finalized"][0], "0002_users_full_name",
        "{finalized}"
    );
    let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    assert!(!models.contains("renamed_from"), "{models}");
    project.done(&["check"]);
    project.done(&["advance"]);
    assert_eq!(project.stage("users_full_name"), "contracted");
    project
        .done(&["finalize"])
        .says("no migration is in transition");
}

#[test]
fn a_rename_that_nobody_declared_is_not_guessed() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    project.write(
        "src/models.rs",
        &AFTER.replace("    #[zdm(renamed_from = \"name\")]\n", ""),
    );
    let run = project.zdm(&["generate", "--format", "json"]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("renamed_from");
    run.says("drops");
    assert!(!project.path("zdm/0002_users_full_name").exists());
}

/// `script` gives the command a terminal of its own and types what it reads.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_the_answer_is_written_into_the_struct() {
    use std::io::Write as _;
    if !Project::has_terminals() {
        // Past the capture of the test's output, so that it is seen.
        let note = "not run: this system gives no pseudo-terminals (no /dev/pts)";
        writeln!(std::io::stderr(), "generate on a terminal: {note}").unwrap();
        return;
    }
    let renamed = "    #[zdm(renamed_from = \"name\")]\n    pub full_name";
    let dropped = "#[zdm(drops(\"name\"))]\npub struct User";
    for (answer, attribute, code, says) in [
        ("1", Some(renamed), 0, "rename `users.name` to `full_name`"),
        // What old code is to see in a NOT NULL column that goes is another question.
        ("2", Some(dropped), 1, "your answers stand in the structs"),
        ("no", None, 1, "Nothing is guessed"),
    ] {
        let project = Project::sqlite("");
        user_crate(&project);
        project.done(&["init"]);
        let undeclared = AFTER.replace("    #[zdm(renamed_from = \"name\")]\n", "");
        project.write("src/models.rs", &undeclared);
        let run = project.on_a_terminal("generate", answer);
        assert_eq!(run.code, code, "{run:#?}");
        run.says("What became of its values?");
        run.says(says);
        let models = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
        let generated = project.path("zdm/0002_users_full_name").exists();
        match attribute {
            Some(attribute) => assert!(models.contains(attribute), "{models}"),
            None => assert_eq!(models, undeclared),
        }
        assert_eq!(generated, code == 0);
    }
}

#[test]
fn a_mistake_in_a_model_is_shown_at_its_place() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write(
        "src/models.rs",
        &BEFORE.replace("primary_key", "primary_kee"),
    );
    let run = project.zdm(&["init"]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("src/models.rs:6");
    assert!(!run.err.contains("error: error:"), "{run:#?}");
    assert!(!project.path("zdm.toml").exists());
}

#[test]
fn an_edited_version_is_a_finding() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    let up = "zdm/0001_init/1_expand/up.sql";
    let sql = std::fs::read_to_string(project.path(up)).unwrap();
    project.write(up, &sql.replace("users", "people"));
    let run = project.zdm(&["check"]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says(up.strip_prefix("zdm/0001_init/").unwrap());
}

#[test]
fn tables_that_exist_are_recorded_as_a_baseline() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    project.execute("INSERT INTO users (name) VALUES ('ada')");
    project.done(&["init", "--baseline"]);
    let expanded = project.done(&["expand", "--format", "json"]).object();
    assert_eq!(expanded["expanded"][0]["did"], "adopt", "{expanded}");
    assert_eq!(project.value("SELECT count(*) FROM users"), "1");
}

#[test]
fn short_routes_go_to_their_end_on_sqlite() {
    short_routes_go_to_their_end(&Project::sqlite(""));
}

#[test]
fn short_routes_go_to_their_end_on_postgres() {
    let server = Server::start();
    short_routes_go_to_their_end(&Project::on(server.database("app"), ""));
}

fn short_routes_go_to_their_end(project: &Project) {
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["advance"]);
    project.execute("INSERT INTO users (name) VALUES ('ada')");

    let with_note = BEFORE.replace(
        "name: String,",
        "name: String,\n    pub note: Option<String>,",
    );
    project.write("src/models.rs", &with_note);
    let direct = project
        .done(&["generate", "note", "--format", "json"])
        .object();
    assert_eq!(direct["version"]["route"], "direct", "{direct}");
    project.done(&["advance"]);
    assert_eq!(project.stage("note"), "expanded");
    assert_eq!(project.value("SELECT note FROM users"), "NULL");

    let dropped = BEFORE.replace("pub struct", "#[zdm(drops(\"note\"))]\npub struct");
    project.write("src/models.rs", &dropped);
    let drop = project
        .done(&["generate", "no_note", "--format", "json"])
        .object();
    assert_eq!(drop["version"]["route"], "expand_contract", "{drop}");
    project.done(&["expand"]);
    project
        .done(&["contract", "no_note", "--dry-run"])
        .says("note");
    assert_eq!(project.zdm(&["contract"]).code, 4);
    project.done(&["switch", "--to", "complete"]);
    let back = project.done(&["rollback", "--format", "json"]).object();
    assert_eq!(back["to"], "off", "{back}");
    assert_eq!(project.zdm(&["advance"]).code, 4);
    project.done(&["resume", "no_note"]);
    project.done(&["advance"]);
    assert_eq!(project.stage("no_note"), "contracted");
    let status = project.done(&["status", "--format", "json"]).object();
    assert!(
        status["migrations"]
            .as_array()
            .unwrap()
            .iter()
            .all(|migration| migration["done"] == true),
        "{status}"
    );
}

#[test]
fn rows_that_cannot_be_converted_wait_in_quarantine() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write(
        "src/models.rs",
        &BEFORE.replace("name: String", "age: String"),
    );
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (age) VALUES ('36'), ('many'), ('unknown')");
    let after = BEFORE.replace(
        "    pub name: String",
        "    #[zdm(column = \"age_int\", from(\"age\"), up = \"CAST(age AS INTEGER)\", \
         down = \"CAST(age_int AS TEXT)\", valid_if = \"age NOT GLOB '*[^0-9]*' AND age <> ''\", \
         on_invalid = \"quarantine\")]\n    pub age: Option<i32>",
    );
    project.write("src/models.rs", &after);
    project.done(&["generate"]);
    project.done(&["expand"]);
    project.done(&["switch", "--to", "dual_write"]);
    let filled = project.done(&["backfill", "--format", "json"]).object();
    assert_eq!(filled["quarantined"], 2, "{filled}");

    let listed = project
        .done(&["quarantine", "list", "--format", "json"])
        .object();
    assert_eq!(listed["rows"].as_array().unwrap().len(), 2, "{listed}");
    project.execute("UPDATE users SET age = '7' WHERE id = 2");
    let fixed = project.zdm(&["quarantine", "fix", "--format", "json"]);
    assert_eq!(fixed.code, 1, "{fixed:#?}");
    assert_eq!(fixed.object()["converted"], 1);
    assert_eq!(project.value("SELECT age_int FROM users WHERE id = 2"), "7");
    assert_eq!(project.zdm(&["quarantine", "waive"]).code, 2);
    assert_eq!(
        project.zdm(&["quarantine", "waive", "--reason", " "]).code,
        2
    );
    let row = [
        "quarantine",
        "waive",
        "--table",
        "users",
        "--key",
        "3",
        "--reason",
        "test",
        "--format",
        "json",
    ];
    assert_eq!(project.done(&row).object()["waived"], 1);
    let again = project
        .done(&["quarantine", "fix", "--format", "json"])
        .object();
    assert_eq!(
        (&again["waived"], &again["converted"]),
        (&1.into(), &0.into())
    );
    project.execute("UPDATE users SET age = '8' WHERE id = 3");
    let mended = project
        .done(&["quarantine", "fix", "--format", "json"])
        .object();
    assert_eq!(
        (&mended["waived"], &mended["converted"]),
        (&0.into(), &1.into())
    );
    project.done(&["verify"]);
    project.done(&["finalize"]);
    project.done(&["advance"]);
    assert_eq!(
        project.value("SELECT count(*) FROM users WHERE age_int IS NULL"),
        "0"
    );
}
