//! The generated Rust of a migration in transition: the text is checked in, compiled here and run against both databases
//! at every stage.

#![allow(missing_docs, unreachable_pub, reason = "the models are a user's")]

#[path = "generated"]
pub mod postgres {
    pub mod models {
        include!("generated/models.rs");
    }
    #[path = "postgres/mod.rs"]
    pub mod zdm;
}

#[path = "generated"]
pub mod sqlite {
    pub mod models {
        include!("generated/models.rs");
    }
    #[path = "sqlite/mod.rs"]
    pub mod zdm;
}

#[path = "generated/golden.rs"]
mod golden;
#[path = "generated/live.rs"]
mod live;
