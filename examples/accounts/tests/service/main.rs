//! The service under migration 0004, at every stage, forward and back, on a real `PostgreSQL`.

mod client;
mod own_tests;
mod stages;
mod tool;

use tool::Tool;

#[test]
fn what_is_checked_in_is_what_is_generated() {
    let output = Tool::check();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
