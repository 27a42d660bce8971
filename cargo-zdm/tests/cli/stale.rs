//! What is stale is not copied, and what was interrupted goes on.

use zdm_tests::postgres::Server;

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::generate::{be_hasty, user_crate};
use crate::project::Project;

/// Row 1 waits in quarantine, as a backfill has left it; the application has mended it at `live`, and at `complete` it
/// writes new alone.
fn to_complete_with_a_row_in_quarantine(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill"]);
    project.done(&["verify"]);
    project.done(&["switch", "--to", "shadow"]);
    project.done(&["switch", "--to", "100%"]);
    project.done(&["verify"]);
    project.done(&["switch", "--to", "ramp_down"]);
    let control = if project.url.starts_with("sqlite") {
        "zdm_"
    } else {
        "zdm."
    };
    project.execute(&format!(
        "INSERT INTO {control}quarantine
             (migration, table_name, row_key, column_name, error, value_type, state, recorded_at)
         VALUES ('2222bbbb2222', 'users', '[\"1\"]', 'full_name', 'cannot be converted', 'text', 'waiting', 0)"
    ));
    project.done(&["switch", "--to", "complete"]);
    project.execute("UPDATE users SET full_name = 'hopper' WHERE id = 1");
}

/// Contract asks for a settled quarantine and names `quarantine fix`. At `complete` old is maintained by nobody, so that
/// converting from it overwrote what had been written to new alone (invariant 3).
#[test]
fn a_quarantined_row_is_not_converted_from_a_stale_old_on_sqlite() {
    on_sqlite(HASTY, not_converted_from_a_stale_old);
}

#[test]
fn a_quarantined_row_is_not_converted_from_a_stale_old_on_postgres() {
    on_postgres(HASTY, not_converted_from_a_stale_old);
}

fn not_converted_from_a_stale_old(project: &Project) {
    to_complete_with_a_row_in_quarantine(project);
    let full_name = || project.value("SELECT full_name FROM users WHERE id = 1");
    let fix = project.zdm(&["quarantine", "fix"]);
    assert_eq!(full_name(), "hopper", "{fix:#?}");
    assert_eq!(fix.code, 4, "{fix:#?}");
    fix.says("the migration is at complete");
    project.done(&["rollback"]);
    assert_eq!(
        project.value("SELECT name FROM users WHERE id = 1"),
        "hopper"
    );
    project.done(&["quarantine", "fix"]);
    assert_eq!(full_name(), "hopper");
}

/// `complete → ramp_down` is committed before old is filled. What ends in between — a crash, a row that cannot be filled —
/// left a migration whose next `rollback` asked for a verification, which asked for a `rollback`.
#[test]
fn an_interrupted_way_back_from_complete_goes_on() {
    on_sqlite(HASTY, |project| {
        to_complete_with_a_row_in_quarantine(project);
        project.execute(
            "CREATE TRIGGER refuses BEFORE UPDATE OF name ON users
             BEGIN SELECT RAISE(ABORT, 'not now'); END",
        );
        let stopped = project.zdm(&["rollback"]);
        assert_eq!(stopped.code, 1, "{stopped:#?}");
        assert_eq!(project.stage("users_full_name"), "ramp_down");
        // New must not be filled from the stale old meanwhile.
        for command in [&["quarantine", "fix"][..], &["backfill"]] {
            let refused = project.zdm(command);
            assert_eq!(refused.code, 4, "{refused:#?}");
        }
        project.execute("DROP TRIGGER refuses");
        let run = project.done(&["rollback", "--format", "json"]).object();
        assert_eq!(run["to"], "ramp_down", "{run}");
        assert_eq!(
            project.value("SELECT name FROM users WHERE id = 1"),
            "hopper"
        );
        project.done(&["rollback", "--to", "dual_write"]);
        assert_eq!(project.stage("users_full_name"), "dual_write");
    });
}

/// Reads never left new, and old cannot be read: a soak at `ramp_down` would keep no way back open.
#[test]
fn forward_again_from_an_interrupted_way_back_needs_no_second_soak() {
    on_sqlite(HASTY, |project| {
        to_complete_with_a_row_in_quarantine(project);
        project.write("zdm.toml", "[policy]\nsoak = \"14d\"\n");
        let refuses = "CREATE TRIGGER refuses BEFORE UPDATE OF name ON users
             BEGIN SELECT RAISE(ABORT, 'not now'); END";
        project.execute(refuses);
        let stopped = project.zdm(&["rollback"]);
        assert_eq!(stopped.code, 1, "{stopped:#?}");
        assert_eq!(project.stage("users_full_name"), "ramp_down");
        project.done(&["switch", "--to", "complete"]);

        // Where the way back is open, it is worth the wait.
        project.execute("DROP TRIGGER refuses");
        project.done(&["rollback"]);
        let early = project.zdm(&["switch", "--to", "complete"]);
        assert_eq!(early.code, 4, "{early:#?}");
        early.says("soak");
    });
}

/// `up` makes of NULL what new has, so that only the old column's NOT NULL told that the row has no old side yet: the way back ended at
/// that constraint, and writes of the row failed from then on.
#[test]
fn a_row_without_either_value_gets_its_old_side_back() {
    let project = Project::sqlite("");
    without_either_value(&project, "sqlite");
    let server = Server::start();
    without_either_value(&Project::on(server.database("app"), ""), "postgres");
}

fn without_either_value(project: &Project, dialect: &str) {
    let visit = |field: &str| {
        format!(
            "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\npub struct Visit {{\n    #[zdm(primary_key)]\n    pub id: i64,\n    {field}\n}}\n"
        )
    };
    user_crate(project);
    project.write("src/models.rs", &visit("pub seconds: String,"));
    project.done(&["init", "--dialect", dialect]);
    be_hasty(project);
    project.done(&["expand"]);
    project.execute("INSERT INTO visits VALUES (1, '7')");
    project.write(
        "src/models.rs",
        &visit(
            "#[zdm(column = \"duration\", from(\"seconds\"), up = \"CAST(seconds AS integer)\", valid_if = \"seconds <> 'x'\",
          down = \"coalesce(CAST(duration AS text), '0')\", on_invalid = \"null\")]\n    pub seconds: Option<i32>,",
        ),
    );
    project.done(&["generate", "duration"]);
    project.done(&["advance", "--before-deploy"]);
    assert_eq!(project.zdm(&["advance"]).code, 4);
    assert_eq!(project.stage("duration"), "complete");
    project.execute("INSERT INTO visits (id, duration) VALUES (2, NULL), (3, 9)");
    project.done(&["rollback", "duration", "--to", "dual_write"]);
    assert_eq!(
        project.value(
            "SELECT min(seconds) || ' ' || max(seconds) || ' ' || count(seconds) FROM visits"
        ),
        "0 9 3"
    );
    project.execute("UPDATE visits SET id = id WHERE id = 2");
}
