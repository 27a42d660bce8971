//! A database with a table `users` whose `name` becomes `full_name`, and the code of three times.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{PgPool, SqlitePool};
use tempfile::TempDir;
use zdm_runtime::database::{Connection, Value, control};
use zdm_runtime::gates::Policy;
use zdm_runtime::hop::{self, HopError, Moved, Target};
use zdm_runtime::manifest::{Backfill, FORMAT, Manifest, Route};
use zdm_runtime::operator::Lease;
use zdm_runtime::{Code, CodeState, MigrationCode, Pool, Stage, TableCode, Zdm, history};
use zdm_tests::postgres::Server;

pub(crate) const MIGRATION: &str = "0123456789ab";

/// Generated before the migration.
pub(crate) static BEFORE: Code = Code {
    tables: &[TableCode {
        table: "users",
        migrations: &[],
    }],
};

/// Generated for it.
pub(crate) static TRANSITION: Code = Code {
    tables: &[TableCode {
        table: "users",
        migrations: &[MigrationCode {
            id: MIGRATION,
            name: "users_full_name",
            state: CodeState::Transition,
        }],
    }],
};

/// Generated after `finalize`.
pub(crate) static FINAL: Code = Code {
    tables: &[TableCode {
        table: "users",
        migrations: &[MigrationCode {
            id: MIGRATION,
            name: "users_full_name",
            state: CodeState::Final,
        }],
    }],
};

/// A plan of five phases without statements: what it would execute is not these tests' concern.
pub(crate) fn manifest() -> Manifest {
    Manifest {
        format: FORMAT,
        id: MIGRATION.to_owned(),
        version: 2,
        name: "users_full_name".to_owned(),
        parent: None,
        after: Vec::new(),
        needed_by: Vec::new(),
        for_good: Vec::new(),
        dialect: "postgres".to_owned(),
        route: Route::FivePhases,
        reversible: true,
        tables: vec!["users".to_owned()],
        reasons: Vec::new(),
        changes: Vec::new(),
        transitions: String::new(),
        steps: Vec::new(),
        pairs: Vec::new(),
        creates: BTreeMap::new(),
        drops: BTreeMap::new(),
        retyped: BTreeMap::new(),
        described: BTreeMap::new(),
        merged: Vec::new(),
        moved: Vec::new(),
        renames: BTreeMap::new(),
        renamed_keys: BTreeMap::new(),
        exchanged_keys: BTreeMap::new(),
        refers: BTreeMap::new(),
        refers_to: BTreeMap::new(),
        unkeyed: BTreeMap::new(),
        acts: BTreeMap::new(),
        nets: BTreeMap::new(),
        keep: None,
        no_keep: false,
        exchanges: Vec::new(),
        enums: Vec::new(),
        backfills: vec![Backfill {
            table: "users".to_owned(),
            key: vec!["id".to_owned()],
            columns: vec!["full_name".to_owned()],
            bounds: String::new(),
            boundary: String::new(),
            count: String::new(),
            batch: String::new(),
            reverse: None,
            verify: String::new(),
            mismatches: String::new(),
            checksums: None,
            invalid: None,
            computed: None,
            address: None,
            on_invalid: "total".to_owned(),
            optional: Vec::new(),
        }],
        files: BTreeMap::new(),
    }
}

/// No waiting but for what the protocol itself demands.
pub(crate) fn impatient() -> Policy {
    Policy {
        soak: Duration::ZERO,
        sleepers: Duration::ZERO,
        verify_again: false,
        ..Policy::default()
    }
}

/// A real database; the server or the file goes with it.
pub(crate) enum Database {
    Postgres(Server),
    Sqlite(TempDir),
}

