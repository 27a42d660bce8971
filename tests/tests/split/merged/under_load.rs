//! A merge through all phases, with its reviewed SQL and its gates, while old code, new code and handwritten statements write users
//! and their addresses. Two oracles. For some users each transaction holds a lock of its own: what it reads is what a ledger kept
//! under that lock says, and so it is at the end. For the others writers contend for the same rows with nothing but the statements'
//! own locks: no write is refused but for what it says, and at the end the two tables hold the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use zdm_runtime::backfill::Way;
use zdm_runtime::hop::Target;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::Side;
use zdm_runtime::{Error, Stage, Zdm};
use zdm_tests::operator::Operator;
use zdm_tests::pool::Patient as _;

use crate::database::{postgres, sqlite};
use crate::golden::fixture;
use crate::merged::database::{all, both};

/// Users whose transactions hold a lock, and those whose do not.
const LOCKED: i64 = 4;
const CONTENDED: i64 = 3;
const WRITERS: u64 = 3;

/// What old code has left before the triggers came: users with an address and without.
const BEFORE: &str = "INSERT INTO users (id, name) VALUES \
    (1, 'a'), (2, 'b'), (3, 'c'), (5, 'e'), (6, 'f'), (100, 'g'), (101, 'h'), (102, 'i'); \
    INSERT INTO addresses (user_id, street, house, postal_code) VALUES \
    (1, 'first', 1, '1'), (2, 'second', 2, NULL), (5, 'fifth', 5, '5'), (100, 'untouched', 6, '6'), (101, 'untouched', 7, NULL)";

type Address = (String, i32, Option<String>);
/// A user as the ledger has it: whether there is one, and the address.
type Known = Option<Option<Address>>;

fn ledger() -> BTreeMap<i64, Known> {
    let address = |street: &str, house, postal: Option<&str>| {
        Some((street.to_owned(), house, postal.map(str::to_owned)))
    };
    BTreeMap::from([
        (1, Some(address("first", 1, Some("1")))),
        (2, Some(address("second", 2, None))),
        (3, Some(None)),
        (4, None),
    ])
}

async fn write_both(operator: &mut Operator) {
    operator.section(Section::DualWrite, Direction::Up).await;
    operator.advance(Target::stage(Stage::DualWrite)).await;
    operator.fill(Way::Up).await;
    operator.verify(Side::New).await;
}

/// Through all stages, with the ways back that there are.
async fn journey(operator: &mut Operator) {
    operator.written().await;
    write_both(operator).await;
    operator.back(Stage::Off).await;
    operator.section(Section::DualWrite, Direction::Down).await;
    for write in [
        "UPDATE addresses SET postal_code = '7' WHERE user_id = 100",
        "DELETE FROM addresses WHERE user_id = 101",
        "INSERT INTO addresses VALUES (102, 'late', 8, NULL)",
    ] {
        assert_eq!(operator.connection.execute(write, &[]).await.unwrap(), 1);
    }
    operator.written().await;
    write_both(operator).await;
    operator.section(Section::SwitchReads, Direction::Up).await;
    operator.section(Section::Release, Direction::Up).await;
    operator.advance(Target::stage(Stage::Shadow)).await;
    operator.advance(Target::live(5_000).unwrap()).await;
    operator.back(Stage::DualWrite).await;
    operator.complete().await;
    operator.back(Stage::RampDown).await;
    operator.fill(Way::Reverse).await;
    operator.verify(Side::Old).await;
    operator.back(Stage::DualWrite).await;
    operator.fill(Way::Up).await;
    operator.verify(Side::New).await;
    operator.complete().await;
    operator.load.stop.store(true, Ordering::SeqCst);
}

/// What writers that contend may be told: what the statement itself says, or, on PostgreSQL, to repeat it.
fn expected(error: &sqlx::Error) {
    let said = error.as_database_error().expect("the database's own word");
    assert!(
        said.is_unique_violation()
            || said.is_foreign_key_violation()
            || said.message().contains("all of (street, house)")
            || said.code().as_deref() == Some("40P01"),
        "{error}"
    );
}

