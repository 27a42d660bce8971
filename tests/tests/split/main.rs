//! A table that is split: columns of `users` move to `addresses`, through the generated repositories of both, on both databases;
//! one that is merged, [`merged`]; and columns that move between two that both stay, [`columns`].

/// As a user's crate has it, one that allows nothing of what `clippy::pedantic` finds.
#[deny(clippy::pedantic)]
pub mod postgres {
    /// The user's structs.
    #[allow(
        missing_docs,
        reason = "what is generated is documented, a user's struct need not be"
    )]
    pub mod models {
        include!("v2.rs");
    }
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
    pub mod models {
        include!("v2.rs");
    }
    #[path = "zdm/mod.rs"]
    pub mod zdm;
}

/// The same for diesel-async.
#[cfg(feature = "diesel-async")]
#[deny(clippy::pedantic)]
pub mod diesel {
    /// The user's structs.
    #[allow(
        missing_docs,
        reason = "what is generated is documented, a user's struct need not be"
    )]
    pub mod models {
        include!("v2.rs");
    }
    #[path = "zdm/mod.rs"]
    pub mod zdm;
}

pub mod columns;
pub mod merged;

/// Another one, with a key of two columns and names that change places.
pub mod parcels {
    /// As above.
    #[deny(clippy::pedantic)]
    pub mod postgres {
        /// The user's structs.
        #[allow(
            missing_docs,
            reason = "what is generated is documented, a user's struct need not be"
        )]
        pub mod models {
            include!("parcels/v2.rs");
        }
        #[path = "zdm/mod.rs"]
        pub mod zdm;
    }

    /// As above.
    #[deny(clippy::pedantic)]
    pub mod sqlite {
        /// The user's structs.
        #[allow(
            missing_docs,
            reason = "what is generated is documented, a user's struct need not be"
        )]
        pub mod models {
            include!("parcels/v2.rs");
        }
        #[path = "zdm/mod.rs"]
        pub mod zdm;
    }
}

mod composite;
mod database;
mod golden;
mod killed;
mod leftover;
mod lock_order;
mod row_security;
mod stages;
mod under_load;
