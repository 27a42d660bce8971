//! Two migrations in flight on one table. Writers of the generated code of all releases run while the command line takes both
//! through every phase, the second behind the first, back and forward again, and the first is finalized and contracted in the
//! middle of the second. No statement may fail and nothing that was committed may be lost.

/// As a user's crate has it, at each of its releases.
pub mod postgres {
    /// Before both.
    pub mod zero {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// With the first in transition.
    pub mod first {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// With both.
    pub mod both {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// With the second, the first is final.
    pub mod second {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// After both.
    pub mod last {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
}

/// As a user's crate has it, at each of its releases.
pub mod sqlite {
    /// Before both.
    pub mod zero {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// With the first in transition.
    pub mod first {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// With both.
    pub mod both {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// With the second, the first is final.
    pub mod second {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
    /// After both.
    pub mod last {
        #[allow(missing_docs, reason = "a user's struct need not be documented")]
        pub mod models;
        pub mod zdm;
    }
}

mod writers;

use std::sync::Arc;

use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use self::writers::{Ledger, Writers};

const FIRST: &str = "full_names";
const SECOND: &str = "towns";

/// From the first dual write to the end, with a comparison before the last reader of old has gone.
const STAGES: &[&str] = &["50%", "100%", "verify", "ramp_down", "complete"];

/// The test of one database: the same steps with the code of each.
macro_rules! in_flight {
    ($test:ident, $dialect:ident, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            let (_guard, url) = $url;
            let releases = Releases::new(url.clone(), concat!("flight/", stringify!($dialect)));
            let ledger = Arc::new(Ledger::default());

            releases.declared("zero", &[&["init"], &["expand"]]);
            let zero = writers::$dialect::zero(&url, &ledger).await;
            releases.declared("first", &[&["generate", FIRST], &["check"], &["expand"]]);
            releases.reviewed("first", "0002_full_names");
            let first = writers::$dialect::first(&url, &ledger).await;
            zero.end().await;
            to_shadow(&releases, &first, FIRST).await;
            along(&releases, &first, FIRST, &STAGES[..1]).await;

            releases.declared("both", &[&["generate", SECOND], &["check"], &["expand"]]);
            releases.reviewed("both", "0003_towns");
            let both = writers::$dialect::both(&url, &ledger).await;
            first.written().await;
            first.end().await;
            releases.waits(&["switch", SECOND, "--to", "dual_write"], "in_turn");
            along(&releases, &both, FIRST, &STAGES[1..4]).await;
            back(&releases, &both, FIRST, "dual_write").await;
            releases.waits(&["switch", SECOND, "--to", "dual_write"], "in_turn");
            along(&releases, &both, FIRST, &["shadow"]).await;
            along(&releases, &both, FIRST, STAGES).await;

            to_shadow(&releases, &both, SECOND).await;
            let undo = ["rollback", FIRST, "--to", "ramp_down"];
            releases.waits(&undo, "nothing_later_begun");
            along(&releases, &both, SECOND, STAGES).await;
            for stage in ["ramp_down", "dual_write", "off"] {
                back(&releases, &both, SECOND, stage).await;
            }
            // Now that nothing has begun on it, the first goes back too, and forward again.
            back(&releases, &both, FIRST, "ramp_down").await;
            along(&releases, &both, FIRST, &["complete"]).await;
            to_shadow(&releases, &both, SECOND).await;
            along(&releases, &both, SECOND, &STAGES[..1]).await;

            releases.generated("second", &[&["finalize", FIRST], &["check"]]);
            let second = writers::$dialect::second(&url, &ledger).await;
            releases.waits(&["contract", FIRST], "final_everywhere");
            both.written().await;
            both.end().await;
            releases.until_done(&["contract", FIRST]);
            second.written().await;
            back(&releases, &second, SECOND, "dual_write").await;
            along(&releases, &second, SECOND, &["shadow"]).await;
            along(&releases, &second, SECOND, STAGES).await;

            releases.generated("last", &[&["finalize", SECOND], &["check"]]);
            let last = writers::$dialect::last(&url, &ledger).await;
            second.written().await;
            second.end().await;
            releases.until_done(&["contract", SECOND]);
            last.written().await;
            last.end().await;
            assert_eq!(writers::$dialect::stored(&url).await, ledger.committed());
        }
    };
}

in_flight!(
    two_migrations_of_a_table_move_in_turn_on_postgres,
    postgres,
    {
        let server = Server::start();
        let url = server.database("app");
        (server, url)
    }
);

in_flight!(two_migrations_of_a_table_move_in_turn_on_sqlite, sqlite, {
    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}?mode=rwc",
        folder.path().join("app.db").display()
    );
    (folder, url)
});

async fn to_shadow(releases: &Releases, writers: &Writers, version: &str) {
    along(
        releases,
        writers,
        version,
        &["dual_write", "backfill", "verify", "shadow"],
    )
    .await;
}

/// Each stage or phase of a version while the writers write, and some writes after it.
async fn along(releases: &Releases, writers: &Writers, version: &str, stages: &[&str]) {
    for stage in stages {
        match *stage {
            phase @ ("backfill" | "verify") => releases.until_done(&[phase, version]),
            stage => releases.until_done(&["switch", version, "--to", stage]),
        }
        writers.written().await;
    }
}

/// Back to a stage, and no word against the way forward.
async fn back(releases: &Releases, writers: &Writers, version: &str, stage: &str) {
    releases.until_done(&["rollback", version, "--to", stage]);
    writers.written().await;
    releases.until_done(&["resume", version]);
}
