//! Where a command's words go: lines for people or one JSON object for programs, and progress on long work. No password passes here.
//!
//! Comes in: what a command says while it works, and its [`Answer`]. Goes out: stdout and stderr.
//! Must not know: what any command does.

use std::io::IsTerminal;

use anstream::{eprintln, println};
use clap_cargo::style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Failure, Kind};
use crate::secret::masked;

/// Who reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// People.
    #[default]
    Human,
    /// Programs: the last line on stdout is one object.
    Json,
}

/// A command's end, as far as it is not a [`Failure`].
#[derive(Debug)]
pub struct Answer {
    /// For people; nothing is printed where it is empty.
    pub text: String,
    /// For programs.
    pub object: Value,
    /// Findings or a shut gate give the exit code although the answer is complete.
    pub kind: Option<Kind>,
}

impl Answer {
    /// Done, or nothing to do.
    pub fn done(text: impl Into<String>, object: impl Serialize) -> Result<Self, Failure> {
        Self::ending(None, text, object)
    }

    /// A complete answer that does not exit with 0.
    pub fn ending(
        kind: Option<Kind>,
        text: impl Into<String>,
        object: impl Serialize,
    ) -> Result<Self, Failure> {
        let object = serde_json::to_value(object).map_err(|error| {
            Failure::environment(
                format!("the answer has no JSON form: {error}"),
                "please report this as a bug",
            )
        })?;
        Ok(Self {
            text: text.into(),
            object,
            kind,
        })
    }
}

/// The two ways out of the process.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    format: Format,
}

impl Terminal {
    /// For readers of `format`.
    pub const fn new(format: Format) -> Self {
        Self { format }
    }

    /// Who reads.
    pub const fn format(self) -> Format {
        self.format
    }

    /// Tells people what happens; programs wait for the answer.
    pub fn say(self, line: &str) {
        if self.format == Format::Human {
            println!("{}", masked(line));
        }
    }

    /// Whether somebody is there who could answer.
    pub fn may_ask(self) -> bool {
        self.format == Format::Human
            && std::io::stdin().is_terminal()
            && std::io::stdout().is_terminal()
    }

    /// The place of the choice that somebody makes, or `None`.
    pub fn ask(self, question: &str, choices: &[String]) -> Option<usize> {
        self.say(question);
        for (place, choice) in choices.iter().enumerate() {
            self.say(&format!("  {}  {choice}", place + 1));
        }
        self.say(&format!("1 to {}, anything else stops:", choices.len()));
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).ok()?;
        chosen(&line, choices.len())
    }

    /// Prints the end of a command and returns its exit code.
    pub fn end(self, end: Result<Answer, Failure>) -> u8 {
        match end {
            Ok(answer) => {
                match self.format {
                    Format::Human if answer.text.is_empty() => {}
                    Format::Human => println!("{}", masked(answer.text.trim_end())),
                    Format::Json => println!("{}", masked(&answer.object.to_string())),
                }
                answer.kind.map_or(0, Kind::exit_code)
            }
            Err(failure) => {
                let error = style::ERROR;
                let text = masked(&failure.to_string());
                // Mistakes in a model are shown as the compiler shows them, which begins with the word.
                let text = text.strip_prefix("error: ").unwrap_or(&text);
                eprintln!("{error}error{error:#}: {text}");
                if self.format == Format::Json {
                    Self::print_object(&failure);
                }
                failure.kind.exit_code()
            }
        }
    }

    /// Prints a failure as the one object that programs read.
    pub fn print_object(failure: &Failure) {
        println!("{}", masked(&json!({ "error": failure }).to_string()));
    }

    /// Progress with rate and ETA on a terminal, else nothing.
    pub fn progress(self, task: &str, total: u64) -> ProgressBar {
        let shown = self.format == Format::Human && std::io::stderr().is_terminal();
        let target = if shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let template =
            "{prefix} [{bar:30}] {human_pos}/{human_len} rows, {per_sec}, {eta} left {msg}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(Some(total), target)
            .with_style(style)
            .with_prefix(task.to_owned())
    }
}

fn chosen(line: &str, choices: usize) -> Option<usize> {
    let number: usize = line.trim().parse().ok()?;
    number.checked_sub(1).filter(|place| *place < choices)
}

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn only_a_number_that_was_offered_is_a_choice() {
        for (line, place) in [
            ("1\n", Some(0)),
            (" 3 \n", Some(2)),
            ("0\n", None),
            ("4\n", None),
            ("y\n", None),
            ("", None),
        ] {
            assert_eq!(chosen(line, 3), place, "{line:?}");
        }
    }
}
