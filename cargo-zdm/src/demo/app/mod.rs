//! A small application as three deploys left it, per database: models, and what `cargo zdm generate` wrote for them.
//!
//! Must not know: that it is watched.

#![allow(
    unreachable_pub,
    reason = "the versions are written as in a crate of their own"
)]

mod adapter;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
