//! A key's column under another name: what stands in the way, and what waits meanwhile.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const OLD: &str = "#[zdm(primary_key)]\n    pub id: i64,";
const RENAMED: &str = "#[zdm(primary_key, renamed_from = \"id\")]\n    pub account: i64,";
const LAST: &str = "#[zdm(primary_key)]\n    pub account: i64,";
const PET: &str = "\n#[derive(Migratable)]\npub struct Pet {\n    #[zdm(primary_key)]\n    pub id: i64,\n    \
                   #[zdm(references = \"users(account)\")]\n    pub owner: i64,\n}\n";

fn models(key: &str, name: &str, more: &str) -> String {
    format!(
        "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\npub struct User {{\n    {key}\n    {name}\n}}\n{more}"
    )
}

const NAME: &str = "pub name: String,";

/// The first version is expanded, the second one generated.
fn renamed(project: &Project) {
    user_crate(project);
    project.write("src/models.rs", &models(OLD, NAME, ""));
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users VALUES (1, 'one')");
    project.write("src/models.rs", &models(RENAMED, NAME, ""));
    project.done(&["generate", "accounts"]);
}

#[test]
fn what_names_the_key_waits_until_the_code_is_final() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    renamed(&project);
    let other = "pub name: String,\n    pub age: Option<i32>,";
    let replaced = "#[zdm(renamed_from = \"name\")]\n    pub called: String,";
    for models in [
        models(RENAMED, NAME, PET),
        models(RENAMED, other, ""),
        models(RENAMED, replaced, ""),
    ] {
        project.write("src/models.rs", &models);
        let run = project.cargo_zdm(&["generate", "more"]);
        assert_eq!(run.code, 1, "{run:#?}");
        run.says("0002_accounts");
        run.says("in transition");
    }
    project.write("src/models.rs", &models(RENAMED, NAME, ""));
    project.done(&["expand"]);
    project.done(&["finalize"]);
    let text = std::fs::read_to_string(project.path("src/models.rs")).unwrap();
    assert_eq!(text, models(LAST, NAME, ""));
    project.write("src/models.rs", &models(LAST, NAME, PET));
    project.done(&["generate", "pets"]);
    let waits = project.zdm(&["expand", "pets"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    assert!(!waits.out.contains("expand 0003_pets"), "{waits:#?}");
    waits.says("the key of users has its new names in a view alone until 0002_accounts gives them to the table");
    project.done(&["switch", "accounts", "--to", "ramp_down"]);
    project.done(&["switch", "accounts", "--to", "complete"]);
    project.done(&["contract", "accounts"]);
    project.done(&["expand", "pets"]);
    project.execute("INSERT INTO pets SELECT 7, account FROM users");
}

/// Every write would fail once the column has another name.
#[test]
fn a_trigger_that_reads_the_column_is_told_before_names_change() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    renamed(&project);
    project.execute(
        "CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM NEW.id; RETURN NEW; END'",
    );
    project.execute(
        "CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touched()",
    );
    let waits = project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("trigger touch names the column users.id, which becomes account (zdm/raw/release)");
    std::fs::create_dir_all(project.path("zdm/raw/release")).unwrap();
    project.write(
        "zdm/raw/release/before_touch.up.sql",
        "DROP TRIGGER touch ON users;\n",
    );
    let down =
        "CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touched();\n";
    project.write("zdm/raw/release/before_touch.down.sql", down);
    project.done(&["generate", "--amend"]);
    project.done(&["expand"]);
    project.execute(
        "CREATE TRIGGER later AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION touched()",
    );
    project.execute("CREATE VIEW shown AS SELECT id, name FROM users");
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("trigger later names the column users.id");
    project.execute("DROP TRIGGER later ON users");
    project.done(&["switch", "--to", "complete"]);
    assert_eq!(
        project.value("SELECT string_agg(id || name, ' ') FROM shown"),
        "1one"
    );
    project.done(&["rollback", "--to", "absent"]);
    project.execute("UPDATE users SET name = 'two' WHERE id = 1");
    assert_eq!(
        project.value("SELECT string_agg(id || name, ' ') FROM shown"),
        "1two"
    );
}

/// A fresh database has the names of the end at once.
#[test]
fn a_fresh_database_has_the_new_names() {
    let server = Server::start();
    let mut project = Project::on(server.database("app"), "");
    renamed(&project);
    project.done(&["finalize"]);
    project.url = server.database("fresh");
    project.done(&["expand"]);
    project.execute("INSERT INTO users (account, name) VALUES (1, 'one')");
    project.zdm(&["status"]).says("0002_accounts: contracted");
}
