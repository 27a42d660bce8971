//! The command line as users have it: a program of its own.
//!
//! Comes in: the sources. Goes out: the path of `cargo-zdm`, with every driver.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Cargo as it is outside a test. What a test runs in names the test's package, and build scripts of dependencies that ask for such
/// names would have all that stands on them built anew, here and once more by whoever builds next.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let of_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if of_package {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The program, built from the present sources. Cargo shows a package's tests the programs of that package alone, so
/// tests of others ask here.
///
/// # Panics
///
/// Where it does not build.
pub fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let status = cargo()
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
