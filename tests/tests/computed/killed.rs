//! A process of the application that is killed in the middle: another goes on at its cursors.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use zdm_runtime::backfill::End;
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use crate::NAME;
use crate::application::postgres::{at_dual_write, execute, run, texts};
use crate::phone::{self, Told};

const URL: &str = "ZDM_TESTS_COMPUTED_URL";

/// The other process: this program once more, with the database's URL.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_process_that_is_killed() {
    let Ok(url) = std::env::var(URL) else {
        return;
    };
    let filling = tokio::spawn(async move { run(&url, "killed").await });
    tokio::task::block_in_place(|| phone::wait_for(Told::Arrived));
    println!("\narrived");
    filling.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn another_process_goes_on_where_one_was_killed() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "computed/postgres");
    let (zdm, _) = at_dual_write(&url, &releases).await;
    releases.waits(&["backfill", NAME], "crate::phone::key");
    execute(&url, "UPDATE users SET phone = 'waits' WHERE id = 60").await;

    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "killed::the_process_that_is_killed",
            "--nocapture",
        ])
        .env(URL, &url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let arrived = tokio::task::block_in_place(|| {
        let mut lines = lines.map_while(Result::ok);
        lines.any(|line| line == "arrived")
    });
    assert!(arrived);
    child.kill().unwrap();
    child.wait().unwrap();
    let before = "SELECT id::text FROM users WHERE phone_key IS NOT NULL";
    let before = texts(&url, before).await.len();
    assert!(before > 0, "its first batches are committed");

    execute(&url, "UPDATE users SET phone = '60' WHERE id = 60").await;
    let outcome = run(&url, "the next").await.unwrap();
    assert_eq!(outcome.end, End::Done);
    let left = "SELECT id::text FROM users WHERE phone_key IS NULL";
    assert!(texts(&url, left).await.is_empty());
    releases.until_done(&["backfill", NAME]);
    releases.until_done(&["verify", NAME]);
    zdm.close().await.unwrap();
}
