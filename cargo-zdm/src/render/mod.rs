//! Flat view models → SQL and Rust text.

pub mod ci;
pub(crate) mod observability;
pub mod review;
pub mod rust;
pub mod sql;
