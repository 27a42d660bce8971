//! The real binaries, as a person or a pipeline runs them, in a folder outside the workspace.

mod advance;
mod back;
mod constraints;
mod counted;
mod database;
mod edited;
mod forward;
mod full_disk;
mod generate;
mod held;
mod interrupted;
mod killed_files;
mod mistakes;
mod pause;
mod project;
mod rights;
mod stale;
mod unconvertible;
mod uncounted;
mod usage;
mod versions;
