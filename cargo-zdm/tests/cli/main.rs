//! The real binaries, as a person or a pipeline runs them, in a folder outside the workspace.

mod adopted;
mod advance;
mod back;
mod counted;
mod database;
mod edited;
mod filled;
mod forward;
mod full_disk;
mod generate;
mod half_done;
mod held;
mod interrupted;
mod killed_files;
mod mistakes;
mod pause;
mod project;
mod reused;
mod rights;
mod stale;
mod unconvertible;
mod uncounted;
mod usage;
mod versions;
