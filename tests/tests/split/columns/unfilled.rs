//! Users whose town is in `addresses` alone, because the backfill has not been at them: whatever is written to them says what it says
//! and no more. Old code and new code write beside each other.

use zdm_runtime::database::Connection;
use zdm_runtime::{Stage, Zdm};

use crate::columns::database::{both, sides, without};
use crate::database::{of_case, postgres, sqlite};
use crate::golden::fixture;
use crate::stages::enter;

/// Twenty users, whose addresses are "s t p".
const BEFORE: &str = "INSERT INTO users (id, name) \
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20) SELECT n, 'a' FROM numbers";
const ADDRESSES: &str = "INSERT INTO addresses (user_id, street, town, postal_code) SELECT id, 's', 't', 'p' FROM users";

/// As it was before expand: the triggers have not seen these addresses.
async fn with_old_rows(url: &str) -> Connection {
    let rows = format!("{BEFORE}; {ADDRESSES}");
    let (mut operator, _) = of_case(&fixture("columns"), url, &rows).await;
    let old = (Some("- -".to_owned()), Some("s t p".to_owned()));
    assert_eq!(sides(&mut operator, 1).await, old);
    operator
}

macro_rules! writes_mean_what_they_say {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::columns::$module::models::User;
            use crate::columns::$module::zdm::{CODE, addresses::Addresses, users::Users};

            for stage in [Stage::Off, Stage::DualWrite] {
                let (_guard, url) = $url;
                let mut operator = with_old_rows(&url).await;
                enter(&mut operator, stage).await;
                let pool = <$pool>::connect(&url).await.unwrap();
                let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
                let mut conn = pool.acquire().await.unwrap();
                let conn = &mut *conn;
                let users = Users::new(&zdm).unwrap();
                let addresses = Addresses::new(&zdm).unwrap();
                let user = |id, town: Option<&str>| User {
                    id,
                    name: "b".to_owned(),
                    town: town.map(str::to_owned),
                    postal: None,
                };
                let read = users.get(conn, 1).await.unwrap().unwrap();
                assert_eq!(read.town.as_deref(), Some("t"));
                assert_eq!(read.postal.as_deref(), Some("p"));
                let listed = users.list(conn, Some(1), 30).await.unwrap();
                assert!(listed.iter().all(|user| user.town.as_deref() == Some("t")));

                assert!(users.set_name(conn, 1, "b").await.unwrap());
                assert!(users.set_town(conn, 2, Some("x")).await.unwrap());
                assert!(users.set_postal(conn, 3, None).await.unwrap());
                assert!(users.update(conn, &user(4, None)).await.unwrap());
                assert!(users.update(conn, &user(5, Some("x"))).await.unwrap());
                users.upsert(conn, &user(6, None)).await.unwrap();
                users.upsert(conn, &user(7, Some("x"))).await.unwrap();
                assert!(users.delete(conn, 8).await.unwrap());
                assert!(addresses.delete(conn, 10).await.unwrap());
                for (id, town) in [
                    (2, "x p"),
                    (3, "t -"),
                    (4, "- -"),
                    (5, "x -"),
                    (6, "- -"),
                    (7, "x -"),
                ] {
                    let expected = both("s", town);
                    assert_eq!(sides(&mut operator, id).await, expected, "{stage}: {id}");
                }
                assert_eq!(sides(&mut operator, 10).await, without(), "{stage}");
                // What stays is written without the town, which is not lost.
                assert!(addresses.set_street(conn, 9, "q").await.unwrap());
                let (_, part) = sides(&mut operator, 9).await;
                assert_eq!(part.as_deref(), Some("q t p"), "{stage}");
                let read = users.get(conn, 9).await.unwrap().unwrap();
                assert_eq!(read.town.as_deref(), Some("t"), "{stage}");
                // By hand: what is not named stays.
                let nothing =
                    "UPDATE users SET name = 'c', town = town, postal = NULL WHERE id = 11";
                operator.execute(nothing, &[]).await.unwrap();
                let old = (Some("- -".to_owned()), Some("s t p".to_owned()));
                for id in [1, 11] {
                    assert_eq!(sides(&mut operator, id).await, old, "{stage}: {id}");
                }
                for (write, id, town) in [
                    ("UPDATE users SET town = 'x' WHERE id = 12", 12, "x p"),
                    ("UPDATE users SET id = 30 WHERE id = 13", 30, "t p"),
                    (
                        "UPDATE addresses SET town = 'y' WHERE user_id = 14",
                        14,
                        "y p",
                    ),
                ] {
                    operator.execute(write, &[]).await.unwrap();
                    assert_eq!(sides(&mut operator, id).await, both("s", town), "{write}");
                }
                drop((users, addresses));
                zdm.close().await.unwrap();
            }
        }
    };
}

