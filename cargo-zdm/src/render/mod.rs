//! Flat view models → SQL and Rust text.

pub mod review;
pub mod rust;
pub mod sql;
