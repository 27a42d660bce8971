//! Columns that move between two tables which both stay: from `addresses` to `users`, written by old and new code, on both databases.

macro_rules! code {
    ($structs:literal) => {
        /// As a user's crate has it, one that allows nothing of what `clippy::pedantic` finds.
        #[deny(clippy::pedantic)]
        pub mod postgres {
            /// The user's structs.
            #[allow(
                missing_docs,
                reason = "what is generated is documented, a user's struct need not be"
            )]
            pub mod models {
                include!($structs);
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
                include!($structs);
            }
            #[path = "zdm/mod.rs"]
            pub mod zdm;
        }
    };
}

code!("v2.rs");

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

/// What runs before, and beside it until all instances are of the new version.
pub mod old {
    code!("v1.rs");
}

mod contracted;
mod database;
mod killed;
mod lock_order;
mod reversed;
mod row_security;
mod side_by_side;
mod stages;
mod under_load;
mod unfilled;
