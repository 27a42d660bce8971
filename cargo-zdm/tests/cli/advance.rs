//! `advance`: as far as gates and policy allow, idempotent, exit 4 while something is left.

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;
use crate::versions;

#[test]
fn a_hasty_team_is_done_in_one_go_on_sqlite() {
    on_sqlite(HASTY, done_in_one_go);
}

#[test]
fn a_hasty_team_is_done_in_one_go_on_postgres() {
    on_postgres(HASTY, done_in_one_go);
}

fn done_in_one_go(project: &Project) {
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.stage("users_full_name"), "off");
    project.fill();
    let run = project.zdm(&["advance", "--format", "json"]);
    assert_eq!(run.code, 4, "{run:#?}");
    let waits = &run.object()["migrations"][1];
    assert_eq!(waits["stage"], "complete", "{waits}");
    assert_eq!(waits["shut"][0]["gate"], "final_code", "{waits}");
    versions::finalize(&project.path("zdm"));
    let run = project.done(&["advance", "--format", "json"]).object();
    assert_eq!(run["done"], true, "{run}");
    assert_eq!(project.stage("users_full_name"), "contracted");
    assert_eq!(
        project.value("SELECT full_name FROM users WHERE id = 1"),
        "ada"
    );
    let again = project.done(&["advance", "--format", "json"]).object();
    assert_eq!(again["migrations"][1]["moves"], 0, "{again}");
}

#[test]
fn a_cautious_team_is_told_what_it_waits_for() {
    on_sqlite("", |project| {
        let run = project.zdm(&["advance", "--format", "json"]);
        assert_eq!(run.code, 4, "{run:#?}");
        let object = run.object();
        assert_eq!(object["done"], false);
        let rename = &object["migrations"][1];
        assert_eq!(rename["stage"], "live", "{object}");
        assert_eq!(rename["shut"][0]["gate"], "dwell", "{object}");
        assert!(rename["shut"][0]["opens_when"].is_string(), "{object}");
    });
}

#[test]
fn contract_waits_for_the_backup() {
    let policy = format!("{HASTY}\nbackup_hook = \"test -e backup\"");
    on_sqlite(&policy, |project| {
        assert_eq!(project.zdm(&["advance"]).code, 4);
        versions::finalize(&project.path("zdm"));
        let run = project.zdm(&["advance"]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("test -e backup");
        assert_eq!(project.stage("users_full_name"), "complete");
        std::fs::write(project.path("backup"), "").unwrap();
        project.done(&["advance"]);
        assert_eq!(project.stage("users_full_name"), "contracted");
    });
}

#[test]
fn watching_ends_when_everything_is_done() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand", "--actor", "pipeline"]);
        versions::finalize(&project.path("zdm"));
        let run = project.done(&[
            "advance", "--watch", "--actor", "pipeline", "--format", "json",
        ]);
        assert_eq!(run.object()["done"], true);
        let audit = project
            .done(&["status", "--audit", "--format", "json"])
            .object();
        let entries = audit["audit"].as_array().unwrap();
        assert!(
            entries.iter().all(|entry| entry["actor"] == "pipeline"),
            "{audit}"
        );
        assert_eq!(
            project.zdm(&["advance", "--watch", "--before-deploy"]).code,
            2
        );
    });
}

/// The name of the index that the rename builds is taken, which no gate looks at.
const NAME_TAKEN: &str = "CREATE INDEX users_full_name ON users (name)";

#[test]
fn what_fails_for_one_migration_stops_no_other_on_sqlite() {
    on_sqlite(HASTY, |project| {
        what_fails_for_one_migration_stops_no_other(project, "sqlite");
    });
}

#[test]
fn what_fails_for_one_migration_stops_no_other_on_postgres() {
    on_postgres(HASTY, |project| {
        what_fails_for_one_migration_stops_no_other(project, "postgres");
    });
}

