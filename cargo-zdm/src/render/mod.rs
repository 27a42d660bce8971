//! Flat view models → SQL and Rust text.

pub mod rust;
pub mod sql;
