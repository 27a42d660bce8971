//! A backfill that is killed or paused in the middle goes on where it stopped.

use std::process::{Child, Stdio};
use std::time::Duration;

use zdm_runtime::database::{Connection, Value};

use crate::database::{HASTY, on_postgres};
use crate::project::{Project, Run};

#[test]
fn a_killed_backfill_goes_on_at_its_cursor() {
    on_postgres(HASTY, |project| {
        let first = with_a_blocked_backfill(project, async |mut backfill| {
            backfill.kill().unwrap();
            backfill.wait().unwrap();
        });
        goes_on(project, first);
    });
}

#[test]
fn a_paused_backfill_stops_between_batches() {
    on_postgres(HASTY, |project| {
        let first = with_a_blocked_backfill(project, async |backfill| {
            project.done(&["pause", "users_full_name", "--reason", "incident 4711"]);
            // The last row stays locked, so only the pause can end it.
            let run = Run::from(backfill.wait_with_output().unwrap());
            assert_eq!(run.code, 4, "{run:#?}");
            let stopped = run.object()["stopped"].to_string();
            assert!(stopped.contains("paused"), "{run:#?}");
        });
        assert_eq!(project.zdm(&["backfill"]).code, 4);
        project.done(&["resume", "users_full_name"]);
        goes_on(project, first);
    });
}

fn goes_on(project: &Project, first: i64) {
    assert!((1..500).contains(&first), "{first}");
    let second = project.done(&["backfill", "--format", "json"]).object();
    assert_eq!(second["rows"].as_i64().unwrap() + first, 500, "{second}");
    assert_eq!(
        project.done(&["verify", "--format", "json"]).object()["rows"],
        500
    );
}

/// Somebody holds the last of 500 rows, so that a backfill cannot end by itself; `interrupt` gets it as soon as its ledger
/// shows a batch. Returns how many rows were done by the end of that.
fn with_a_blocked_backfill(project: &Project, interrupt: impl AsyncFnOnce(Child)) -> i64 {
    project.done(&["expand"]);
    project
        .execute("INSERT INTO users SELECT id, 'user ' || id FROM generate_series(1, 500) AS id");
    project.done(&["switch", "--to", "dual_write"]);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let mut holder = Connection::open(&project.url).await.unwrap();
            holder.begin().await.unwrap();
            let lock = "SELECT id FROM users WHERE id = 500 FOR UPDATE";
            holder.query(lock, &[]).await.unwrap();
            let mut backfill = project
                .command(&["backfill", "--batch-rows", "50", "--format", "json"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut watcher = Connection::open(&project.url).await.unwrap();
            while rows_done(&mut watcher).await == 0 {
                assert!(backfill.try_wait().unwrap().is_none(), "it ended by itself");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            interrupt(backfill).await;
            holder.rollback().await.unwrap();
            // A batch that was on its way may still be committed or rolled back by the server.
            let busy = "SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()";
            while watcher.query(busy, &[]).await.unwrap() != [[Value::from(0)]] {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            rows_done(&mut watcher).await
        })
}

async fn rows_done(connection: &mut Connection) -> i64 {
    let sql = "SELECT CAST(coalesce(sum(rows_seen), 0) AS bigint) FROM {zdm}chunk";
    match connection.query(sql, &[]).await.unwrap()[0][..] {
        [Value::Int(Some(rows))] => rows,
        ref other => panic!("{other:?}"),
    }
}
