//! `advance` is killed again and again on its whole way, each time as soon as the audit log holds one entry more: inside and
//! between its steps. What is started next goes on, and every row arrives.

use zdm_runtime::database::Connection;

use crate::code::{Version, Visit, visit};
use crate::enumerate::{Site, run, said};
use crate::rows::Rows;
use crate::way::{ADVANCE, EXPAND_FIRST};

/// More runs than the way has entries would mean that it stands still.
const MOST_RUNS: u32 = 60;

/// The whole way.
pub(crate) async fn again_and_again(site: &mut impl Site) {
    site.passed(&EXPAND_FIRST).await;
    site.go_on().await;
    let (mut rows, sql) = Rows::seed();
    let mut connection = Connection::open(&site.url()).await.unwrap();
    connection.run_file(&sql).await.unwrap();
    connection
        .run_file(&rows.without_what_waits())
        .await
        .unwrap();
    drop(connection);

    let mut kills = 0;
    while site.killed_at_the_next_entry(&ADVANCE).await {
        kills += 1;
        assert!(kills < MOST_RUNS, "it does not get on");
    }
    // One at least for each step, hop, backfill and comparison.
    assert!(kills > 15, "it was killed {kills} times only");
    let output = run(&site.url(), &ADVANCE);
    let answer = said(&output);
    assert!(output.status.success(), "{answer}");
    assert!(answer.contains("\"stage\":\"contracted\""), "{answer}");
    assert!(!answer.contains("\"moves\":1"), "{answer}");
    let read = visit(&site.url(), Version::V3, Visit::Read, &mut rows).await;
    read.unwrap();
}
