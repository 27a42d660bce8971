//! `cargo zdm generate` with one changed model among many: wall time and peak memory, and how they grow; before it, `init`,
//! which writes and formats all of them.
//!
//!     cargo build --release -p cargo-zdm --features postgres && cargo bench -p zdm-benches --bench generate
//!
//! Measured on two cores; `generate` is linear in the number of models, and more than half of it renders repositories of 1,500 lines,
//! which are compared with what is there:
//!
//! | models | init | generate | peak of generate |
//! |---|---|---|---|
//! | 1,000 | 1.0 s | 0.60 s | 129 MiB |
//! | 2,000 | 1.7 s | 1.23 s | 214 MiB |
//! | 5,000 | 4.3 s | 2.83 s | 520 MiB |

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

use zdm_benches::{COLUMNS, measure, median, tool, write_model, write_project};

const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let tool = tool()?;
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../zdm-runtime")
        .canonicalize()?;
    println!(
        "models  columns  init_s  generate_s (median of {RUNS})  peak_MB  generate_ms_per_model"
    );
    for models in [1_000, 2_000, 5_000] {
        let project = tempfile::tempdir()?;
        write_project(project.path(), models, &runtime)?;
        let init = run(&tool, project.path(), &["init", "--dialect", "postgres"])?;
        let (mut walls, mut peak_kib) = (Vec::new(), 0);
        for number in 0..RUNS {
            // A rename: the change with all five phases.
            write_model(project.path(), number, true)?;
            let measured = run(&tool, project.path(), &["generate"])?;
            walls.push(measured.wall);
            peak_kib = peak_kib.max(measured.peak_kib);
        }
        let wall = median(walls);
        println!(
            "{models:>6}  {COLUMNS:>7}  {:>6.1}  {:>24.3}  {:>7}  {:>21.3}",
            init.wall.as_secs_f64(),
            wall.as_secs_f64(),
            peak_kib / 1024,
            wall.as_secs_f64() * 1e3 / f64::from(u32::try_from(models)?)
        );
    }
    Ok(())
}

fn run(
    tool: &Path,
    project: &Path,
    arguments: &[&str],
) -> Result<zdm_benches::Run, Box<dyn Error>> {
    let measured = measure(
        Command::new(tool)
            .arg("zdm")
            .args(arguments)
            .current_dir(project)
            .stdout(Stdio::null())
            .stdin(Stdio::null()),
    )?;
    if measured.status.success() {
        Ok(measured)
    } else {
        Err(format!(
            "`cargo zdm {}` ended with {}",
            arguments.join(" "),
            measured.status
        )
        .into())
    }
}
