//! Golden, live and chaos cases, and the servers that they need.

pub mod cases;
#[cfg(feature = "diesel-async")]
pub mod diesel;
pub mod fill;
pub mod operator;
pub mod pgbouncer;
pub mod pool;
pub mod postgres;
pub mod project;
pub mod releases;
pub mod seed;
pub mod signal;
mod system;
pub mod tool;
