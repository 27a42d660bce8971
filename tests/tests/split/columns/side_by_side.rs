//! Rows that the backfill has not been at, each written by old code and by new code at the same moment, in whatever order: neither
//! write takes back what the other has said.

use zdm_runtime::Zdm;

use crate::columns::database::{agree, all, without};
use crate::database::{of_case, postgres, sqlite};
use crate::golden::fixture;

const ROWS: i64 = 300;
/// Two thirds of the users have an address; every third gets one by old code.
const BEFORE: &str = "INSERT INTO users (id, name) \
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300) SELECT n, 'a' FROM numbers; \
    INSERT INTO addresses (user_id, street, town, postal_code) SELECT id, 's', 't', 'p' FROM users WHERE id % 3 <> 0";

macro_rules! no_write_takes_another_back {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::columns::old::$module::models::Address;
            use crate::columns::old::$module::zdm as old;
            use crate::columns::$module::zdm::{CODE, users::Users};

            let (_guard, url) = $url;
            let (mut operator, _) = of_case(&fixture("columns"), &url, BEFORE).await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let before = Zdm::connect(pool.clone(), &old::CODE).await.unwrap();
            let after = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let addresses = old::addresses::Addresses::new(&before).unwrap();
            let users = Users::new(&after).unwrap();
            let old_code = tokio::spawn({
                let pool = pool.clone();
                async move {
                    let mut conn = pool.acquire().await.unwrap();
                    for user_id in 1..=ROWS {
                        match user_id % 3 {
                            0 => {
                                let address = Address {
                                    user_id,
                                    street: "new".to_owned(),
                                    town: Some("n".to_owned()),
                                    postal_code: Some("p".to_owned()),
                                };
                                addresses.insert(&mut conn, &address).await.unwrap();
                            }
                            1 => {
                                let done = addresses.set_town(&mut conn, user_id, Some("u")).await;
                                assert!(done.unwrap());
                            }
                            _ => assert!(addresses.delete(&mut conn, user_id).await.unwrap()),
                        }
                    }
                }
            });
            let new_code = tokio::spawn({
                let pool = pool.clone();
                async move {
                    let mut conn = pool.acquire().await.unwrap();
                    for id in 1..=ROWS {
                        assert!(users.set_postal(&mut conn, id, None).await.unwrap());
                    }
                }
            });
            old_code.await.unwrap();
            new_code.await.unwrap();
            for (id, sides) in (1..).zip(all(&mut operator, "true").await) {
                assert!(agree(&sides), "user {id}: {sides:?}");
                let part = sides.1.as_deref();
                match id % 3 {
                    // The postal code is gone only if new code came second.
                    0 => assert!(
                        [Some("new n p"), Some("new n -")].contains(&part),
                        "{part:?}"
                    ),
                    1 => assert_eq!(part, Some("s u -"), "user {id}"),
                    _ => assert_eq!(sides, without(), "user {id}"),
                }
            }
            before.close().await.unwrap();
            after.close().await.unwrap();
        }
    };
}

no_write_takes_another_back!(
    no_write_takes_another_back_on_sqlite,
    sqlite,
    sqlx::SqlitePool,
    sqlite()
);
no_write_takes_another_back!(
    no_write_takes_another_back_on_postgres,
    postgres,
    sqlx::PgPool,
    postgres()
);
