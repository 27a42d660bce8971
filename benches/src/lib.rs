//! What the measurements share: a generated project of many models, a process's peak memory, medians.

pub mod readings;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Columns per generated model, the key included.
pub const COLUMNS: usize = 20;

/// The source of one model with [`COLUMNS`] columns; `derives` stands in the derive list.
pub fn model_source(number: usize, derives: &str, renamed: bool) -> String {
    let mut text = format!(
        "#[derive({derives})]\npub struct Record{number} {{\n    #[zdm(primary_key, auto)]\n    pub id: i64,\n"
    );
    for column in 1..COLUMNS {
        let kind = ["String", "i64", "Option<String>", "bool", "i32"][column % 5];
        let name = if renamed && column == 1 {
            "renamed_1".to_owned()
        } else {
            format!("column_{column}")
        };
        if renamed && column == 1 {
            text.push_str("    #[zdm(renamed_from = \"column_1\")]\n");
        }
        let _ = writeln!(text, "    pub {name}: {kind},");
    }
    text.push_str("}\n");
    text
}

/// Writes a crate with `models` models, one file each, below `folder`.
pub fn write_project(folder: &Path, models: usize, runtime: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("src/models"))?;
    fs::write(
        folder.join("Cargo.toml"),
        format!(
            "[package]\nname = \"many-models\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nzdm-runtime = {{ path = \"{}\" }}\n",
            runtime.display()
        ),
    )?;
    fs::write(folder.join("src/lib.rs"), "pub mod models;\n")?;
    let mut modules = String::new();
    for number in 0..models {
        let _ = writeln!(modules, "pub mod record{number};");
    }
    fs::write(folder.join("src/models/mod.rs"), modules)?;
    for number in 0..models {
        write_model(folder, number, false)?;
    }
    Ok(())
}

/// Writes the file of one model, with its first column renamed or not.
pub fn write_model(folder: &Path, number: usize, renamed: bool) -> io::Result<()> {
    let source = model_source(number, "Migratable", renamed);
    fs::write(
        folder.join(format!("src/models/record{number}.rs")),
        format!("use zdm_runtime::Migratable;\n\n{source}"),
    )
}

/// What one run of a program took.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub status: ExitStatus,
    /// Wall time.
    pub wall: Duration,
    /// The largest resident set, in KiB, read from `/proc` while it runs; 0 where there is none.
    pub peak_kib: u64,
}

/// Runs a program to its end and measures it.
pub fn measure(command: &mut Command) -> io::Result<Run> {
    let before = Instant::now();
    let mut child = command.spawn()?;
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(resident_peak_kib(child.id()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    Ok(Run {
        status,
        wall: before.elapsed(),
        peak_kib,
    })
}

/// `VmHWM` of a running process: Linux manual page proc_pid_status(5).
fn resident_peak_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

/// The middle one of the durations, which must not be empty.
pub fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}

/// The command line's release build.
pub fn tool() -> Result<PathBuf, String> {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/cargo-zdm");
    tool.canonicalize().map_err(|error| {
        format!(
            "{}: {error}; first: cargo build --release -p cargo-zdm --features postgres",
            tool.display()
        )
    })
}

/// The program's own arguments, without those that `cargo bench` adds.
pub fn arguments() -> Vec<String> {
    std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect()
}
