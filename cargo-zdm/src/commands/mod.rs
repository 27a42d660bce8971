//! One file per subcommand, each thin: its arguments, one call, its answer.

pub(crate) mod completions;
