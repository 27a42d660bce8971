//! A database that is not in UTF-8: what the tool writes has no character that such a one lacks.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

/// Another name, and another type, whose conversion is a function in the database.
const AFTER: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
    #[zdm(
        from("age"),
        column = "age_years",
        up = "CAST(age AS integer)",
        down = "CAST(age_years AS text)",
        valid_if = "age ~ '^[0-9]{1,9}$'",
        on_invalid = "quarantine"
    )]
    pub age: Option<i32>,
}
"#;

/// A word with a character that LATIN1 has, and one that it lacks.
const REASON: &str = "Störung → 4711";

fn from_expand_to_contract(project: &Project) {
    user_crate(project);
    let before = BEFORE.replace(
        "pub name: String",
        "pub name: String,\n    pub age: Option<String>",
    );
    project.write("src/models.rs", &before);
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute(
        "INSERT INTO users (name, age) VALUES ('Zoë', '7'), ('ada', NULL), ('eve', 'old')",
    );
    project.write("src/models.rs", AFTER);
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
    project.done(&["switch", "two", "--to", "dual_write"]);
    project.done(&["pause", "two", "--reason", REASON]);
    project.done(&["resume", "two", "--reason", REASON]);
    project.done(&["backfill", "two"]).says("1 into quarantine");
    project.execute("UPDATE users SET age = '8', age_years = 8 WHERE name = 'eve'");
    project.done(&["verify", "two"]).says("checksum of old");
    for command in [
        &["switch", "two", "--to", "shadow"][..],
        &["switch", "two", "--to", "100%"],
        &["verify", "two"],
        &["switch", "two", "--to", "ramp_down"],
        &["switch", "two", "--to", "complete"],
        &["rollback", "two", "--to", "absent"],
        &["resume", "two"],
        &["expand"],
        &["switch", "two", "--to", "dual_write"],
        &["backfill", "two"],
        &["verify", "two"],
        &["switch", "two", "--to", "shadow"],
        &["switch", "two", "--to", "100%"],
        &["verify", "two"],
        &["switch", "two", "--to", "ramp_down"],
        &["switch", "two", "--to", "complete"],
        &["finalize"],
        &["contract", "two"],
        &["status", "--audit"],
    ] {
        project.done(command);
    }
    let names =
        "SELECT string_agg(full_name || coalesce(age_years, 0), ' ' ORDER BY id) FROM users";
    assert_eq!(project.value(names), "Zoë7 ada0 eve8");
    project.done(&["status", "--audit"]).says("4711");
}

#[test]
fn from_expand_to_contract_in_latin1() {
    let server = Server::start();
    let url = server.database_in("LATIN1", "app");
    from_expand_to_contract(&Project::on(url, ""));
}

/// Whoever has agreed is the same person, however the database has the name.
#[test]
fn nobody_agrees_with_himself_in_latin1() {
    let server = Server::start();
    let project = &Project::on(server.database_in("LATIN1", "app"), "");
    user_crate(project);
    project.write("src/models.rs", BEFORE);
    project.done(&["init"]);
    be_hasty(project);
    let policy = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    project.write("zdm.toml", &format!("{policy}approvals = 1\n"));
    project.done(&["expand"]);
    let renamed = "#[zdm(renamed_from = \"name\")]\n    pub full_name";
    project.write("src/models.rs", &BEFORE.replace("pub name", renamed));
    project.done(&["generate", "two"]);
    for command in [
        &["expand"][..],
        &["switch", "--to", "dual_write"],
        &["backfill"],
        &["verify"],
        &["switch", "--to", "shadow"],
        &["switch", "--to", "100%"],
        &["verify"],
        &["switch", "--to", "ramp_down"],
        &["switch", "--to", "complete"],
        &["finalize"],
        &["approve", "two"],
    ] {
        project.done(&[command, &["--actor", "Łukasz@ops"]].concat());
    }
    let own = project.zdm(&["contract", "two", "--actor", "łukasz@laptop"]);
    assert_eq!(own.code, 4, "{own:#?}");
    own.says("0 of 1 approvals");
    project.done(&["contract", "two", "--actor", "Jürgen"]);
}

#[test]
fn from_expand_to_contract_in_no_encoding() {
    let server = Server::start();
    let url = server.database_in("SQL_ASCII", "app");
    from_expand_to_contract(&Project::on(url, ""));
}
