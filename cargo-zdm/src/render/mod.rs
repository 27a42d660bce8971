//! Flat view models → SQL and Rust text.

pub(crate) mod observability;
pub mod review;
pub mod rust;
pub mod sql;
