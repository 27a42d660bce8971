//! `verify --repair`: rows that a writer outside the application left with two values.

use std::process::Stdio;
use std::time::Duration;

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::{Project, Run};

#[test]
fn rows_that_differ_are_repaired_on_sqlite() {
    on_sqlite(HASTY, rows_that_differ_are_repaired);
}

#[test]
fn rows_that_differ_are_repaired_on_postgres() {
    on_postgres(HASTY, rows_that_differ_are_repaired);
}

fn rows_that_differ_are_repaired(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    project.done(&["switch", "--to", "dual_write"]);
    project.done(&["backfill"]);
    project.execute("UPDATE users SET name = 'by hand' WHERE id = 2");
    let told = project.done(&["verify", "--repair"]);
    told.says("1 of 1 rows that differ were filled anew (users (2) in full_name)");
    told.says("all consistent");
    told.says("checksum of old and new: ");
    project.done(&["status"]).says("last verification of new: ");
    let of_two = "SELECT full_name FROM users WHERE id = 2";
    assert_eq!(project.value(of_two), "by hand");
    project.done(&["switch", "--to", "shadow"]);
    project.execute("UPDATE users SET name = 'again' WHERE id = 2");
    let run = project.zdm(&["verify", "--repair"]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("cargo zdm rollback");
    assert_eq!(project.value(of_two), "by hand");
    project.done(&["rollback"]);
    let mended = project
        .done(&["verify", "--repair", "--format", "json"])
        .object();
    assert_eq!(
        (&mended["verified"], &mended["repaired"]),
        (&true.into(), &1.into()),
        "{mended}"
    );
    assert_eq!(project.value(of_two), "again");
    let sums = &mended["checksums"];
    assert!(
        sums["new"].is_string() && sums["old"] == sums["new"],
        "{mended}"
    );
    let status = project.done(&["status", "--format", "json"]).object();
    let last = &status["migrations"][1]["verification"];
    assert_eq!((&last["checksums"], &last["mismatches"]), (sums, &0.into()));

    // The same rows are the same sum; a policy may leave it out.
    let policy = project.path("zdm.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    let again = project.done(&["verify", "--format", "json"]).object();
    assert_eq!(&again["checksums"], sums);
    std::fs::write(
        &policy,
        text.replace("[policy]", "[policy]\nchecksums = false"),
    )
    .unwrap();
    let without = project.done(&["verify", "--format", "json"]).object();
    assert_eq!(
        (&without["verified"], &without["checksums"]),
        (&true.into(), &serde_json::Value::Null)
    );
}

/// The commands that a message names, in their order.
fn named(run: &Run) -> Vec<Vec<String>> {
    let next = run.out.split("next: ").nth(1).unwrap_or_default();
    let quoted = next.split('`').skip(1).step_by(2);
    quoted
        .map(|command| command.strip_prefix("cargo zdm ").expect(command))
        .map(|command| command.split(' ').map(str::to_owned).collect())
        .collect()
}

const TO_RAMP_DOWN: [&[&str]; 6] = [
    &["backfill"],
    &["verify"],
    &["switch", "--to", "shadow"],
    &["switch", "--to", "100%"],
    &["verify"],
    &["switch", "--to", "ramp_down"],
];

/// From a stage where rows differ, what `verify` says leads to a comparison that passes, and the way forward is open.
fn what_is_said_is_the_way_on(project: &Project) {
    project.done(&["expand"]);
    project.fill();
    project.done(&["switch", "--to", "dual_write"]);
    for moves in [1, 3, 4, 6] {
        for command in &TO_RAMP_DOWN[..moves] {
            project.done(command);
        }
        project.execute("UPDATE users SET name = 'by hand' WHERE id = 2");
        let found = project.zdm(&["verify"]);
        assert_eq!(found.code, 1, "{moves} moves: {found:#?}");
        let commands = named(&found);
        assert_eq!(commands.len(), 2, "{found:#?}");
        for command in commands {
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            project.done(&command);
        }
        let of_two = "SELECT full_name FROM users WHERE id = 2";
        assert_eq!(project.value(of_two), "by hand");
        assert_eq!(project.stage("users_full_name"), "dual_write");
        project.done(&["resume", "users_full_name"]);
        project.execute("UPDATE users SET name = 'grace', full_name = 'grace' WHERE id = 2");
    }
    for command in TO_RAMP_DOWN {
        project.done(command);
    }
}

#[test]
fn what_is_said_is_the_way_on_on_sqlite() {
    on_sqlite(HASTY, what_is_said_is_the_way_on);
}

#[test]
fn what_is_said_is_the_way_on_on_postgres() {
    on_postgres(HASTY, what_is_said_is_the_way_on);
}

/// A row that the repair cannot fill leads to the backfill, which says why.
#[test]
fn what_is_not_repaired_is_said_with_the_way_on() {
    on_postgres(HASTY, |project| {
        project.done(&["expand"]);
        project.fill();
        project.done(&["switch", "--to", "dual_write"]);
        project.done(&["backfill"]);
        project.execute("UPDATE users SET name = 'by hand'");
        project.execute("ALTER TABLE users ADD CHECK (id <> 2 OR full_name <> 'by hand')");
        let found = project.zdm(&["verify", "--repair"]);
        assert_eq!(found.code, 1, "{found:#?}");
        found.says("3 of 3 rows have sides that differ, of which 2 were filled anew");
        assert_eq!(
            named(&found),
            [
                ["backfill", "users_full_name"],
                ["verify", "users_full_name"]
            ]
        );
        let stopped = project.zdm(&["backfill", "users_full_name"]);
        assert_eq!(stopped.code, 1, "{stopped:#?}");
        project.execute("UPDATE users SET name = 'grace' WHERE id = 2");
        project.done(&["backfill", "users_full_name"]);
        project.done(&["verify", "users_full_name"]);
    });
}

/// Both have found the rows before either fills one; each says what it has done itself, and none calls right what is not.
#[test]
fn of_two_that_repair_at_once_each_counts_its_own_rows() {
    on_postgres(HASTY, |project| {
        project.done(&["expand"]);
        project.fill();
        project.done(&["switch", "--to", "dual_write"]);
        project.done(&["backfill"]);
        project.execute("UPDATE users SET name = 'by hand'");
        let both = project.beside("SELECT 1 FROM users WHERE id = 1 FOR UPDATE", || {
            let both = ["verify", "verify"].map(|command| {
                project
                    .command(&[command, "--repair", "--format", "json"])
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            });
            std::thread::scope(|scope| scope.spawn(|| two_wait(project)).join().unwrap());
            both
        });
        let runs = both.map(|child| Run::from(child.wait_with_output().unwrap()));
        let mut repaired = 0;
        for run in &runs {
            assert_eq!(run.code, 0, "{runs:#?}");
            let object = run.object();
            let of = |name: &str| object[name].as_i64().unwrap();
            assert_eq!(of("repaired") + of("by_others"), 3, "{runs:#?}");
            repaired += of("repaired");
        }
        assert_eq!(repaired, 3, "{runs:#?}");
        let filled = "SELECT count(*) FROM users WHERE full_name = 'by hand'";
        assert_eq!(project.value(filled), "3");
        // Nothing has to be filled again.
        assert_eq!(
            project.value("SELECT count(*) FROM zdm.chunk WHERE state = 'done'"),
            "1"
        );
    });
}

fn two_wait(project: &Project) {
    let waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted";
    while project.value(waiting) != "2" {
        std::thread::sleep(Duration::from_millis(10));
    }
}
