//! How long the compiler takes for 200 structs with `#[derive(Migratable)]`, beside the same with `serde::Serialize`.
//!
//!     cargo build --release -p cargo-zdm --features postgres && cargo bench -p zdm-benches --bench derive
//!
//! Measured: `Migratable` takes 1.4 times as long as `Serialize`; most of it is the type check, which evaluates fingerprints.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use zdm_benches::{median, model_source, tool};

const STRUCTS: usize = 200;
const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let tool = tool()?;
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../zdm-runtime")
        .canonicalize()?;
    let folder = tempfile::tempdir()?;

    let plain = crate_with(folder.path(), "plain", "", &|number| {
        strip(&model_source(number, "Debug", false))
    })?;
    let serde = crate_with(
        folder.path(),
        "with-serde",
        "serde = { version = \"1\", features = [\"derive\"] }",
        &|number| strip(&model_source(number, "Debug, serde::Serialize", false)),
    )?;
    let zdm = crate_with(
        folder.path(),
        "with-zdm",
        &format!("zdm-runtime = {{ path = \"{}\" }}", runtime.display()),
        &|number| model_source(number, "Debug, zdm_runtime::Migratable", false),
    )?;
    // What generated code says of a model, without its repository: the derive's own cost is to be seen.
    let fingerprints = Command::new(&tool)
        .args(["zdm", "init", "--dialect", "postgres"])
        .current_dir(&zdm)
        .output()?;
    if !fingerprints.status.success() {
        return Err(String::from_utf8_lossy(&fingerprints.stderr)
            .into_owned()
            .into());
    }
    keep_only_fingerprints(&zdm)?;

    let (mut plain_times, mut serde_times, mut zdm_times) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        plain_times.push(check(&plain)?);
        serde_times.push(check(&serde)?);
        zdm_times.push(check(&zdm)?);
    }
    let (plain, serde, zdm) = (median(plain_times), median(serde_times), median(zdm_times));
    let (serde_only, zdm_only) = (serde.saturating_sub(plain), zdm.saturating_sub(plain));
    println!("structs {STRUCTS}, cargo check, medians of {RUNS}");
    println!("without a derive     {:.3} s", plain.as_secs_f64());
    println!(
        "serde::Serialize     {:.3} s, itself {:.3} s",
        serde.as_secs_f64(),
        serde_only.as_secs_f64()
    );
    println!(
        "Migratable           {:.3} s, itself {:.3} s",
        zdm.as_secs_f64(),
        zdm_only.as_secs_f64()
    );
    println!(
        "Migratable / Serialize = {:.2}",
        zdm_only.as_secs_f64() / serde_only.as_secs_f64()
    );
    Ok(())
}

/// The source without attributes that only our derive knows.
fn strip(source: &str) -> String {
    source
        .split_inclusive('\n')
        .filter(|line| !line.trim_start().starts_with("#[zdm"))
        .collect()
}

fn crate_with(
    folder: &Path,
    name: &str,
    dependency: &str,
    source: &dyn Fn(usize) -> String,
) -> Result<PathBuf, Box<dyn Error>> {
    let home = folder.join(name);
    fs::create_dir_all(home.join("src"))?;
    fs::write(
        home.join("Cargo.toml"),
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependency}\n"
        ),
    )?;
    fs::write(
        home.join("src/lib.rs"),
        (0..STRUCTS).map(source).collect::<String>(),
    )?;
    Ok(home)
}

/// Replaces the generated repositories, which need a driver, by their `impl Generated`.
fn keep_only_fingerprints(home: &Path) -> Result<(), Box<dyn Error>> {
    let mut impls = String::new();
    for entry in fs::read_dir(home.join("src/zdm"))? {
        let text = fs::read_to_string(entry?.path()).unwrap_or_default();
        let found = text.split_once("impl Generated for ");
        if let Some((body, _)) = found.and_then(|(_, rest)| rest.split_once("\n}")) {
            let _ = writeln!(impls, "impl zdm_runtime::Generated for crate::{body}\n}}");
        }
    }
    fs::remove_dir_all(home.join("src/zdm"))?;
    fs::write(home.join("src/zdm.rs"), impls)?;
    Ok(())
}

fn check(home: &Path) -> Result<Duration, Box<dyn Error>> {
    let cargo = |arguments: &[&str]| {
        Command::new("cargo")
            .args(arguments)
            .current_dir(home)
            .stderr(Stdio::piped())
            .output()
    };
    let name = home
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let first = cargo(&["check"])?;
    if !first.status.success() {
        return Err(String::from_utf8_lossy(&first.stderr).into_owned().into());
    }
    cargo(&["clean", "-p", name])?;
    let before = Instant::now();
    cargo(&["check", "--offline"])?;
    Ok(before.elapsed())
}
