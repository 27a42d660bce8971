//! The application before the migration: its models and the code that `cargo zdm generate` wrote for them.

pub mod models;
pub mod zdm;
