//! Every operation of the generated code at every stage. The stage is moved behind the code's back, so that every first statement
//! of a stage carries an old epoch.

use zdm_runtime::{Stage, Zdm};

use crate::columns::database::{both, sides, without};
use crate::database::{of_case, postgres, sqlite};
use crate::golden::fixture;
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
            use crate::columns::$module::models::{Address, User};
            use crate::columns::$module::zdm::{CODE, addresses::Addresses, users::Users};

            let (_guard, url) = $url;
            let (mut operator, _migration) = of_case(&fixture("columns"), &url, "").await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let users = Users::new(&zdm).unwrap();
            let addresses = Addresses::new(&zdm).unwrap();
            let user = |id, town: Option<&str>, postal: Option<&str>| User {
                id,
                name: "Ada".to_owned(),
                town: town.map(str::to_owned),
                postal: postal.map(str::to_owned),
            };
            let address = |user_id, street: &str| Address {
                user_id,
                street: street.to_owned(),
            };
            // There, and back from the end, where both are still kept.
            let back = [Stage::RampDown, Stage::Live, Stage::DualWrite];
            for (at, stage) in Stage::ALL.into_iter().chain(back).enumerate() {
                enter(&mut operator, stage).await;
                let id = i64::try_from(at).unwrap() * 10;
                let none = user(id, None, None);
                assert_eq!(users.get(conn, id).await.unwrap(), None);
                assert!(!users.update(conn, &none).await.unwrap());
                assert!(!users.set_town(conn, id, Some("a")).await.unwrap());

                users.insert(conn, &none).await.unwrap();
                assert_eq!(users.get(conn, id).await.unwrap(), Some(none.clone()));
                // Old code has no place for the town of a user without an address.
                for write in [
                    users.set_town(conn, id, Some("a")).await.map(drop),
                    users.set_postal(conn, id, Some("1")).await.map(drop),
                    users.update(conn, &user(id, None, Some("1"))).await.map(drop),
                    users.upsert(conn, &user(id, Some("a"), None)).await,
                    users.insert(conn, &user(id + 1, Some("a"), None)).await,
                ] {
                    let refused = write.unwrap_err().to_string();
                    assert!(refused.contains("none of (town, postal)"), "{refused}");
                }
                assert_eq!(sides(&mut operator, id).await, without(), "{stage}");

                addresses.insert(conn, &address(id, "s")).await.unwrap();
                assert_eq!(sides(&mut operator, id).await, both("s", "- -"), "{stage}");
                let mut known = user(id, Some("a"), Some("1"));
                assert!(users.update(conn, &known).await.unwrap());
                assert_eq!(sides(&mut operator, id).await, both("s", "a 1"), "{stage}");
                assert_eq!(users.get(conn, id).await.unwrap(), Some(known.clone()));
                assert!(users.set_town(conn, id, Some("b")).await.unwrap());
                assert!(users.set_postal(conn, id, None).await.unwrap());
                assert!(users.set_name(conn, id, "Grace").await.unwrap());
                (known.town, known.postal) = (Some("b".to_owned()), None);
                known.name = "Grace".to_owned();
                assert_eq!(sides(&mut operator, id).await, both("s", "b -"), "{stage}");
                assert_eq!(users.get(conn, id).await.unwrap(), Some(known.clone()));

                // What stays is written without the town, and leaves it alone.
                assert!(addresses.set_street(conn, id, "t").await.unwrap());
                assert!(addresses.update(conn, &address(id, "u")).await.unwrap());
                addresses.upsert(conn, &address(id, "v")).await.unwrap();
                assert_eq!(sides(&mut operator, id).await, both("v", "b -"), "{stage}");
                let found = addresses.get(conn, id).await.unwrap();
                assert_eq!(found, Some(address(id, "v")));

                let next = user(id + 1, None, None);
                users.insert(conn, &next).await.unwrap();
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
                users.upsert(conn, &user(id, Some("d"), None)).await.unwrap();
                assert_eq!(sides(&mut operator, id).await, both("v", "d -"), "{stage}");
                users.upsert(conn, &user(id, None, None)).await.unwrap();
                assert_eq!(sides(&mut operator, id).await, both("v", "- -"), "{stage}");
                users.upsert(conn, &user(id, None, Some("3"))).await.unwrap();
                // As old code means it: the town goes with the address.
                assert!(addresses.delete(conn, id).await.unwrap());
                assert_eq!(sides(&mut operator, id).await, without(), "{stage}");
                let read = users.get(conn, id).await.unwrap().unwrap();
                assert_eq!((read.town, read.postal), (None, None), "{stage}");
                addresses.upsert(conn, &address(id + 1, "w")).await.unwrap();
                assert!(users.set_town(conn, id + 1, Some("x")).await.unwrap());
                assert!(users.delete(conn, id + 1).await.unwrap());
                assert!(!users.delete(conn, id + 1).await.unwrap());
                assert_eq!(addresses.get(conn, id + 1).await.unwrap(), None);

                // Whoever writes a table by hand has written the other, old code too.
                for (write, expected) in [
                    ("INSERT INTO addresses VALUES ({id}, 's', 'e', '7')", ["s", "e 7"]),
                    ("UPDATE addresses SET town = 'f' WHERE user_id = {id}", ["s", "f 7"]),
                    ("UPDATE users SET postal = '8', name = 'x' WHERE id = {id}", ["s", "f 8"]),
                    ("UPDATE addresses SET street = 't', postal_code = NULL WHERE user_id = {id}", ["t", "f -"]),
                    ("DELETE FROM addresses WHERE user_id = {id}", ["", ""]),
                    ("INSERT INTO addresses (user_id, street) VALUES ({id}, 's')", ["s", "- -"]),
                    ("UPDATE users SET town = 'g', postal = '9' WHERE id = {id}", ["s", "g 9"]),
                    ("INSERT INTO users (id, name) VALUES ({id} + 3, 'new')", ["s", "g 9"]),
                    // Now it is the other user's.
                    ("UPDATE addresses SET user_id = {id} + 3 WHERE user_id = {id}", ["", ""]),
                    ("UPDATE addresses SET user_id = {id}, town = 'h' WHERE user_id = {id} + 3", ["s", "h 9"]),
                    ("UPDATE users SET id = {id} + 4 WHERE id = {id} + 3", ["s", "h 9"]),
                    ("UPDATE users SET id = {id} + 5 WHERE id = {id}", ["moved", ""]),
                    ("UPDATE users SET id = {id}, postal = '1' WHERE id = {id} + 5", ["s", "h 1"]),
                    ("UPDATE users SET town = NULL, postal = NULL WHERE id = {id}", ["s", "- -"]),
                ] {
                    let write = write.replace("{id}", &id.to_string());
                    operator.execute(&write, &[]).await.unwrap();
                    let (row, expected) = match expected {
                        ["", _] => (id, without()),
                        ["moved", _] => (id + 5, both("s", "h 9")),
                        [street, town] => (id, both(street, town)),
                    };
                    assert_eq!(sides(&mut operator, row).await, expected, "{stage}: {write}");
                }
                for refused in [
                    "INSERT INTO users (id, name, town) VALUES (-1, 'lost', 'a')",
                    "UPDATE users SET town = 'a' WHERE name = 'new'",
                ] {
                    let refused = operator.execute(refused, &[]).await.unwrap_err();
                    assert!(format!("{refused:?}").contains("none of"), "{refused:?}");
                }
                operator.execute("DELETE FROM users", &[]).await.unwrap();
                let left = operator.query("SELECT user_id FROM addresses", &[]).await;
                assert_eq!(left.unwrap().len(), 0, "{stage}");
            }
            drop((users, addresses));
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
