//! Writers take the lock of the address first, where there is one, and else that of the user: a transaction that has written a user,
//! and writes him again or his address, would wait for a writer of the address that waits for it.

use sqlx::PgPool;
use zdm_runtime::{Stage, Zdm};

use crate::columns::database::{both, sides};
use crate::columns::postgres::models::{Address, User};
use crate::columns::postgres::zdm::{CODE, addresses::Addresses, users::Users};
use crate::database::{of_case, postgres};
use crate::golden::fixture;
use crate::stages::enter;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_in_a_circle_at_any_stage() {
    let (_server, url) = postgres();
    let (mut operator, _) = of_case(&fixture("columns"), &url, "").await;
    let pool = PgPool::connect(&url).await.unwrap();
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    let users = Users::new(&zdm).unwrap();
    let addresses = Addresses::new(&zdm).unwrap();
    let user = |town: Option<&str>| User {
        id: 1,
        name: "a".to_owned(),
        town: town.map(str::to_owned),
        postal: None,
    };
    let address = |street: &str| Address {
        user_id: 1,
        street: street.to_owned(),
    };
    let mut conn = pool.acquire().await.unwrap();
    for stage in Stage::ALL {
        enter(&mut operator, stage).await;
        for write in [
            "by hand", "set", "update", "upsert", "street", "leave", "delete", "come",
        ] {
            users.upsert(&mut conn, &user(None)).await.unwrap();
            if write == "come" {
                addresses.delete(&mut conn, 1).await.unwrap();
            } else {
                addresses.upsert(&mut conn, &address("a")).await.unwrap();
            }
            let mut first = pool.begin().await.unwrap();
            assert!(users.set_name(&mut first, 1, write).await.unwrap());
            let second = tokio::spawn({
                let (pool, users, addresses) = (pool.clone(), users.clone(), addresses.clone());
                let (user, address) = (user(Some("b")), address("b"));
                async move {
                    let mut conn = pool.acquire().await.unwrap();
                    match write {
                        "by hand" => {
                            // As old code does it, and scripts.
                            let sql = "UPDATE addresses SET postal_code = '2' WHERE user_id = 1";
                            let done = sqlx::query(sql).execute(&mut *conn).await;
                            done.map(|done| done.rows_affected() == 1)
                                .map_err(Into::into)
                        }
                        "set" => users.set_town(&mut conn, 1, Some("b")).await,
                        "update" => users.update(&mut conn, &user).await,
                        "upsert" => users.upsert(&mut conn, &user).await.map(|()| true),
                        "street" => addresses.set_street(&mut conn, 1, "b").await,
                        "leave" => addresses.delete(&mut conn, 1).await,
                        "come" => addresses.upsert(&mut conn, &address).await.map(|()| true),
                        _ => users.delete(&mut conn, 1).await,
                    }
                }
            });
            let waits = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)";
            while !sqlx::query_scalar::<_, bool>(waits)
                .fetch_one(&mut *conn)
                .await
                .unwrap()
            {
                tokio::task::yield_now().await;
            }
            addresses.upsert(&mut first, &address("c")).await.unwrap();
            assert!(
                users.set_town(&mut first, 1, Some("c")).await.unwrap(),
                "{stage}: {write}"
            );
            first.commit().await.unwrap();
            assert!(second.await.unwrap().unwrap(), "{stage}: {write}");
            if write == "by hand" {
                let expected = both("c", "c 2");
                assert_eq!(sides(&mut operator, 1).await, expected, "{stage}");
            }
        }
    }
    drop((users, addresses));
    zdm.close().await.unwrap();
}
