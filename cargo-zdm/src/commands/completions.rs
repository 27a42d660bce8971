//! `completions SHELL`: a script for the shell's completion.

use clap_complete::Shell;

use crate::error::Failure;
use crate::terminal::Answer;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  zdm completions bash > /etc/bash_completion.d/zdm")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, mut grammar: clap::Command) -> Result<Answer, Failure> {
        let name = grammar.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut grammar, name, &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        Answer::done(script.clone(), serde_json::json!({ "script": script }))
    }
}
