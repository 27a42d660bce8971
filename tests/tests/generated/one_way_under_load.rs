//! A one-way migration through all phases, with its reviewed SQL and its gates, while writers of the generated code contend
//! for the same few rows. The oracle: inside a transaction that holds a row's lock, a read gives what was just written, and
//! a ledger kept under that lock holds what was committed last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cargo_zdm::dialect::Dialect;
use zdm_runtime::backfill::{self, BackfillOptions};
use zdm_runtime::database::{Connection, control};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::gates::Policy;
use zdm_runtime::hop::{self, HopError, Target};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::operator::Lease;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::{self, Side, VerificationOptions};
use zdm_runtime::{Code, CodeState, MigrationCode, Stage, TableCode, Zdm, history};
use zdm_tests::cases::Case;
use zdm_tests::pool::Patient as _;

use crate::live::{MIGRATION, postgres, sides, sqlite};

const ROWS: i64 = 5;
const WRITERS: u64 = 4;
/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

static CODE: Code = Code {
    tables: &[TableCode {
        table: "accounts",
        migrations: &[MigrationCode {
            id: MIGRATION,
            name: "case",
            state: CodeState::Transition,
        }],
    }],
};

/// What the writers share.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    writes: AtomicU64,
    committed: Mutex<BTreeMap<i64, String>>,
}

struct Operator {
    connection: Connection,
    lease: Lease,
    migration: Migration,
    load: Arc<Load>,
}

impl Operator {
    async fn of(url: &str) -> Self {
        let mut connection = Connection::open(url).await.unwrap();
        control::install(&mut connection).await.unwrap();
        let dialect = Dialect::named(connection.dialect().name()).unwrap();
        let cases = Case::all();
        let case = cases.iter().find(|case| case.name == "one_way/email_key");
        let case = case.unwrap();
        let migration = case.migration(&dialect);
        for version in [&case.foundation(&dialect), &migration] {
            run(&mut connection, version, Section::Expand).await;
            let (manifest, hash) = (version.manifest(), version.content_hash());
            history::expanded(&mut connection, manifest, hash, "test")
                .await
                .unwrap();
            if version.id() != migration.id() {
                let rows = "INSERT INTO accounts (email) VALUES ('First@x'), ('2@X'), ('3@x'), ('4@X'), ('Fifth@X')";
                connection.execute(rows, &[]).await.unwrap();
            }
        }
        let lease = Lease::acquire(&mut connection, MIGRATION, "test")
            .await
            .unwrap();
        Self {
            connection,
            lease,
            migration,
            load: Arc::default(),
        }
    }

    /// Forward; an instance that has not acknowledged yet is waited for.
    async fn advance(&mut self, target: Target) {
        let policy = Policy {
            soak: Duration::ZERO,
            sleepers: Duration::ZERO,
            ..Policy::default()
        };
        let began = Instant::now();
        loop {
            let (connection, manifest) = (&mut self.connection, self.migration.manifest());
            match hop::advance(connection, &self.lease, manifest, target, &policy, PATIENCE).await {
                Ok(_) => return self.written().await,
                Err(HopError::Shut { gates, .. })
                    if gates
                        .iter()
                        .all(|gate| gate.open || gate.name == "acknowledged")
                        && began.elapsed() < PATIENCE =>
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => panic!("{target:?}: {error:?}"),
            }
        }
    }

