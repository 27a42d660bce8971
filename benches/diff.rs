//! `cargo zdm diff` of two schemas of many tables: the last version beside the structs, and two files of SQL. Wall time of the
//! whole command, and beside it what `cargo metadata` takes, which it waits for before it knows where structs are.
//!
//!     cargo build --release -p cargo-zdm --features postgres && cargo bench -p zdm-benches --bench diff

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use zdm_benches::{COLUMNS, measure, median, tool, write_model, write_project};

const RUNS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let tool = tool()?;
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../zdm-runtime")
        .canonicalize()?;
    println!("tables  columns  cargo_metadata_ms  models_ms  sql_ms (medians of {RUNS})");
    for tables in [100, 1_000] {
        let project = tempfile::tempdir()?;
        let folder = project.path();
        write_project(folder, tables, &runtime)?;
        let zdm = |arguments: &[&str]| {
            let mut command = Command::new(&tool);
            command.arg("zdm").args(arguments);
            command
        };
        median_of(1, folder, || zdm(&["init", "--dialect", "postgres"]))?;
        for number in 0..10 {
            write_model(folder, number, true)?;
        }
        fs::write(folder.join("old.sql"), dump(tables, "text"))?;
        fs::write(folder.join("new.sql"), dump(tables, "varchar(80)"))?;
        let metadata = || {
            let mut command = Command::new("cargo");
            command.args(["metadata", "--no-deps", "--format-version", "1"]);
            command
        };
        println!(
            "{tables:>6}  {COLUMNS:>7}  {:>17.0}  {:>9.0}  {:>6.0}",
            milliseconds(median_of(RUNS, folder, metadata)?),
            milliseconds(median_of(RUNS, folder, || zdm(&["diff"]))?),
            milliseconds(median_of(RUNS, folder, || zdm(&[
                "diff", "--from", "old.sql", "--to", "new.sql"
            ]))?),
        );
    }
    Ok(())
}

/// Tables as `pg_dump --schema-only` writes them; a column of every hundredth has that type.
fn dump(tables: usize, changed: &str) -> String {
    let mut sql = String::new();
    for number in 0..tables {
        let _ = writeln!(
            sql,
            "CREATE TABLE public.records_{number} (\n    id bigint NOT NULL,"
        );
        for column in 1..COLUMNS {
            let sql_type = match column % 5 {
                0 => "text NOT NULL",
                1 if number % 100 == 0 => changed,
                1 => "text",
                2 => "bigint DEFAULT 0 NOT NULL",
                3 => "timestamp with time zone DEFAULT now() NOT NULL",
                _ => "character varying(80)",
            };
            let comma = if column + 1 < COLUMNS { "," } else { "" };
            let _ = writeln!(sql, "    column_{column} {sql_type}{comma}");
        }
        let _ = writeln!(
            sql,
            ");\n\nALTER TABLE ONLY public.records_{number}\n    ADD CONSTRAINT records_{number}_pkey PRIMARY KEY (id);\n"
        );
    }
    sql
}

fn median_of(
    runs: usize,
    folder: &Path,
    command: impl Fn() -> Command,
) -> Result<Duration, Box<dyn Error>> {
    let mut walls = Vec::new();
    for _ in 0..runs {
        let run = measure(
            command()
                .current_dir(folder)
                .stdout(Stdio::null())
                .stdin(Stdio::null()),
        )?;
        if !run.status.success() {
            return Err(format!("{:?} ended with {}", command(), run.status).into());
        }
        walls.push(run.wall);
    }
    Ok(median(walls))
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
