//! An undo and a contract that fail in the middle, and fail again, beside writers; then they are ended by the same command. All the
//! while no two connections have the same `search_path`, and none has the one that a fresh database has.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use crate::writers::{self, Ledger, Writers};
use crate::{TO_THE_END, VERSION, along, pool};

/// What the tool created for the transition, and what is left of the old column.
const LEFT: &str = "SELECT concat_ws(' ',
    (SELECT count(*) FROM pg_class WHERE relname LIKE '%_customers' AND relkind = 'v'),
    (SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.customers'::regclass AND attname IN ('age_old', 'age_years')),
    (SELECT count(*) FROM pg_proc WHERE proname LIKE '%_customers_age_years_up'))";

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_undo_and_a_contract_that_fail_in_the_middle_are_ended_by_repeating_them() {
    let server = Server::start();
    let url = server.database("app");
    let path = |path: &str| format!("{url}&options=-csearch_path%3D{path}");
    let application = path("migration_x,public");
    execute(&url, "CREATE SCHEMA migration_x").await;
    let releases = Releases::new(path("nowhere,public"), "names");
    releases.declared("old", &[&["init"], &["expand"]]);
    let ledger = Arc::new(Ledger::default());
    let old = writers::old(pool(&application).await, &ledger).await;
    releases.declared("transition", &[&["generate", VERSION], &["expand"]]);
    assert_eq!(text(&url, LEFT).await, "1 1 1");

    // The view goes first, then the function, the column last.
    let undo = &["rollback", "--to", "absent"];
    fails_in_the_middle(&releases, (&url, &old), undo, "0 1 1").await;
    along(&releases, &old, &[undo, undo]).await;
    assert_eq!(text(&url, LEFT).await, "0 0 0");
    along(&releases, &old, &[&["resume", VERSION], &["expand"]]).await;
    let transition = writers::transition(pool(&application).await, &ledger).await;
    old.end().await;
    along(&releases, &transition, TO_THE_END).await;
    releases.generated("last", &[&["finalize"]]);
    let last = writers::last(pool(&application).await, &ledger).await;
    transition.end().await;

    // The view and the column go first, the function last.
    let contract = &["contract"];
    fails_in_the_middle(&releases, (&url, &last), contract, "0 0 1").await;
    along(&releases, &last, &[contract]).await;
    assert_eq!(text(&url, LEFT).await, "0 0 0");
    last.end().await;
    writers::compare(&pool(&url).await, "customers", &ledger).await;
}

/// The command cannot drop a function, twice; the writers go on.
async fn fails_in_the_middle(
    releases: &Releases,
    (url, writers): (&str, &Writers),
    command: &[&str],
    left: &str,
) {
    let stop = "CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not now''; END';
        CREATE EVENT TRIGGER stop ON ddl_command_start WHEN TAG IN ('DROP FUNCTION') EXECUTE FUNCTION stop()";
    execute(url, stop).await;
    for _ in 0..2 {
        let run = releases.ended(command);
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(3), "{said}");
        assert!(said.contains("not now"), "{said}");
        assert_eq!(text(url, LEFT).await, left);
        writers.written().await;
    }
    execute(url, "DROP EVENT TRIGGER stop; DROP FUNCTION stop").await;
}

async fn execute(url: &str, sql: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

async fn text(url: &str, sql: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let found = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
    found.fetch_one(&mut connection).await.unwrap()
}
