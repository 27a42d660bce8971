//! The tests that are generated beside the code of migration 0004, as `cargo test` runs them.

use zdm_tests::postgres::Server;
use zdm_tests::tool;

#[test]
fn what_is_generated_for_the_migration_passes() {
    let server = Server::start();
    // With everything as the suite has it, so that nothing is compiled for this alone.
    let output = tool::cargo()
        .args([
            "test",
            "--quiet",
            "--offline",
            "--workspace",
            "--all-features",
            "--lib",
        ])
        .args(["--", "zdm::m0004_accounts_age_years::"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("ZDM_TEST_DATABASE_URL", server.database("app"))
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("test result: ok. 2 passed"), "{out}{err}");
}
