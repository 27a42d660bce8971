//! Columns of every kind through the generated repositories: the code is checked in, compiled here and run on both databases.

/// As a user's crate has it, one that allows nothing of what `clippy::pedantic` finds.
#[deny(clippy::pedantic)]
pub mod postgres {
    /// The user's structs.
    #[allow(
        missing_docs,
        reason = "what is generated is documented, a user's struct need not be"
    )]
    #[path = "v1.rs"]
    pub mod models;
    #[path = "zdm/mod.rs"]
    pub mod zdm;
}

/// As a user's crate has it, one that allows nothing of what `clippy::pedantic` finds.
#[deny(clippy::pedantic)]
pub mod sqlite {
    /// The user's structs.
    #[allow(
        missing_docs,
        reason = "what is generated is documented, a user's struct need not be"
    )]
    #[path = "v1.rs"]
    pub mod models;
    #[path = "zdm/mod.rs"]
    pub mod zdm;
}

mod direct;
mod golden;
mod on_postgres;
mod on_sqlite;
