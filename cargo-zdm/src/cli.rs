//! The command line: which commands there are, and the one way from arguments to an exit code.
//!
//! Comes in: the process's arguments. Goes out: its exit code.
//! Must not know: what a command does.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_cargo::style::CLAP_STYLING;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::commands::{
    advance, approve, backfill, cancel, contract, demo, expand, import, pause, quarantine,
    rehearse, resume, rollback, status, switch, verify,
};
use crate::commands::{
    check, ci, completions, dashboard, diff, finalize, generate, init, references, review,
    templates,
};
use crate::context::{Common, Context};
use crate::error::Failure;
use crate::secret::masked;
use crate::terminal::{Answer, Terminal};

/// Zero-downtime database migrations, generated from Rust structs
#[derive(Debug, Parser)]
#[command(version, styles = CLAP_STYLING, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Exit codes: 0 done or nothing to do, 1 found something, 2 wrong usage, 3 environment, 4 a gate is shut: later.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    Import(import::Import),
    Diff(diff::Diff),
    Generate(generate::Generate),
    Check(check::Check),
    References(references::References),
    Review(review::Review),
    Dashboard(dashboard::Dashboard),
    Finalize(finalize::Finalize),
    Templates(templates::Templates),
    Ci(ci::Ci),
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    #[command(flatten)]
    Database(DatabaseCommand),
    Completions(completions::Completions),
}

/// Commands that act on a database: built with a driver only.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[derive(Debug, Subcommand)]
enum DatabaseCommand {
    Advance(advance::Advance),
    Status(status::Status),
    Expand(expand::Expand),
    Backfill(backfill::Backfill),
    Verify(verify::Verify),
    Switch(switch::Switch),
    Contract(contract::Contract),
    Rollback(rollback::Rollback),
    Approve(approve::Approve),
    Pause(pause::Pause),
    Cancel(cancel::Cancel),
    Resume(resume::Resume),
    Quarantine(quarantine::Quarantine),
    Rehearse(rehearse::Rehearse),
    Demo(demo::Demo),
    DemoWorker(demo::Worker),
}

impl Command {
    fn run(self, context: &Context, invoked_as: &'static str) -> Result<Answer, Failure> {
        match self {
            Self::Init(command) => command.run(context),
            Self::Diff(command) => command.run(context),
            Self::Generate(command) => command.run(context),
            Self::Check(check::Check {}) => check::Check::run(context),
            Self::References(command) => command.run(context),
            Self::Review(command) => command.run(context),
            Self::Dashboard(command) => command.run(context),
            Self::Finalize(command) => command.run(context),
            Self::Templates(command) => command.run(context),
            Self::Ci(command) => command.run(context),
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            Self::Import(command) => command.run(context),
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            Self::Database(command) => crate::operate::block_on(command.run(context)),
            Self::Completions(command) => command.run(grammar(invoked_as)),
        }
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl DatabaseCommand {
    async fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Advance(command) => command.run(context).await,
            Self::Status(command) => command.run(context).await,
            Self::Expand(command) => command.run(context).await,
            Self::Backfill(command) => command.run(context).await,
            Self::Verify(command) => command.run(context).await,
            Self::Switch(command) => command.run(context).await,
            Self::Contract(command) => command.run(context).await,
            Self::Rollback(command) => command.run(context).await,
            Self::Approve(command) => command.run(context).await,
            Self::Pause(command) => command.run(context).await,
            Self::Cancel(command) => command.run(context).await,
            Self::Resume(command) => command.run(context).await,
            Self::Quarantine(command) => command.run(context).await,
            Self::Rehearse(command) => Box::pin(command.run(context)).await,
            Self::Demo(command) => command.run(context).await,
            Self::DemoWorker(command) => command.run().await,
        }
    }
}

/// Runs the process's arguments as `invoked_as` (`cargo zdm` or `zdm`).
pub fn main(invoked_as: &'static str) -> ExitCode {
    let arguments = arguments(invoked_as, std::env::args_os());
    let parsed = grammar(invoked_as)
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => {
            let context = Context::new(cli.common);
            let end = cli.command.run(&context, invoked_as);
            ExitCode::from(context.terminal.end(end))
        }
        Err(error) => ExitCode::from(refuse(&error, &arguments)),
    }
}

fn grammar(invoked_as: &'static str) -> clap::Command {
    let name = match invoked_as {
        "zdm" => "zdm",
        _ => "cargo-zdm",
    };
    Cli::command().name(name).bin_name(invoked_as)
}

/// Cargo passes the subcommand's own name as the first argument.
fn arguments(invoked_as: &str, given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = given.collect();
    if invoked_as != "zdm" && arguments.get(1).is_some_and(|first| first == "zdm") {
        arguments.remove(1);
    }
    arguments
}

/// Prints what clap has to say: help to stdout, a mistake to stderr and, for programs, as an object to stdout.
fn refuse(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let (told, shown) = (error.to_string(), masked(&error.to_string()));
    if told == shown {
        let _ = error.print();
    } else {
        eprintln!("{}", shown.trim_end());
    }
    if !error.use_stderr() {
        return 0;
    }
    let for_programs = arguments
        .windows(2)
        .any(|pair| pair[0] == "--format" && pair[1] == "json")
        || arguments.iter().any(|argument| argument == "--format=json");
    let failure = Failure::usage(error.to_string().trim_end(), "see --help");
    if for_programs {
        Terminal::print_object(&failure);
    }
    failure.kind.exit_code()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        grammar("cargo zdm").debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in grammar("zdm").get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Example")),
                "{} has no example",
                command.get_name()
            );
        }
    }

    #[test]
    fn cargo_s_own_argument_is_dropped_once() {
        let given = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
        let cargo = arguments(
            "cargo zdm",
            given(&["cargo-zdm", "zdm", "check"]).into_iter(),
        );
        assert_eq!(cargo, given(&["cargo-zdm", "check"]));
        let plain = arguments("zdm", given(&["zdm", "zdm"]).into_iter());
        assert_eq!(plain, given(&["zdm", "zdm"]));
    }
}