fn what_fails_for_one_migration_stops_no_other(project: &Project, dialect: &str) {
    versions::write_three(&project.path("zdm"), dialect);
    project.done(&["expand"]);
    project.fill();
    project.execute(NAME_TAKEN);
    let run = project.zdm(&["advance", "--format", "json"]);
    assert_eq!(run.code, 3, "the worst of 0, 3 and 0: {run:#?}");
    let object = run.object();
    assert_eq!(object["done"], false, "{object}");
    let [init, rename, spare] = object["migrations"].as_array().unwrap().as_slice() else {
        panic!("{object}");
    };
    assert_eq!(init["done"], true, "{object}");
    assert_eq!(rename["stage"], "dual_write", "{object}");
    assert_eq!(rename["moves"], 1, "{object}");
    assert_eq!(rename["error"]["kind"], "environment", "{object}");
    let message = rename["error"]["message"].as_str().unwrap();
    assert!(message.contains("users_full_name"), "{object}");
    assert!(rename["error"]["next"].is_string(), "{object}");
    assert_eq!(spare["stage"], "contracted", "{object}");

    let told = project.zdm(&["advance"]);
    assert_eq!(told.code, 3, "{told:#?}");
    told.says("0002_users_full_name: dual_write; step 1 of 4_switch_reads/up.sql");
    told.says("0003_spare: contracted, done");

    project.execute("DROP INDEX users_full_name");
    let run = project.zdm(&["advance"]);
    assert_eq!(run.code, 4, "{run:#?}");
    assert_eq!(project.stage("users_full_name"), "complete");
}

/// A failure outweighs a shut gate, whichever comes first.
#[test]
fn the_worst_end_of_all_migrations_is_that_of_the_command() {
    on_sqlite("soak = \"0s\"", |project| {
        versions::write_three(&project.path("zdm"), "sqlite");
        project.done(&["expand"]);
        project.execute("DROP TABLE spare");
        project.done(&["pause", "users_full_name", "--reason", "lunch"]);
        let run = project.zdm(&["advance", "--format", "json"]);
        assert_eq!(run.code, 3, "{run:#?}");
        let migrations = &run.object()["migrations"];
        assert_eq!(migrations[1]["shut"][0]["gate"], "not_paused", "{run:#?}");
        assert_eq!(migrations[2]["error"]["kind"], "environment", "{run:#?}");
    });
}

/// An expand that fails is tried once in a run, and what stands on nothing of it goes on.
#[test]
fn an_expand_that_fails_keeps_no_earlier_version_back() {
    on_sqlite(HASTY, |project| {
        project.done(&["expand"]);
        project.fill();
        versions::write_three(&project.path("zdm"), "sqlite");
        project.execute("CREATE TABLE spare (other text)");
        let run = project.zdm(&["advance", "--format", "json"]);
        assert_eq!(run.code, 3, "{run:#?}");
        let migrations = &run.object()["migrations"];
        assert_eq!(migrations[1]["stage"], "complete", "{run:#?}");
        assert_eq!(migrations[2]["stage"], "absent", "{run:#?}");
        assert_eq!(migrations[2]["error"]["kind"], "environment", "{run:#?}");
        let tries = "SELECT count(*) FROM zdm_audit WHERE migration = '3333cccc3333' AND outcome = 'failed'";
        assert_eq!(project.value(tries), "1");
    });
}

/// Nothing else can work then; what was done before is told all the same.
#[test]
fn a_database_that_vanishes_stops_all() {
    on_postgres(HASTY, |project| {
        versions::write_three(&project.path("zdm"), "postgres");
        project.done(&["expand"]);
        project.execute(
            "CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
             CREATE TRIGGER vanishes BEFORE UPDATE OF stage ON zdm.stage
             FOR EACH ROW WHEN (NEW.stage = 'dual_write') EXECUTE FUNCTION vanish()",
        );
        let run = project.zdm(&["advance", "--format", "json"]);
        assert_eq!(run.code, 3, "{run:#?}");
        let object = run.object();
        let migrations = object["migrations"].as_array().unwrap();
        assert_eq!(migrations.len(), 2, "{object}");
        assert_eq!(migrations[0]["done"], true, "{object}");
        assert_eq!(migrations[1]["error"]["kind"], "environment", "{object}");
        assert_eq!(project.stage("spare"), "off");
    });
}
