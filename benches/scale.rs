//! What a row's backfill and verification cost in tables of different sizes, on PostgreSQL, by one worker.
//!
//!     cargo build --release -p cargo-zdm --features postgres && cargo bench -p zdm-benches --bench scale -- [rows …]
//!
//! It needs a quiet machine, and about 400 bytes of disk for each row. What was measured stands in docs/scale.md.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{Executor as _, PgConnection};
use zdm_benches::readings::{Readings, heap};
use zdm_benches::{arguments, tool};
use zdm_tests::postgres::Server;

const ROWS: [u32; 3] = [100_000, 1_000_000, 10_000_000];

/// What one table took.
struct Measured {
    fill: Duration,
    batches: u32,
    /// Of the write-ahead log, in bytes, until the fill's end.
    log: i64,
    /// The table's size afterwards, in percent of before.
    heap: i64,
    /// In MiB.
    peak: u64,
    verification: Duration,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tool = tool()?;
    let mut sizes = arguments()
        .iter()
        .map(|rows| rows.parse())
        .collect::<Result<Vec<u32>, _>>()?;
    if sizes.is_empty() {
        sizes.extend(ROWS);
    }
    let mut per_row = Vec::new();
    println!("PostgreSQL, integer to text, one worker");
    for rows in sizes {
        let measured = one_table(&tool, rows).await?;
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(rows);
        println!(
            "rows {rows}: {:.2} us per row, {} batches, {:.0} ms per batch, log {} bytes per row, heap {} %, peak {} MiB, verification {:.2} us per row",
            micros(measured.fill),
            measured.batches,
            measured.fill.as_secs_f64() * 1e3 / f64::from(measured.batches),
            measured.log / i64::from(rows),
            measured.heap,
            measured.peak,
            micros(measured.verification),
        );
        per_row.push(micros(measured.fill));
    }
    if let (Some(smallest), Some(largest)) = (per_row.first(), per_row.last()) {
        println!(
            "a row of the last table / a row of the first = {:.2} (wanted: about 1)",
            largest / smallest
        );
    }
    Ok(())
}

/// On a server of its own, so that no table works on what another has left.
async fn one_table(tool: &Path, rows: u32) -> Result<Measured, Box<dyn Error>> {
    // A server of the tests keeps nothing through a crash, which costs less than what people have.
    let server = Server::start_with(&[
        "shared_buffers=128MB",
        "max_wal_size=4GB",
        "fsync=on",
        "full_page_writes=on",
    ]);
    let (readings, mut connection) =
        Readings::create(tool, server.database("scale"), rows.into()).await?;
    readings.to_dual_write(&mut connection).await?;
    let size = heap(&mut connection, "readings").await?;
    let start = position(&mut connection).await?;
    let (answer, run) = readings.fill(&["--no-throttle"])?;
    let log = position(&mut connection).await? - start;
    if answer["rows"] != rows {
        return Err(format!("{rows} rows were to be filled: {answer}").into());
    }
    let seconds = answer["seconds"].as_f64();
    let batches = answer["batches"].as_u64();
    let (Some(seconds), Some(batches)) = (seconds, batches) else {
        return Err(format!("no seconds or no batches in {answer}").into());
    };
    let batches = u32::try_from(batches)?;
    let heap = 100 * heap(&mut connection, "readings").await? / size;
    connection.execute("CHECKPOINT").await?;
    let before = Instant::now();
    readings.done(&["verify"])?;
    Ok(Measured {
        fill: Duration::from_secs_f64(seconds),
        batches,
        log,
        heap,
        peak: run.peak_kib / 1024,
        verification: before.elapsed(),
    })
}

/// How far the write-ahead log has come, in bytes.
async fn position(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT (pg_current_wal_lsn() - '0/0')::bigint")
        .fetch_one(connection)
        .await
}
