//! Two migrations over one column, of which the code has left the first behind and the database has not: a deploy elsewhere
//! is further. What one fills, the next one reads, so they move in turn.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

fn model(field: &str) -> String {
    BEFORE.replace("pub name: String", field)
}

fn waits(project: &Project, command: &[&str], gate: &str, told: &str) {
    let run = project.zdm(command);
    assert_eq!(run.code, 4, "{run:#?}");
    run.says(gate);
    run.says(told);
}

#[test]
fn a_column_is_filled_before_the_next_one_is_filled_from_it_on_sqlite() {
    a_column_is_filled_before_the_next_one_is_filled_from_it(&Project::sqlite(""));
}

#[test]
fn a_column_is_filled_before_the_next_one_is_filled_from_it_on_postgres() {
    let server = Server::start();
    a_column_is_filled_before_the_next_one_is_filled_from_it(&Project::on(
        server.database("app"),
        "",
    ));
}

fn a_column_is_filled_before_the_next_one_is_filled_from_it(project: &Project) {
    const SECOND: &str = "0002_two came before it on the same table";
    const THIRD: &str = "0003_three came after it on the same table and is at complete";
    user_crate(project);
    project.write("src/models.rs", &model("pub a: Option<String>"));
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (a) VALUES ('One'), ('Two')");
    let b = r#"#[zdm(from("a"), up = "lower(a)", down = "b")] pub b: Option<String>"#;
    project.write("src/models.rs", &model(b));
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
    project.done(&["switch", "two", "--to", "dual_write"]);
    project.done(&["finalize", "two"]);
    let c = r#"#[zdm(from("b"), up = "upper(b)", down = "c")] pub c: Option<String>"#;
    project.write("src/models.rs", &model(c));
    project.done(&["generate", "three"]);
    project.done(&["expand"]);

    let leave_off = ["switch", "three", "--to", "dual_write"];
    waits(
        project,
        &leave_off,
        "in_turn",
        &format!("{SECOND} and is at dual_write"),
    );
    project.done(&["pause", "two"]);
    waits(project, &["advance"], "in_turn", SECOND);
    assert_eq!(project.stage("three"), "off");
    project.done(&["resume", "two"]);

    for command in [
        "backfill two",
        "verify two",
        "switch two --to shadow",
        "switch two --to 100%",
        "verify two",
        "switch two --to ramp_down",
        "switch two --to complete",
        "switch three --to dual_write",
        "backfill three",
        "verify three",
        "switch three --to shadow",
        "switch three --to 100%",
        "verify three",
        "switch three --to ramp_down",
        "switch three --to complete",
        "finalize three",
    ] {
        project.done(&command.split(' ').collect::<Vec<_>>());
    }
    let behind = ["rollback", "two", "--to", "ramp_down"];
    waits(project, &behind, "nothing_later_begun", THIRD);
    waits(
        project,
        &["contract", "three"],
        "contracted_in_turn",
        SECOND,
    );
    assert_eq!(project.stage("two"), "complete");
    project.done(&["contract", "two"]);
    project.done(&["contract", "three"]);
    assert_eq!(project.value("SELECT min(c) FROM users"), "ONE");
}

/// A version that only drops has no values to take from anywhere; what it drops is filled first all the same.
#[test]
fn a_column_is_filled_before_the_next_one_drops_it() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write(
        "src/models.rs",
        &model("pub a: Option<String>,\n    pub spare: Option<String>"),
    );
    project.done(&["init"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (a) VALUES ('One'), ('Two')");
    let b = "#[zdm(from(\"a\"), up = \"lower(a)\", down = \"b\")] pub b: Option<String>";
    project.write(
        "src/models.rs",
        &model(&format!("{b},\n    pub spare: Option<String>")),
    );
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
    project.done(&["switch", "two", "--to", "dual_write"]);
    project.done(&["finalize", "two"]);
    let drops = |columns: &str, fields: &str| {
        let attribute = format!("#[zdm(drops({columns}))]\npub struct");
        project.write(
            "src/models.rs",
            &model(fields).replace("pub struct", &attribute),
        );
    };
    drops("\"spare\"", "pub b: Option<String>");
    project.done(&["generate", "spare"]);
    project.write("src/models.rs", &model("pub b: Option<String>"));
    project.write(
        "src/models.rs",
        &BEFORE
            .replace("    pub name: String,\n", "")
            .replace("pub struct", "#[zdm(drops(\"b\"))]\npub struct"),
    );
    project.done(&["generate", "gone"]);
    project.done(&["expand"]);

    project.done(&["switch", "spare", "--to", "complete"]);
    let waiting = ["switch", "gone", "--to", "complete"];
    waits(
        &project,
        &waiting,
        "in_turn",
        "0002_two came before it on the same table and is at dual_write",
    );
    project.done(&["contract", "spare"]);
    assert_eq!(
        project.value("SELECT count(*) FROM pragma_table_info('users')"),
        "3"
    );
}

/// Code of a version that drops a column gives it no value, so that nothing leads back to what it was filled from.
#[test]
fn nothing_leads_back_over_a_version_that_drops_what_was_filled() {
    let server = Server::start();
    let project = &Project::on(server.database("app"), "");
    user_crate(project);
    let with = |field: &str| model(&format!("{field},\n    pub note: Option<String>"));
    project.write("src/models.rs", &with("pub a: String"));
    project.done(&["init"]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (a) VALUES ('one'), ('two')");
    let b = r#"#[zdm(from("a"), up = "upper(a)", down = "lower(b)")] pub b: String"#;
    project.write("src/models.rs", &with(b));
    project.done(&["generate", "two"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("two"), "complete");
    project.done(&["finalize", "two"]);
    let drops = "#[zdm(drops(\"b\", default = \"'NONE'\"))]\npub struct";
    let drops = model("pub note: Option<String>").replace("pub struct", drops);
    project.write("src/models.rs", &drops);
    project.done(&["generate", "gone"]);
    project.done(&["expand"]);
    project.done(&["switch", "gone", "--to", "complete"]);
    project.execute("INSERT INTO users (note) VALUES ('by code that knows neither a nor b')");

    let back = ["rollback", "two", "--to", "ramp_down"];
    waits(
        project,
        &back,
        "nothing_later_begun",
        "0003_gone came after it, drops what leads back to old, and is at complete",
    );
    assert_eq!(project.stage("two"), "complete");
    project.done(&["rollback", "gone", "--to", "off"]);
    project.done(&back);
    let rows = "SELECT string_agg(concat_ws(' ', a, b), ', ' ORDER BY id) FROM users";
    assert_eq!(project.value(rows), "one ONE, two TWO, none NONE");
}
