//! What users feel: the latency of single-row updates without and beside an adaptive backfill, and the longest that a statement of
//! expand makes a writer wait while a reader keeps the table.
//!
//!     cargo build --release -p cargo-zdm --features postgres && cargo bench -p zdm-benches --bench load -- [rows]
//!
//! Writers come at a fixed rate, as users do. It needs a quiet machine; what was measured stands in docs/scale.md.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::task::JoinSet;
use zdm_benches::readings::Readings;
use zdm_benches::{arguments, tool};
use zdm_tests::postgres::Server;

const CLIENTS: u64 = 4;
/// Between two updates of one client.
const EVERY: Duration = Duration::from_millis(5);
/// Before the backfill, and once more after it: what else the machine does comes and goes within a minute.
const ALONE: Duration = Duration::from_secs(20);
/// Two old readers in a row keep the table while expand wants it.
const READER: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tool = tool()?;
    let rows: u64 = arguments()
        .first()
        .map_or(Ok(1_000_000), |rows| rows.parse())?;
    let server = Server::start_with(&["shared_buffers=128MB", "max_wal_size=4GB", "fsync=on"]);
    let (readings, mut connection) = Readings::create(&tool, server.database("load"), rows).await?;
    readings.change()?;

    let load = Load::start(readings.url(), rows);
    let mut reader = PgConnection::connect(readings.url()).await?;
    reader.execute("BEGIN").await?;
    reader.execute("SELECT count(*) FROM readings").await?;
    let mut expand = readings.command(&["expand"]).spawn()?;
    tokio::time::sleep(READER).await;
    reader.execute("COMMIT").await?;
    if !expand.wait()?.success() {
        return Err("expand failed".into());
    }
    let beside = load.end().await?;
    println!(
        "longest update while expand waited for a reader: {} ms (wanted: at most lock_timeout and 100 ms, 1100)",
        beside.longest().as_millis()
    );

    readings.to_dual_write(&mut connection).await?;
    let before = alone(readings.url(), rows).await?;
    let load = Load::start(readings.url(), rows);
    let (answer, _) = readings.fill(&[])?;
    let beside = load.end().await?;
    let after = alone(readings.url(), rows).await?;
    println!("alone before: {before}");
    println!("beside the backfill: {beside}");
    println!("alone after: {after}");
    let alone = before.and(after);
    println!(
        "backfill: {} rows in {:.1} s, {} batches",
        answer["rows"],
        answer["seconds"].as_f64().unwrap_or_default(),
        answer["batches"]
    );
    println!(
        "p99 beside / alone = {:.2} (wanted: at most 1.30); longest {} ms (wanted: at most 1000)",
        beside.at(99).as_secs_f64() / alone.at(99).as_secs_f64(),
        beside.longest().as_millis()
    );
    Ok(())
}

async fn alone(url: &str, rows: u64) -> Result<Latencies, Box<dyn Error>> {
    let load = Load::start(url, rows);
    tokio::time::sleep(ALONE).await;
    load.end().await
}

/// Latencies, in order.
struct Latencies(Vec<Duration>);

impl Latencies {
    fn of(mut all: Vec<Duration>) -> Self {
        all.sort();
        Self(all)
    }

    fn and(self, other: Self) -> Self {
        Self::of([self.0, other.0].concat())
    }

    fn at(&self, percent: usize) -> Duration {
        let place = self.0.len() * percent / 100;
        self.0[place.min(self.0.len() - 1)]
    }

    fn longest(&self) -> Duration {
        self.at(100)
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = |percent| self.at(percent).as_micros();
        write!(
            f,
            "{} updates, p50 {} µs, p99 {} µs, longest {} µs",
            self.0.len(),
            micros(50),
            micros(99),
            micros(100)
        )
    }
}

/// Clients that update single rows.
struct Load {
    goes_on: Arc<AtomicBool>,
    clients: JoinSet<Result<Vec<Duration>, sqlx::Error>>,
}

impl Load {
    fn start(url: &str, rows: u64) -> Self {
        let goes_on = Arc::new(AtomicBool::new(true));
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            clients.spawn(client_of(url.to_owned(), rows, client, goes_on.clone()));
        }
        Self { goes_on, clients }
    }

    async fn end(mut self) -> Result<Latencies, Box<dyn Error>> {
        self.goes_on.store(false, Ordering::Release);
        let mut all = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            all.extend(client??);
        }
        Ok(Latencies::of(all))
    }
}

async fn client_of(
    url: String,
    rows: u64,
    client: u64,
    goes_on: Arc<AtomicBool>,
) -> Result<Vec<Duration>, sqlx::Error> {
    let mut connection = PgConnection::connect(&url).await?;
    let mut latencies = Vec::new();
    let mut ticks = tokio::time::interval(EVERY);
    let mut key = client + 1;
    while goes_on.load(Ordering::Acquire) {
        ticks.tick().await;
        // A full cycle over all keys in no order: MMIX's multiplier.
        key = key
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let id = i64::try_from((key >> 33) % rows + 1).unwrap_or(1);
        let before = Instant::now();
        sqlx::query("UPDATE readings SET note = 'written' WHERE id = $1")
            .bind(id)
            .execute(&mut connection)
            .await?;
        latencies.push(before.elapsed());
    }
    Ok(latencies)
}
