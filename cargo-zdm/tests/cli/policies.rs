//! Policies of row security that name a column which another replaces: told with what they would say of the new one, and never left to
//! decide by a column that nobody writes any more.

use zdm_tests::postgres::Server;

use crate::generate::{AFTER, be_hasty, user_crate};
use crate::project::Project;

const POLICY: &str = "ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON users USING (name = CURRENT_USER) WITH CHECK (name <> 'name')";
const PROPOSED: &str = "ALTER POLICY \"own\" ON \"users\" USING ((full_name = CURRENT_USER)) WITH CHECK ((full_name <> 'name'::text))";
const SAID: &str = "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy";

fn before(server: &Server) -> Project {
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('ada')");
    project
}

fn generated(project: &Project) {
    project.write("src/models.rs", AFTER);
    project.done(&["generate", "names"]);
}

#[test]
fn a_policy_goes_over_to_the_new_column_before_old_is_left() {
    let server = Server::start();
    let project = before(&server);
    project.execute(POLICY);
    generated(&project);
    let waits = project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("policy own names the column users.name (zdm/raw/release)");
    waits.says(&format!("; proposed: {PROPOSED}"));
    let column = "SELECT count(*) FROM pg_attribute WHERE attname = 'full_name'";
    assert_eq!(project.value(column), "0");

    // Too late: until then it would decide by what nobody writes.
    std::fs::create_dir_all(project.path("zdm/raw/drop")).unwrap();
    project.write(
        "zdm/raw/drop/before_policy.up.sql",
        "-- irreversible: the column is gone\nDROP POLICY own ON users;\n",
    );
    project.done(&["generate", "--amend"]);
    assert_eq!(project.zdm(&["expand"]).code, 4);
    let raw = raw_of(&project);
    std::fs::remove_file(raw.join("drop/before_policy.up.sql")).unwrap();
    std::fs::create_dir_all(project.path("zdm/raw/release")).unwrap();
    project.write(
        "zdm/raw/release/before_policy.up.sql",
        &format!("{PROPOSED};\n"),
    );
    project.write(
        "zdm/raw/release/before_policy.down.sql",
        "ALTER POLICY own ON users USING (name = CURRENT_USER) WITH CHECK (name <> 'name');\n",
    );
    project.done(&["generate", "--amend"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("names"), "complete");
    assert_eq!(project.value(SAID), "(full_name = CURRENT_USER)");
    project.done(&["rollback"]);
    assert_eq!(project.value(SAID), "(name = CURRENT_USER)");
    project.done(&["switch", "--to", "complete"]);
    project.done(&["finalize"]);
    project.done(&["contract"]);
    assert_eq!(project.value(SAID), "(full_name = CURRENT_USER)");
}

fn raw_of(project: &Project) -> std::path::PathBuf {
    let versions = std::fs::read_dir(project.path("zdm")).unwrap();
    let mut folders = versions.map(|entry| entry.unwrap().path().join("raw"));
    folders
        .find(|raw| raw.join("drop").is_dir())
        .expect("the version keeps the user's files")
}

#[test]
fn a_policy_that_came_after_expand_keeps_writes_from_leaving_old() {
    let server = Server::start();
    let project = before(&server);
    generated(&project);
    project.done(&["advance", "--before-deploy"]);
    project.execute(POLICY);
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    assert_eq!(project.stage("names"), "ramp_down");
    waits.says(&format!("; proposed: {PROPOSED}"));
    project.execute(PROPOSED);
    project.done(&["switch", "--to", "complete"]);
}

/// A function may read any column of the row that it is given.
#[test]
fn a_policy_that_takes_the_whole_row_names_every_column() {
    let server = Server::start();
    let project = before(&server);
    project.execute(
        "CREATE FUNCTION may(users) RETURNS boolean LANGUAGE sql AS 'SELECT $1.name = CURRENT_USER';
         ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY asked ON users USING (may(users));
         CREATE POLICY untouched ON users USING (EXISTS (SELECT FROM users AS other WHERE other.id = users.id))",
    );
    generated(&project);
    let waits = project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("policy asked names the column users.name (zdm/raw/release)");
    assert!(
        !waits.err.contains("untouched") && !waits.err.contains("proposed"),
        "{waits:#?}"
    );
    // What the function asks, only a person can tell: who has read it says so.
    std::fs::create_dir_all(project.path("zdm/raw/release")).unwrap();
    let stays = "ALTER POLICY asked ON users USING (may(users));\n";
    project.write("zdm/raw/release/before_policy.up.sql", stays);
    project.write("zdm/raw/release/before_policy.down.sql", stays);
    project.done(&["generate", "--amend"]);
    project.done(&["expand"]);
}

const PARTED: &str = "DROP TABLE users; CREATE TABLE users (id bigint GENERATED BY DEFAULT AS IDENTITY, name text NOT NULL,
        CONSTRAINT users_pkey PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (MINVALUE) TO (100);
    CREATE TABLE users_high PARTITION OF users FOR VALUES FROM (100) TO (MAXVALUE); CREATE ROLE report LOGIN;";

/// They hold for who names the partition, and nobody else's say anything of it.
#[test]
fn policies_and_rights_of_a_partition_are_told_as_those_of_its_table() {
    let server = Server::start();
    let project = before(&server);
    project.execute(PARTED);
    project.execute(
        "ALTER TABLE users_low ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON users_low USING (name = CURRENT_USER);
         GRANT SELECT (name) ON users_high TO report",
    );
    generated(&project);
    let waits = project.zdm(&["expand"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("policy own names the column users.name (zdm/raw/release)");
    let proposed = "ALTER POLICY \"own\" ON users_low USING ((full_name = CURRENT_USER))";
    waits.says(&format!("; proposed: {proposed}"));
    project.execute("DROP POLICY own ON users_low");
    project.done(&["advance", "--before-deploy"]);
    project.execute("CREATE POLICY own ON users_low USING (name = CURRENT_USER)");
    let waits = project.zdm(&["advance"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    assert_eq!(project.stage("names"), "ramp_down");
    waits.says(proposed);
    project.execute(proposed);
    project.done(&["switch", "--to", "complete"]);
    project.done(&["finalize"]);
    let waits = project.zdm(&["contract"]);
    assert_eq!(waits.code, 4, "{waits:#?}");
    waits.says("right on a partition SELECT of report on users_high names the column users.name");
    let granted = "GRANT SELECT (full_name) ON users_high TO report";
    waits.says(&format!("; proposed: {granted}, or REVOKE it"));
    project.execute(granted);
    project.done(&["contract"]);
}
