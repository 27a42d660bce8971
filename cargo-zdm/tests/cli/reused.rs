//! A name that a version still has to drop is not given away before its contract.

use zdm_tests::postgres::Server;

use crate::generate::{AFTER, BEFORE, be_hasty, user_crate};
use crate::project::{Project, Run};

const OLD: &str = "pub name: String,\n    pub x: Option<i32>";
const NEW: &str = "pub name: String,\n    pub x: Option<String>";

fn model(fields: &str) -> String {
    BEFORE.replace("pub name: String", fields)
}

/// `x` is a number, is dropped, and comes back as text; the database has the first two versions.
fn dropped_and_back(project: &Project) {
    user_crate(project);
    project.write("src/models.rs", &model(OLD));
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name, x) VALUES ('ada', 36)");
    let dropped = BEFORE.replace("pub struct", "#[zdm(drops(\"x\"))]\npub struct");
    project.write("src/models.rs", &dropped);
    project.done(&["generate", "no_x"]);
    project.done(&["expand"]);
    project.write("src/models.rs", &model(NEW));
    project.done(&["generate", "x_again"]);
}

fn waits(run: &Run, name: &str) {
    assert_eq!(run.code, 4, "{run:#?}");
    run.says("names_free");
    run.says(name);
}

#[test]
fn a_dropped_name_waits_for_its_contract_on_sqlite() {
    a_dropped_name_waits_for_its_contract(&Project::sqlite(""));
}

#[test]
fn a_dropped_name_waits_for_its_contract_on_postgres() {
    let server = Server::start();
    a_dropped_name_waits_for_its_contract(&Project::on(server.database("app"), ""));
}

fn a_dropped_name_waits_for_its_contract(project: &Project) {
    dropped_and_back(project);
    waits(&project.zdm(&["expand"]), "contract 0002_no_x first");
    waits(&project.zdm(&["expand", "x_again"]), "the column users.x");
    waits(&project.zdm(&["advance", "--before-deploy"]), "0002_no_x");
    project.done(&["status"]).says("contract 0002_no_x first");
    project
        .done(&["expand", "--dry-run"])
        .says("contract 0002_no_x first");
    assert_eq!(project.value("SELECT x FROM users"), "36");
    assert_eq!(project.stage("x_again"), "absent");

    // Contracted first, expanded then, in one go.
    project.done(&["advance"]);
    assert_eq!(project.stage("no_x"), "contracted");
    assert_eq!(project.stage("x_again"), "expanded");
    project.execute("UPDATE users SET x = 'text'");
    assert_eq!(project.value("SELECT x FROM users"), "text");
}

/// Versions behind the one that waits wait with it.
#[test]
fn what_comes_later_waits_as_well() {
    let project = Project::sqlite("");
    dropped_and_back(&project);
    let noted = format!("{NEW},\n    pub note: Option<String>");
    project.write("src/models.rs", &model(&noted));
    project.done(&["generate", "note"]);
    project.write(
        "zdm.toml",
        &std::fs::read_to_string(project.path("zdm.toml"))
            .unwrap()
            .replace("soak = \"0s\"", "soak = \"1d\""),
    );
    let run = project.zdm(&["advance"]);
    assert_eq!(run.code, 4, "{run:#?}");
    run.says("expand, after that of 0003_x_again, has to wait");
    assert_eq!(project.stage("note"), "absent");
}

/// Nothing holds data or runs yet, and the checked-in code names only the new one.
#[test]
fn a_fresh_database_has_the_name_at_once() {
    let project = Project::sqlite("");
    dropped_and_back(&project);
    std::fs::remove_file(project.path("app.db")).unwrap();
    let _ = std::fs::remove_file(project.path("app.db-wal"));
    let _ = std::fs::remove_file(project.path("app.db-shm"));
    project.done(&["expand"]);
    assert_eq!(project.stage("no_x"), "contracted");
    project.execute("INSERT INTO users (name, x) VALUES ('ada', 'text')");
}

/// A constraint goes during expand, so its name is free at once: there is no contract to wait for.
#[test]
fn a_name_that_is_gone_already_is_free() {
    let project = Project::sqlite("");
    let check = |rule: &str| {
        let check = format!("#[zdm(check(name = \"named\", expr = \"{rule}\"))]\npub struct");
        BEFORE.replace("pub struct", &check)
    };
    user_crate(&project);
    project.write("src/models.rs", &check("name <> ''"));
    project.done(&["init"]);
    project.done(&["expand"]);
    project.write("src/models.rs", BEFORE);
    project.done(&["generate", "no_check"]);
    project.done(&["expand"]);
    project.write("src/models.rs", &check("length(name) > 1"));
    project.done(&["generate", "check_again"]);
    project.done(&["expand"]);
    assert_eq!(project.stage("check_again"), "expanded");
}

