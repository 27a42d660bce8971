//! `cargo zdm import`: what a database holds becomes models that say the same, and what they cannot say is named.

mod cases;
mod drift;
mod dumps;
mod everything_postgres;
mod everything_sqlite;
mod needed;
mod real;
mod refused;
mod schemas;
