//! Names that go over: columns of other types keep theirs in the end, then the table gets another. Writers of the generated
//! code of all releases run while the command line takes the first migration through every phase, back from the end, and to
//! the end again, and the second after it. No statement may fail and nothing that was committed may be lost.

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

/// A release with another name for the table.
pub mod renamed {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

mod interrupted;
mod row_security;
mod writers;

use std::sync::Arc;

use sqlx::PgPool;
use zdm_tests::postgres::Server;
use zdm_tests::project::catalogue;
use zdm_tests::releases::Releases;

use self::writers::{Ledger, Writers};

const VERSION: &str = "customers";

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
async fn no_statement_fails_while_names_go_over() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "names");
    releases.declared("old", &[&["init"], &["expand"]]);
    let ledger = Arc::new(Ledger::default());
    let old = writers::old(pool(&url).await, &ledger).await;
    releases.declared("transition", &[&["generate", VERSION], &["expand"]]);
    let transition = writers::transition(pool(&url).await, &ledger).await;
    old.end().await;

    along(&releases, &transition, TO_THE_END).await;
    // Names, sides and gates go back, and forward again.
    along(
        &releases,
        &transition,
        &[&["rollback", "--to", "ramp_down"]],
    )
    .await;
    along(
        &releases,
        &transition,
        &[&["rollback", "--to", "dual_write"]],
    )
    .await;
    along(&releases, &transition, &[&["resume", VERSION]]).await;
    along(&releases, &transition, &TO_THE_END[2..]).await;

    releases.generated("last", &[&["finalize"]]);
    let last = writers::last(pool(&url).await, &ledger).await;
    transition.end().await;
    along(&releases, &last, &[&["contract"]]).await;
    last.written().await;

    releases.declared("renamed", &[&["generate", "clients"], &["expand"]]);
    let renamed = writers::renamed(pool(&url).await, &ledger).await;
    last.written().await;
    last.end().await;
    along(&releases, &renamed, &[&["advance"]]).await;
    renamed.end().await;
    writers::compare(&pool(&url).await, "clients", &ledger).await;

    let catalogue = catalogue(&url).await;
    let mut tables = catalogue.tables.iter();
    let clients = tables.find(|table| table.name == "clients");
    let columns = clients.expect("the table").columns.iter();
    let columns: Vec<_> = columns
        .map(|column| (column.name.as_str(), column.sql_type.as_str()))
        .collect();
    assert_eq!(
        columns,
        [("id", "bigint"), ("age", "integer"), ("amount", "bigint")]
    );
    assert!(catalogue.others.iter().all(|other| other.what != "view"));
}

/// Each release has a pool of its own.
async fn pool(url: &str) -> PgPool {
    PgPool::connect(url).await.unwrap()
}

/// Each command while the writers write, and some writes after it.
async fn along(releases: &Releases, writers: &Writers, commands: &[&[&str]]) {
    for command in commands {
        releases.until_done(command);
        writers.written().await;
    }
}