impl Database {
    pub(crate) fn postgres() -> Self {
        Self::Postgres(Server::start())
    }

    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().expect("a temporary directory"))
    }

    /// Control tables, and the migration expanded.
    pub(crate) async fn expanded(self) -> Self {
        let mut connection = self.connection().await;
        control::install(&mut connection).await.unwrap();
        connection
            .run_file("CREATE TABLE users (id bigint PRIMARY KEY, name text, full_name text)")
            .await
            .unwrap();
        history::expanded(&mut connection, &manifest(), "hash", "test")
            .await
            .unwrap();
        self
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres(server) => server.url(),
            Self::Sqlite(directory) => {
                format!("sqlite://{}/app.db", directory.path().display())
            }
        }
    }

    pub(crate) async fn connection(&self) -> Connection {
        Connection::open(&self.url()).await.unwrap()
    }

    pub(crate) async fn pool(&self) -> Pool {
        match self {
            Self::Postgres(_) => PgPool::connect(&self.url()).await.unwrap().into(),
            Self::Sqlite(_) => SqlitePool::connect(&self.url()).await.unwrap().into(),
        }
    }

    pub(crate) async fn zdm(&self, code: &'static Code) -> Zdm {
        Zdm::connect(self.pool().await, code).await.unwrap()
    }
}

/// An operator with a claim on the migration.
pub(crate) struct Operator {
    pub(crate) connection: Connection,
    pub(crate) lease: Lease,
    pub(crate) policy: Policy,
}

impl Operator {
    pub(crate) async fn of(database: &Database) -> Self {
        let mut connection = database.connection().await;
        let lease = Lease::acquire(&mut connection, MIGRATION, "test")
            .await
            .unwrap();
        Self {
            connection,
            lease,
            policy: impatient(),
        }
    }

    pub(crate) async fn advance(&mut self, target: Target) -> Result<Moved, HopError> {
        self.advance_with(target, Duration::from_mins(1)).await
    }

    pub(crate) async fn advance_with(
        &mut self,
        target: Target,
        patience: Duration,
    ) -> Result<Moved, HopError> {
        hop::advance(
            &mut self.connection,
            &self.lease,
            &manifest(),
            target,
            &self.policy,
            patience,
        )
        .await
    }

    pub(crate) async fn back(&mut self, target: Target) -> Result<Moved, HopError> {
        let patience = Duration::from_mins(1);
        hop::back(
            &mut self.connection,
            &self.lease,
            &manifest(),
            target,
            patience,
        )
        .await
    }

    /// Forward as far as `stage`, with backfill and verification in the ledger where they are due.
    pub(crate) async fn go(&mut self, stage: Stage) {
        for next in &Stage::ALL[1..=stage as usize] {
            if *next == Stage::Shadow {
                self.backfill("up").await;
                self.verify("new").await;
            }
            let target = match next {
                Stage::Live => Target::live(10_000).unwrap(),
                next => Target::stage(*next),
            };
            self.advance(target).await.unwrap();
        }
    }

    /// What a finished backfill leaves in the ledger.
    pub(crate) async fn backfill(&mut self, direction: &str) {
        self.connection
            .execute(
                "INSERT INTO {zdm}chunk (migration, table_name, direction, lo, hi, state, lease_epoch, lease_until, \
                 rows_seen, rows_changed, batches, attempts) VALUES ($1, 'users', $2, '[]', '[]', 'done', 0, 0, 0, 0, 0, 0)",
                &[MIGRATION.into(), direction.into()],
            )
            .await
            .unwrap();
    }

    /// What a verification that passed leaves.
    pub(crate) async fn verify(&mut self, side: &str) {
        self.connection
            .execute(
                "INSERT INTO {zdm}verification (migration, epoch, side, state, rows_seen, mismatches, skipped, started_at, finished_at) \
                 SELECT migration, epoch, $2, 'passed', 0, 0, 0, {now}, {now} FROM {zdm}stage WHERE migration = $1",
                &[MIGRATION.into(), side.into()],
            )
            .await
            .unwrap();
    }

    /// Puts a migration to a stage behind everybody's back, without gates.
    pub(crate) async fn stands(&mut self, migration: &str, stage: Stage) {
        let values = [stage.name().into(), migration.into()];
        let moved = "UPDATE {zdm}stage SET stage = $1, epoch = epoch + 1 WHERE migration = $2";
        self.connection.execute(moved, &values).await.unwrap();
        let fences = "UPDATE {zdm}fence SET epoch = epoch + 1";
        self.connection.execute(fences, &[]).await.unwrap();
    }

    /// One number out of a control table.
    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        let rows = self.connection.query(sql, &[]).await.unwrap();
        match rows[0][0] {
            Value::Int(Some(number)) => number,
            ref other => panic!("{other:?} is no number"),
        }
    }
}
