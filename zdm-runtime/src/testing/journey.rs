//! A migration all the way, by its checked-in files and under its gates, while the application's own repositories write: and back once,
//! from reads on new to reads on old.
//!
//! Comes in: a version, the code, tables with rows from before, repositories. Goes out: nothing, or a panic.
//! Must not know: what a repository does.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::arrive::{ACTOR, Versions, expanded, failed, section_up};
use super::repository::{Load, Repository, Start, Writer, start};
use super::scratch::Scratch;
use super::seed::{self, Table};
use super::{TestError, Version, directions, ended, run};
use crate::backfill::{self, BackfillOptions, Way};
use crate::database::{Connection, Dialect, Value, catalogue};
use crate::gates::Policy;
use crate::hop::{self, HopError, Target};
use crate::migration::Migration;
use crate::operator::Lease;
use crate::phase::Section;
use crate::verification::{self, Side, VerificationOptions};
use crate::{Pool, Stage, Zdm, history};

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// So often each writer writes at every stage.
const ROUNDS: u64 = 9;

/// A test of a whole migration.
#[derive(Debug)]
pub struct Journey {
    version: Version,
    tables: Vec<Table>,
    writers: Vec<Start>,
}

impl Journey {
    /// Of a version.
    pub fn of(version: &Version) -> Self {
        Self {
            version: *version,
            tables: Vec::new(),
            writers: Vec::new(),
        }
    }

    /// With rows of a table from before.
    #[must_use]
    pub fn with_rows(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    /// With a writer that uses this repository.
    #[must_use]
    pub fn written_by<R: Repository>(mut self) -> Self {
        self.writers.push(start::<R>);
        self
    }

    /// Goes all the way: expand, dual write, backfill, shadow, live, back to reads on old, live, ramp down, complete, contract. At every
    /// stage the writers insert, update, upsert and delete, and every row that they read is what was last written.
    ///
    /// # Panics
    ///
    /// Where a row is not, where the two sides differ, or where the migration does not move.
    #[track_caller]
    pub fn goes_all_the_way(self) {
        ended(run(self.go()));
    }

    async fn go(self) -> Result<(), TestError> {
        let versions = Versions::load(&self.version.path(), self.version.folder)?;
        let scratch = Scratch::create(versions.dialect()?).await?;
        let gone = self.go_on(&scratch, &versions).await;
        let ended = scratch.end().await;
        gone.map_err(|error| match error {
            TestError::Found(found) => TestError::Found(self.told(&found)),
            error => error,
        })?;
        ended
    }

    /// What was found, and what to do about it.
    fn told(&self, found: &str) -> String {
        format!(
            "{}, {found}\n\n\
             Is the code what is generated (`cargo zdm check`)? Then it is an expression that gives another value each time, or a trigger \
             of your own that writes one side alone. Nothing but the test's own database was touched: mend it before the version is \
             merged.",
            self.version.folder
        )
    }

    async fn go_on(&self, scratch: &Scratch, versions: &Versions) -> Result<(), TestError> {
        let mut connection = Connection::open(scratch.url()).await?;
        versions.expand(&mut connection, self.version.code).await?;
        for later in versions.later() {
            expanded(&mut connection, later).await?;
        }
        for table in &self.tables {
            let mut known = Vec::new();
            for pair in table.pairs {
                known.push(directions::coming_back(&mut connection, pair).await?);
            }
            seed::fill(&mut connection, table, &known).await?;
        }
        let pool = pool(scratch.url()).await?;
        let zdm = Zdm::connect(pool.clone(), self.version.code).await?;
        zdm.ready()?;
        let load = Arc::new(Load::default());
        let started = self.writers.iter().map(|start| start(&zdm, &pool, &load));
        let writers = started.collect::<Result<Vec<_>, _>>()?;
        let migration = versions.tested();
        let lease = Lease::acquire(&mut connection, migration.id(), ACTOR).await;
        let mut way = OnTheWay {
            lease: lease.map_err(|error| failed("the claim", &error))?,
            connection,
            migration,
            zdm: &zdm,
            load: &load,
            writers: &writers,
            at: "off".to_owned(),
        };
        let gone = way.complete().await;
        load.stop.store(true, Ordering::SeqCst);
        let OnTheWay {
            mut connection, at, ..
        } = way;
        let mut rows = Vec::new();
        for writer in writers {
            let ended = writer.ends.await;
            let ended = ended.map_err(|error| failed(writer.table, &error))?;
            rows.push((
                writer.table,
                ended.map_err(|error| TestError::Found(format!("at {at}: {error}")))?,
            ));
        }
        gone?;
        zdm.close().await?;
        contract(&mut connection, migration).await?;
        for (table, rows) in rows {
            every_row_is_there(&mut connection, table, rows).await?;
        }
        Ok(())
    }
}

struct OnTheWay<'a> {
    connection: Connection,
    lease: Lease,
    migration: &'a Migration,
    zdm: &'a Zdm,
    load: &'a Load,
    writers: &'a [Writer],
    /// Where the migration is, for messages.
    at: String,
}

