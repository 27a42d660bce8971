//! The command line as users have it: a program of its own.
//!
//! Comes in: the sources. Goes out: the path of `cargo-zdm`, with every driver.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The program, built from the present sources. Cargo shows a package's tests the programs of that package alone, so
/// tests of others ask here.
///
/// # Panics
///
/// Where it does not build.
pub fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--workspace", "--all-features"])
            .args(["--bin", "cargo-zdm"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(status.success(), "cargo-zdm does not build");
        let test = std::env::current_exe().expect("a test has a path");
        let profile = test
            .ancestors()
            .nth(2)
            .expect("tests are below target/debug/deps");
        profile.join("cargo-zdm")
    })
}
