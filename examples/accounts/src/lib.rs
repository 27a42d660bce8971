//! Accounts over JSON: create, read, update, list, search, delete, on `PostgreSQL`.
//!
//! An ordinary axum service. What `cargo zdm` adds is [`zdm`]: one repository per table, which knows both shapes of a
//! table while a migration is in flight. Nothing outside it, [`search`] excepted, can tell that one is.

#![warn(clippy::pedantic)]

mod accounts;
mod failure;
mod metrics;
pub mod models;
mod probes;
pub mod search;
mod service;
pub mod zdm;

pub use service::Service;
