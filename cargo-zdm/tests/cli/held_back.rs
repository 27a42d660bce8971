//! What a later version may not do as long as an earlier one may go back, and that the way on which is named for it is one.

use zdm_tests::postgres::Server;

use crate::constraints::{back_to, completed, created};
use crate::project::{Project, Run};

const TEAMS: &str = "
#[derive(Migratable)]
pub struct Team {
    #[zdm(primary_key)]
    pub id: i64,
}
";

fn members(field: &str) -> String {
    format!(
        "
#[derive(Migratable)]
pub struct Member {{
    #[zdm(primary_key)]
    pub id: i64,
    {field}
}}
"
    )
}

fn declared(project: &Project, structs: &str) {
    let models = format!("use zdm_runtime::Migratable;\n{structs}");
    project.write("src/models.rs", &models);
}

fn waits(project: &Project, command: &[&str]) -> Run {
    let run = project.zdm(command);
    assert_eq!(run.code, 4, "{run:#?}");
    run
}

const ROWS: &str = "INSERT INTO teams (id) VALUES (1), (2); INSERT INTO members (id, team_id) VALUES (1, 1), (2, 2)";

/// The way back adds old's foreign key again, which names the table.
fn a_table_that_old_names_stays(project: &Project, dialect: &str) {
    let before = members("#[zdm(references = \"teams(id)\")]\n    pub team_id: i64,");
    let after = members("#[zdm(renamed_from = \"team_id\")]\n    pub group_id: i64,");
    created(project, dialect, &format!("{TEAMS}{before}"), ROWS);
    completed(project, &format!("{TEAMS}{after}"));
    project.done(&["finalize", "change"]);
    declared(project, &members("pub group_id: i64,"));
    project.done(&["generate", "gone", "--drop-table", "teams"]);
    let held = waits(project, &["expand", "gone"]);
    held.says("names_free");
    held.says("a way back of 0002_change puts a foreign key back that names columns of teams");
    held.says("cargo zdm contract change");

    // The way back is open, and so is what is named.
    back_to(project, "ramp_down");
    project.refuses(
        "UPDATE members SET team_id = 7, group_id = 7",
        "foreign key",
    );
    project.done(&["resume", "change"]);
    project.done(&["switch", "--to", "complete", "change"]);
    project.done(&["contract", "change"]);
    project.done(&["expand", "gone"]);
    project.done(&["switch", "--to", "complete", "gone"]);
    project.done(&["contract", "gone"]);
    project.refuses("SELECT * FROM teams", "teams");
}

#[test]
fn a_table_that_old_names_stays_on_postgres() {
    let server = Server::start();
    a_table_that_old_names_stays(&Project::on(server.database("app"), ""), "postgres");
}

#[test]
fn a_table_that_old_names_stays_on_sqlite() {
    a_table_that_old_names_stays(&Project::sqlite(""), "sqlite");
}

/// The way back gives a foreign key the old column again, in a table that the version has no sides of.
fn a_table_that_names_old_stays(project: &Project, dialect: &str) {
    let teams = |field: &str| {
        format!(
            "#[derive(Migratable)]\npub struct Team {{\n    #[zdm(primary_key)]\n    pub id: i64,\n    {field}\n}}\n"
        )
    };
    let tied = |to: &str| {
        members(&format!(
            "#[zdm(references = \"teams({to})\")]\n    pub team: String,"
        ))
    };
    let before = teams("#[zdm(unique)]\n    pub code: String,");
    let rows = "INSERT INTO teams (id, code) VALUES (1, 'a'); INSERT INTO members (id, team) VALUES (1, 'a')";
    created(project, dialect, &format!("{before}{}", tied("code")), rows);
    let renamed = teams("#[zdm(unique, renamed_from = \"code\")]\n    pub kode: String,");
    completed(project, &format!("{renamed}{}", tied("kode")));
    project.done(&["finalize", "change"]);
    declared(project, &teams("#[zdm(unique)]\n    pub kode: String,"));
    project.done(&["generate", "gone", "--drop-table", "members"]);
    let held = waits(project, &["expand", "gone"]);
    held.says("names_free");
    held.says("a way back of 0002_change puts a foreign key back that names columns of members");
    back_to(project, "ramp_down");
    project.done(&["resume", "change"]);
    project.done(&["switch", "--to", "complete", "change"]);
    project.done(&["contract", "change"]);
    project.done(&["expand", "gone"]);
}

#[test]
fn a_table_that_names_old_stays_on_postgres() {
    let server = Server::start();
    a_table_that_names_old_stays(&Project::on(server.database("app"), ""), "postgres");
}

#[test]
fn a_table_that_names_old_stays_on_sqlite() {
    a_table_that_names_old_stays(&Project::sqlite(""), "sqlite");
}

