//! The library behind `cargo zdm`: source → schema → diff → changes → plan → render → lint → output → files.

pub mod changes;
mod choose;
pub mod cli;
mod commands;
pub mod config;
pub mod context;
pub mod dialect;
pub mod diff;
pub mod error;
pub mod files;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod operate;
pub mod plan;
pub mod render;
pub mod source;
pub mod terminal;
pub mod versions;
