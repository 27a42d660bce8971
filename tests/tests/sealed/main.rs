//! A column that a Rust function puts in the place of another, one way, by the code that is generated for it: under old code, code that
//! writes both sides and others, with entry points that fill, one of which is killed, up to contract.

/// As a user's crate has it, at each of its releases.
pub mod postgres {
    /// Before.
    pub mod old {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// In transition.
    pub mod transition {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// After.
    pub mod last {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
}

/// As a user's crate has it, at each of its releases.
pub mod sqlite {
    /// Before.
    pub mod old {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// In transition.
    pub mod transition {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// After.
    pub mod last {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
}

mod application;
mod email;
mod race;
mod way;

use zdm_runtime::computed::Options;

const NAME: &str = "email_keys";
const VERSION: &str = "0002_email_keys";

/// Small batches, so that there are several, and no signals of a server that other tests use too.
fn options(worker: &str) -> Options {
    let mut options = Options::of("test");
    options.signals = None;
    options.workers = 2;
    worker.clone_into(&mut options.backfill.worker);
    options.backfill.first_batch = 7;
    options.backfill.most_rows = 7;
    options.backfill.least_stolen = 20;
    options.backfill.lease = std::time::Duration::from_secs(1);
    options.backfill.throttle = false;
    options
}
