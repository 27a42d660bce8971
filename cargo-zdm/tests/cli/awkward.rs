//! Tables on which other tools fail: partitioned, with an identity that takes no value, with names in mixed case.

use zdm_tests::postgres::Server;

use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

const BEFORE: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
#[zdm(table = "Order")]
pub struct Order {
    #[zdm(primary_key, auto, column = "Id")]
    pub id: i64,
    #[zdm(column = "Full Name")]
    pub name: String,
}

#[derive(Migratable, Debug, Clone)]
#[zdm(primary_key(id, at))]
pub struct Event {
    pub id: i64,
    pub at: i64,
    pub kind: String,
}
"#;

const HAND_MADE: &str = r#"
CREATE TABLE "Order" ("Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Full Name" text NOT NULL);
INSERT INTO "Order" ("Full Name") SELECT 'order ' || n FROM generate_series(1, 300) AS n;
CREATE TABLE events (id bigint NOT NULL, at bigint NOT NULL, kind text NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_low PARTITION OF events FOR VALUES FROM (0) TO (100);
CREATE TABLE events_high PARTITION OF events FOR VALUES FROM (100) TO (1000);
INSERT INTO events SELECT n, n, 'kind ' || n FROM generate_series(0, 299) AS n;
"#;

#[test]
fn they_go_the_whole_way_and_back() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.write("src/models.rs", BEFORE);
    project.execute(HAND_MADE);
    project.done(&["init", "--baseline"]);
    be_hasty(&project);
    project.done(&["expand"]);
    let after = BEFORE
        .replace(
            "#[zdm(column = \"Full Name\")]\n    pub name: String",
            "#[zdm(column = \"Title\", from(\"Full Name\"), up = \"upper(\\\"Full Name\\\")\", down = \"lower(\\\"Title\\\")\")]\n    pub title: String",
        )
        .replace(
            "pub kind: String",
            "#[zdm(renamed_from = \"kind\", index = \"events_by_sort\")]\n    pub sort: String",
        );
    project.write("src/models.rs", &after);
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
    project.done(&["switch", "--to", "dual_write"]);
    let filled = project
        .done(&["backfill", "--workers", "3", "--format", "json"])
        .object();
    assert_eq!(filled["rows"], 600, "{filled}");
    project.execute("INSERT INTO events (id, at, kind, sort) VALUES (1000, 500, 'late', 'late')");
    let verified = project.done(&["verify", "--format", "json"]).object();
    assert_eq!(verified["rows"], 601, "{verified}");

    // An index of a partitioned table is built by its partitions.
    let run = project.zdm(&["advance"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("events is partitioned");
    let told = run.out.clone();
    for statement in told.lines().map(str::trim).filter(|line| {
        line.ends_with(';') && (line.starts_with("CREATE INDEX") || line.starts_with("ALTER INDEX"))
    }) {
        project.execute(statement);
    }
    let run = project.zdm(&["advance"]);
    assert_eq!(run.code, 4, "{run:#?}");
    assert_eq!(project.stage("two"), "complete");
    project.done(&["rollback", "two", "--to", "ramp_down"]);
    let lowered = "SELECT count(*) FROM \"Order\" WHERE \"Title\" = upper(\"Full Name\")";
    assert_eq!(project.value(lowered), "300");
    project.done(&["switch", "two", "--to", "complete"]);
    project.done(&["finalize"]);
    project.done(&["advance"]);
    assert_eq!(
        project.value("SELECT count(*) FROM events WHERE sort = 'kind ' || id"),
        "300"
    );
    assert_eq!(
        project.value("SELECT count(*) FROM \"Order\" WHERE \"Title\" LIKE 'ORDER %'"),
        "300"
    );
}
