//! Every operation of the generated code at every stage. The stage is moved behind the code's back, so that every first statement
//! of a stage carries an old epoch.

use zdm_runtime::{Stage, Zdm};

use crate::database::{of_case, postgres, sqlite};
use crate::golden::fixture;
use crate::merged::database::{NEITHER, both, sides};
use crate::stages::enter;

/// One test per database: the same steps with each one's types.
macro_rules! at_every_stage {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        #[allow(
            clippy::too_many_lines,
            reason = "one stage after the other, all operations of each"
        )]
        async fn $test() {
            use crate::merged::$module::models::User;
            use crate::merged::$module::zdm::{CODE, users};

            let (_guard, url) = $url;
            let (mut operator, _migration) = of_case(&fixture("merged"), &url, "").await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let users = users::Users::new(&zdm).unwrap();
            let user = |id, address: Option<(&str, i32)>, postal: Option<&str>| User {
                id,
                name: "Ada".to_owned(),
                street: address.map(|(street, _)| street.to_owned()),
                house: address.map(|(_, house)| house),
                postal: postal.map(str::to_owned),
            };
            // There, and back from the end, where both are still kept.
            let back = [Stage::RampDown, Stage::Live, Stage::DualWrite];
            for (at, stage) in Stage::ALL.into_iter().chain(back).enumerate() {
                enter(&mut operator, stage).await;
                let id = i64::try_from(at).unwrap() * 10;
                let without = user(id, None, None);
                assert_eq!(users.get(conn, id).await.unwrap(), None);
                assert!(!users.update(conn, &without).await.unwrap());
                assert!(!users.set_street(conn, id, Some("a")).await.unwrap());

                users.insert(conn, &without).await.unwrap();
                assert_eq!(users.get(conn, id).await.unwrap(), Some(without.clone()));
                assert_eq!(sides(&mut operator, id).await, NEITHER, "{stage}");
                // A street alone, or a postal code alone, is no address.
                for write in [
                    users.set_street(conn, id, Some("a")).await,
                    users.set_postal(conn, id, Some("1")).await,
                    users.update(conn, &user(id, None, Some("1"))).await,
                ] {
                    let refused = write.unwrap_err().to_string();
                    assert!(refused.contains("all of (street, house)"), "{refused}");
                }
                assert_eq!(sides(&mut operator, id).await, NEITHER, "{stage}");

                let mut known = user(id, Some(("a", 1)), Some("1"));
                assert!(users.update(conn, &known).await.unwrap());
                assert_eq!(sides(&mut operator, id).await, both("a 1 1"), "{stage}");
                assert_eq!(users.get(conn, id).await.unwrap(), Some(known.clone()));
                assert!(users.set_street(conn, id, Some("b")).await.unwrap());
                assert!(users.set_postal(conn, id, None).await.unwrap());
                assert!(users.set_name(conn, id, "Grace").await.unwrap());
                (known.street, known.postal) = (Some("b".to_owned()), None);
                known.name = "Grace".to_owned();
                assert_eq!(sides(&mut operator, id).await, both("b 1 -"), "{stage}");
                assert_eq!(users.get(conn, id).await.unwrap(), Some(known.clone()));
                let refused = users.set_house(conn, id, None).await.unwrap_err();
                assert!(refused.to_string().contains("all of"), "{refused}");

                let next = user(id + 1, Some(("c", 3)), None);
                users.insert(conn, &next).await.unwrap();
                assert_eq!(sides(&mut operator, id + 1).await, both("c 3 -"), "{stage}");
                assert_eq!(
                    users.get_many(conn, &[id, id + 1, id + 2]).await.unwrap(),
                    [known.clone(), next.clone()]
                );
                assert_eq!(
                    users.list(conn, Some(id - 1), 1).await.unwrap(),
                    std::slice::from_ref(&known)
                );
                assert_eq!(
                    users.list(conn, Some(id), 9).await.unwrap(),
                    std::slice::from_ref(&next)
                );

                users.upsert(conn, &user(id, None, None)).await.unwrap();
                assert_eq!(sides(&mut operator, id).await, NEITHER, "{stage}");
                users
                    .upsert(conn, &user(id, Some(("d", 4)), None))
                    .await
                    .unwrap();
                users.upsert(conn, &user(id + 2, None, None)).await.unwrap();
                assert_eq!(sides(&mut operator, id).await, both("d 4 -"), "{stage}");
                assert_eq!(sides(&mut operator, id + 2).await, NEITHER, "{stage}");
                assert!(users.delete(conn, id + 1).await.unwrap());
                assert!(!users.delete(conn, id + 1).await.unwrap());
                assert!(users.delete(conn, id + 2).await.unwrap());

                // Whoever writes a table by hand has written the other, old code too.
                for (write, expected) in [
                    ("UPDATE addresses SET house = 5 WHERE user_id = {id}", "d 5 -"),
                    ("UPDATE users SET postal = 6, name = 'x' WHERE id = {id}", "d 5 6"),
                    ("DELETE FROM addresses WHERE user_id = {id}", ""),
                    ("INSERT INTO addresses VALUES ({id}, 'e', 7, '7')", "e 7 7"),
                    ("UPDATE users SET street = NULL, house = NULL, postal = NULL WHERE id = {id}", ""),
                    ("UPDATE users SET street = 'f', house = 8 WHERE id = {id}", "f 8 -"),
                    ("INSERT INTO users (id, name) VALUES ({id} + 3, 'new')", "f 8 -"),
                    // Now it is the other user's.
                    ("UPDATE addresses SET user_id = {id} + 3 WHERE user_id = {id}", ""),
                    ("UPDATE addresses SET user_id = {id} WHERE user_id = {id} + 3", "f 8 -"),
                    ("UPDATE users SET id = {id} + 4 WHERE id = {id} + 3", "f 8 -"),
                    ("UPDATE users SET id = {id} + 5 WHERE id = {id}", "moved"),
                    ("UPDATE users SET id = {id}, postal = '9' WHERE id = {id} + 5", "f 8 9"),
                ] {
                    let write = write.replace("{id}", &id.to_string());
                    operator.execute(&write, &[]).await.unwrap();
                    let (row, expected) = match expected {
                        "" => (id, NEITHER),
                        "moved" => (id + 5, both("f 8 -")),
                        address => (id, both(address)),
                    };
                    assert_eq!(sides(&mut operator, row).await, expected, "{stage}: {write}");
                }
                let refused = "INSERT INTO users (id, name, house) VALUES (-1, 'half', 1)";
                let refused = operator.execute(refused, &[]).await.unwrap_err();
                assert!(format!("{refused:?}").contains("all of"), "{refused:?}");
                operator.execute("DELETE FROM users", &[]).await.unwrap();
                let left = operator.query("SELECT user_id FROM addresses", &[]).await;
                assert_eq!(left.unwrap().len(), 0, "{stage}");
            }
            drop(users);
            zdm.close().await.unwrap();
        }
    };
}

at_every_stage!(
    sqlite_serves_every_stage,
    sqlite,
    sqlx::SqlitePool,
    sqlite()
);
at_every_stage!(
    postgres_serves_every_stage,
    postgres,
    sqlx::PgPool,
    postgres()
);
#[cfg(feature = "diesel-async")]
at_every_stage!(
    diesel_serves_every_stage,
    diesel,
    zdm_tests::diesel::DieselPool,
    postgres()
);