impl OnTheWay<'_> {
    async fn complete(&mut self) -> Result<(), TestError> {
        self.written().await?;
        self.section(Section::DualWrite).await?;
        self.advance(Target::stage(Stage::DualWrite)).await?;
        self.fill().await?;
        self.verify().await?;
        self.section(Section::SwitchReads).await?;
        self.advance(Target::stage(Stage::Shadow)).await?;
        let (half, all) = (live(5_000)?, live(10_000)?);
        self.advance(half).await?;
        self.back(Stage::DualWrite).await?;
        self.advance(Target::stage(Stage::Shadow)).await?;
        self.advance(half).await?;
        self.advance(all).await?;
        self.verify().await?;
        self.advance(Target::stage(Stage::RampDown)).await?;
        self.section(Section::Release).await?;
        self.advance(Target::stage(Stage::Complete)).await
    }

    async fn section(&mut self, section: Section) -> Result<(), TestError> {
        section_up(&mut self.connection, self.migration, section).await
    }

    async fn advance(&mut self, target: Target) -> Result<(), TestError> {
        let policy = Policy {
            soak: Duration::ZERO,
            sleepers: Duration::ZERO,
            ..Policy::default()
        };
        let began = Instant::now();
        loop {
            let (connection, manifest) = (&mut self.connection, self.migration.manifest());
            let moved =
                hop::advance(connection, &self.lease, manifest, target, &policy, PATIENCE).await;
            match moved {
                Ok(moved) => {
                    moved.to.name().clone_into(&mut self.at);
                    return self.written().await;
                }
                Err(error) => self.patient(&error, began).await?,
            }
        }
    }

    async fn back(&mut self, stage: Stage) -> Result<(), TestError> {
        let began = Instant::now();
        loop {
            let (connection, manifest) = (&mut self.connection, self.migration.manifest());
            let target = Target::stage(stage);
            match hop::back(connection, &self.lease, manifest, target, PATIENCE).await {
                Ok(moved) => {
                    self.at = format!("{}, on the way back", moved.to.name());
                    return self.written().await;
                }
                Err(error) => self.patient(&error, began).await?,
            }
        }
    }

    /// The gate that opens by itself: this process has heard of the last hop.
    async fn patient(&mut self, error: &HopError, began: Instant) -> Result<(), TestError> {
        match error {
            HopError::Shut { gates, .. }
                if gates
                    .iter()
                    .all(|gate| gate.open || gate.name == "acknowledged")
                    && began.elapsed() < PATIENCE =>
            {
                self.zdm.beat().await?;
                tokio::time::sleep(LOOK_AGAIN).await;
                Ok(())
            }
            error => Err(failed(&self.at, error)),
        }
    }

    async fn fill(&mut self) -> Result<(), TestError> {
        let options = BackfillOptions {
            first_batch: 2,
            most_rows: 2,
            throttle: false,
            way: Way::Up,
            ..BackfillOptions::of(ACTOR, "cargo test")
        };
        let filled =
            backfill::run(&mut self.connection, self.migration, &options, &mut |_| {}).await;
        filled.map_err(|error| failed("the backfill", &error))?;
        self.written().await
    }

    async fn verify(&mut self) -> Result<(), TestError> {
        let options = VerificationOptions::of(ACTOR, Side::New);
        let verified =
            verification::run(&mut self.connection, self.migration, &options, &mut |_| {}).await;
        let verified = verified.map_err(|error| failed("the verification", &error))?;
        if verified.passed() {
            return Ok(());
        }
        let rows = verified.first.iter().map(|row| {
            let columns = row.columns.join(", ");
            format!("{} {}: {columns}", row.table, row.key)
        });
        let rows: Vec<_> = rows.collect();
        Err(TestError::Found(format!(
            "at {}: {} of {} rows are not consistent: {}",
            self.at,
            verified.mismatches,
            verified.rows,
            rows.join("; ")
        )))
    }

    /// Waits until every writer has written and read at this stage.
    async fn written(&self) -> Result<(), TestError> {
        let began = Instant::now();
        for writer in self.writers {
            let from = writer.rounds.load(Ordering::SeqCst);
            while writer.rounds.load(Ordering::SeqCst) < from + ROUNDS {
                // What it has found is told when all have ended.
                if self.load.failed.load(Ordering::SeqCst) {
                    return Err(TestError::Found(format!(
                        "at {}: a writer has failed",
                        self.at
                    )));
                }
                if began.elapsed() > PATIENCE {
                    return Err(TestError::Found(format!(
                        "at {}: the writer of {} stands still",
                        self.at, writer.table
                    )));
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }
}

fn live(basis_points: u32) -> Result<Target, TestError> {
    Target::live(basis_points).map_err(|error| failed("live", &error))
}

async fn pool(url: &str) -> Result<Pool, TestError> {
    match Dialect::of_url(url) {
        #[cfg(feature = "postgres")]
        Some(Dialect::Postgres) => {
            let pool = sqlx::PgPool::connect(url).await;
            Ok(pool.map_err(crate::Error::from)?.into())
        }
        #[cfg(feature = "sqlite")]
        Some(Dialect::Sqlite) => {
            let pool = sqlx::SqlitePool::connect(url).await;
            Ok(pool.map_err(crate::Error::from)?.into())
        }
        _ => Err(TestError::Unprepared(
            "zdm-runtime has no driver for the database of the test: name its feature in Cargo.toml".to_owned(),
        )),
    }
}

/// Old goes, or is kept under another name: nobody writes any more.
async fn contract(connection: &mut Connection, migration: &Migration) -> Result<(), TestError> {
    let manifest = migration.manifest();
    history::contracting(connection, migration.id()).await?;
    section_up(connection, migration, manifest.contracts_by()).await?;
    match &manifest.keep {
        None => history::contracted(connection, migration.id()).await?,
        Some(keep) => {
            let window = Duration::from_secs(keep.seconds);
            history::kept(connection, migration.id(), window).await?;
        }
    }
    Ok(())
}

async fn every_row_is_there(
    connection: &mut Connection,
    table: &str,
    rows: usize,
) -> Result<(), TestError> {
    let sql = format!(
        "SELECT CAST(count(*) AS bigint) FROM {}",
        catalogue::relation(table)
    );
    let answer = connection.query_file(&sql, &[]).await?;
    let counted = match answer.first().map(Vec::as_slice) {
        Some([Value::Int(Some(counted))]) => usize::try_from(*counted).unwrap_or_default(),
        _ => 0,
    };
    if counted == rows {
        return Ok(());
    }
    Err(TestError::Found(format!(
        "{table} had {rows} rows before contract and has {counted} after it"
    )))
}
