//! Writers change what the function takes while it is called: each value is of what the row had when it was given, or a writer's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zdm_runtime::backfill::End;
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use crate::NAME;
use crate::application::ROWS;
use crate::application::postgres::{Users, at_dual_write, execute, pool, run, texts};
use crate::phone::{self, Told};
use crate::postgres::transition::models::User;

/// Notes of each row what it had when it was filled. What a writer gives begins with `given`.
const ORACLE: &str = "
    CREATE TABLE filled (id bigint, phone text, phone_key text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO filled VALUES (NEW.id, NEW.phone, NEW.phone_key); RETURN NULL; END $$;
    CREATE TRIGGER note AFTER UPDATE ON users FOR EACH ROW
        WHEN (OLD.phone_key IS NULL AND NEW.phone_key IS NOT NULL) EXECUTE FUNCTION note()";

async fn prepared(url: &str, releases: &Releases) -> (zdm_runtime::Zdm, Users) {
    let prepared = at_dual_write(url, releases).await;
    releases.waits(&["backfill", NAME], "crate::phone::key");
    execute(url, ORACLE).await;
    prepared
}

/// Every row was filled once, by what it had then.
async fn is_right(url: &str) {
    let of_function = "SELECT phone FROM filled WHERE phone_key NOT LIKE 'given%' ORDER BY id";
    let keys = "SELECT phone_key FROM filled WHERE phone_key NOT LIKE 'given%' ORDER BY id";
    let (phones, keys) = (texts(url, of_function).await, texts(url, keys).await);
    for (phone, key) in phones.into_iter().zip(keys) {
        assert_eq!(phone::key(phone), Ok(key));
    }
    let once = "SELECT id::text FROM filled GROUP BY id HAVING count(*) = 1";
    assert_eq!(i64::try_from(texts(url, once).await.len()), Ok(ROWS));
    let lost = "SELECT id::text FROM users JOIN filled USING (id) \
                WHERE users.phone_key <> filled.phone_key AND users.phone_key NOT LIKE 'given%'";
    assert!(texts(url, lost).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_row_that_changes_while_it_is_computed_is_computed_again() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "computed/postgres");
    let (zdm, users) = prepared(&url, &releases).await;
    execute(&url, "UPDATE users SET phone = 'waits' WHERE id IN (5, 6)").await;

    let filling = tokio::spawn({
        let url = url.clone();
        async move { run(&url, "waits").await }
    });
    tokio::task::block_in_place(|| phone::wait_for(Told::Arrived));
    // Of the batch nothing is locked while the function computes.
    execute(&url, "UPDATE users SET phone = '55' WHERE id = 5").await;
    let mut conn = pool(&url).await.acquire().await.unwrap();
    let given = User {
        id: 6,
        phone: "66".to_owned(),
        phone_key: "given".to_owned(),
    };
    assert!(users.update(&mut conn, &given).await.unwrap());
    phone::tell(Told::GoOn);

    assert_eq!(filling.await.unwrap().unwrap().end, End::Done);
    assert_eq!(
        texts(
            &url,
            "SELECT phone_key FROM users WHERE id IN (5, 6) ORDER BY id"
        )
        .await,
        ["55", "given"]
    );
    is_right(&url).await;
    zdm.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn writers_lose_nothing_to_two_processes() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "computed/postgres");
    let (zdm, _) = prepared(&url, &releases).await;
    let stop = Arc::new(AtomicBool::new(false));

    let outside = tokio::spawn({
        let (url, stop) = (url.clone(), stop.clone());
        async move {
            let pool = pool(&url).await;
            let mut writes = 0_i64;
            while !stop.load(Ordering::SeqCst) {
                let id = writes * 37 % ROWS + 1;
                let sql = "UPDATE users SET phone = phone || $2 WHERE id = $1";
                let write = sqlx::query(sql).bind(id).bind((writes % 10).to_string());
                write.execute(&pool).await.unwrap();
                writes += 1;
            }
            writes
        }
    });
    let inside = tokio::spawn({
        let (url, stop, zdm) = (url.clone(), stop.clone(), zdm.clone());
        async move {
            let users = Users::new(&zdm).unwrap();
            let mut conn = pool(&url).await.acquire().await.unwrap();
            let mut writes = 0_i64;
            while !stop.load(Ordering::SeqCst) {
                let id = writes * 11 % ROWS + 1;
                if writes % 3 == 0 {
                    let phone_key = format!("given {writes}");
                    assert!(
                        users
                            .set_phone_key(&mut conn, id, &phone_key)
                            .await
                            .unwrap()
                    );
                } else {
                    let phone = format!("{writes}");
                    assert!(users.set_phone(&mut conn, id, &phone).await.unwrap());
                }
                assert!(users.get(&mut conn, id).await.unwrap().is_some());
                writes += 1;
            }
            writes
        }
    });
    let (one, other) = tokio::join!(run(&url, "one"), run(&url, "other"));
    assert_eq!(one.unwrap().end, End::Done);
    assert_eq!(other.unwrap().end, End::Done);
    stop.store(true, Ordering::SeqCst);
    assert!(outside.await.unwrap() > 0);
    assert!(inside.await.unwrap() > 0);
    is_right(&url).await;
    releases.until_done(&["backfill", NAME]);
    releases.until_done(&["verify", NAME]);
    zdm.close().await.unwrap();
}
