//! The command line is killed again and again on the whole way, each time as soon as the audit log holds one entry more:
//! inside and between its steps. What is started next goes on, and every row arrives.

use std::process::Stdio;
use std::time::Duration;

use zdm_runtime::database::{Connection, Value};

use crate::database::{HASTY, on_postgres, on_sqlite};
use crate::project::Project;
use crate::versions;

/// More runs than the way has entries would mean that it stands still.
const MOST_RUNS: usize = 60;

#[test]
fn the_whole_way_on_sqlite() {
    on_sqlite(HASTY, the_whole_way);
}

#[test]
fn the_whole_way_on_postgres() {
    on_postgres(HASTY, the_whole_way);
}

fn the_whole_way(project: &Project) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    project.done(&["expand", "init"]);
    for id in 1..=40 {
        project.execute(&format!(
            "INSERT INTO users (id, name) VALUES ({id}, 'user {id}')"
        ));
    }
    // From here on the database is not fresh, so the code's state decides about contract alone.
    versions::finalize(&project.path("zdm"));
    let mut kills = 0;
    while runtime.block_on(killed_at_the_next_entry(project)) {
        kills += 1;
        assert!(
            kills < MOST_RUNS,
            "it does not get on: {}",
            project.stage("users_full_name")
        );
    }
    assert!(kills > 3, "it was killed {kills} times only");
    project.done(&["advance"]);
    assert_eq!(project.stage("users_full_name"), "contracted");
    let wrong = "SELECT count(*) FROM users WHERE full_name IS DISTINCT FROM 'user ' || id";
    assert_eq!(project.value(wrong), "0");
    assert_eq!(project.value("SELECT count(*) FROM users"), "40");
    let again = project.done(&["advance", "--format", "json"]).object();
    assert_eq!(again["migrations"][1]["moves"], 0, "{again}");
}

/// Starts `advance` and kills it when it has written to the audit log; `false` where it came to its end before.
async fn killed_at_the_next_entry(project: &Project) -> bool {
    let mut watcher = Connection::open(&project.url).await.unwrap();
    let before = entries(&mut watcher).await;
    let mut advance = project
        .command(&["advance"])
        .stdout(std::fs::File::create(project.path("said")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    loop {
        if let Some(status) = advance.try_wait().unwrap() {
            let said = std::fs::read_to_string(project.path("said")).unwrap();
            assert!(status.success(), "{status}: {said}");
            return false;
        }
        if entries(&mut watcher).await > before {
            advance.kill().unwrap();
            return !advance.wait().unwrap().success();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn entries(connection: &mut Connection) -> i64 {
    let rows = connection
        .query("SELECT count(*) FROM {zdm}audit", &[])
        .await
        .unwrap();
    match rows[0][..] {
        [Value::Int(Some(entries))] => entries,
        ref other => panic!("{other:?}"),
    }
}
