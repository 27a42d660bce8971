//! `cargo zdm import` of many tables from PostgreSQL: wall time and peak memory of the whole command, which reads the
//! catalogue and writes structs, repositories and the baseline, all formatted.
//!
//!     cargo build --release -p cargo-zdm --features postgres && cargo bench -p zdm-benches --bench import
//!
//! Measured with 1,000 tables of ten columns on two cores that had other work: 2.4 s to 3.3 s, of which 2.0 s are the command's
//! and its children's processor time. When rustfmt laid out every file, it was 7.5 s to 8.2 s for the same files, byte for byte.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use zdm_benches::{measure, median, tool};
use zdm_tests::postgres::Server;

const RUNS: usize = 3;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tool = tool()?;
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../zdm-runtime")
        .canonicalize()?;
    let server = Server::start();
    println!("tables  layout     --dry-run_s  import_s (medians of {RUNS})  peak_MB");
    for tables in [100, 1_000] {
        let url = server.database(&format!("tables{tables}"));
        let mut connection = PgConnection::connect(&url).await?;
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(schema(tables))))
            .await?;
        for layout in ["one", "per-table"] {
            let (mut looked, mut written, mut peak_kib) = (Vec::new(), Vec::new(), 0);
            for _ in 0..RUNS {
                let project = crate_without_models(&runtime)?;
                for dry in [true, false] {
                    let mut command = Command::new(&tool);
                    command
                        .args(["zdm", "import", "--layout", layout, "--database-url", &url])
                        .args(dry.then_some("--dry-run"))
                        .current_dir(project.path())
                        .stdout(Stdio::null())
                        .stdin(Stdio::null());
                    let run = measure(&mut command)?;
                    if !run.status.success() {
                        return Err(format!("`cargo zdm import` ended with {}", run.status).into());
                    }
                    peak_kib = peak_kib.max(run.peak_kib);
                    if dry { &mut looked } else { &mut written }.push(run.wall);
                }
            }
            println!(
                "{tables:>6}  {layout:<9}  {:>11.2}  {:>23.2}  {:>7}",
                median(looked).as_secs_f64(),
                median(written).as_secs_f64(),
                peak_kib / 1024
            );
        }
    }
    Ok(())
}

/// Tables of ten columns, two indexes, a check and a foreign key each.
fn schema(tables: usize) -> String {
    let mut sql = String::new();
    for number in 0..tables {
        let _ = writeln!(
            sql,
            "CREATE TABLE records_{number} (id bigserial PRIMARY KEY, name text NOT NULL, email varchar(80) UNIQUE,
                created_at timestamptz NOT NULL DEFAULT now(), amount numeric(10,2), is_open boolean NOT NULL DEFAULT true,
                note text, number integer CHECK (number > 0), parent_id bigint, data jsonb NOT NULL DEFAULT '{{}}');
             CREATE INDEX records_{number}_name ON records_{number} (name);"
        );
        if number > 0 {
            let _ = writeln!(
                sql,
                "ALTER TABLE records_{number} ADD FOREIGN KEY (parent_id) REFERENCES records_{};",
                number - 1
            );
        }
    }
    sql
}

fn crate_without_models(runtime: &Path) -> std::io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("src"))?;
    std::fs::write(
        folder.path().join("Cargo.toml"),
        format!(
            "[package]\nname = \"many-tables\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nzdm-runtime = {{ path = \"{}\" }}\n",
            runtime.display()
        ),
    )?;
    std::fs::write(folder.path().join("src/lib.rs"), "")?;
    Ok(folder)
}
