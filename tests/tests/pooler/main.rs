//! Through PgBouncer in transaction mode: the whole way of a migration, back and forward again, with the writers that the test of
//! [names that go over](../names) has. The command line goes through it in any case, the application where it follows prepared
//! statements. No statement may fail, nothing that was committed may be lost, and no session at the server may keep anything.

/// The release before.
#[path = "../names/old"]
pub mod old {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// The release that knows both sides.
#[path = "../names/transition"]
pub mod transition {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// The release after.
#[path = "../names/last"]
pub mod last {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// A release with another name for the table.
#[path = "../names/renamed"]
pub mod renamed {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

mod application;
mod connection;
#[path = "../names/writers.rs"]
mod writers;

use std::sync::Arc;

use sqlx::PgPool;
use zdm_tests::pgbouncer::PgBouncer;
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use self::writers::{Ledger, Writers};

const VERSION: &str = "customers";

/// What a session may have that its next client did not ask for. The application's own statements stay, where they are followed.
const KEPT: &str = "SELECT concat_ws(' ', current_setting('lock_timeout'), current_setting('statement_timeout'),
        current_setting('idle_in_transaction_session_timeout'), current_setting('row_security'), current_setting('role'),
        current_setting('search_path'), current_setting('jit'), current_setting('default_transaction_isolation'),
        current_setting('default_transaction_read_only'), current_setting('zdm.session', true))
    || (SELECT coalesce(string_agg(' keeps ' || name, ''), '') FROM pg_prepared_statements WHERE name NOT LIKE 'PGBOUNCER%')
    || (SELECT coalesce(string_agg(' locks ' || objid, ''), '') FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')
    || (SELECT coalesce(string_agg(' listens ' || channel, ''), '') FROM pg_listening_channels() AS channel)
    || (SELECT coalesce(string_agg(' has ' || relname, ''), '') FROM pg_class
        WHERE relnamespace = pg_my_temp_schema() AND relkind IN ('r', 'v'))";

/// The pooler, and what each of its sessions was like before anything was done.
struct Watched {
    pooler: PgBouncer,
    /// The server itself.
    direct: String,
    before: Vec<String>,
}

impl Watched {
    /// A release's own.
    async fn pool(&self) -> PgPool {
        if self.pooler.follows_statements() {
            self.pooler.pool("app").await
        } else {
            PgPool::connect(&self.direct).await.unwrap()
        }
    }

    async fn nothing_is_left(&self, by: &[&str]) {
        let now = self.pooler.in_each_session("app", KEPT).await;
        assert_eq!(now, self.before, "{by:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_migration_goes_its_whole_way_through_a_pooler() {
    let server = Server::start();
    let direct = server.database("app");
    let pooler = PgBouncer::before(&server);
    let releases = Releases::new(pooler.url("app"), "names");
    let before = pooler.in_each_session("app", KEPT).await;
    let watched = Watched {
        pooler,
        direct,
        before,
    };

    releases.declared("old", &[&["init"], &["expand"]]);
    watched.nothing_is_left(&["expand"]).await;
    let ledger = Arc::new(Ledger::default());
    let old = writers::old(watched.pool().await, &ledger).await;
    releases.declared("transition", &[&["generate", VERSION]]);
    along(&releases, (&watched, &old), &[&["expand"]]).await;
    let transition = writers::transition(watched.pool().await, &ledger).await;
    old.end().await;

    let forward: &[&[&str]] = &[
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
    let back: &[&[&str]] = &[
        &["rollback", "--to", "ramp_down"],
        &["rollback", "--to", "dual_write"],
        &["resume", VERSION],
    ];
    let (ahead, behind) = forward.split_at(3);
    along(&releases, (&watched, &transition), ahead).await;
    // An index is built beside the writers: outside a transaction.
    let run = releases.ended(behind[0]);
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(3), "{said}");
    assert!(
        said.contains("cannot be done through a pooler") && said.contains("--database-url"),
        "{said}"
    );
    watched.nothing_is_left(behind[0]).await;
    let directly = [behind[0], &["--database-url", &watched.direct]].concat();
    along(&releases, (&watched, &transition), &[&directly]).await;
    for commands in [&behind[1..], back, &forward[2..]] {
        along(&releases, (&watched, &transition), commands).await;
    }
    releases.generated("last", &[&["finalize"]]);
    if watched.pooler.follows_statements() {
        // `SELECT age` gives another type by now, and is one statement for the clients of all releases.
        watched.pooler.reconnect().await;
    }
    let last = writers::last(watched.pool().await, &ledger).await;
    transition.end().await;
    along(
        &releases,
        (&watched, &last),
        &[&["contract"], &["status", "--audit"]],
    )
    .await;
    releases.declared("renamed", &[&["generate", "clients"], &["expand"]]);
    let renamed = writers::renamed(watched.pool().await, &ledger).await;
    last.end().await;
    along(&releases, (&watched, &renamed), &[&["advance"]]).await;
    renamed.end().await;
    writers::compare(&watched.pool().await, "clients", &ledger).await;
}

/// Each command while the writers write, and some writes after it; then a look at each session.
async fn along(
    releases: &Releases,
    (watched, writers): (&Watched, &Writers),
    commands: &[&[&str]],
) {
    for command in commands {
        releases.until_done(command);
        writers.written().await;
        watched.nothing_is_left(command).await;
    }
}