#[test]
fn a_renamed_name_waits_for_its_contract_on_sqlite() {
    a_renamed_name_waits_for_its_contract(&Project::sqlite(""));
}

#[test]
fn a_renamed_name_waits_for_its_contract_on_postgres() {
    let server = Server::start();
    a_renamed_name_waits_for_its_contract(&Project::on(server.database("app"), ""));
}

/// There and back: `name` → `full_name` → `name`.
fn a_renamed_name_waits_for_its_contract(project: &Project) {
    user_crate(project);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada')");
    project.write("src/models.rs", AFTER);
    project.done(&["generate"]);
    let run = project.zdm(&["advance"]);
    assert_eq!(run.code, 4, "{run:#?}");
    project.done(&["finalize"]);
    let back = BEFORE.replace(
        "pub name",
        "#[zdm(renamed_from = \"full_name\")]\n    pub name",
    );
    project.write("src/models.rs", &back);
    project.done(&["generate"]);
    waits(
        &project.zdm(&["advance", "--before-deploy"]),
        "the column users.name",
    );
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("users_full_name"), "contracted");
    assert_eq!(project.stage("users_name"), "complete");
    assert_eq!(project.value("SELECT name FROM users"), "ada");
    project.done(&["finalize"]);
    project.done(&["advance"]);
    assert_eq!(project.value("SELECT name FROM users"), "ada");
}

#[test]
fn a_column_that_nobody_recorded_is_named_on_sqlite() {
    a_column_that_nobody_recorded_is_named(&Project::sqlite(""));
}

#[test]
fn a_column_that_nobody_recorded_is_named_on_postgres() {
    let server = Server::start();
    a_column_that_nobody_recorded_is_named(&Project::on(server.database("app"), ""));
}

fn a_column_that_nobody_recorded_is_named(project: &Project) {
    user_crate(project);
    project.done(&["init"]);
    project.done(&["expand"]);
    project.execute("ALTER TABLE users ADD COLUMN x integer");
    project.execute("INSERT INTO users (name, x) VALUES ('ada', 36)");
    project.write("src/models.rs", &model(NEW));
    project.done(&["generate", "x"]);
    let run = project.zdm(&["expand"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("find out whose it is: rename");
    assert_eq!(project.stage("x"), "absent");
    assert_eq!(project.value("SELECT x FROM users"), "36");
}

/// The later version is expanded after a rollback of the earlier one has looked, just before it claims: the trigger plays it.
#[test]
fn no_version_is_taken_back_under_one_that_comes() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.write("src/models.rs", &model(OLD));
    project.done(&["generate", "with_x"]);

    let claimed = "INSERT OR REPLACE INTO zdm_operator (migration, owner, lease_epoch, lease_until)
                   VALUES ('versions', 'grace@elsewhere (pid 7)', 7, unixepoch() * 1000 + 600000)";
    project.execute(claimed);
    for command in [&["rollback", "init"], &["expand", "with_x"]] {
        let run = project.zdm(command);
        assert_eq!(run.code, 4, "{run:#?}");
        run.says(
            "grace@elsewhere (pid 7) is moving a version into effect, or out of it, at present",
        );
    }
    assert_eq!(project.stage("init"), "expanded");
    assert_eq!(project.stage("with_x"), "absent");
    project.execute("DELETE FROM zdm_operator WHERE migration = 'versions'");

    let plan = std::fs::read_to_string(project.path("zdm/0002_with_x/plan.toml")).unwrap();
    let id = plan
        .split("id = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    project.execute(&format!(
        "CREATE TRIGGER expands AFTER INSERT ON zdm_operator WHEN NEW.migration = 'versions' BEGIN
         INSERT INTO zdm_migration (migration, version, name, content_hash, route, expanded_at)
         VALUES ('{id}', 2, 'with_x', '', 'direct', 1); END"
    ));
    let run = project.zdm(&["rollback", "init"]);
    assert_eq!(run.code, 4, "{run:#?}");
    run.says("nothing_stands_on_it");
    assert_eq!(project.value("SELECT count(*) FROM users"), "0");
}
