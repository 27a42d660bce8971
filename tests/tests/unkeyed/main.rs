//! A table in which nothing tells rows apart through all phases, back from the end and to the end again, while generated code of all
//! releases stores rows and queries of its own change and read them: no row is lost, and each that is read is as it was written last.

/// The release before.
pub mod old {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// The release that knows both sides.
pub mod transition {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// The release after.
pub mod last {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

mod writers;

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use self::writers::{Writers, counted};

const VERSION: &str = "paths";

const TO_THE_END: &[&[&str]] = &[
    &["switch", "--to", "dual_write"],
    &["backfill", "--workers", "2", "--batch-rows", "100"],
    &["status"],
    &["verify"],
    &["switch", "--to", "shadow"],
    &["switch", "--to", "50%", "--by", "instance"],
    &["switch", "--to", "100%"],
    &["verify"],
    &["switch", "--to", "ramp_down"],
    &["switch", "--to", "complete"],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_row_is_lost_on_the_way_there_and_back() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "unkeyed");
    releases.declared("old", &[&["init"], &["expand"]]);
    writers::seed(&url).await;
    let old = Writers::old(&url).await;
    releases.declared("transition", &[&["generate", VERSION], &["expand"]]);
    let undone: &[&[&str]] = &[
        &["rollback", "--to", "absent"],
        &["resume", VERSION],
        &["expand"],
    ];
    for command in undone {
        releases.until_done(command);
    }
    let transition = Writers::transition(&url).await;
    old.written().await;
    let from_old = old.end().await;

    along(&releases, &transition, TO_THE_END).await;
    let back: &[&[&str]] = &[
        &["rollback", "--to", "ramp_down"],
        &["rollback", "--to", "dual_write"],
        &["resume", VERSION],
    ];
    along(&releases, &transition, back).await;
    along(&releases, &transition, &TO_THE_END[2..]).await;
    releases.generated("last", &[&["finalize"]]);
    let from_transition = transition.end().await;
    let last = Writers::last(&url).await;
    along(&releases, &last, &[&["contract"]]).await;
    let from_last = last.end().await;

    let mut expected = writers::seeded();
    for (path, times) in [from_old, from_transition, from_last].into_iter().flatten() {
        *expected.entry(path).or_default() += times;
    }
    assert_eq!(counted(&url).await, expected);
}

/// Each command while the writers write, and some writes after it.
async fn along(releases: &Releases, writers: &Writers, commands: &[&[&str]]) {
    for command in commands {
        releases.until_done(command);
        writers.written().await;
    }
}

/// A crate whose table holds rows from before, and the version that knows both sides, not expanded yet.
async fn generated(url: &str, nets: bool) -> Releases {
    let releases = Releases::new(url.to_owned(), "unkeyed");
    if nets {
        releases.under_nets();
    }
    releases.declared("old", &[&["init"], &["expand"]]);
    writers::seed(url).await;
    releases.declared("transition", &[&["generate", VERSION]]);
    releases
}

async fn run(url: &str, sql: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_table_with_children_is_refused_before_anything_runs() {
    let server = Server::start();
    let url = server.database("app");
    let releases = generated(&url, false).await;
    run(&url, "CREATE TABLE archived () INHERITS (visits)").await;
    let refused = releases.ended(&["expand"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("partitions or children"), "{said}");
    assert!(
        said.contains("nothing of this version was executed"),
        "{said}"
    );
    run(&url, "DROP TABLE archived").await;
    releases.until_done(&["expand"]);
}

/// Whoever writes one side alone, by whatever condition, has a trigger that gives the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_net_keeps_both_sides_for_writers_outside() {
    let server = Server::start();
    let url = server.database("app");
    let releases = generated(&url, true).await;
    for command in [&["expand"][..], TO_THE_END[0]] {
        releases.until_done(command);
    }
    run(
        &url,
        "UPDATE visits SET page = 'outside', seconds = 1 WHERE seen % 10 = 0",
    )
    .await;
    for command in TO_THE_END[1..].iter().take(2) {
        releases.until_done(command);
    }
    run(
        &url,
        "UPDATE visits SET page = 'outside' WHERE seen % 10 = 1;
         INSERT INTO visits (page, seconds, agent, seen) VALUES ('outside', 1, 'A', 0)",
    )
    .await;
    for command in &TO_THE_END[2..] {
        releases.until_done(command);
    }
    assert_eq!(counted(&url).await["outside"], 301);
}
