//! A database and the generated code of a dialect, release by release.

use zdm_tests::releases::Releases;

use super::{NAME, VERSION};

/// So many rows are there from before.
pub(crate) const ROWS: i64 = 200;

/// What the test does with the code of one dialect.
macro_rules! application {
    ($dialect:ident, $pool:ident) => {
        pub(crate) mod $dialect {
            use sqlx::$pool as Pool;
            use zdm_runtime::Zdm;
            use zdm_runtime::backfill::Outcome;
            use zdm_runtime::computed::ComputedError;
            use zdm_tests::releases::Releases;

            use crate::options;
            use crate::$dialect::transition::zdm::m0002_email_keys::backfill;
            use crate::$dialect::{last, old, transition};

            pub(crate) use transition::models::User;
            pub(crate) use transition::zdm::users::{UserOld, Users};

            pub(crate) async fn pool(url: &str) -> Pool {
                Pool::connect(url).await.unwrap()
            }

            /// Old code with rows from before.
            pub(crate) async fn before(
                url: &str,
                releases: &Releases,
            ) -> (Zdm, old::zdm::users::Users) {
                releases.declared("old", &[&["init"], &["expand"]]);
                let pool = pool(url).await;
                let zdm = Zdm::connect(pool.clone(), &old::zdm::CODE).await.unwrap();
                let users = old::zdm::users::Users::new(&zdm).unwrap();
                let mut conn = pool.acquire().await.unwrap();
                for id in 1..=super::ROWS {
                    let email = format!("User {id}@example.org");
                    let user = old::models::User { id, email };
                    users.insert(&mut conn, &user).await.unwrap();
                }
                (zdm, users)
            }

            /// The code in transition at `off`.
            pub(crate) async fn released(url: &str, releases: &Releases) -> (Zdm, Users) {
                super::released(releases);
                let pool = pool(url).await;
                let zdm = Zdm::connect(pool, &transition::zdm::CODE).await.unwrap();
                let users = Users::new(&zdm).unwrap();
                (zdm, users)
            }

            /// The entry point, as one process.
            pub(crate) async fn run(url: &str, worker: &str) -> Result<Outcome, ComputedError> {
                let options = options(worker);
                backfill::backfill(&pool(url).await, &options).await
            }

            pub(crate) async fn execute(url: &str, sql: &'static str) {
                let mut conn = pool(url).await.acquire().await.unwrap();
                sqlx::raw_sql(sql).execute(&mut *conn).await.unwrap();
            }

            pub(crate) async fn texts(url: &str, sql: &'static str) -> Vec<String> {
                let pool = pool(url).await;
                sqlx::query_scalar(sql).fetch_all(&pool).await.unwrap()
            }

            /// Final code, and old's end with all that said something of it.
            pub(crate) async fn to_the_end(url: &str, releases: &Releases, transition: Zdm) {
                releases.generated("last", &[&["finalize"]]);
                let pool = pool(url).await;
                let zdm = Zdm::connect(pool.clone(), &last::zdm::CODE).await.unwrap();
                transition.close().await.unwrap();
                releases.until_done(&["contract", super::NAME]);
                let users = last::zdm::users::Users::new(&zdm).unwrap();
                let mut conn = pool.acquire().await.unwrap();
                assert!(!users.list(&mut conn, None, 10).await.unwrap().is_empty());
                zdm.close().await.unwrap();
            }
        }
    };
}

application!(postgres, PgPool);
application!(sqlite, SqlitePool);

fn released(releases: &Releases) {
    releases.declared("transition", &[&["generate", NAME], &["check"]]);
    releases.reviewed("transition", VERSION);
    releases.embedded(VERSION);
    releases.until_done(&["expand"]);
}

/// From a ledger that is done to the last stage.
pub(crate) fn along(releases: &Releases) {
    for arguments in [
        &["backfill", NAME][..],
        &["verify", NAME],
        &["switch", NAME, "--to", "shadow"],
        &["switch", NAME, "--to", "100%"],
        &["verify", NAME],
        &["switch", NAME, "--to", "ramp_down"],
        &["switch", NAME, "--to", "complete"],
    ] {
        releases.until_done(arguments);
    }
}
