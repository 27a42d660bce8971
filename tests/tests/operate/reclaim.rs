//! The vacuum that follows a backfill.

use tokio::sync::watch;
use zdm_runtime::backfill::{Way, reclaim};
use zdm_runtime::database::Dialect;

use crate::cases::{Case, ID, RENAME, batches_of};

#[tokio::test]
async fn a_stretch_that_was_filled_is_vacuumed() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 30_000).await;
    case.run("ALTER TABLE users SET (autovacuum_enabled = off)")
        .await;
    let mut connection = case.target.open().await;
    let migration = case.migration.clone();
    let (listeners, listener) = watch::channel(false);
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let vacuum = tokio::spawn(async move {
        ready.send(()).unwrap();
        reclaim::run(&mut connection, &migration, Way::Up, &listeners).await
    });
    is_ready.await.unwrap();
    case.fill(&batches_of(1_000)).await;
    // One that looked at the ledger after the last batch only sees what is filled after it.
    let vacuumed = "SELECT pg_stat_get_vacuum_count('users'::regclass)";
    while case.number(vacuumed).await == 0 {
        case.run("UPDATE users SET full_name = 'stale'").await;
        case.fill_again(&batches_of(10_000)).await;
    }
    drop(listener);
    vacuum.await.unwrap().unwrap();
}

/// While somebody else's lock keeps it away, more is filled than it follows; it says so as soon as it is at work, until it has caught up.
#[tokio::test]
async fn it_lags_where_more_was_filled_than_it_got_to() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 41_000).await;
    case.run("ALTER TABLE users SET (autovacuum_enabled = off)")
        .await;
    let mut other = case.target.open().await;
    other.begin().await.unwrap();
    let lock = "LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE";
    other.run_file(lock).await.unwrap();
    let mut connection = case.target.open().await;
    let migration = case.migration.clone();
    let (listeners, mut lags) = watch::channel(false);
    let vacuum = tokio::spawn(async move {
        reclaim::run(&mut connection, &migration, Way::Up, &listeners).await
    });
    let looked = "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%sum(rows_changed)%'";
    while case.number(looked).await == 0 {
        tokio::task::yield_now().await;
    }
    case.fill(&batches_of(10_000)).await;
    assert!(!*lags.borrow());
    other.rollback().await.unwrap();
    lags.wait_for(|lags| *lags).await.unwrap();
    lags.wait_for(|lags| !lags).await.unwrap();
    drop(lags);
    vacuum.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_role_that_may_not_vacuum_is_told_of_and_does_without() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 1).await;
    let (migration, way) = (case.migration.clone(), Way::Up);
    let refused = reclaim::refused(&mut case.connection, &migration, way).await;
    assert!(refused.unwrap().is_empty());
    case.run("CREATE ROLE plain; GRANT USAGE ON SCHEMA zdm TO plain; SET ROLE plain")
        .await;
    let refused = reclaim::refused(&mut case.connection, &migration, way).await;
    assert_eq!(refused.unwrap(), ["users"]);
    let (listeners, _listener) = watch::channel(false);
    reclaim::run(&mut case.connection, &migration, way, &listeners)
        .await
        .unwrap();
}
