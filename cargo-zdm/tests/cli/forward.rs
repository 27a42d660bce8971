//! The whole way forward by hand, every command asked for its object.

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;
use crate::versions;

#[test]
fn every_phase_by_hand_on_sqlite() {
    on_sqlite(HASTY, every_phase_by_hand);
}

#[test]
fn every_phase_by_hand_on_postgres() {
    on_postgres(HASTY, every_phase_by_hand);
}

fn every_phase_by_hand(project: &Project) {
    let json = |arguments: &[&str]| {
        let arguments = [arguments, &["--format", "json"]].concat();
        project.done(&arguments).object()
    };
    let expanded = json(&["expand"]);
    assert_eq!(
        expanded["expanded"].as_array().unwrap().len(),
        2,
        "{expanded}"
    );
    assert_eq!(project.stage("users_full_name"), "off");
    project.fill();

    let hop = json(&["switch", "--to", "dual_write"]);
    assert_eq!(
        (&hop["from"], &hop["to"]),
        (&"off".into(), &"dual_write".into())
    );
    let filled = json(&[
        "backfill",
        "--workers",
        "2",
        "--batch-rows",
        "1",
        "--no-throttle",
    ]);
    assert_eq!(filled["rows"], 3, "{filled}");
    for key in ["seconds", "batches", "rows_per_second"] {
        assert!(filled[key].as_f64().unwrap() > 0.0, "{key} of {filled}");
    }
    assert_eq!(
        project.value("SELECT full_name FROM users WHERE id = 2"),
        "grace"
    );
    let verified = json(&["verify"]);
    assert_eq!(verified["verified"], true, "{verified}");

    json(&["switch", "--to", "shadow"]);
    let hop = json(&["switch", "--to", "25%"]);
    assert_eq!(hop["reads_basis_points"], 2500);
    let status = json(&["status", "2"]);
    assert_eq!(
        status["migrations"][0]["reads_basis_points"], 2500,
        "{status}"
    );
    json(&["switch", "--to", "100%"]);
    json(&["verify"]);
    json(&["switch", "--to", "ramp_down"]);
    json(&["switch", "--to", "complete"]);
    let shut = project.zdm(&["contract"]);
    assert_eq!(shut.code, 4, "{shut:#?}");
    shut.says("cargo zdm finalize");
    versions::finalize(&project.path("zdm"));
    let contracted = json(&["contract"]);
    assert_eq!(contracted["contracted"], true);
    assert_eq!(project.stage("users_full_name"), "contracted");
    assert_eq!(
        project.value("SELECT count(*) FROM users WHERE full_name IS NULL"),
        "1"
    );

    let again = json(&["contract", "users_full_name"]);
    assert_eq!(again["steps"], 0);
    assert_eq!(project.zdm(&["rollback", "users_full_name"]).code, 2);
    let audit = json(&["status", "--audit"]);
    let actions: Vec<_> = audit["audit"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    for action in ["expand", "step", "hop", "backfill", "verify"] {
        assert!(actions.contains(&action), "{action} in {actions:?}");
    }
}

#[test]
fn expand_is_idempotent() {
    on_sqlite("", |project| {
        project.done(&["expand"]);
        let again = project.done(&["expand", "--format", "json"]).object();
        assert_eq!(again["expanded"].as_array().unwrap().len(), 0);
        project.done(&["expand"]).says("nothing to expand");
    });
}

#[test]
fn a_dry_run_shows_the_sql_and_changes_nothing() {
    on_sqlite("", |project| {
        let run = project.done(&["expand", "--dry-run"]);
        run.says("CREATE TABLE users");
        run.says("ALTER TABLE users ADD COLUMN full_name TEXT;");
        assert_eq!(project.zdm(&["status"]).code, 3, "there is no file yet");
        project.done(&["expand"]);
        let run = project.done(&["switch", "--to", "dual_write", "--dry-run"]);
        run.says("known_everywhere");
        project
            .done(&["rollback", "users_full_name", "--dry-run"])
            .says("DROP COLUMN full_name");
        assert_eq!(project.stage("users_full_name"), "off");
    });
}

#[test]
fn a_later_version_does_not_overtake_an_earlier_one() {
    on_sqlite("", |project| {
        let run = project.zdm(&["expand", "users_full_name"]);
        assert_eq!(run.code, 2, "{run:#?}");
        run.says("0001_init");
    });
}

#[test]
fn a_database_ahead_of_the_folder_is_told() {
    on_sqlite("", |project| {
        project.done(&["expand"]);
        crate::versions::write_first(&project.path("zdm"), "sqlite");
        let run = project.zdm(&["expand"]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("the database is ahead of this checkout");
    });
}

#[test]
fn a_baseline_is_recorded_and_not_executed() {
    on_sqlite("", |project| {
        project.execute("CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT)");
        std::fs::write(
            project.path("zdm/code.toml"),
            "1111aaaa1111 = \"baseline\"\n",
        )
        .unwrap();
        let expanded = project.done(&["expand", "--format", "json"]).object();
        assert_eq!(expanded["expanded"][0]["did"], "adopt", "{expanded}");
        assert_eq!(expanded["expanded"][1]["did"], "expand", "{expanded}");
    });
}

#[test]
fn a_fresh_database_is_created_at_the_finalized_schema() {
    on_sqlite("", |project| {
        std::fs::write(project.path("zdm/code.toml"), "2222bbbb2222 = \"final\"\n").unwrap();
        let expanded = project.done(&["expand", "--format", "json"]).object();
        assert_eq!(expanded["expanded"][1]["did"], "create_final", "{expanded}");
        assert_eq!(project.stage("users_full_name"), "contracted");
        project.execute("INSERT INTO users (id, full_name) VALUES (1, 'ada')");
        let names = "SELECT count(*) FROM pragma_table_info('users') WHERE name = 'name'";
        assert_eq!(project.value(names), "0");
    });
}

#[test]
fn an_interrupted_creation_goes_on_and_one_with_rows_does_not_skip_phases() {
    for (rows, did) in [
        ("", "create_final"),
        ("INSERT INTO users (id) VALUES (1)", "expand"),
    ] {
        on_sqlite("", |project| {
            project.done(&["expand", "init"]);
            project.execute(rows);
            project.write("zdm/code.toml", "2222bbbb2222 = \"final\"\n");
            let expanded = project.done(&["expand", "--format", "json"]).object();
            assert_eq!(expanded["expanded"][0]["did"], did, "{expanded}");
        });
    }
}

#[test]
fn the_review_page_is_printed_as_it_stands() {
    on_sqlite("", |project| {
        project.done(&["review"]).says("# Rename");
        let page = project.done(&["review", "2", "--format", "json"]).object();
        assert_eq!(page["page"], "# Rename\n");
        assert_eq!(project.zdm(&["review", "init"]).code, 3);
    });
}
