//! The backfill of one column on PostgreSQL beside one `UPDATE` of the same rows in the same run.
//!
//!     cargo build --release -p cargo-zdm --features postgres && cargo bench -p zdm-benches --bench backfill -- [rows]
//!
//! Measured with 1,000,000 rows on two cores: 1.22 times the `UPDATE`. It needs a quiet machine: where other programs wanted the
//! same cores, single runs of the `UPDATE` differed threefold, and the ratio was 1.30 and 1.71.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use zdm_benches::{arguments, median, tool};
use zdm_tests::postgres::Server;

const RUNS: usize = 3;

const BEFORE: &str = "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\npub struct Reading {\n    #[zdm(primary_key)]\n    pub id: i64,\n    pub amount: i32,\n    pub note: String,\n}\n";
const AFTER: &str = "use zdm_runtime::Migratable;\n\n#[derive(Migratable)]\npub struct Reading {\n    #[zdm(primary_key)]\n    pub id: i64,\n    #[zdm(column = \"amount_text\", from(\"amount\"), up = \"CAST(amount AS text)\", down = \"CAST(amount_text AS integer)\")]\n    pub amount: String,\n    pub note: String,\n}\n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tool = tool()?;
    let rows: u64 = arguments()
        .first()
        .map_or(Ok(1_000_000), |rows| rows.parse())?;
    let server = Server::start();
    let (mut updates, mut backfills) = (Vec::new(), Vec::new());
    println!("rows {rows}, PostgreSQL, integer to text");
    for run in 1..=RUNS {
        let url = server.database(&format!("bench_{run}"));
        let (update, backfill) = one_run(&tool, &url, rows).await?;
        println!(
            "run {run}: UPDATE {:.2} s, backfill {:.2} s",
            update.as_secs_f64(),
            backfill.as_secs_f64()
        );
        updates.push(update);
        backfills.push(backfill);
    }
    let (update, backfill) = (median(updates), median(backfills));
    println!(
        "backfill / UPDATE = {:.2} (medians of {RUNS}; wanted: at most 1.25)",
        backfill.as_secs_f64() / update.as_secs_f64()
    );
    Ok(())
}

async fn one_run(
    tool: &Path,
    url: &str,
    rows: u64,
) -> Result<(Duration, Duration), Box<dyn Error>> {
    let project = tempfile::tempdir()?;
    let zdm = |arguments: &[&str]| zdm(tool, project.path(), url, arguments);
    write_crate(project.path(), BEFORE)?;
    zdm(&["init"])?;
    zdm(&["expand"])?;
    let mut connection = PgConnection::connect(url).await?;
    let fill = format!(
        "INSERT INTO readings (id, amount, note) SELECT n, n % 1000, repeat('x', 40) FROM generate_series(1, {rows}) AS n"
    );
    connection.execute(AssertSqlSafe(fill)).await?;
    connection
        .execute("CREATE TABLE twin (LIKE readings INCLUDING ALL)")
        .await?;
    connection
        .execute("INSERT INTO twin SELECT * FROM readings")
        .await?;
    connection
        .execute("ALTER TABLE twin ADD COLUMN amount_text text")
        .await?;
    write_crate(project.path(), AFTER)?;
    zdm(&["generate"])?;
    zdm(&["expand"])?;
    zdm(&["switch", "--to", "dual_write"])?;
    connection.execute("VACUUM ANALYZE readings, twin").await?;
    connection.execute("CHECKPOINT").await?;
    let before = Instant::now();
    connection
        .execute("UPDATE twin SET amount_text = CAST(amount AS text)")
        .await?;
    let update = before.elapsed();
    connection.execute("CHECKPOINT").await?;
    let answer = zdm(&["backfill", "--no-throttle", "--format", "json"])?;
    let last: serde_json::Value = serde_json::from_str(answer.lines().last().unwrap_or_default())?;
    let seconds = last["seconds"]
        .as_f64()
        .ok_or_else(|| format!("no seconds in {last}"))?;
    let filled: (i64,) =
        sqlx::query_as("SELECT count(*) FROM readings WHERE amount_text = CAST(amount AS text)")
            .fetch_one(&mut connection)
            .await?;
    if u64::try_from(filled.0)? != rows {
        return Err(format!("{} of {rows} rows are filled", filled.0).into());
    }
    Ok((update, Duration::from_secs_f64(seconds)))
}

fn write_crate(folder: &Path, models: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"readings\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    let lib = folder.join("src/lib.rs");
    if !lib.exists() {
        std::fs::write(lib, "pub mod models;\n")?;
    }
    std::fs::write(folder.join("src/models.rs"), models)
}

fn zdm(
    tool: &Path,
    project: &Path,
    url: &str,
    arguments: &[&str],
) -> Result<String, Box<dyn Error>> {
    let output = Command::new(tool)
        .arg("zdm")
        .args(arguments)
        .current_dir(project)
        .env("DATABASE_URL", url)
        .output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "`cargo zdm {}` ended with {}: {said}",
        arguments.join(" "),
        output.status
    )
    .into())
}
