//! Reads from a replica: readers of the generated code of all releases on a standby, beside writers on the primary that share
//! their handle, while the command line takes the migration of [names that go over](../names) through every phase, back and to the
//! end. Replay is held before a command and goes on after it, so that the standby knows an older stage than anybody else, and
//! catches up while it is read. Each read is the last write that the standby had replayed then.

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

mod instances;

use sqlx::{Connection as _, PgConnection, PgPool};
use zdm_runtime::{Error, Zdm};
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use self::instances::Instances;

const VERSION: &str = "customers";

const FORWARD: &[&[&str]] = &[
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

/// A primary, its standby, and the command line.
struct Cluster {
    _servers: [Server; 2],
    releases: Releases,
    primary: String,
    standby: String,
}

impl Cluster {
    async fn start() -> Self {
        let server = Server::start();
        // The standby begins as a copy: no row that it reads is removed, and a lock of its readers is not long in the way.
        for setting in [
            "ALTER SYSTEM SET hot_standby_feedback = on",
            "ALTER SYSTEM SET max_standby_streaming_delay = '500ms'",
        ] {
            execute(&server.url(), setting).await;
        }
        let primary = server.database("app");
        let replica = server.standby();
        Self {
            releases: Releases::new(primary.clone(), "names"),
            standby: replica.url_of("app", "owner"),
            primary,
            _servers: [server, replica],
        }
    }

    /// What the standby is told from now on, it learns later.
    async fn hold(&self) {
        execute(&self.standby, "SELECT pg_wal_replay_pause()").await;
        let paused = "SELECT (pg_get_wal_replay_pause_state() = 'paused')::text";
        until(&self.standby, paused).await;
    }

    /// The standby learns all that has been written until now.
    async fn catch_up(&self) {
        execute(&self.standby, "SELECT pg_wal_replay_resume()").await;
        let now = text(&self.primary, "SELECT pg_current_wal_lsn()::text").await;
        let replayed = format!("SELECT (pg_last_wal_replay_lsn() >= '{now}')::text");
        until(&self.standby, &replayed).await;
    }

    /// Each command, with the standby behind it and then abreast of it.
    async fn along(&self, instances: &Instances, commands: &[&[&str]]) {
        for command in commands {
            self.hold().await;
            self.releases.until_done(command);
            instances.went_on().await;
            self.catch_up().await;
            instances.went_on().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_replica_answers_as_of_the_stage_that_it_knows() {
    let cluster = Cluster::start().await;
    let releases = &cluster.releases;
    releases.declared("old", &[&["init"], &["expand"]]);
    instances::prepare(&cluster.primary).await;
    cluster.catch_up().await;
    let places = (cluster.primary.as_str(), cluster.standby.as_str());
    let old = instances::old::start(places).await;
    releases.declared("transition", &[&["generate", VERSION]]);
    cluster.along(&old, &[&["expand"]]).await;
    let transition = instances::transition::start(places).await;
    old.went_on().await;
    old.end().await;

    cluster.along(&transition, FORWARD).await;
    let back: &[&[&str]] = &[
        &["rollback", "--to", "ramp_down"],
        &["rollback", "--to", "dual_write"],
        &["rollback", "--to", "off"],
        &["resume", VERSION],
    ];
    cluster.along(&transition, back).await;
    // Once more with the standby at the heels of every hop.
    for command in FORWARD {
        cluster.releases.until_done(command);
        transition.went_on().await;
    }

    releases.generated("last", &[&["finalize"]]);
    let last = instances::last::start(places).await;
    transition.end().await;
    cluster.along(&last, &[&["contract"]]).await;
    last.end().await;
}

/// A replica that does not know yet what the code builds on is no place to read from, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn final_code_reads_from_no_replica_that_is_not_complete() {
    use crate::last::zdm::{CODE, customers::Customers};

    let cluster = Cluster::start().await;
    let releases = &cluster.releases;
    releases.declared("old", &[&["init"], &["expand"]]);
    execute(
        &cluster.primary,
        "INSERT INTO customers VALUES (1, '33', 7)",
    )
    .await;
    releases.declared("transition", &[&["generate", VERSION], &["expand"]]);
    let (complete, before) = FORWARD.split_last().unwrap();
    for command in before {
        releases.until_done(command);
    }
    cluster.catch_up().await;
    cluster.hold().await;
    releases.until_done(complete);
    releases.generated("last", &[&["finalize"]]);

    let pool = PgPool::connect(&cluster.primary).await.unwrap();
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    zdm.ready().unwrap();
    let customers = Customers::new(&zdm).unwrap();
    let mut behind = PgConnection::connect(&cluster.standby).await.unwrap();
    let read = customers.get(&mut behind, 1).await;
    assert!(matches!(read, Err(Error::CodeTooNew { .. })), "{read:?}");
    // What the replica does not know changes nothing for the primary.
    zdm.ready().unwrap();
    let mut conn = pool.acquire().await.unwrap();
    let read = customers.get(&mut conn, 1).await.unwrap().unwrap();
    assert_eq!((read.age, read.amount), (Some(33), 7));
    cluster.catch_up().await;
    // The plan of a statement that was prepared before the names went over is not the driver's to mend.
    behind.clear_cached_statements().await.unwrap();
    let read = customers.get(&mut behind, 1).await.unwrap().unwrap();
    assert_eq!((read.age, read.amount), (Some(33), 7));
}

/// The handle itself belongs to a database that can be written.
#[tokio::test(flavor = "multi_thread")]
async fn a_handle_is_not_connected_to_a_replica() {
    use crate::old::zdm::CODE;

    let server = Server::start();
    let primary = server.database("app");
    let replica = server.standby();
    let releases = Releases::new(primary.clone(), "names");
    releases.declared("old", &[&["init"], &["expand"]]);
    let now = text(&primary, "SELECT pg_current_wal_lsn()::text").await;
    let url = replica.url_of("app", "owner");
    until(
        &url,
        &format!("SELECT (pg_last_wal_replay_lsn() >= '{now}')::text"),
    )
    .await;
    let pool = PgPool::connect(&url).await.unwrap();
    let error = Zdm::connect(pool, &CODE).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error}");
    assert!(error.to_string().contains("primary"), "{error}");
}

async fn execute(url: &str, sql: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

async fn text(url: &str, sql: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

async fn until(url: &str, sql: &str) {
    let began = std::time::Instant::now();
    while text(url, sql).await != "true" {
        assert!(began.elapsed() < instances::PATIENCE, "{sql}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
