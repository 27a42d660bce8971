//! Another primary key while foreign keys stay on the old one: what no version knows of, what comes in between, and `SQLite`.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const ORDERS: &str = "
#[derive(Migratable)]
pub struct Order {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(references = \"users(id)\", on_delete = \"cascade\")]
    pub user_id: i64,
}
";

fn models(user: &str, orders: &str) -> String {
    format!(
        "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\npub struct User {{\n    {user}\n}}\n{orders}"
    )
}

const BY_NUMBER: &str = "#[zdm(primary_key)]\n    pub id: i64,\n    pub email: String,";
const BY_ADDRESS: &str =
    "#[zdm(unique)]\n    pub id: i64,\n    #[zdm(primary_key)]\n    pub email: String,";

/// The first version, with some rows, and the second one written.
fn written(project: &Project) {
    user_crate(project);
    project.write("src/models.rs", &models(BY_NUMBER, ORDERS));
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (id, email) VALUES (1, 'one'), (2, 'two')");
    project.execute("INSERT INTO orders (id, user_id) VALUES (10, 1), (20, 2)");
    project.write("src/models.rs", &models(BY_ADDRESS, ORDERS));
    project.done(&["generate", "natural"]);
}

/// No version knows it.
fn referred_to_by_notes(project: &Project) {
    project.execute(
        "CREATE TABLE notes (user_id bigint, CONSTRAINT by_hand FOREIGN KEY (user_id) REFERENCES users (id))",
    );
}

const TOLD: &str =
    "foreign key by_hand names the key users_pkey of users, from notes (zdm/raw/drop)";

#[test]
fn a_foreign_key_that_no_version_knows_is_told_before_anything_runs() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    written(&project);
    referred_to_by_notes(&project);
    let early = project.zdm(&["expand"]);
    assert_eq!(early.code, 4, "{early:#?}");
    early.says(TOLD);
    project.execute("DROP TABLE notes");
    project.done(&["expand"]);
    project.done(&["switch", "--to", "complete"]);
    referred_to_by_notes(&project);
    let late = project.zdm(&["contract"]);
    assert_eq!(late.code, 4, "{late:#?}");
    late.says(TOLD);
    late.says("nothing of this section has been executed");
    project.execute("ALTER TABLE notes DROP CONSTRAINT by_hand");
    project.done(&["contract"]);
    project.execute("ALTER TABLE notes ADD FOREIGN KEY (user_id) REFERENCES users (id)");
    project.execute("DELETE FROM users WHERE email = 'one'");
    assert_eq!(
        project.value("SELECT string_agg(id::text, ' ') FROM orders"),
        "20"
    );
}

#[test]
fn steps_of_ones_own_take_such_a_foreign_key_around_the_exchange() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    written(&project);
    referred_to_by_notes(&project);
    std::fs::create_dir_all(project.path("zdm/raw/drop")).unwrap();
    for (file, sql) in [
        (
            "before_notes.up.sql",
            "ALTER TABLE notes DROP CONSTRAINT by_hand;",
        ),
        ("before_notes.down.sql", "SELECT 1;"),
        (
            "after_notes.up.sql",
            "ALTER TABLE notes ADD CONSTRAINT by_hand FOREIGN KEY (user_id) REFERENCES users (id);",
        ),
        ("after_notes.down.sql", "SELECT 1;"),
    ] {
        project.write(&format!("zdm/raw/drop/{file}"), sql);
    }
    project.done(&["generate", "--amend"]);
    project.done(&["expand"]);
    project.done(&["switch", "--to", "complete"]);
    project.done(&["contract"]);
    let stands = "SELECT conindid::regclass::text FROM pg_constraint WHERE conname = 'by_hand'";
    assert_eq!(project.value(stands), "uq_users_id");
}

#[test]
fn the_index_of_the_old_key_is_no_replica_identity_when_it_goes() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    written(&project);
    project.done(&["expand"]);
    project.done(&["switch", "--to", "complete"]);
    project.execute("ALTER TABLE users REPLICA IDENTITY USING INDEX users_pkey");
    let refused = project.zdm(&["contract"]);
    assert_eq!(refused.code, 3, "{refused:#?}");
    refused.says("the index of users_pkey is the replica identity of users, and goes with the key");
    project.execute("ALTER TABLE users REPLICA IDENTITY USING INDEX uq_users_id");
    project.done(&["contract"]);
    let kept = "SELECT count(*)::text FROM pg_index WHERE indisreplident";
    assert_eq!(project.value(kept), "1");
}

