//! What people see of the demo: a line per phase, and on a terminal what happens at the moment.
//!
//! Comes in: words and numbers. Goes out: stdout for the lines, stderr for the moment. Must not know: what is shown.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::terminal::{Format, Terminal};

/// The demo's way to its audience.
#[derive(Debug)]
pub(super) struct Show {
    terminal: Terminal,
    moment: ProgressBar,
}

impl Show {
    /// Shows the moment only to people in front of a terminal.
    pub(super) fn new(terminal: Terminal) -> Self {
        let watched = terminal.format() == Format::Human && std::io::stderr().is_terminal();
        let target = if watched {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let moment = ProgressBar::with_draw_target(None, target);
        moment.enable_steady_tick(Duration::from_millis(100));
        Self { terminal, moment }
    }

    /// A phase, and what it has proved.
    pub(super) fn line(&self, phase: &str, proved: &str) {
        self.moment
            .suspend(|| self.terminal.say(&format!("{phase:<13} {proved}")));
    }

    /// What happens now.
    pub(super) fn now(&self, doing: impl Into<String>) {
        self.moment.set_message(doing.into());
    }

    /// Work whose end is known. It goes with the next line.
    pub(super) fn work(&self, task: &str, total: u64) -> ProgressBar {
        self.moment.set_message("");
        self.terminal.progress(task, total)
    }

    /// Nothing happens any more.
    pub(super) fn end(&self) {
        self.moment.finish_and_clear();
    }
}
