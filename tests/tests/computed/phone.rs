//! The application's function. A phone tells it to wait for the test, or to panic.

use std::sync::{Condvar, Mutex};

/// What the test and the function tell each other.
#[derive(Debug, PartialEq, Clone, Copy)]
pub(crate) enum Told {
    Nothing,
    /// The function is at a phone that waits.
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

/// The digits of a phone; one without any is none.
#[allow(
    clippy::needless_pass_by_value,
    reason = "what a function takes is given to it"
)]
pub(crate) fn key(phone: String) -> Result<String, String> {
    match phone.as_str() {
        "waits" => wait(),
        "panics" => panic!("no phone that was thought of"),
        _ => {}
    }
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return Err(format!("a phone of {} letters has no digits", phone.len()));
    }
    Ok(digits)
}
