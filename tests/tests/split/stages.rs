//! Every operation of the generated code at every stage. The stage is moved behind the code's back, so that every first statement
//! of a stage carries an old epoch.

use zdm_runtime::database::Connection;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_runtime::{Error, Stage, Zdm};

use crate::database::{Text, expanded, postgres, run, sides, sqlite};

/// What a hop does, without its gates and without the wait.
pub(crate) async fn enter(operator: &mut Connection, stage: Stage) {
    operator.begin().await.unwrap();
    let moved = "UPDATE {zdm}stage SET stage = $1, read_basis_points = 10000, epoch = epoch + 1";
    operator
        .execute(moved, &[stage.name().into()])
        .await
        .unwrap();
    operator
        .execute("UPDATE {zdm}fence SET epoch = epoch + 1", &[])
        .await
        .unwrap();
    operator.commit().await.unwrap();
}

fn text(street: &str, postal: Option<&str>) -> Text {
    (Some(street.to_owned()), postal.map(str::to_owned))
}

/// One test per database: the same steps with each one's types.
macro_rules! at_every_stage {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        #[allow(
            clippy::too_many_lines,
            reason = "one stage after the other, all operations of each"
        )]
        async fn $test() {
            use crate::$module::models::{Address, User};
            use crate::$module::zdm::{CODE, addresses, users};

            let (_guard, url) = $url;
            let (mut operator, migration) = expanded(&url, "").await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let users = users::Users::new(&zdm).unwrap();
            let addresses = addresses::Addresses::new(&zdm).unwrap();
            let user = |id, name: &str| User {
                id,
                name: name.to_owned(),
            };
            let address = |user_id, street: &str, postal: Option<&str>| Address {
                user_id,
                street: street.to_owned(),
                postal_code: postal.map(str::to_owned),
            };
            // There, and back from the end, where both are still kept.
            let back = [Stage::RampDown, Stage::Live, Stage::DualWrite];
            for (at, stage) in Stage::ALL.into_iter().chain(back).enumerate() {
                if at == 1 {
                    run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
                }
                enter(&mut operator, stage).await;
                let id = i64::try_from(at).unwrap() * 10;
                let new = |expected: Option<Text>| expected.filter(|_| stage != Stage::Off);
                let absent = || (None, None);

                // At `complete` the database says so itself, as it will to final code.
                let no_place = |done: Result<(), Error>| match done {
                    Err(Error::NoPlace { .. }) => true,
                    Err(Error::Database(_)) => stage == Stage::Complete,
                    _ => false,
                };
                assert!(no_place(
                    addresses.insert(conn, &address(id, "a", None)).await
                ));
                users.insert(conn, &user(id, "Ada")).await.unwrap();
                assert_eq!(addresses.get(conn, id).await.unwrap(), None);
                assert!(
                    !addresses
                        .update(conn, &address(id, "a", None))
                        .await
                        .unwrap()
                );
                assert!(!addresses.set_street(conn, id, "a").await.unwrap());
                assert!(!addresses.delete(conn, id).await.unwrap());
                assert_eq!(sides(&mut operator, id).await, (Some(absent()), None));

                addresses
                    .insert(conn, &address(id, "a", Some("1")))
                    .await
                    .unwrap();
                assert_eq!(
                    addresses.get(conn, id).await.unwrap(),
                    Some(address(id, "a", Some("1")))
                );
                let stored = Some(text("a", Some("1")));
                assert_eq!(
                    sides(&mut operator, id).await,
                    (stored.clone(), new(stored)),
                    "{stage}"
                );
                assert!(no_place(
                    addresses.insert(conn, &address(id, "b", None)).await
                ));

                assert!(addresses.set_street(conn, id, "b").await.unwrap());
                assert!(
                    addresses
                        .set_postal_code(conn, id, Some("2"))
                        .await
                        .unwrap()
                );
                let stored = Some(text("b", Some("2")));
                assert_eq!(
                    sides(&mut operator, id).await,
                    (stored.clone(), new(stored))
                );
                assert!(
                    addresses
                        .update(conn, &address(id, "c", None))
                        .await
                        .unwrap()
                );
                let stored = Some(text("c", None));
                assert_eq!(
                    sides(&mut operator, id).await,
                    (stored.clone(), new(stored))
                );
                // The rest of the row is nobody's concern here.
                assert!(users.set_name(conn, id, "Grace").await.unwrap());
                users.upsert(conn, &user(id, "Joan")).await.unwrap();
                assert_eq!(
                    addresses.get(conn, id).await.unwrap(),
                    Some(address(id, "c", None))
                );

                users.insert(conn, &user(id + 1, "Mary")).await.unwrap();
                users.insert(conn, &user(id + 2, "Hedy")).await.unwrap();
                for street in ["d", "e"] {
                    addresses
                        .upsert(conn, &address(id + 2, street, Some("3")))
                        .await
                        .unwrap();
                }
                assert_eq!(
                    addresses
                        .get_many(conn, &[id, id + 1, id + 2])
                        .await
                        .unwrap(),
                    [address(id, "c", None), address(id + 2, "e", Some("3"))]
                );
                assert_eq!(
                    addresses.list(conn, Some(id - 1), 1).await.unwrap(),
                    [address(id, "c", None)]
                );
                assert_eq!(
                    addresses.list(conn, Some(id), 9).await.unwrap(),
                    [address(id + 2, "e", Some("3"))]
                );
                assert!(no_place(
                    addresses.upsert(conn, &address(-1, "a", None)).await
                ));

                assert!(addresses.delete(conn, id).await.unwrap());
                assert!(!addresses.delete(conn, id).await.unwrap());
                assert_eq!(addresses.get(conn, id).await.unwrap(), None);
                assert_eq!(sides(&mut operator, id).await, (Some(absent()), None));
                // A user's address goes with the user.
                assert!(users.delete(conn, id + 2).await.unwrap());
                assert_eq!(addresses.get(conn, id + 2).await.unwrap(), None);
                assert_eq!(sides(&mut operator, id + 2).await, (None, None));
                assert_eq!(addresses.list(conn, None, 9).await.unwrap(), []);

                // Whoever writes a table by hand has written the other, from the first dual write on.
                if stage != Stage::Off {
                    for write in [
                        format!("UPDATE users SET street = 'by hand', postal = 4 WHERE id = {id}"),
                        format!("UPDATE addresses SET postal_code = 5 WHERE user_id = {id}"),
                        format!("DELETE FROM addresses WHERE user_id = {id}"),
                        format!("INSERT INTO addresses VALUES ({id}, 'by hand', '6')"),
                        format!("UPDATE users SET street = NULL, postal = NULL WHERE id = {id}"),
                        format!("INSERT INTO users VALUES ({id} + 3, 'new', 'by hand', '7')"),
                        // The address becomes another user's, and the user gets another key with his address.
                        format!("INSERT INTO addresses VALUES ({id}, 'by hand', '8')"),
                        format!("DELETE FROM addresses WHERE user_id = {id} + 3"),
                        format!("UPDATE addresses SET user_id = {id} + 3 WHERE user_id = {id}"),
                        format!("UPDATE addresses SET user_id = {id} WHERE user_id = {id} + 3"),
                        format!("UPDATE users SET id = {id} + 4, street = 'moved' WHERE id = {id}"),
                        format!("UPDATE users SET id = {id}, postal = '9' WHERE id = {id} + 4"),
                        format!("DELETE FROM addresses WHERE user_id = {id}"),
                        format!("DELETE FROM users WHERE id = {id} + 3"),
                    ] {
                        operator.execute(&write, &[]).await.unwrap();
                        for row in [id, id + 3, id + 4] {
                            let (old, new) = sides(&mut operator, row).await;
                            assert_eq!(old.filter(|old| *old != absent()), new, "{write}");
                        }
                        let moved = [
                            (format!("SET user_id = {id} WHERE"), id, "by hand", "8"),
                            (format!("SET id = {id} + 4"), id + 4, "moved", "8"),
                            (format!("SET id = {id}, postal"), id, "moved", "9"),
                        ];
                        for (set, row, street, postal) in moved {
                            if write.contains(&set) {
                                let (_, new) = sides(&mut operator, row).await;
                                assert_eq!(new, Some(text(street, Some(postal))), "{write}");
                            }
                        }
                    }
                }
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
