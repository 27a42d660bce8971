//! Control tables of an older tool: looked at as they are, brought up to date by what moves a migration, and no version is
//! executed for that.

use std::fmt::Write as _;

use zdm_runtime::database::control;
use zdm_tests::postgres::Server;

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;
use crate::versions;

/// What the versions after the first have added.
const LATER: &[(&str, &[&str])] = &[
    (
        "migration",
        &[
            "rolled_back_at",
            "rolled_back_to",
            "taken_back_at",
            "kept_until",
        ],
    ),
    ("chunk", &["throttle"]),
    (
        "verification",
        &[
            "cursor_table",
            "cursor_key",
            "lease_owner",
            "lease_epoch",
            "lease_until",
            "repaired",
            "old_checksum",
            "new_checksum",
            "by_down",
        ],
    ),
    (
        "audit",
        &[
            "database_role",
            "content_hash",
            "sequence",
            "previous_hash",
            "entry_hash",
        ],
    ),
    ("stage", &["read_instances"]),
    ("instance", &["name"]),
    ("instance_code", &["held"]),
    (
        "meta",
        &[
            "audit_entries",
            "audit_hash",
            "audit_unchained",
            "audit_last_unchained",
        ],
    ),
];

/// Takes away what the versions after the first have added.
fn age(project: &Project, zdm: &str) {
    // An index is in its table's schema.
    let schema = zdm.strip_suffix('.').map_or("", |_| zdm);
    let mut sql =
        format!("UPDATE {zdm}meta SET version = 1; DROP INDEX {schema}zdm_audit_sequence;");
    for (table, columns) in LATER {
        for column in *columns {
            let _ = write!(sql, "ALTER TABLE {zdm}{table} DROP COLUMN {column};");
        }
    }
    project.execute(&sql);
}

/// At `shadow`, with a version in the folder that the database lacks.
fn at_shadow(project: &Project, dialect: &str) {
    project.done(&["expand"]);
    project.fill();
    for arguments in [
        &["switch", "--to", "dual_write"][..],
        &["backfill"],
        &["verify"],
        &["switch", "--to", "shadow"],
    ] {
        project.done(arguments);
    }
    versions::write_three(&project.path("zdm"), dialect);
}

#[test]
fn older_tables_are_read_and_brought_up_to_date_on_sqlite() {
    on_sqlite(HASTY, |project| {
        older_tables_are_read_and_brought_up_to_date(project, "sqlite", "zdm_");
    });
}

#[test]
fn older_tables_are_read_and_brought_up_to_date_on_postgres() {
    on_postgres(HASTY, |project| {
        older_tables_are_read_and_brought_up_to_date(project, "postgres", "zdm.");
    });
}

fn older_tables_are_read_and_brought_up_to_date(project: &Project, dialect: &str, zdm: &str) {
    at_shadow(project, dialect);
    let version = || project.value(&format!("SELECT version FROM {zdm}meta"));
    let newest = control::VERSION.to_string();
    for moves in [
        &["rollback", "users_full_name"][..],
        &["switch", "users_full_name", "--to", "shadow"],
        &["resume", "users_full_name"],
        &["verify", "users_full_name"],
        &["pause", "users_full_name"],
        &["resume", "users_full_name"],
        &["quarantine", "waive", "users_full_name", "--reason", "none"],
    ] {
        age(project, zdm);
        for looks in [
            &["status"][..],
            &["status", "--audit"],
            &["rollback", "users_full_name", "--dry-run"],
            &["advance", "--dry-run"],
            &["quarantine", "list"],
        ] {
            project.done(looks);
        }
        let told = project.done(&["status"]);
        told.says("the control tables are of version 1");
        project
            .done(&["status", "--audit"])
            .says("from before the log was a chain");
        let object = project.done(&["status", "--format", "json"]).object();
        assert_eq!(object["control_tables"]["version"], 1, "{object}");
        assert_eq!(version(), "1");
        project.done(moves);
        assert_eq!(version(), newest);
        let log = project.done(&["status", "--audit", "--format", "json"]);
        assert_eq!(log.object()["chain"]["whole"], true);
        assert_eq!(project.stage("spare"), "absent");
        let object = project.done(&["status", "--format", "json"]).object();
        assert!(object["control_tables"].is_null(), "{object}");
    }
    // The way back was held on the tables that it brought up to date.
    project.done(&["rollback", "users_full_name"]);
    assert_eq!(project.stage("users_full_name"), "dual_write");
    project.done(&["status"]).says("was rolled back");
}

/// Whoever may not change them is told who may, and what to run.
#[test]
fn a_role_that_does_not_own_the_tables_is_told_what_to_run() {
    let server = Server::start();
    let owner = Project::on(server.database("shop"), HASTY);
    let app = Project::on(server.url_of("shop", "app"), HASTY);
    for project in [&owner, &app] {
        versions::write(&project.path("zdm"), "postgres");
    }
    at_shadow(&owner, "postgres");
    owner.execute(
        "CREATE ROLE keeper; CREATE ROLE app LOGIN; ALTER TABLE zdm.migration OWNER TO keeper;
         GRANT USAGE ON SCHEMA zdm TO app; GRANT ALL ON ALL TABLES IN SCHEMA zdm TO app",
    );
    age(&owner, "zdm.");
    app.done(&["status"]).says("version 1");
    let run = app.zdm(&["rollback", "users_full_name", "--format", "json"]);
    assert_eq!(run.code, 3, "{run:#?}");
    let error = &run.object()["error"];
    let next = error["next"].as_str().unwrap();
    assert!(next.contains("keeper"), "{error}");
    assert!(!next.contains("expand"), "{error}");
    assert_eq!(owner.value("SELECT version FROM zdm.meta"), "1");
    assert_eq!(owner.stage("users_full_name"), "shadow");
    let (_, sql) = next.split_once('`').unwrap();
    let (sql, _) = sql.split_once('`').unwrap();
    owner.execute(sql);
    app.done(&["rollback", "users_full_name"]);
    assert_eq!(owner.stage("users_full_name"), "dual_write");
}

/// A session in the way makes nobody wait behind the upgrade for long.
#[test]
fn an_upgrade_does_not_queue_behind_a_long_transaction() {
    on_postgres(HASTY, |project| {
        at_shadow(project, "postgres");
        age(project, "zdm.");
        let run = project.beside("SELECT * FROM zdm.migration", || {
            project.zdm(&["rollback", "users_full_name"])
        });
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("lock timeout");
        project.done(&["rollback", "users_full_name"]);
        assert_eq!(project.stage("users_full_name"), "dual_write");
    });
}
