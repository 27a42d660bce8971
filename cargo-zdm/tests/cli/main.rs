//! The real binaries, as a person or a pipeline runs them, in a folder outside the workspace.

mod advance;
mod back;
mod database;
mod forward;
mod generate;
mod interrupted;
mod pause;
mod project;
mod stale;
mod usage;
mod versions;