/// What a foreign key does by itself nobody does to the other side.
#[test]
fn no_foreign_key_sets_one_side_alone() {
    let server = Server::start();
    for (place, action) in ["on_delete = \"set null\"", "on_update = \"cascade\""]
        .into_iter()
        .enumerate()
    {
        let project = &Project::on(server.database(&format!("app_{place}")), "");
        let before = members("pub team_id: Option<i64>,");
        let after = members("#[zdm(renamed_from = \"team_id\")]\n    pub group_id: Option<i64>,");
        created(project, "postgres", &format!("{TEAMS}{before}"), ROWS);
        completed(project, &format!("{TEAMS}{after}"));
        let tied = format!("#[zdm(references = \"teams(id)\", {action})]\n    ");
        let in_transition =
            after.replace("#[zdm(renamed_from", &format!("{tied}#[zdm(renamed_from"));
        declared(project, &format!("{TEAMS}{in_transition}"));
        let refused = project.zdm(&["generate", "tied"]);
        assert_eq!(refused.code, 1, "{refused:#?}");
        refused.says("would add the foreign key");
        declared(project, &format!("{TEAMS}{after}"));
        project.done(&["finalize", "change"]);
        let last = members(&format!("{tied}pub group_id: Option<i64>,"));
        declared(project, &format!("{TEAMS}{last}"));
        project.done(&["generate", "tied"]);
        let held = waits(project, &["expand", "tied"]);
        held.says("names_free");
        held.says("0002_change keeps members.group_id and its other side equal");
        held.says("a foreign key of this version sets it by itself");
        back_to(project, "dual_write");
        waits(project, &["expand", "tied"]).says("names_free");
        project.done(&["resume", "change"]);
        project.zdm(&["advance"]);
        assert_eq!(project.stage("change"), "contracted");
        project.done(&["expand", "tied"]);
    }
}

/// Nothing leads back over a later version that is one-way, so nobody is sent there.
#[test]
fn no_way_back_is_named_that_is_none() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let field = |field: &str| members(&format!("pub note: String,\n    {field}"));
    let rows = "INSERT INTO members (id, note, a) VALUES (1, 'x', 'one')";
    created(project, "postgres", &field("pub a: String,"), rows);
    completed(
        project,
        &field("#[zdm(renamed_from = \"a\")]\n    pub b: String,"),
    );
    project.done(&["finalize", "change"]);
    let one_way = "#[zdm(from(\"b\"), up = \"upper(b)\", one_way)]\n    pub c: String,";
    declared(project, &field(one_way));
    project.done(&["generate", "later"]);
    project.done(&["expand", "later"]);
    project.done(&["switch", "--to", "dual_write", "later"]);
    let held = waits(project, &["rollback", "change", "--to", "ramp_down"]);
    held.says("nothing_later_begun");
    held.says("0003_later came after it on the same table and is at dual_write");
    held.says("nothing leads back over 0003_later");
    assert!(!held.err.contains("rollback later"), "{held:#?}");
    // The same is shown by who only asks.
    let shown = project.done(&["rollback", "change", "--to", "ramp_down", "--dry-run"]);
    shown.says("shut  nothing_later_begun: 0003_later came after it");
    shown.says("open  drained");
    project.done(&["contract", "change"]);
}

/// A version that only drops is contracted by `advance`, whatever code was deployed with it.
#[test]
fn a_name_is_free_when_what_is_named_was_done() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    let before = members("pub spare: Option<i32>,");
    created(project, "postgres", &before, "");
    let dropped = members("").replace("pub struct", "#[zdm(drops(\"spare\"))]\npub struct");
    declared(project, &dropped);
    project.done(&["generate", "gone"]);
    project.done(&["expand"]);
    declared(project, &members("pub spare: Option<String>,"));
    project.done(&["generate", "again"]);
    let held = waits(project, &["expand"]);
    held.says("names_free: 0002_gone still has to drop the column members.spare");
    held.says("when no code runs any more that names what it drops, `cargo zdm advance`");
    project.zdm(&["advance"]);
    assert_eq!(project.stage("gone"), "contracted");
    project.done(&["expand"]);
}

/// The way back adds old's foreign key again, which stands on the key or the unique index.
fn what_old_stands_on_stays(project: &Project, dialect: &str, field: &str, to: &str, last: &str) {
    let teams =
        |fields: &str| format!("#[derive(Migratable)]\npub struct Team {{\n    {fields}\n}}\n");
    let before = members(&format!(
        "#[zdm(references = \"teams({to})\")]\n    pub team: i64,"
    ));
    let after = members("#[zdm(renamed_from = \"team\")]\n    pub other: i64,");
    let rows = "INSERT INTO teams (id, code) VALUES (1, 10), (2, 20); INSERT INTO members (id, team) VALUES (1, NUMBER)"
        .replace("NUMBER", if to == "id" { "2" } else { "20" });
    created(
        project,
        dialect,
        &format!("{}{before}", teams(field)),
        &rows,
    );
    completed(project, &format!("{}{after}", teams(field)));
    project.done(&["finalize", "change"]);
    declared(
        project,
        &format!("{}{}", teams(last), members("pub other: i64,")),
    );
    project.done(&["generate", "loose"]);
    let held = waits(project, &["expand", "loose"]);
    held.says("names_free");
    held.says(&format!(
        "a way back of 0002_change puts a foreign key back that stands on the key or unique index of teams ({to}), and this version takes it away"
    ));
    held.says("cargo zdm contract change");

    // The way back is open.
    back_to(project, "ramp_down");
    project.refuses("UPDATE members SET team = 7, other = 7", "foreign key");
    project.done(&["resume", "change"]);
    project.done(&["switch", "--to", "complete", "change"]);
    project.done(&["contract", "change"]);
    project.done(&["expand", "loose"]);
    project.done(&["switch", "--to", "complete", "loose"]);
    project.done(&["contract", "loose"]);
    project.execute(&format!(
        "INSERT INTO teams (id, code) VALUES ({}, {})",
        if to == "id" { "1" } else { "7" },
        if to == "id" { "70" } else { "10" }
    ));
}