#[test]
fn what_refers_to_the_key_changes_after_its_exchange() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    written(&project);
    project.done(&["expand"]);
    let notes = ORDERS.replace("Order", "Note");
    let itself = format!(
        "{BY_ADDRESS}\n    #[zdm(references = \"users(id)\")]\n    pub invited_by: Option<i64>,"
    );
    let free = ORDERS.replace(
        "#[zdm(references = \"users(id)\", on_delete = \"cascade\")]\n    ",
        "",
    );
    for (number, models) in [
        models(BY_ADDRESS, &format!("{ORDERS}{notes}")),
        models(BY_ADDRESS, &free),
        models(&itself, ORDERS),
    ]
    .iter()
    .enumerate()
    {
        project.write("src/models.rs", models);
        let name = format!("later_{number}");
        let amend: &[&str] = if number == 0 { &[] } else { &["--amend"] };
        project.done(&[&["generate", &name][..], amend].concat());
        let waits = project.zdm(&["expand"]);
        assert_eq!(waits.code, 4, "{waits:#?}");
        waits.says("0002_natural exchanges a key of users, and takes the foreign keys along that stand on it");
        waits.says("contract 0002_natural first");
    }
    project.done(&["switch", "--to", "complete", "natural"]);
    project.done(&["contract", "natural"]);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (id, email, invited_by) VALUES (3, 'three', 1)");
}

#[test]
fn foreign_keys_name_columns_on_sqlite() {
    let project = Project::sqlite("");
    written(&project);
    referred_to_by_notes(&project);
    project.execute("INSERT INTO notes VALUES (2)");
    let holds = |project: &Project| {
        project.refuses(
            "INSERT INTO orders (id, user_id) VALUES (30, 3)",
            "foreign key",
        );
        project.refuses(
            "INSERT INTO users (id, email) VALUES (1, 'again')",
            "unique",
        );
        project.refuses("INSERT INTO users (id, email) VALUES (3, 'one')", "unique");
        project.refuses("DELETE FROM users WHERE id = 2", "foreign key");
        project.execute("INSERT INTO users (id, email) VALUES (4, 'four')");
        project.execute("INSERT INTO users (id, email) VALUES (4, 'for') ON CONFLICT (id) DO UPDATE SET email = excluded.email");
        project.execute(
            "INSERT INTO users (id, email) VALUES (5, 'for') ON CONFLICT (email) DO NOTHING",
        );
        project.execute("INSERT INTO orders (id, user_id) VALUES (40, 4)");
        project.execute("DELETE FROM users WHERE email = 'for'");
        assert_eq!(
            project.value("SELECT group_concat(id, ' ') FROM orders"),
            "10 20"
        );
    };
    for command in [
        &["expand"][..],
        &["rollback"],
        &["resume", "natural"],
        &["expand"],
    ] {
        project.done(command);
    }
    holds(&project);
    project.done(&["switch", "--to", "complete"]);
    holds(&project);
    project.done(&["contract"]);
    holds(&project);
    let key = "SELECT group_concat(name, ' ') FROM pragma_table_info('users') WHERE pk > 0";
    assert_eq!(project.value(key), "email");
}

#[test]
fn a_key_of_another_type_comes_by_way_of_another_column() {
    let server = Server::start();
    by_way_of_another_column(&Project::on(server.database("app"), ""));
    by_way_of_another_column(&Project::sqlite(""));
}

/// As the refusal of another type says.
fn by_way_of_another_column(project: &Project) {
    written(project);
    project.done(&["expand"]);
    project.done(&["switch", "--to", "complete"]);
    project.done(&["contract"]);
    let kept = "#[zdm(unique)]\n    pub id: i64,\n    #[zdm(primary_key)]\n    pub email: String,";
    let added = format!("{kept}\n    #[zdm(up = \"CAST(id AS text)\")]\n    pub code: String,");
    project.write("src/models.rs", &models(&added, ORDERS));
    project.done(&["generate", "code"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("code"), "complete");
    project.done(&["finalize"]);
    project.done(&["advance"]);
    let last = "#[zdm(unique)]\n    pub id: i64,\n    #[zdm(unique)]\n    pub email: String,\n    #[zdm(primary_key)]\n    pub code: String,";
    project.write("src/models.rs", &models(last, ORDERS));
    project.done(&["generate", "by_code"]);
    project.done(&["expand"]);
    project.done(&["switch", "--to", "complete"]);
    project.done(&["contract"]);
    project.refuses(
        "INSERT INTO orders (id, user_id) VALUES (30, 3)",
        "foreign key",
    );
    project.refuses(
        "INSERT INTO users (id, email, code) VALUES (3, 'three', '1')",
        "unique",
    );
    project.execute("DELETE FROM users WHERE code = '1'");
    assert_eq!(
        project.value("SELECT CAST(max(id) AS text) || ' ' || count(*) FROM orders"),
        "20 1"
    );
}
