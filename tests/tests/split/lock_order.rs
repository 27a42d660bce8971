//! Writers take the lock of the row of `users` first, at `complete` too: else a transaction that has written a user, and then
//! writes his address, would wait for a writer of the address that waits for it.

use sqlx::PgPool;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_runtime::{Stage, Zdm};

use crate::database::{expanded, postgres, run};
use crate::postgres::models::{Address, User};
use crate::postgres::zdm::{CODE, addresses::Addresses, users::Users};
use crate::stages::enter;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_in_a_circle_at_any_stage() {
    let (_server, url) = postgres();
    let (mut operator, migration) = expanded(&url, "").await;
    run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
    let pool = PgPool::connect(&url).await.unwrap();
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    let (users, addresses) = (Users::new(&zdm).unwrap(), Addresses::new(&zdm).unwrap());
    let address = |user_id, street: &str| Address {
        user_id,
        street: street.to_owned(),
        postal_code: None,
    };
    let mut conn = pool.acquire().await.unwrap();
    for stage in &Stage::ALL[1..] {
        enter(&mut operator, *stage).await;
        let name = stage.name().to_owned();
        users
            .upsert(&mut conn, &User { id: 1, name })
            .await
            .unwrap();
        addresses.upsert(&mut conn, &address(1, "a")).await.unwrap();
        for write in ["set", "update", "upsert", "delete"] {
            let mut first = pool.begin().await.unwrap();
            assert!(users.set_name(&mut first, 1, write).await.unwrap());
            let second = tokio::spawn({
                let (pool, addresses, address) = (pool.clone(), addresses.clone(), address(1, "b"));
                async move {
                    let mut conn = pool.acquire().await.unwrap();
                    match write {
                        "set" => addresses.set_street(&mut conn, 1, "b").await,
                        "update" => addresses.update(&mut conn, &address).await,
                        "upsert" => addresses.upsert(&mut conn, &address).await.map(|()| true),
                        _ => addresses.delete(&mut conn, 1).await,
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
                addresses.set_street(&mut first, 1, "c").await.unwrap(),
                "{stage}: {write}"
            );
            first.commit().await.unwrap();
            assert!(second.await.unwrap().unwrap(), "{stage}: {write}");
        }
    }
    drop((users, addresses));
    zdm.close().await.unwrap();
}
