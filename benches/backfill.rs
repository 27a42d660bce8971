//! The backfill of one column on PostgreSQL, by one worker and by two, beside one `UPDATE` of the same rows in the same run.
//!
//!     cargo build --release -p cargo-zdm --features postgres && cargo bench -p zdm-benches --bench backfill -- [rows]
//!
//! It needs a quiet machine: where other programs want the same cores, single runs of the `UPDATE` differ threefold. Each backfill is
//! compared with the `UPDATE` right before it, and the median of these ratios counts. What was measured stands in docs/scale.md.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use zdm_benches::readings::{Readings, heap};
use zdm_benches::{arguments, tool};
use zdm_tests::postgres::Server;

const RUNS: usize = 5;

/// What one backfill took, beside its `UPDATE`.
struct Measured {
    seconds: Duration,
    /// The table's size afterwards, in percent of before.
    heap: i64,
    /// In MiB.
    peak: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tool = tool()?;
    let rows: u64 = arguments()
        .first()
        .map_or(Ok(1_000_000), |rows| rows.parse())?;
    let server = Server::start_with(&["shared_buffers=128MB", "max_wal_size=4GB"]);
    println!("rows {rows}, PostgreSQL, integer to text, {RUNS} runs each");
    for (workers, wanted) in [("1", 1.10), ("2", 0.75)] {
        let mut ratios = Vec::new();
        for run in 1..=RUNS {
            let name = format!("bench_{workers}_{run}");
            let url = server.database(&name);
            let (update, backfill) = one_run(&tool, url, rows, workers).await?;
            // Nor does autovacuum come for what an earlier run has left.
            let mut operator = PgConnection::connect(&server.url()).await?;
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            operator.execute(AssertSqlSafe(drop)).await?;
            println!(
                "workers {workers}, run {run}: UPDATE {:.2} s, backfill {:.2} s, heap {} %, peak {} MiB",
                update.as_secs_f64(),
                backfill.seconds.as_secs_f64(),
                backfill.heap,
                backfill.peak
            );
            ratios.push(backfill.seconds.as_secs_f64() / update.as_secs_f64());
        }
        ratios.sort_by(f64::total_cmp);
        println!(
            "backfill / UPDATE with {workers} workers = {:.2}, of {:.2} to {:.2} (wanted: at most {wanted:.2})",
            ratios[RUNS / 2],
            ratios[0],
            ratios[RUNS - 1]
        );
    }
    Ok(())
}

async fn one_run(
    tool: &Path,
    url: String,
    rows: u64,
    workers: &str,
) -> Result<(Duration, Measured), Box<dyn Error>> {
    let (readings, mut connection) = Readings::create(tool, url, rows).await?;
    connection
        .execute("CREATE TABLE twin (LIKE readings INCLUDING ALL); INSERT INTO twin SELECT * FROM readings")
        .await?;
    connection
        .execute("ALTER TABLE twin ADD COLUMN amount_text text")
        .await?;
    readings.to_dual_write(&mut connection).await?;
    connection.execute("VACUUM ANALYZE twin, readings").await?;
    connection.execute("CHECKPOINT").await?;
    let before = Instant::now();
    connection
        .execute("UPDATE twin SET amount_text = CAST(amount AS text)")
        .await?;
    let update = before.elapsed();
    // Autovacuum would come for its dead rows while the backfill is measured.
    connection.execute("DROP TABLE twin; CHECKPOINT").await?;
    let size = heap(&mut connection, "readings").await?;
    let (answer, run) = readings.fill(&["--no-throttle", "--workers", workers])?;
    let seconds = answer["seconds"]
        .as_f64()
        .ok_or_else(|| format!("no seconds in {answer}"))?;
    let filled: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM readings WHERE amount_text = CAST(amount AS text)",
    )
    .fetch_one(&mut connection)
    .await?;
    if u64::try_from(filled)? != rows || answer["rows"] != rows {
        return Err(format!("{filled} of {rows} rows are filled: {answer}").into());
    }
    let measured = Measured {
        seconds: Duration::from_secs_f64(seconds),
        heap: 100 * heap(&mut connection, "readings").await? / size,
        peak: run.peak_kib / 1024,
    };
    Ok((update, measured))
}
