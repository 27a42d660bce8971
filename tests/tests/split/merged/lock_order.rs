//! Writers take the lock of the address first, where there is one: else a transaction that has written a user, and writes him again
//! with his address, would wait for a writer of the address that waits for it.

use sqlx::PgPool;
use zdm_runtime::{Stage, Zdm};

use crate::database::{of_case, postgres};
use crate::golden::fixture;
use crate::merged::database::{both, sides};
use crate::merged::postgres::models::User;
use crate::merged::postgres::zdm::{CODE, users::Users};
use crate::stages::enter;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_in_a_circle_at_any_stage() {
    let (_server, url) = postgres();
    let (mut operator, _) = of_case(&fixture("merged"), &url, "").await;
    let pool = PgPool::connect(&url).await.unwrap();
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    let users = Users::new(&zdm).unwrap();
    let user = User {
        id: 1,
        name: "a".to_owned(),
        street: Some("a".to_owned()),
        house: Some(1),
        postal: None,
    };
    let mut conn = pool.acquire().await.unwrap();
    for stage in Stage::ALL {
        enter(&mut operator, stage).await;
        for write in ["by hand", "set", "update", "upsert", "delete"] {
            users.upsert(&mut conn, &user).await.unwrap();
            let mut first = pool.begin().await.unwrap();
            assert!(users.set_name(&mut first, 1, write).await.unwrap());
            let second = tokio::spawn({
                let (pool, users, user) = (pool.clone(), users.clone(), user.clone());
                async move {
                    let mut conn = pool.acquire().await.unwrap();
                    match write {
                        "by hand" => {
                            // As old code does it, and scripts.
                            let sql = "UPDATE addresses SET house = 2 WHERE user_id = 1";
                            let done = sqlx::query(sql).execute(&mut *conn).await;
                            done.map(|done| done.rows_affected() == 1)
                                .map_err(Into::into)
                        }
                        "set" => users.set_street(&mut conn, 1, Some("b")).await,
                        "update" => users.update(&mut conn, &user).await,
                        "upsert" => users.upsert(&mut conn, &user).await.map(|()| true),
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
            assert!(
                users.set_street(&mut first, 1, Some("c")).await.unwrap(),
                "{stage}: {write}"
            );
            first.commit().await.unwrap();
            assert!(second.await.unwrap().unwrap(), "{stage}: {write}");
            if write == "by hand" {
                assert_eq!(sides(&mut operator, 1).await, both("c 2 -"), "{stage}");
            }
        }
    }
    drop(users);
    zdm.close().await.unwrap();
}
