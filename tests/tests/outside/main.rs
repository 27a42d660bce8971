//! Writers outside the application know one side of a row, the old or the new one, and write beside generated code of all
//! releases while the command line takes the migration through every phase, back from the end, and to the end again. No statement
//! may fail, every read gives what was committed last, by whomever, and only what the outside has written is counted.

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

mod ledger;
mod outsiders;
mod writers;

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use self::ledger::Ledger;
use self::outsiders::Knows;
use self::writers::Writers;

const VERSION: &str = "both_sides";

const TO_THE_END: &[&[&str]] = &[
    &["switch", "--to", "dual_write"],
    &["backfill"],
    &["verify"],
    &["switch", "--to", "shadow"],
    &["switch", "--to", "50%"],
    &["switch", "--to", "100%"],
    &["verify"],
    &["switch", "--to", "ramp_down"],
    &["switch", "--to", "complete"],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nothing_is_lost_that_the_outside_writes_to_one_side() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "outside");
    releases.under_nets();
    releases.declared("old", &[&["init"], &["expand"]]);
    outsiders::invited(&url).await;
    let ledger = Arc::new(Ledger::default());
    let old = writers::old(&url, &ledger).await;
    let of_old = outsiders::who(Knows::Old, &url, &ledger).await;
    releases.declared("transition", &[&["generate", VERSION], &["expand"]]);
    let transition = writers::transition(&url, &ledger).await;
    old.written().await;
    old.end().await;

    along(&releases, &[&transition, &of_old], &TO_THE_END[..1]).await;
    let of_new = outsiders::who(Knows::New, &url, &ledger).await;
    let all = [&transition, &of_old, &of_new];
    along(&releases, &all, &TO_THE_END[1..]).await;
    let back: &[&[&str]] = &[
        &["rollback", "--to", "ramp_down"],
        &["rollback", "--to", "dual_write"],
        &["resume", VERSION],
    ];
    along(&releases, &all, back).await;
    along(&releases, &all, &TO_THE_END[2..]).await;

    releases.generated("last", &[&["finalize"]]);
    let last = writers::last(&url, &ledger).await;
    transition.written().await;
    transition.end().await;
    of_old.written().await;
    of_old.end().await;
    of_new.end().await;
    only_the_outside_is_counted(&url).await;
    ledger.is_on_both_sides(&url).await;
    along(&releases, &[&last], &[&["contract"]]).await;
    last.end().await;
    ledger.is_stored(&url).await;
    nothing_is_left(&url).await;
}

/// Each command while the writers write, and some writes after it.
async fn along(releases: &Releases, writers: &[&Writers], commands: &[&[&str]]) {
    for command in commands {
        releases.until_done(command);
        for writers in writers {
            writers.written().await;
        }
    }
}

async fn only_the_outside_is_counted(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let caught: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT split_part(sequencename, '_', 2), last_value FROM pg_sequences
         WHERE schemaname = 'zdm' AND sequencename LIKE '%caught' ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let [(customers, Some(written)), (visits, None)] = &caught[..] else {
        panic!("{caught:?}");
    };
    assert_eq!(
        (customers.as_str(), visits.as_str()),
        ("customers", "visits")
    );
    assert!(*written > 0);
}

async fn nothing_is_left(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal)
            + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'zdm'::regnamespace)
            + (SELECT count(*) FROM pg_sequences WHERE sequencename LIKE '%caught')",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(left, 0);
}
