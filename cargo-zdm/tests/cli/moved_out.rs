//! The way that the refusal of a column that moves out of a table names: the other table is merged, and split out again with it.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const USER: &str = "use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
// merged
pub struct User {
    #[zdm(primary_key)]
    pub id: i64,
    pub name: String,
    // left
}
";
const ADDRESS: &str = "
#[derive(Migratable, Debug, Clone)]
#[zdm(table = \"addresses\")]
pub struct Address {
    #[zdm(primary_key, references = \"users(id)\", on_delete = \"cascade\")]
    pub user_id: i64,
    pub street: String,
    // arrived
}
";
const ROWS: &str = "INSERT INTO users (id, name, town) VALUES (1, 'a', 'x'), (2, 'b', NULL), (3, 'c', 'kept'), (4, 'd', 'let go'); \
    INSERT INTO addresses (user_id, street) VALUES (1, 'first'), (2, 'second')";

fn before() -> String {
    USER.replace("// left", "pub town: Option<String>,") + ADDRESS
}

fn refused() -> String {
    let arrived = "#[zdm(moved_from = \"users.town\")] pub town: Option<String>,";
    USER.to_owned() + &ADDRESS.replace("// arrived", arrived)
}

fn merged() -> String {
    USER.replace("// merged", "#[zdm(merged_from = \"addresses(user_id)\")]")
        .replace(
            "// left",
            "pub town: Option<String>, pub street: Option<String>,",
        )
}

fn split() -> String {
    let out = "table = \"addresses\", split_from = \"users(id)\"";
    let address = ADDRESS.replace("table = \"addresses\"", out);
    USER.to_owned() + &address.replace("// arrived", "pub town: Option<String>,")
}

#[test]
fn a_column_gets_out_by_way_of_a_merge_on_sqlite() {
    by_way_of_a_merge(&Project::sqlite(""));
}

#[test]
fn a_column_gets_out_by_way_of_a_merge_on_postgres() {
    let server = Server::start();
    by_way_of_a_merge(&Project::on(server.database("app"), ""));
}

fn by_way_of_a_merge(project: &Project) {
    user_crate(project);
    project.write("src/models.rs", &before());
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute(ROWS);

    project.write("src/models.rs", &refused());
    let asked = project.zdm(&["generate", "moved"]);
    assert_ne!(asked.code, 0, "{asked:#?}");
    asked.says("`merged_from`");
    asked.says("`split_from`");

    project.write("src/models.rs", &merged());
    project.done(&["generate", "merge"]);
    to_contract(project, "merge");

    project.write("src/models.rs", &split());
    project.done(&["generate", "split"]);
    project.done(&["advance", "--before-deploy"]);
    // A town without an address has no place after the split: it stays where it is until somebody says what becomes of it.
    let shut = project.zdm(&["advance"]);
    assert_eq!(shut.code, 1, "{shut:#?}");
    shut.says("2 of 4 rows have sides that differ: users (3) in addresses.town, users (4) in addresses.town");
    assert_eq!(project.stage("split"), "dual_write");
    let towns = "SELECT count(*) FROM users WHERE town IN ('kept', 'let go')";
    assert_eq!(project.value(towns), "2");
    project.execute("UPDATE users SET street = 'third' WHERE id = 3");
    project.execute("UPDATE users SET town = NULL WHERE id = 4");
    to_complete(project, "split");
    // Nothing else looks at the rows any more.
    project.execute("UPDATE users SET town = 'late' WHERE id = 4");
    let shut = project.zdm(&["contract"]);
    assert_eq!(shut.code, 4, "{shut:#?}");
    shut.says("would lose what 1 of 4 rows hold on the old side alone: users (4)");
    project.execute("UPDATE users SET town = NULL WHERE id = 4");
    project.done(&["contract"]);

    let value = |column: &str, id: u8| {
        project.value(&format!(
            "SELECT {column} FROM addresses WHERE user_id = {id}"
        ))
    };
    assert_eq!([value("street", 1), value("town", 1)], ["first", "x"]);
    assert_eq!(value("street", 2), "second");
    assert_eq!([value("street", 3), value("town", 3)], ["third", "kept"]);
    let without = "SELECT count(*) FROM addresses WHERE town IS NULL";
    assert_eq!(project.value(without), "1");
    assert_eq!(project.value("SELECT count(*) FROM addresses"), "3");
    project.refuses("SELECT town FROM users", "town");
}

fn to_contract(project: &Project, migration: &str) {
    to_complete(project, migration);
    project.done(&["contract"]);
}

fn to_complete(project: &Project, migration: &str) {
    project.zdm(&["advance", "--before-deploy"]);
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    assert_eq!(project.stage(migration), "complete", "{waits:#?}");
    project.done(&["finalize", migration]);
    project.done(&["check"]);
}