writes_mean_what_they_say!(
    writes_mean_what_they_say_on_sqlite,
    sqlite,
    sqlx::SqlitePool,
    sqlite()
);
writes_mean_what_they_say!(
    writes_mean_what_they_say_on_postgres,
    postgres,
    sqlx::PgPool,
    postgres()
);

/// Old code reads what new code has written, and new code what old code has, at the one stage that both serve.
macro_rules! old_and_new_code_agree {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::columns::old::$module::models as old_models;
            use crate::columns::old::$module::zdm as old;
            use crate::columns::$module::models::{Address, User};
            use crate::columns::$module::zdm::{CODE, addresses::Addresses, users::Users};

            let (_guard, url) = $url;
            let mut operator = with_old_rows(&url).await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let before = Zdm::connect(pool.clone(), &old::CODE).await.unwrap();
            let after = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let old_addresses = old::addresses::Addresses::new(&before).unwrap();
            let old_users = old::users::Users::new(&before).unwrap();
            let users = Users::new(&after).unwrap();
            let addresses = Addresses::new(&after).unwrap();
            let old_address = |street: &str, town: Option<&str>| old_models::Address {
                user_id: 40,
                street: street.to_owned(),
                town: town.map(str::to_owned),
                postal_code: None,
            };
            let address = |street: &str| Address {
                user_id: 40,
                street: street.to_owned(),
            };
            let user = |town: Option<&str>| User {
                id: 40,
                name: "b".to_owned(),
                town: town.map(str::to_owned),
                postal: None,
            };
            let (id, name) = (40, "b".to_owned());
            old_users
                .insert(conn, &old_models::User { id, name })
                .await
                .unwrap();
            let written = old_address("s", Some("t"));
            old_addresses.insert(conn, &written).await.unwrap();
            let found = users.get(conn, id).await.unwrap();
            assert_eq!(found, Some(user(Some("t"))));
            assert!(users.set_town(conn, id, Some("u")).await.unwrap());
            assert!(addresses.set_street(conn, id, "q").await.unwrap());
            let found = old_addresses.get(conn, id).await.unwrap();
            assert_eq!(found, Some(old_address("q", Some("u"))));
            assert!(old_addresses.set_town(conn, id, Some("v")).await.unwrap());
            let found = users.get(conn, id).await.unwrap();
            assert_eq!(found, Some(user(Some("v"))));
            assert!(addresses.delete(conn, id).await.unwrap());
            assert_eq!(old_addresses.get(conn, id).await.unwrap(), None);
            assert_eq!(users.get(conn, id).await.unwrap(), Some(user(None)));
            addresses.insert(conn, &address("r")).await.unwrap();
            let found = old_addresses.get(conn, id).await.unwrap();
            assert_eq!(found, Some(old_address("r", None)));
            let written = old_address("r", Some("w"));
            old_addresses.upsert(conn, &written).await.unwrap();
            let found = users.get(conn, id).await.unwrap();
            assert_eq!(found, Some(user(Some("w"))));
            assert!(users.update(conn, &user(None)).await.unwrap());
            let found = old_addresses.get(conn, id).await.unwrap();
            assert_eq!(found, Some(old_address("r", None)));
            assert!(old_addresses.delete(conn, id).await.unwrap());
            assert_eq!(addresses.get(conn, id).await.unwrap(), None);
            assert!(old_users.delete(conn, id).await.unwrap());
            assert_eq!(users.get(conn, id).await.unwrap(), None);

            // From the first dual write on old code writes nothing any more, of either table.
            enter(&mut operator, Stage::DualWrite).await;
            for late in [
                old_addresses.set_town(conn, 1, Some("late")).await,
                old_users.set_name(conn, 1, "late").await,
            ] {
                let refused = late.unwrap_err();
                assert!(
                    matches!(refused, zdm_runtime::Error::CodeTooOld { .. }),
                    "{refused:?}"
                );
            }
            drop((users, addresses, old_users, old_addresses));
            before.close().await.unwrap();
            after.close().await.unwrap();
        }
    };
}

old_and_new_code_agree!(
    old_and_new_code_agree_on_sqlite,
    sqlite,
    sqlx::SqlitePool,
    sqlite()
);
old_and_new_code_agree!(
    old_and_new_code_agree_on_postgres,
    postgres,
    sqlx::PgPool,
    postgres()
);
