//! The Rust that is generated for diesel-async: the text is checked in, compiled here and run against PostgreSQL at every stage.

/// As a user's crate has it, one that allows nothing of what `clippy::pedantic` finds.
#[deny(clippy::pedantic)]
#[path = "generated"]
pub mod postgres {
    /// The user's structs.
    #[allow(
        missing_docs,
        reason = "what is generated is documented, a user's struct need not be"
    )]
    pub mod models {
        include!("generated/models.rs");
        include!("diesel/kinds.rs");
    }
    #[path = "diesel/mod.rs"]
    pub mod zdm;
}

#[path = "diesel/live.rs"]
mod live;
#[path = "diesel/starting.rs"]
mod starting;
#[allow(dead_code, reason = "SQLite is not asked for here")]
#[path = "generated/tables.rs"]
mod tables;
#[path = "diesel/under_load.rs"]
mod under_load;