/// One test per database: the same journey with each one's types.
macro_rules! keeps_every_write {
    ($test:ident, $module:ident, $pool:ty, $begin:literal, $lock:literal, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        #[allow(
            clippy::too_many_lines,
            reason = "four kinds of writers and their journey"
        )]
        async fn $test() {
            use crate::merged::$module::models::User;
            use crate::merged::$module::zdm::CODE;
            use crate::merged::$module::zdm::users::Users;
            use crate::merged::old::$module::models as old;
            use crate::merged::old::$module::zdm as old_code;

            let (_guard, url) = $url;
            let mut operator = Operator::of(&fixture("merged"), &url, BEFORE).await;
            let pool = <$pool>::patient(&url).await;
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let before = Zdm::connect(pool.clone(), &old_code::CODE).await.unwrap();
            let known_of = Arc::new(Mutex::new(ledger()));
            let deployed = Arc::new(AtomicBool::new(false));
            let mut old_writers = tokio::task::JoinSet::new();
            let mut writers = tokio::task::JoinSet::new();
            for writer in 0..WRITERS {
                let users = Users::new(&zdm).unwrap();
                let (pool, load) = (pool.clone(), operator.load.clone());
                let ledger = known_of.clone();
                writers.spawn(async move {
                    for number in 0_u64.. {
                        if load.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let turn = number * WRITERS + writer;
                        let id = i64::try_from(turn % LOCKED.unsigned_abs()).unwrap() + 1;
                        let house = i32::try_from(turn).unwrap();
                        let postal = (turn % 2 == 0).then(|| format!("{turn}"));
                        let given = (format!("{writer} {number}"), house, postal);
                        let user = |address: Option<Address>| User {
                            id,
                            name: format!("{number}"),
                            street: address.as_ref().map(|address| address.0.clone()),
                            house: address.as_ref().map(|address| address.1),
                            postal: address.and_then(|address| address.2),
                        };
                        let mut transaction = pool.begin_with($begin).await.unwrap();
                        let conn = &mut *transaction;
                        sqlx::query($lock).bind(id).execute(&mut *conn).await.unwrap();
                        let mut known = ledger.lock().unwrap()[&id].clone();
                        let read = |found: Option<User>| {
                            found.map(|user| Some((user.street?, user.house.unwrap(), user.postal)))
                        };
                        assert_eq!(read(users.get(conn, id).await.unwrap()), known, "user {id}");
                        let address = known.clone().flatten();
                        match (turn / 4) % 8 {
                            _ if known.is_none() => {
                                let address = (turn % 3 == 0).then_some(given);
                                users.insert(conn, &user(address.clone())).await.unwrap();
                                known = Some(address);
                            }
                            0 => {
                                assert!(users.delete(conn, id).await.unwrap());
                                known = None;
                            }
                            1 => {
                                assert!(users.update(conn, &user(None)).await.unwrap());
                                known = Some(None);
                            }
                            2 if address.is_some() => {
                                let street = Some(given.0.as_str());
                                assert!(users.set_street(conn, id, street).await.unwrap());
                                known = Some(address.map(|address| (given.0, address.1, address.2)));
                            }
                            3 if address.is_some() => {
                                let postal = given.2.as_deref();
                                assert!(users.set_postal(conn, id, postal).await.unwrap());
                                known = Some(address.map(|address| (address.0, address.1, given.2)));
                            }
                            4 => assert!(users.set_name(conn, id, "x").await.unwrap()),
                            5 => {
                                users.upsert(conn, &user(address)).await.unwrap();
                            }
                            6 => {
                                users.upsert(conn, &user(Some(given.clone()))).await.unwrap();
                                known = Some(Some(given));
                            }
                            _ => {
                                let user = user(Some(given.clone()));
                                assert!(users.update(conn, &user).await.unwrap());
                                known = Some(Some(given));
                            }
                        }
                        assert_eq!(read(users.get(conn, id).await.unwrap()), known, "user {id}");
                        ledger.lock().unwrap().insert(id, known);
                        transaction.commit().await.unwrap();
                        load.writes.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            // Old code, until the new version is everywhere.
            for writer in 0..WRITERS {
                let users = old_code::users::Users::new(&before).unwrap();
                let addresses = old_code::addresses::Addresses::new(&before).unwrap();
                let (pool, load) = (pool.clone(), operator.load.clone());
                let (ledger, deployed) = (known_of.clone(), deployed.clone());
                old_writers.spawn(async move {
                    for number in 0_u64.. {
                        if deployed.load(Ordering::SeqCst) {
                            break;
                        }
                        let turn = number * WRITERS + writer;
                        let id = i64::try_from(turn % LOCKED.unsigned_abs()).unwrap() + 1;
                        let given = old::Address {
                            user_id: id,
                            street: format!("old {writer} {number}"),
                            house: i32::try_from(turn).unwrap(),
                            postal_code: None,
                        };
                        let mut transaction = pool.begin_with($begin).await.unwrap();
                        let conn = &mut *transaction;
                        sqlx::query($lock).bind(id).execute(&mut *conn).await.unwrap();
                        let mut known = ledger.lock().unwrap()[&id].clone();
                        let read = addresses.get(conn, id).await.unwrap();
                        let read = read.map(|found| (found.street, found.house, found.postal_code));
                        assert_eq!(read, known.clone().flatten(), "user {id}");
                        let there = read.is_some();
                        let address = (given.street.clone(), given.house, None);
                        match (turn / 4) % 6 {
                            _ if known.is_none() => {
                                let user = old::User { id, name: "old".to_owned() };
                                users.insert(conn, &user).await.unwrap();
                                known = Some(None);
                            }
                            0 => {
                                assert!(users.delete(conn, id).await.unwrap());
                                known = None;
                            }
                            1 => {
                                assert_eq!(addresses.delete(conn, id).await.unwrap(), there);
                                known = Some(None);
                            }
                            2 => {
                                let done = addresses.update(conn, &given).await.unwrap();
                                assert_eq!(done, there);
                                known = Some(there.then_some(address));
                            }
                            3 => {
                                let user = old::User { id, name: "new".to_owned() };
                                users.upsert(conn, &user).await.unwrap();
                            }
                            _ => {
                                addresses.upsert(conn, &given).await.unwrap();
                                known = Some(Some(address));
                            }
                        }
                        ledger.lock().unwrap().insert(id, known);
                        transaction.commit().await.unwrap();
                        load.writes.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            // New code and handwritten statements, without a lock of their own.
            for writer in 0..WRITERS {
                let users = Users::new(&zdm).unwrap();
                let (pool, load) = (pool.clone(), operator.load.clone());
                writers.spawn(async move {
                    let mut conn = pool.acquire().await.unwrap();
                    let conn = &mut *conn;
                    for number in 0_u64.. {
                        if load.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let turn = number * WRITERS + writer;
                        let id = i64::try_from(turn % CONTENDED.unsigned_abs()).unwrap() + LOCKED + 1;
                        let address = (turn % 4 != 0).then(|| format!("{writer} {number}"));
                        let user = User {
                            id,
                            name: format!("{number}"),
                            house: address.as_ref().map(|_| 1),
                            street: address,
                            postal: None,
                        };
                        let street = format!("by hand {number}");
                        let by_hand = |sql: &'static str| sqlx::query(sql).bind(id);
                        let done: Result<(), Error> = match (turn / 3) % 11 {
                            0 => users.delete(conn, id).await.map(drop),
                            1 | 2 => users.upsert(conn, &user).await,
                            3 => users.update(conn, &user).await.map(drop),
                            4 => users.set_street(conn, id, Some("set")).await.map(drop),
                            5 => users.set_postal(conn, id, Some("9")).await.map(drop),
                            6 => users.insert(conn, &user).await,
                            7 => users.set_name(conn, id, "named").await.map(drop),
                            8 => {
                                let sql = "UPDATE addresses SET street = $2, house = house + 1 WHERE user_id = $1";
                                let done = by_hand(sql).bind(street).execute(&mut *conn).await;
                                done.map(drop).map_err(Error::from)
                            }
                            9 => {
                                let sql = "INSERT INTO addresses (user_id, street, house) VALUES ($1, $2, 3) \
                                    ON CONFLICT (user_id) DO UPDATE SET street = $2";
                                let done = by_hand(sql).bind(street).execute(&mut *conn).await;
                                done.map(drop).map_err(Error::from)
                            }
                            _ => {
                                let sql = "DELETE FROM addresses WHERE user_id = $1";
                                let done = by_hand(sql).execute(&mut *conn).await;
                                done.map(drop).map_err(Error::from)
                            }
                        };
                        if let Err(error) = done {
                            expected(error.sqlx().expect("the database's own word"));
                        }
                        load.writes.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let deploy = async {
                operator.written().await;
                deployed.store(true, Ordering::SeqCst);
                while let Some(ended) = old_writers.join_next().await {
                    ended.unwrap();
                }
                before.close().await.unwrap();
                journey(&mut operator).await;
            };
            tokio::select! {
                () = deploy => {}
                Some(ended) = writers.join_next() => panic!("a writer ended early: {ended:?}"),
            }
            while let Some(ended) = writers.join_next().await {
                ended.unwrap();
            }
            zdm.close().await.unwrap();
            let connection = &mut operator.connection;
            for (main, part) in all(connection, "true").await {
                assert_eq!(main, part);
            }
            assert_eq!(
                all(connection, "id >= 100").await,
                [both("untouched 6 7"), (None, None), both("late 8 -")]
            );
            operator.section(Section::Drop, Direction::Up).await;
            let query = "SELECT id, street, house, postal FROM users WHERE id = $1";
            let ledger = known_of.lock().unwrap().clone();
            for (id, known) in ledger {
                let row: Option<(i64, Option<String>, Option<i32>, Option<String>)> =
                    sqlx::query_as(query).bind(id).fetch_optional(&pool).await.unwrap();
                let found = row.map(|(_, street, house, postal)| Some((street?, house.unwrap(), postal)));
                assert_eq!(found, known, "user {id}");
            }
        }
    };
}

keeps_every_write!(
    sqlite_keeps_every_write,
    sqlite,
    sqlx::SqlitePool,
    "BEGIN IMMEDIATE",
    "SELECT $1",
    sqlite()
);
keeps_every_write!(
    postgres_keeps_every_write,
    postgres,
    sqlx::PgPool,
    "BEGIN",
    "SELECT pg_advisory_xact_lock($1)",
    postgres()
);
