//! Users whose address is in `addresses` alone, because the backfill has not been at them: whatever is written to them says what it
//! says and no more. Old code and new code write beside each other.

use zdm_runtime::database::Connection;
use zdm_runtime::{Stage, Zdm};

use crate::database::{of_case, postgres, sqlite};
use crate::golden::fixture;
use crate::merged::database::{NEITHER, both, sides};
use crate::stages::enter;

/// Twenty users, whose addresses are "s 1 p".
const BEFORE: &str = "INSERT INTO users (id, name) \
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20) SELECT n, 'a' FROM numbers";
const ADDRESSES: &str = "INSERT INTO addresses SELECT id, 's', 1, 'p' FROM users";

/// As it was before expand: the triggers have not seen these addresses.
async fn with_old_rows(url: &str) -> Connection {
    let rows = format!("{BEFORE}; {ADDRESSES}");
    let (mut operator, _) = of_case(&fixture("merged"), url, &rows).await;
    let old = (None, Some("s 1 p".to_owned()));
    assert_eq!(sides(&mut operator, 1).await, old);
    operator
}

macro_rules! writes_mean_what_they_say {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::merged::$module::models::User;
            use crate::merged::$module::zdm::{CODE, users};

            for stage in [Stage::Off, Stage::DualWrite] {
                let (_guard, url) = $url;
                let mut operator = with_old_rows(&url).await;
                enter(&mut operator, stage).await;
                let pool = <$pool>::connect(&url).await.unwrap();
                let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
                let mut conn = pool.acquire().await.unwrap();
                let conn = &mut *conn;
                let users = users::Users::new(&zdm).unwrap();
                let user = |id, street: Option<&str>| User {
                    id,
                    name: "b".to_owned(),
                    street: street.map(str::to_owned),
                    house: street.map(|_| 2),
                    postal: None,
                };
                let read = users.get(conn, 1).await.unwrap().unwrap();
                assert_eq!(read.street.as_deref(), Some("s"));
                assert_eq!(read.postal.as_deref(), Some("p"));
                let listed = users.list(conn, Some(1), 30).await.unwrap();
                assert!(listed.iter().all(|user| user.house == Some(1)));

                assert!(users.set_name(conn, 1, "b").await.unwrap());
                assert!(users.set_street(conn, 2, Some("t")).await.unwrap());
                assert!(users.set_postal(conn, 3, None).await.unwrap());
                users.set_house(conn, 4, None).await.unwrap_err();
                assert!(users.update(conn, &user(5, Some("t"))).await.unwrap());
                assert!(users.update(conn, &user(6, None)).await.unwrap());
                users.upsert(conn, &user(7, Some("t"))).await.unwrap();
                users.upsert(conn, &user(8, None)).await.unwrap();
                assert!(users.delete(conn, 9).await.unwrap());
                for (id, address) in [
                    (2, "t 1 p"),
                    (3, "s 1 -"),
                    (4, "s 1 p"),
                    (5, "t 2 -"),
                    (6, ""),
                    (7, "t 2 -"),
                    (8, ""),
                ] {
                    let expected = Some(address).filter(|address| !address.is_empty());
                    let expected = expected.map_or(NEITHER, both);
                    assert_eq!(sides(&mut operator, id).await, expected, "{stage}: {id}");
                }
                // By hand, and old code: what is not named stays.
                for write in [
                    "UPDATE users SET name = 'c', street = street, house = NULL, postal = NULL WHERE id = 10",
                    "UPDATE users SET id = 30 WHERE id = 11",
                    "INSERT INTO users (id, name) VALUES (12, 'c') ON CONFLICT (id) DO UPDATE SET name = 'c'",
                ] {
                    operator.execute(write, &[]).await.unwrap();
                }
                let old = (None, Some("s 1 p".to_owned()));
                for id in [1, 10, 12] {
                    assert_eq!(sides(&mut operator, id).await, old, "{stage}: {id}");
                }
                assert_eq!(sides(&mut operator, 30).await, both("s 1 p"), "{stage}");
                for (write, id, address) in [
                    ("UPDATE users SET street = 't' WHERE id = 13", 13, "t 1 p"),
                    ("UPDATE users SET postal = 'q' WHERE id = 14", 14, "s 1 q"),
                    ("UPDATE users SET street = 't', house = 2 WHERE id = 15", 15, "t 2 p"),
                    ("UPDATE users SET id = 31, house = 3 WHERE id = 16", 31, "s 3 p"),
                    ("UPDATE addresses SET house = 4 WHERE user_id = 17", 17, "s 4 p"),
                ] {
                    operator.execute(write, &[]).await.unwrap();
                    assert_eq!(sides(&mut operator, id).await, both(address), "{write}");
                }
                operator
                    .execute("DELETE FROM addresses WHERE user_id = 18", &[])
                    .await
                    .unwrap();
                assert_eq!(sides(&mut operator, 18).await, NEITHER);
                drop(users);
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
            use crate::merged::old::$module::models::{Address, User as OldUser};
            use crate::merged::old::$module::zdm as old;
            use crate::merged::$module::models::User;
            use crate::merged::$module::zdm::{CODE, users};

            let (_guard, url) = $url;
            let mut operator = with_old_rows(&url).await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let before = Zdm::connect(pool.clone(), &old::CODE).await.unwrap();
            let after = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let addresses = old::addresses::Addresses::new(&before).unwrap();
            let old_users = old::users::Users::new(&before).unwrap();
            let users = users::Users::new(&after).unwrap();
            let address = |user_id, street: &str| Address {
                user_id,
                street: street.to_owned(),
                house: 2,
                postal_code: None,
            };
            let user = |id, street: Option<&str>| User {
                id,
                name: "b".to_owned(),
                street: street.map(str::to_owned),
                house: street.map(|_| 2),
                postal: None,
            };
            let name = "b".to_owned();
            let (id, street) = (40, Some("t"));
            old_users.insert(conn, &OldUser { id, name }).await.unwrap();
            addresses.insert(conn, &address(id, "t")).await.unwrap();
            assert_eq!(users.get(conn, id).await.unwrap(), Some(user(id, street)));
            assert!(users.set_street(conn, id, Some("u")).await.unwrap());
            let found = addresses.get(conn, id).await.unwrap();
            assert_eq!(found, Some(address(id, "u")));
            assert!(addresses.set_street(conn, id, "v").await.unwrap());
            let found = users.get(conn, id).await.unwrap();
            assert_eq!(found, Some(user(id, Some("v"))));
            assert!(users.update(conn, &user(id, None)).await.unwrap());
            assert_eq!(addresses.get(conn, id).await.unwrap(), None);
            addresses.upsert(conn, &address(id, "w")).await.unwrap();
            addresses.upsert(conn, &address(id, "x")).await.unwrap();
            let found = users.get(conn, id).await.unwrap();
            assert_eq!(found, Some(user(id, Some("x"))));
            assert!(addresses.delete(conn, id).await.unwrap());
            assert_eq!(users.get(conn, id).await.unwrap(), Some(user(id, None)));
            users.insert(conn, &user(41, Some("y"))).await.unwrap();
            let found = addresses.get(conn, 41).await.unwrap();
            assert_eq!(found, Some(address(41, "y")));
            assert!(old_users.set_name(conn, 41, "z").await.unwrap());
            assert!(addresses.get(conn, 41).await.unwrap().is_some());
            assert!(old_users.delete(conn, 41).await.unwrap());
            assert_eq!(users.get(conn, 41).await.unwrap(), None);

            // From the first dual write on old code writes nothing any more.
            enter(&mut operator, Stage::DualWrite).await;
            let refused = addresses.set_street(conn, 1, "late").await.unwrap_err();
            assert!(
                matches!(refused, zdm_runtime::Error::CodeTooOld { .. }),
                "{refused:?}"
            );
            drop((users, old_users, addresses));
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
