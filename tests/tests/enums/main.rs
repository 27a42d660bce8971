//! An enum whose values are renamed, merged and moved: its type goes over to another of the same name. Writers of the generated
//! code of all releases run while the command line takes the migration through every phase, back from the end, and to the end
//! again, on connections from before each move and on new ones. No statement may fail and nothing that was committed may be
//! lost.

/// The release before.
pub mod old {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// The release that knows both types.
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

mod by_hand;
mod writers;

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;
use zdm_tests::project::catalogue;
use zdm_tests::releases::Releases;

use self::writers::{Ledger, Writers};

const VERSION: &str = "moods";

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
async fn no_statement_fails_while_an_enum_gets_other_values() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "enums");
    releases.declared("old", &[&["init"], &["expand"]]);
    let ledger = Arc::new(Ledger::default());
    let old = writers::old(&url, &ledger).await;
    releases.declared("transition", &[&["generate", VERSION], &["expand"]]);
    let transition = writers::transition(&url, &ledger).await;
    old.written().await;
    old.end().await;

    along(&releases, &transition, TO_THE_END).await;
    // Names, types and sides go back, and forward again.
    let back: &[&[&str]] = &[
        &["rollback", "--to", "ramp_down"],
        &["rollback", "--to", "dual_write"],
        &["resume", VERSION],
    ];
    along(&releases, &transition, back).await;
    along(&releases, &transition, &TO_THE_END[2..]).await;

    releases.generated("last", &[&["finalize"]]);
    let last = writers::last(&url, &ledger).await;
    transition.written().await;
    transition.end().await;
    along(&releases, &last, &[&["contract"]]).await;
    last.end().await;
    writers::compare(&url, &ledger).await;
    nothing_is_left(&url).await;
}

/// Each command while the writers write, and some writes after it.
async fn along(releases: &Releases, writers: &Writers, commands: &[&[&str]]) {
    for command in commands {
        releases.until_done(command);
        writers.written().await;
    }
}

/// The database is what the models say, and has nothing else.
async fn nothing_is_left(url: &str) {
    let catalogue = catalogue(url).await;
    let enums: Vec<_> = catalogue
        .enums
        .iter()
        .map(|found| (found.name.as_str(), found.values.join(" ")))
        .collect();
    assert_eq!(enums, [("mood", "calm unhappy happy".to_owned())]);
    let columns = catalogue.tables.iter().flat_map(|table| {
        let columns = table.columns.iter();
        columns.map(|column| {
            (
                table.name.as_str(),
                column.name.as_str(),
                column.sql_type.as_str(),
            )
        })
    });
    let of_enum: Vec<_> = columns
        .filter(|(.., sql_type)| sql_type.contains("mood"))
        .collect();
    assert_eq!(
        of_enum,
        [
            ("days", "mood", "mood"),
            ("persons", "mood", "mood"),
            ("persons", "before", "mood")
        ]
    );
    assert!(catalogue.others.iter().all(|other| other.what != "view"));
    let mut connection = PgConnection::connect(url).await.unwrap();
    let functions: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_proc WHERE pronamespace = 'zdm'::regnamespace AND proname LIKE '%mood%'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(functions, 0);
}
