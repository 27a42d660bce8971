//! The library behind `cargo zdm`: source → schema → diff → changes → plan → render → lint → output → files.

pub mod plan;
