//! Columns of keys get other names, alone and beside a column that refers to one of them. Writers of the generated code of all
//! releases run while the command line takes the migrations through every stage, back from the end, and to the end again. No
//! statement may fail and nothing that was committed may be lost.

/// The release before.
pub mod old {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// The release that knows the new names by views.
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

/// The release of another version, in which a column has two sides as well.
pub mod beside {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// The release after that.
pub mod end {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

mod writers;

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;
use zdm_tests::project::catalogue;
use zdm_tests::releases::Releases;

use self::writers::{Ledger, Writers};

const NAMES: &str = "names_of_keys";
const BESIDE: &str = "holders";

const TO_COMPLETE: &[&[&str]] = &[
    &["switch", NAMES, "--to", "ramp_down"],
    &["switch", NAMES, "--to", "complete"],
];

const BY_FIVE_PHASES: &[&[&str]] = &[
    &["switch", BESIDE, "--to", "dual_write"],
    &["backfill", BESIDE],
    &["verify", BESIDE],
    &["switch", BESIDE, "--to", "shadow"],
    &["switch", BESIDE, "--to", "50%"],
    &["switch", BESIDE, "--to", "100%"],
    &["verify", BESIDE],
    &["switch", BESIDE, "--to", "ramp_down"],
    &["switch", BESIDE, "--to", "complete"],
];

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_fails_while_keys_get_other_names() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "key_names");
    releases.declared("old", &[&["init"], &["expand"]]);
    let reader = "CREATE ROLE reader; GRANT SELECT (id) ON accounts TO reader";
    execute(&url, reader).await;
    let ledger = Arc::new(Ledger::default());
    let old = writers::old(&url, &ledger).await;
    releases.declared("transition", &[&["generate", NAMES], &["expand"]]);
    old.written().await;
    let transition = writers::transition(&url, &ledger).await;
    releases.waits(TO_COMPLETE[0], "known_everywhere");
    releases.waits(TO_COMPLETE[1], "one_hop");
    old.end().await;

    along(&releases, &transition, TO_COMPLETE).await;
    along(&releases, &transition, &[&["rollback", NAMES]]).await;
    let off = ["rollback", NAMES, "--to", "off"];
    along(&releases, &transition, &[&off]).await;
    let old = writers::old(&url, &ledger).await;
    transition.written().await;
    old.end().await;
    along(&releases, &transition, &[&["resume", NAMES]]).await;
    along(&releases, &transition, TO_COMPLETE).await;

    releases.generated("last", &[&["finalize"]]);
    releases.waits(&["contract", NAMES], "final_everywhere");
    let last = writers::last(&url, &ledger).await;
    releases.waits(&["rollback", NAMES], "nobody_final");
    transition.end().await;
    along(&releases, &last, &[&["contract", NAMES]]).await;

    releases.declared("beside", &[&["generate", BESIDE], &["expand"]]);
    let beside = writers::beside(&url, &ledger).await;
    last.written().await;
    last.end().await;
    along(&releases, &beside, BY_FIVE_PHASES).await;
    let back = ["rollback", BESIDE, "--to", "off"];
    along(&releases, &beside, &[&back]).await;
    let last = writers::last(&url, &ledger).await;
    beside.written().await;
    last.end().await;
    along(&releases, &beside, &[&["resume", BESIDE]]).await;
    along(&releases, &beside, BY_FIVE_PHASES).await;
    releases.generated("end", &[&["finalize"]]);
    let end = writers::end(&url, &ledger).await;
    beside.end().await;
    along(&releases, &end, &[&["contract", BESIDE]]).await;
    end.end().await;

    writers::compare(&url, &ledger).await;
    what_is_left(&url).await;
}

/// Each command while the writers write, and some writes after it.
async fn along(releases: &Releases, writers: &Writers, commands: &[&[&str]]) {
    for command in commands {
        releases.until_done(command);
        writers.written().await;
    }
}

async fn execute(url: &str, sql: &'static str) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

async fn what_is_left(url: &str) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    let keys: Vec<(String, String)> = sqlx::query_as(
        "SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'p', 'u', 'c') ORDER BY 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let keys: Vec<_> = keys
        .iter()
        .map(|(name, definition)| (name.as_str(), definition.as_str()))
        .collect();
    assert_eq!(
        keys,
        [
            ("accounts_check", "CHECK ((number > 0))"),
            ("accounts_pkey", "PRIMARY KEY (number)"),
            ("duties_pkey", "PRIMARY KEY (holder_id, clerk_id)"),
            ("entries_pkey", "PRIMARY KEY (entry)"),
            (
                "fk_accounts_opened_by",
                "FOREIGN KEY (opened_by) REFERENCES accounts(number) ON DELETE SET NULL"
            ),
            (
                "fk_duties_holder_id",
                "FOREIGN KEY (holder_id) REFERENCES accounts(number) ON DELETE CASCADE"
            ),
            (
                "fk_entries_holder",
                "FOREIGN KEY (holder) REFERENCES accounts(number)"
            ),
            (
                "fk_tags_account_id",
                "FOREIGN KEY (account_id) REFERENCES accounts(number) ON DELETE CASCADE"
            ),
            ("tags_label", "UNIQUE (word, account_id)"),
        ]
    );
    let reads: bool =
        sqlx::query_scalar("SELECT has_column_privilege('reader', 'accounts', 'number', 'SELECT')")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    assert!(reads, "the right went with the name");
    conn.close().await.unwrap();
    let catalogue = catalogue(url).await;
    assert!(catalogue.others.iter().all(|other| other.what != "view"));
}
