//! A move through its phases, with its reviewed SQL and its gates, while writers write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use zdm_runtime::Stage;
use zdm_runtime::backfill::{self, BackfillOptions, Way};
use zdm_runtime::database::Connection;
use zdm_runtime::gates::Policy;
use zdm_runtime::hop::{self, HopError, Target};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::operator::Lease;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::{self, Side, VerificationOptions};
use zdm_tests::cases::{Case, ID};

use crate::database::{of_case, run};

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the writers share.
#[derive(Default)]
pub(crate) struct Load {
    pub(crate) stop: AtomicBool,
    pub(crate) writes: AtomicU64,
}

/// Who moves a migration while writers write.
pub(crate) struct Operator {
    pub(crate) connection: Connection,
    lease: Lease,
    migration: Migration,
    pub(crate) load: Arc<Load>,
}

impl Operator {
    /// The tables before the move, with what old code has written; then the move's expand.
    pub(crate) async fn of(case: &Case, url: &str, rows: &str) -> Self {
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
    pub(crate) async fn advance(&mut self, target: Target) {
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
    pub(crate) async fn back(&mut self, stage: Stage) {
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

    pub(crate) async fn section(&mut self, section: Section, direction: Direction) {
        run(&mut self.connection, &self.migration, section, direction).await;
    }

    pub(crate) async fn fill(&mut self, way: Way) {
        let options = BackfillOptions {
            first_batch: 2,
            way,
            ..BackfillOptions::of("test", "worker 1")
        };
        backfill::run(&mut self.connection, &self.migration, &options, &mut |_| {})
            .await
            .unwrap();
    }

    pub(crate) async fn verify(&mut self, side: Side) {
        let options = VerificationOptions::of("test", side);
        let verified =
            verification::run(&mut self.connection, &self.migration, &options, &mut |_| {})
                .await
                .unwrap();
        assert_eq!(verified.mismatches, 0, "{verified:?}");
    }

    /// Waits until the writers have written at the present stage.
    pub(crate) async fn written(&mut self) {
        let from = self.load.writes.load(Ordering::SeqCst);
        let began = Instant::now();
        while self.load.writes.load(Ordering::SeqCst) < from + 60 {
            assert!(began.elapsed() < PATIENCE, "the writers stand still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn write_both(&mut self) {
        self.section(Section::DualWrite, Direction::Up).await;
        self.advance(Target::stage(Stage::DualWrite)).await;
        self.fill(Way::Up).await;
        self.verify(Side::New).await;
    }

    pub(crate) async fn complete(&mut self) {
        self.advance(Target::stage(Stage::Shadow)).await;
        self.advance(Target::live(2_500).unwrap()).await;
        self.advance(Target::live(10_000).unwrap()).await;
        self.verify(Side::New).await;
        self.advance(Target::stage(Stage::RampDown)).await;
        self.advance(Target::stage(Stage::Complete)).await;
    }
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
