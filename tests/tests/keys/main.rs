//! Keys that run out of numbers grow, with all that refers to them. Writers of the generated code of all releases run while the
//! command line takes the migration through every phase, back from the end, and to the end again. No statement may fail and
//! nothing that was committed may be lost.

/// The release before.
pub mod old {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// The release that reads keys of either type.
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

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;
use zdm_tests::project::catalogue;
use zdm_tests::releases::Releases;

use self::writers::{Ledger, Writers};

const VERSION: &str = "wide_keys";

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
async fn no_statement_fails_while_keys_grow() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "keys");
    releases.declared("old", &[&["init"], &["expand"]]);
    let reader = "CREATE ROLE reader; GRANT SELECT (id) ON accounts TO reader";
    execute(&url, reader).await;
    let ledger = Arc::new(Ledger::default());
    let old = writers::old(&url, &ledger).await;
    releases.declared("transition", &[&["generate", VERSION], &["expand"]]);
    old.written().await;
    let transition = writers::transition(&url, &ledger).await;
    old.end().await;

    along(&releases, &transition, TO_THE_END).await;
    a_number_beyond_what_old_holds_stands_in_the_way_back(&releases, &url).await;
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
    let last = writers::last(&url, &ledger).await;
    transition.end().await;
    along(&releases, &last, &[&["contract"]]).await;
    // From here on the database counts where no integer goes.
    let beyond = "SELECT setval(pg_get_serial_sequence('accounts', 'id'), 5000000000)";
    execute(&url, beyond).await;
    last.written().await;
    last.end().await;
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

/// It says so before anything is taken back, and goes when the row is gone.
async fn a_number_beyond_what_old_holds_stands_in_the_way_back(releases: &Releases, url: &str) {
    let beyond = "INSERT INTO accounts (id, name) VALUES (3000000000, 'beyond')";
    execute(url, beyond).await;
    let back = ["rollback", "--to", "ramp_down"];
    let told = "accounts.id holds 3000000000, which is no integer";
    releases.waits(&back, told);
    execute(url, "DELETE FROM accounts WHERE id = 3000000000").await;
}

async fn execute(url: &str, sql: &'static str) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

async fn what_is_left(url: &str) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name LIKE '%id%' ORDER BY 1, 2",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let columns: Vec<_> = columns
        .iter()
        .map(|(table, column, kind)| (table.as_str(), column.as_str(), kind.as_str()))
        .collect();
    assert_eq!(
        columns,
        [
            ("accounts", "id", "bigint"),
            ("duties", "account_id", "bigint"),
            ("entries", "account_id", "bigint"),
            ("entries", "id", "bigint"),
        ]
    );
    let invalid: Vec<String> = sqlx::query_scalar(
        "SELECT conname::text FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND NOT convalidated",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(invalid, Vec::<String>::new());
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT conname::text FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'p') ORDER BY 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(
        keys,
        [
            "accounts_pkey",
            "duties_pkey",
            "entries_pkey",
            "fk_accounts_opened_by",
            "fk_duties_account_id",
            "fk_entries_account_id",
        ]
    );
    let (beyond, triggers, reads): (i64, i64, bool) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM accounts WHERE id > 5000000000),
            (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
            has_column_privilege('reader', 'accounts', 'id', 'SELECT')",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert!(beyond > 0);
    assert_eq!(triggers, 0);
    assert!(reads, "the right went with the old column");
    conn.close().await.unwrap();
    let catalogue = catalogue(url).await;
    assert!(catalogue.others.iter().all(|other| other.what != "view"));
}
