//! A database whose rows wait for the application, by the generated code of a dialect.

use zdm_tests::releases::Releases;

use super::{NAME, VERSION};

/// So many rows are there from before.
pub(crate) const ROWS: i64 = 200;

/// What the test does with the code of one dialect.
macro_rules! application {
    ($dialect:ident, $pool:ident, $database:ident) => {
        pub(crate) mod $dialect {
            use sqlx::$pool as Pool;
            use zdm_runtime::Zdm;
            use zdm_runtime::backfill::Outcome;
            use zdm_runtime::computed::ComputedError;
            use zdm_tests::releases::Releases;

            use crate::options;
            use crate::$dialect::transition::zdm::m0002_phone_keys::backfill;
            use crate::$dialect::{last, old, transition};

            pub(crate) use transition::zdm::users::Users;

            pub(crate) async fn pool(url: &str) -> Pool {
                Pool::connect(url).await.unwrap()
            }

            /// Rows from before, then the code in transition at `dual_write`.
            pub(crate) async fn at_dual_write(url: &str, releases: &Releases) -> (Zdm, Users) {
                releases.declared("old", &[&["init"], &["expand"]]);
                let pool = pool(url).await;
                let zdm = Zdm::connect(pool.clone(), &old::zdm::CODE).await.unwrap();
                let users = old::zdm::users::Users::new(&zdm).unwrap();
                let mut conn = pool.acquire().await.unwrap();
                for id in 1..=super::ROWS {
                    let phone = format!("+{id} ({id})");
                    let user = old::models::User { id, phone };
                    users.insert(&mut conn, &user).await.unwrap();
                }
                zdm.close().await.unwrap();
                super::released(releases);
                let zdm = Zdm::connect(pool.clone(), &transition::zdm::CODE)
                    .await
                    .unwrap();
                let users = Users::new(&zdm).unwrap();
                let refused = run(url, "too early").await.unwrap_err();
                assert!(
                    matches!(refused, ComputedError::NotPrepared { .. }),
                    "{refused}"
                );
                releases.until_done(&["switch", super::NAME, "--to", "dual_write"]);
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

            /// Final code, and old's end.
            pub(crate) async fn to_the_end(url: &str, releases: &Releases, transition: Zdm) {
                super::along(releases);
                releases.generated("last", &[&["finalize"]]);
                let pool = pool(url).await;
                let zdm = Zdm::connect(pool.clone(), &last::zdm::CODE).await.unwrap();
                transition.close().await.unwrap();
                releases.until_done(&["contract", super::NAME]);
                let users = last::zdm::users::Users::new(&zdm).unwrap();
                let mut conn = pool.acquire().await.unwrap();
                for user in users.list(&mut conn, None, 1_000).await.unwrap() {
                    assert_eq!(Ok(user.phone_key), crate::phone::key(user.phone));
                }
                zdm.close().await.unwrap();
            }
        }
    };
}

application!(postgres, PgPool, Postgres);
application!(sqlite, SqlitePool, Sqlite);

fn released(releases: &Releases) {
    releases.declared("transition", &[&["generate", NAME], &["check"]]);
    releases.reviewed("transition", VERSION);
    releases.embedded(VERSION);
    releases.until_done(&["expand"]);
}

/// From a ledger that is done to the last stage.
fn along(releases: &Releases) {
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
