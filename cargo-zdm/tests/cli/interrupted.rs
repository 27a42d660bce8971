//! A backfill that is killed or paused in the middle goes on where it stopped.

use std::process::{Child, Stdio};
use std::time::Duration;

use zdm_runtime::database::{Connection, Value};
use zdm_tests::postgres::Server;

use crate::database::{HASTY, on_postgres};
use crate::project::{Project, Run};
use crate::versions;

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

/// Batches are committed before they are on disk. What the server had not yet written of them goes with their cursors.
#[test]
fn a_server_that_crashes_loses_rows_with_their_cursor_alone() {
    let late = ["wal_writer_delay=10s", "wal_writer_flush_after=1GB"];
    let mut server = Server::start_with(&late);
    let project = Project::on(server.database("app"), HASTY);
    versions::write(&project.path("zdm"), "postgres");
    prepare(&project);
    let first = in_a_runtime(async {
        let (_, backfill) = blocked_backfill(&project).await;
        server.crash();
        let run = Run::from(backfill.wait_with_output().unwrap());
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("at most one batch is repeated");
        let mut connection = Connection::open(&project.url).await.unwrap();
        let filled = "SELECT count(*) FROM users WHERE full_name = name";
        let filled = connection.query(filled, &[]).await.unwrap();
        let seen = rows_done(&mut connection).await;
        assert_eq!(filled, [[Value::from(seen)]]);
        seen
    });
    goes_on(&project, first);
}

fn goes_on(project: &Project, first: i64) {
    assert!((0..500).contains(&first), "{first}");
    let second = project.done(&["backfill", "--format", "json"]).object();
    assert_eq!(second["rows"].as_i64().unwrap() + first, 500, "{second}");
    assert_eq!(
        project.done(&["verify", "--format", "json"]).object()["rows"],
        500
    );
}

/// Interrupts a backfill that is in the middle. Returns how many rows were done by the end of that.
fn with_a_blocked_backfill(project: &Project, interrupt: impl AsyncFnOnce(Child)) -> i64 {
    prepare(project);
    in_a_runtime(async {
        let (mut holder, backfill) = blocked_backfill(project).await;
        interrupt(backfill).await;
        holder.rollback().await.unwrap();
        let mut watcher = Connection::open(&project.url).await.unwrap();
        // A batch that was on its way may still be committed or rolled back by the server.
        let busy = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()";
        while watcher.query(busy, &[]).await.unwrap() != [[Value::from(0)]] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let done = rows_done(&mut watcher).await;
        assert!(done > 0);
        done
    })
}

/// Somebody, who is returned, holds the last of 500 rows, so that this backfill cannot end by itself; its ledger shows a batch.
async fn blocked_backfill(project: &Project) -> (Connection, Child) {
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
    (holder, backfill)
}

fn prepare(project: &Project) {
    project.done(&["expand"]);
    project
        .execute("INSERT INTO users SELECT id, 'user ' || id FROM generate_series(1, 500) AS id");
    project.done(&["switch", "--to", "dual_write"]);
}

fn in_a_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

async fn rows_done(connection: &mut Connection) -> i64 {
    let sql = "SELECT CAST(coalesce(sum(rows_seen), 0) AS bigint) FROM {zdm}chunk";
    match connection.query(sql, &[]).await.unwrap()[0][..] {
        [Value::Int(Some(rows))] => rows,
        ref other => panic!("{other:?}"),
    }
}
