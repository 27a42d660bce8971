//! Two tables of one name in two schemas. Writers of the generated code of all releases write one of them while the command line takes
//! its migration through every phase, back, and to the end again: a column gets another type under its name, one another name, and
//! the enum another value. No statement may fail, nothing that was committed may be lost, and the other table stays as it was.

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

use std::sync::Arc;

use zdm_tests::postgres::Server;
use zdm_tests::project::{catalogue, execute};
use zdm_tests::releases::Releases;

use self::writers::{Ledger, Writers};

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

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_one_schema_changes_and_that_of_another_stays() {
    let server = Server::start();
    let url = server.database("app");
    execute(&url, "CREATE SCHEMA billing").await;
    let releases = Releases::new(url.clone(), "schemas");
    releases.declared("old", &[&["init"], &["expand"]]);
    let ledger = Arc::new(Ledger::default());
    let others = writers::others(&url).await;
    let old = writers::old(&url, &ledger).await;
    releases.declared("transition", &[&["generate", "totals"], &["expand"]]);
    let transition = writers::transition(&url, &ledger).await;
    old.end().await;

    along(&releases, &transition, TO_THE_END).await;
    along(
        &releases,
        &transition,
        &[&["rollback", "--to", "dual_write"], &["resume", "totals"]],
    )
    .await;
    along(&releases, &transition, &TO_THE_END[1..]).await;

    releases.generated("last", &[&["finalize"]]);
    let last = writers::last(&url, &ledger).await;
    transition.end().await;
    along(&releases, &last, &[&["contract"]]).await;
    last.end().await;
    writers::compare(&url, &ledger).await;
    assert_eq!(writers::others(&url).await, others);

    let catalogue = catalogue(&url).await;
    let columns = |name: &str| -> Vec<(String, String)> {
        let mut tables = catalogue.tables.iter();
        let table = tables.find(|table| table.name == name);
        let columns = table.expect("the table").columns.iter();
        columns
            .map(|column| (column.name.clone(), column.sql_type.clone()))
            .collect()
    };
    let pair = |(name, sql_type): (&str, &str)| (name.to_owned(), sql_type.to_owned());
    assert_eq!(
        columns("invoices"),
        [("id", "bigint"), ("total", "text")].map(pair)
    );
    let mut changed = columns("billing.invoices");
    changed.sort();
    assert_eq!(
        changed,
        [
            ("cents", "integer"),
            ("id", "bigint"),
            ("status", "billing.status"),
            ("total", "integer")
        ]
        .map(pair)
    );
}

/// Each command while the writers write, and some writes after it.
async fn along(releases: &Releases, writers: &Writers, commands: &[&[&str]]) {
    for command in commands {
        releases.until_done(command);
        writers.written().await;
    }
}