const UNIQUE: [&str; 3] = [
    "#[zdm(primary_key)]\n    pub id: i64,\n    #[zdm(unique)]\n    pub code: i64,",
    "code",
    "#[zdm(primary_key)]\n    pub id: i64,\n    pub code: i64,",
];

const KEY: [&str; 3] = [
    "#[zdm(primary_key)]\n    pub id: i64,\n    #[zdm(unique)]\n    pub code: i64,",
    "id",
    "pub id: i64,\n    #[zdm(primary_key)]\n    pub code: i64,",
];

#[test]
fn what_old_stands_on_stays_on_postgres() {
    let server = Server::start();
    for (place, [field, to, last]) in [UNIQUE, KEY].into_iter().enumerate() {
        let project = &Project::on(server.database(&format!("app_{place}")), "");
        what_old_stands_on_stays(project, "postgres", field, to, last);
    }
}

#[test]
fn what_old_stands_on_stays_on_sqlite() {
    for [field, to, last] in [UNIQUE, KEY] {
        what_old_stands_on_stays(&Project::sqlite(""), "sqlite", field, to, last);
    }
}

/// A foreign key that expand takes away is back with its undo.
fn what_expand_let_go_stays(project: &Project, dialect: &str) {
    let before = members("#[zdm(references = \"teams(id)\")]\n    pub team_id: Option<i64>,");
    created(project, dialect, &format!("{TEAMS}{before}"), ROWS);
    let dropped = members("").replace("pub struct", "#[zdm(drops(\"team_id\"))]\npub struct");
    declared(project, &format!("{TEAMS}{dropped}"));
    project.done(&["generate", "change"]);
    project.done(&["expand", "change"]);
    declared(project, &members(""));
    project.done(&["generate", "gone", "--drop-table", "teams"]);
    let held = waits(project, &["expand", "gone"]);
    held.says("names_free");
    held.says("a way back of 0002_change puts a foreign key back that names columns of teams");

    project.done(&["rollback", "change", "--to", "absent"]);
    project.refuses("UPDATE members SET team_id = 7", "foreign key");
    project.done(&["resume", "change"]);
    project.done(&["expand", "change"]);
    project.done(&["switch", "--to", "complete", "change"]);
    project.done(&["contract", "change"]);
    project.done(&["expand", "gone"]);
}

#[test]
fn what_expand_let_go_stays_on_postgres() {
    let server = Server::start();
    what_expand_let_go_stays(&Project::on(server.database("app"), ""), "postgres");
}

#[test]
fn what_expand_let_go_stays_on_sqlite() {
    what_expand_let_go_stays(&Project::sqlite(""), "sqlite");
}

/// A version that has nothing to contract is never contracted: no later one waits for that, but it is taken back before.
fn what_was_taken_goes_first(project: &Project, dialect: &str) {
    let before = members("#[zdm(references = \"teams(id)\")]\n    pub team_id: i64,");
    created(project, dialect, &format!("{TEAMS}{before}"), ROWS);
    let after = members("pub team_id: i64,");
    declared(project, &format!("{TEAMS}{after}"));
    project.done(&["generate", "change"]);
    project.done(&["expand", "change"]);
    declared(project, &after);
    project.done(&["generate", "gone", "--drop-table", "teams"]);
    project.done(&["expand", "gone"]);
    let held = waits(project, &["rollback", "change"]);
    held.says("nothing_stands_on_it");
    held.says("0003_gone is in this database and takes away what a foreign key names that comes back: columns of teams");
    held.says("cargo zdm rollback gone");
    project.done(&["rollback", "gone", "--to", "absent"]);
    project.done(&["rollback", "change", "--to", "absent"]);
    project.refuses("UPDATE members SET team_id = 7", "foreign key");

    for version in ["change", "gone"] {
        project.done(&["resume", version]);
        project.done(&["expand", version]);
    }
    project.done(&["switch", "--to", "complete", "gone"]);
    project.done(&["contract", "gone"]);
    let gone = project.zdm(&["rollback", "change"]);
    assert_eq!(gone.code, 2, "{gone:#?}");
    gone.says("0003_gone stands on it and has none itself");
}

#[test]
fn what_was_taken_goes_first_on_postgres() {
    let server = Server::start();
    what_was_taken_goes_first(&Project::on(server.database("app"), ""), "postgres");
}

#[test]
fn what_was_taken_goes_first_on_sqlite() {
    what_was_taken_goes_first(&Project::sqlite(""), "sqlite");
}
