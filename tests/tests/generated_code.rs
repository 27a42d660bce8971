//! The generated Rust of a migration in transition: the text is checked in, compiled here and run against both databases
//! at every stage.

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
    }
    #[path = "postgres/mod.rs"]
    pub mod zdm;
}

/// As a user's crate has it, one that allows nothing of what `clippy::pedantic` finds.
#[deny(clippy::pedantic)]
#[path = "generated"]
pub mod sqlite {
    /// The user's structs.
    #[allow(
        missing_docs,
        reason = "what is generated is documented, a user's struct need not be"
    )]
    pub mod models {
        include!("generated/models.rs");
    }
    #[path = "sqlite/mod.rs"]
    pub mod zdm;
}

#[path = "generated/checked.rs"]
mod checked;
#[path = "generated/every_write_under_load.rs"]
mod every_write_under_load;
#[path = "generated/golden.rs"]
mod golden;
#[path = "generated/instances.rs"]
mod instances;
#[path = "generated/live.rs"]
mod live;
#[path = "generated/many_rows.rs"]
mod many_rows;
#[path = "generated/one_way.rs"]
mod one_way;
#[path = "generated/one_way_under_load.rs"]
mod one_way_under_load;
#[path = "generated/overtaken.rs"]
mod overtaken;
#[path = "generated/shadowed.rs"]
mod shadowed;
#[path = "generated/sleeper.rs"]
mod sleeper;
#[path = "generated/split_column.rs"]
mod split_column;
#[path = "generated/tables.rs"]
mod tables;
