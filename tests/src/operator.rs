//! A case's version through its phases, with its reviewed SQL and its gates, while writers write.
//!
//! Comes in: a case and a database. Goes out: its stages, one after the other.
//! Must not know: who writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cargo_zdm::dialect::Dialect;
use zdm_runtime::backfill::{self, BackfillOptions, Way};
use zdm_runtime::database::{Connection, control};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::gates::Policy;
use zdm_runtime::hop::{self, HopError, Target};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::operator::Lease;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::{self, Side, VerificationOptions};
use zdm_runtime::{Stage, history};

use crate::cases::{Case, ID};

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the writers share.
#[derive(Debug, Default)]
pub struct Load {
    /// They end.
    pub stop: AtomicBool,
    /// What they have written so far.
    pub writes: AtomicU64,
}

/// Who moves a migration while writers write.
pub struct Operator {
    /// Its connection.
    pub connection: Connection,
    lease: Lease,
    migration: Migration,
    /// Those who write.
    pub load: Arc<Load>,
}

impl Operator {
    /// As [`of_case`], as the only operator.
    ///
    /// # Panics
    ///
    /// Where it cannot, within a minute.
    pub async fn of(case: &Case, url: &str, rows: &str) -> Self {
        let (mut connection, migration) = of_case(case, url, rows).await;
        let lease = Lease::acquire(&mut connection, ID, "test").await.unwrap();
        Self {
            connection,
            lease,
            migration,
            load: Arc::new(Load::default()),
        }
    }

    /// Forward; an instance that has not acknowledged yet is waited for.
    ///
    /// # Panics
    ///
    /// Where it cannot, within a minute.
    pub async fn advance(&mut self, target: Target) {
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
                Err(error) => patient(&error, began).await,
            }
        }
    }

    /// Back, under the same rule.
    ///
    /// # Panics
    ///
    /// Where it cannot, within a minute.
    pub async fn back(&mut self, stage: Stage) {
        let began = Instant::now();
        loop {
            let (connection, manifest) = (&mut self.connection, self.migration.manifest());
            let target = Target::stage(stage);
            match hop::back(connection, &self.lease, manifest, target, PATIENCE).await {
                Ok(_) => return self.written().await,
                Err(error) => patient(&error, began).await,
            }
        }
    }

    /// A section, as reviewed.
    ///
    /// # Panics
    ///
    /// Where it cannot.
    pub async fn section(&mut self, section: Section, direction: Direction) {
        run(&mut self.connection, &self.migration, section, direction).await;
    }

    /// The backfill, in small batches.
    ///
    /// # Panics
    ///
    /// Where it cannot, within a minute.
    pub async fn fill(&mut self, way: Way) {
        let options = BackfillOptions {
            first_batch: 2,
            way,
            ..BackfillOptions::of("test", "worker 1")
        };
        backfill::run(&mut self.connection, &self.migration, &options, &mut |_| {})
            .await
            .unwrap();
    }

    /// The comparison of all rows.
    ///
    /// # Panics
    ///
    /// Where two sides do not agree.
    pub async fn verify(&mut self, side: Side) {
        let options = VerificationOptions::of("test", side);
        let verified =
            verification::run(&mut self.connection, &self.migration, &options, &mut |_| {})
                .await
                .unwrap();
        assert_eq!(verified.mismatches, 0, "{verified:?}");
    }

    /// Waits until the writers have written at the present stage.
    ///
    /// # Panics
    ///
    /// Where it cannot, within a minute.
    pub async fn written(&mut self) {
        let from = self.load.writes.load(Ordering::SeqCst);
        let began = Instant::now();
        while self.load.writes.load(Ordering::SeqCst) < from + 60 {
            assert!(began.elapsed() < PATIENCE, "the writers stand still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// To `dual_write`, with all rows filled and compared.
    ///
    /// # Panics
    ///
    /// Where it cannot.
    pub async fn write_both(&mut self) {
        self.section(Section::DualWrite, Direction::Up).await;
        self.advance(Target::stage(Stage::DualWrite)).await;
        self.fill(Way::Up).await;
        self.verify(Side::New).await;
    }

    /// From there to `complete`.
    ///
    /// # Panics
    ///
    /// Where it cannot.
    pub async fn complete(&mut self) {
        self.advance(Target::stage(Stage::Shadow)).await;
        self.advance(Target::live(2_500).unwrap()).await;
        self.advance(Target::live(10_000).unwrap()).await;
        self.verify(Side::New).await;
        self.advance(Target::stage(Stage::RampDown)).await;
        self.advance(Target::stage(Stage::Complete)).await;
    }
}

/// The tables before a case's version, with the rows that old code has written; then the version's expand.
///
/// # Panics
///
/// Where a statement fails.
pub async fn of_case(case: &Case, url: &str, rows: &str) -> (Connection, Migration) {
    let mut connection = Connection::open(url).await.unwrap();
    control::install(&mut connection).await.unwrap();
    let dialect = Dialect::named(connection.dialect().name()).unwrap();
    let migration = case.migration(&dialect);
    for version in [&case.foundation(&dialect), &migration] {
        run(&mut connection, version, Section::Expand, Direction::Up).await;
        let (manifest, hash) = (version.manifest(), version.content_hash());
        history::expanded(&mut connection, manifest, hash, "test")
            .await
            .unwrap();
        if version.id() != migration.id() && !rows.is_empty() {
            connection.run_file(rows).await.unwrap();
        }
    }
    (connection, migration)
}

/// A section of a version, as reviewed.
///
/// # Panics
///
/// Where a statement fails.
pub async fn run(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
    direction: Direction,
) {
    let options = ExecutorOptions::of("test");
    executor::run(
        connection,
        migration,
        section,
        direction,
        &options,
        &mut |_| {},
    )
    .await
    .unwrap();
}

async fn patient(error: &HopError, began: Instant) {
    match error {
        HopError::Shut { gates, .. }
            if gates
                .iter()
                .all(|gate| gate.open || gate.name == "acknowledged")
                && began.elapsed() < PATIENCE =>
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        error => panic!("{error:?}"),
    }
}
