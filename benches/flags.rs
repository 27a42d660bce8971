//! What a flag decision costs: the flags from their atomic, the key's bucket, the side.
//!
//!     cargo bench -p zdm-benches --bench flags
//!
//! Measured: 34 ns.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use zdm_runtime::database::{Connection, control};
use zdm_runtime::flag_source::{Answer, FlagSource, ReaderLimits};
use zdm_runtime::{Code, CodeState, MigrationCode, TableCode, TableFlags, Zdm, ZdmOptions};

const DECISIONS: u32 = 20_000_000;
const RUNS: usize = 5;
const MIGRATION: &str = "0123456789ab";

static CODE: Code = Code {
    tables: &[TableCode {
        table: "users",
        migrations: &[MigrationCode {
            id: MIGRATION,
            name: "users_full_name",
            state: CodeState::Transition,
        }],
    }],
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("flags.db").display());
    let mut connection = Connection::open(&url).await?;
    control::install(&mut connection).await?;
    // At `live` with a quarter of the keys: the only stage that looks at the key.
    for statement in [
        "INSERT INTO {zdm}migration (migration, version, name, content_hash, route, expanded_at) \
         VALUES ('0123456789ab', 2, 'users_full_name', '', 'five_phases', 1)",
        "INSERT INTO {zdm}fence (table_name, epoch) VALUES ('users', 5)",
        "INSERT INTO {zdm}stage_table (migration, table_name) VALUES ('0123456789ab', 'users')",
        "INSERT INTO {zdm}stage (migration, stage, read_basis_points, salt, epoch, drained_epoch, entered_at) \
         VALUES ('0123456789ab', 'live', 2500, '0123456789ab', 5, 5, 1)",
    ] {
        connection.execute(statement, &[]).await?;
    }
    let pool = sqlx::SqlitePool::connect(&url).await?;
    for (what, options) in [
        ("a decision", ZdmOptions::new()),
        ("within limits", ZdmOptions::new().flags(Limits)),
    ] {
        let zdm = Zdm::connect_with(pool.clone(), &CODE, options).await?;
        let (nanoseconds, new) = measure(&TableFlags::of(&zdm, "users")?);
        println!(
            "{what}: {nanoseconds:.1} ns (best of {RUNS} runs of {DECISIONS}; wanted: at most 20), {:.2} % of the keys read new",
            f64::from(new) * 100.0 / f64::from(DECISIONS)
        );
        zdm.close().await?;
    }
    Ok(())
}

/// What one costs in nanoseconds, and how many of the keys read new.
fn measure(flags: &TableFlags) -> (f64, u32) {
    let mut best = f64::INFINITY;
    let mut new = 0_u32;
    for _ in 0..RUNS {
        let before = Instant::now();
        new = 0;
        for key in 0..DECISIONS {
            // Twelve digits, as the keys of a large table have.
            let key = 100_000_000_000_i64 + i64::from(key);
            new += u32::from(flags.reads_new(flags.current(), MIGRATION, black_box(&key)));
        }
        best = best.min(before.elapsed().as_secs_f64() * 1e9 / f64::from(DECISIONS));
    }
    (best, new)
}

/// A smaller share, and lists of keys such as a team has for its own accounts.
#[derive(Debug)]
struct Limits;

impl FlagSource for Limits {
    fn name(&self) -> String {
        "the benchmark".to_owned()
    }

    fn limits<'a>(&'a self, _migration: &'a MigrationCode, _instance: &'a str) -> Answer<'a> {
        let limits = ReaderLimits::default().at_most(1_000);
        let limits = limits.read_new(0..50).read_old(50..100);
        Box::pin(std::future::ready(Ok(Some(limits))))
    }
}
