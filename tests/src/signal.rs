//! Signals to processes that tests have started: by system call, because `kill` is no part of a bare system.

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// Sends a signal to a process.
///
/// # Panics
///
/// Where there is no such process, or it belongs to somebody else.
pub fn send(process: u32, signal: Signal) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.expect("the number of a process");
    kill_process(pid, signal).expect("the process is there and ours");
}
