//! The application's function. An address tells it to wait for the test.

use std::sync::{Condvar, Mutex};

/// What the test and the function tell each other.
#[derive(Debug, PartialEq, Clone, Copy)]
pub(crate) enum Told {
    Nothing,
    /// The function is at an address that waits.
    Arrived,
    /// It may go on.
    GoOn,
}

static TOLD: (Mutex<Told>, Condvar) = (Mutex::new(Told::Nothing), Condvar::new());

pub(crate) fn tell(what: Told) {
    *TOLD.0.lock().unwrap() = what;
    TOLD.1.notify_all();
}

pub(crate) fn wait_for(what: Told) {
    let told = TOLD.0.lock().unwrap();
    drop(TOLD.1.wait_while(told, |told| *told != what).unwrap());
}

/// Until the test lets it go on, which is once for all.
fn wait() {
    let mut told = TOLD.0.lock().unwrap();
    if *told == Told::Nothing {
        *told = Told::Arrived;
        TOLD.1.notify_all();
    }
    drop(TOLD.1.wait_while(told, |told| *told != Told::GoOn).unwrap());
}

/// The letters of an address in a row, which no SQL of ours makes of it; what has no `@` is none.
#[allow(
    clippy::needless_pass_by_value,
    reason = "what a function takes is given to it"
)]
pub(crate) fn key(email: String) -> Result<String, String> {
    if email == "waits@for.it" {
        wait();
    }
    if !email.contains('@') {
        return Err(format!("an address of {} letters has no @", email.len()));
    }
    Ok(of(&email))
}

/// The same, for a test that waits for nothing.
pub(crate) fn of(email: &str) -> String {
    let mut letters: Vec<char> = email.to_lowercase().chars().rev().collect();
    letters.retain(|letter| !letter.is_whitespace());
    letters.into_iter().collect()
}