    /// Back; the answer is the gate that is shut, if one is.
    async fn back(&mut self, stage: Stage) -> Option<&'static str> {
        let (connection, manifest) = (&mut self.connection, self.migration.manifest());
        let target = Target::stage(stage);
        match hop::back(connection, &self.lease, manifest, target, PATIENCE).await {
            Ok(_) => {
                self.written().await;
                None
            }
            Err(HopError::Shut { gates, .. }) => {
                let shut = gates
                    .iter()
                    .find(|gate| !gate.open && matches!(gate.name, "way_back" | "reversible"));
                Some(shut.expect("the gate that names the reason").name)
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn section(&mut self, section: Section) {
        run(&mut self.connection, &self.migration, section).await;
    }

    async fn fill(&mut self) {
        let options = BackfillOptions {
            first_batch: 2,
            ..BackfillOptions::of("test", "worker 1")
        };
        backfill::run(&mut self.connection, &self.migration, &options, &mut |_| {})
            .await
            .unwrap();
    }

    async fn verify(&mut self) {
        let options = VerificationOptions::of("test", Side::New);
        let verified =
            verification::run(&mut self.connection, &self.migration, &options, &mut |_| {})
                .await
                .unwrap();
        assert_eq!(verified.mismatches, 0, "{verified:?}");
    }

    /// Waits until every writer has written at the present stage.
    async fn written(&mut self) {
        let from = self.load.writes.load(Ordering::SeqCst);
        let began = Instant::now();
        while self.load.writes.load(Ordering::SeqCst) < from + 20 {
            assert!(began.elapsed() < PATIENCE, "the writers stand still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Through all stages, with the ways back that there are.
    async fn journey(&mut self) {
        self.written().await;
        self.advance(Target::stage(Stage::DualWrite)).await;
        assert_eq!(self.back(Stage::Off).await, Some("way_back"));
        self.fill().await;
        self.verify().await;
        self.section(Section::SwitchReads).await;
        self.advance(Target::stage(Stage::Shadow)).await;
        self.advance(Target::live(5_000).unwrap()).await;
        assert_eq!(self.back(Stage::DualWrite).await, None);
        assert_eq!(self.back(Stage::Off).await, Some("way_back"));
        self.advance(Target::stage(Stage::Shadow)).await;
        self.advance(Target::live(10_000).unwrap()).await;
        self.verify().await;
        self.advance(Target::stage(Stage::RampDown)).await;
        assert_eq!(self.back(Stage::DualWrite).await, None);
        self.advance(Target::stage(Stage::Shadow)).await;
        self.advance(Target::live(10_000).unwrap()).await;
        self.verify().await;
        self.advance(Target::stage(Stage::RampDown)).await;
        for id in 1..=ROWS {
            let (old, new) = sides(
                &mut self.connection,
                "accounts",
                "lower(email)",
                "email_key",
                id,
            )
            .await;
            assert_eq!(old, new, "row {id}");
        }
        self.section(Section::Release).await;
        self.advance(Target::stage(Stage::Complete)).await;
        assert_eq!(self.back(Stage::RampDown).await, Some("reversible"));
        self.load.stop.store(true, Ordering::SeqCst);
    }
}

async fn run(connection: &mut Connection, migration: &Migration, section: Section) {
    let options = ExecutorOptions::of("test");
    executor::run(
        connection,
        migration,
        section,
        Direction::Up,
        &options,
        &mut |_| {},
    )
    .await
    .unwrap();
}

/// One test per database: the same journey with each one's types.
macro_rules! keeps_every_write {
    ($test:ident, $module:ident, $pool:ty, $begin:literal, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::$module::models::Account;
            use crate::$module::zdm::accounts::{AccountOld, Accounts};

            let (_guard, url) = $url;
            let mut operator = Operator::of(&url).await;
            let pool = <$pool>::patient(&url).await;
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let mut writers = tokio::task::JoinSet::new();
            for writer in 0..WRITERS {
                let accounts = Accounts::new(&zdm).unwrap();
                let (pool, load) = (pool.clone(), operator.load.clone());
                writers.spawn(async move {
                    for number in 0_u64.. {
                        if load.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let id = i64::try_from(number % 5).unwrap() + 1;
                        let email = format!("Writer-{writer}-{number}@X");
                        let account = Account {
                            id,
                            email: email.to_lowercase(),
                            note: None,
                        };
                        let old = AccountOld { email };
                        let mut transaction = pool.begin_with($begin).await.unwrap();
                        let conn = &mut *transaction;
                        match number % 3 {
                            0 => assert!(accounts.update(conn, &account, &old).await.unwrap()),
                            1 => accounts.upsert(conn, &account, &old).await.unwrap(),
                            _ => assert!(
                                accounts
                                    .set_email(conn, id, &account.email, &old.email)
                                    .await
                                    .unwrap()
                            ),
                        }
                        let read = accounts.get(conn, id).await.unwrap();
                        assert_eq!(read, Some(account.clone()));
                        load.committed.lock().unwrap().insert(id, account.email);
                        transaction.commit().await.unwrap();
                        load.writes.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            tokio::select! {
                () = operator.journey() => {}
                Some(ended) = writers.join_next() => panic!("a writer ended early: {ended:?}"),
            }
            while let Some(ended) = writers.join_next().await {
                ended.unwrap();
            }
            let accounts = Accounts::new(&zdm).unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let committed = operator.load.committed.lock().unwrap().clone();
            for (id, email) in committed {
                let read = accounts.get(&mut conn, id).await.unwrap();
                assert_eq!(read.map(|account| account.email), Some(email));
            }
            drop(conn);
            zdm.close().await.unwrap();
        }
    };
}

keeps_every_write!(
    sqlite_keeps_every_write,
    sqlite,
    sqlx::SqlitePool,
    "BEGIN IMMEDIATE",
    sqlite()
);
keeps_every_write!(
    postgres_keeps_every_write,
    postgres,
    sqlx::PgPool,
    "BEGIN",
    postgres()
);
