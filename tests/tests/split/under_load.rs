//! A split through all phases, with its reviewed SQL and its gates, while writers of the generated code insert, change and delete
//! users and their addresses. Two oracles. For some users each transaction holds a lock of its own: what it reads is what a ledger
//! kept under that lock says, and so it is at the end. For the others writers contend for the same rows with nothing but the
//! statements' own locks: no statement may fail, and at the end the two tables hold the same.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use zdm_runtime::backfill::Way;
use zdm_runtime::hop::Target;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::Side;
use zdm_runtime::{Error, Stage, Zdm};
use zdm_tests::operator::Operator;
use zdm_tests::pool::Patient as _;

use crate::database::{postgres, sqlite, texts};
use crate::golden::case;

/// Users whose transactions hold a lock, and those whose do not.
const LOCKED: i64 = 4;
const CONTENDED: i64 = 3;
const WRITERS: u64 = 3;

/// What old code has left: users with an address, with half of one, without.
const BEFORE: &str = "INSERT INTO users (id, name, street, postal) VALUES \
    (1, 'a', 'first', '1'), (2, 'b', 'second', NULL), (3, 'c', NULL, NULL), (5, 'e', 'fifth', '5'), \
    (100, 'f', 'untouched', '6'), (101, 'g', 'untouched', NULL), (102, 'h', NULL, NULL)";

/// A user as the ledger has it: whether there is one, and the address.
type Known = Option<Option<(String, Option<String>)>>;

fn ledger() -> BTreeMap<i64, Known> {
    let address = |street: &str, postal: Option<&str>| {
        Some(Some((street.to_owned(), postal.map(str::to_owned))))
    };
    BTreeMap::from([
        (1, address("first", Some("1"))),
        (2, address("second", None)),
        (3, Some(None)),
        (4, None),
    ])
}

/// Through all stages, with the ways back that there are.
async fn journey(operator: &mut Operator) {
    operator.written().await;
    operator.write_both().await;
    // New goes stale at `off`, deleted rows included: the second backfill mends it.
    operator.back(Stage::Off).await;
    operator.section(Section::DualWrite, Direction::Down).await;
    for write in [
        "UPDATE users SET postal = '7' WHERE id = 100",
        "UPDATE users SET street = NULL WHERE id = 101",
    ] {
        assert_eq!(operator.connection.execute(write, &[]).await.unwrap(), 1);
    }
    operator.written().await;
    operator.write_both().await;
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

/// One test per database: the same journey with each one's types.
macro_rules! keeps_every_write {
    ($test:ident, $module:ident, $pool:ty, $begin:literal, $lock:literal, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        #[allow(
            clippy::too_many_lines,
            reason = "two kinds of writers and their journey"
        )]
        async fn $test() {
            use crate::$module::models::{Address, User};
            use crate::$module::zdm::CODE;
            use crate::$module::zdm::addresses::Addresses;
            use crate::$module::zdm::users::Users;

            let (_guard, url) = $url;
            let mut operator = Operator::of(&case(), &url, BEFORE).await;
            let known_of = Arc::new(Mutex::new(ledger()));
            let pool = <$pool>::patient(&url).await;
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let mut writers = tokio::task::JoinSet::new();
            for writer in 0..WRITERS {
                let (users, addresses) = (Users::new(&zdm).unwrap(), Addresses::new(&zdm).unwrap());
                let (pool, load) = (pool.clone(), operator.load.clone());
                let ledger = known_of.clone();
                writers.spawn(async move {
                    for number in 0_u64.. {
                        if load.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let turn = number * WRITERS + writer;
                        let id = i64::try_from(turn % LOCKED.unsigned_abs()).unwrap() + 1;
                        let postal = (turn % 2 == 0).then(|| format!("{turn}"));
                        let address = Address {
                            user_id: id,
                            street: format!("{writer} {number}"),
                            postal_code: postal,
                        };
                        let user = User {
                            id,
                            name: address.street.clone(),
                        };
                        let mut transaction = pool.begin_with($begin).await.unwrap();
                        let conn = &mut *transaction;
                        sqlx::query($lock)
                            .bind(id)
                            .execute(&mut *conn)
                            .await
                            .unwrap();
                        let mut known = ledger.lock().unwrap()[&id].clone();
                        let said = known.clone().flatten();
                        let read = addresses.get(conn, id).await.unwrap();
                        let read = read.map(|found| (found.street, found.postal_code));
                        assert_eq!(read, said, "user {id}");
                        let there = said.is_some();
                        match (turn / 4) % 7 {
                            _ if known.is_none() => {
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
                                let street = address.street.as_str();
                                let done = addresses.set_street(conn, id, street).await.unwrap();
                                assert_eq!(done, there);
                                known = Some(said.map(|(_, postal)| (address.street, postal)));
                            }
                            3 => {
                                let done = addresses.update(conn, &address).await.unwrap();
                                assert_eq!(done, there);
                                known = Some(said.map(|_| (address.street, address.postal_code)));
                            }
                            4 => {
                                assert!(users.update(conn, &user).await.unwrap());
                                users.upsert(conn, &user).await.unwrap();
                            }
                            _ if there => {
                                addresses.upsert(conn, &address).await.unwrap();
                                known = Some(Some((address.street, address.postal_code)));
                            }
                            _ => {
                                addresses.insert(conn, &address).await.unwrap();
                                known = Some(Some((address.street, address.postal_code)));
                            }
                        }
                        let read = addresses.get(conn, id).await.unwrap();
                        let read = read.map(|found| (found.street, found.postal_code));
                        assert_eq!(read, known.clone().flatten(), "user {id}");
                        ledger.lock().unwrap().insert(id, known);
                        transaction.commit().await.unwrap();
                        load.writes.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            for writer in 0..WRITERS {
                let (users, addresses) = (Users::new(&zdm).unwrap(), Addresses::new(&zdm).unwrap());
                let (pool, load) = (pool.clone(), operator.load.clone());
                writers.spawn(async move {
                    let mut conn = pool.acquire().await.unwrap();
                    let conn = &mut *conn;
                    for number in 0_u64.. {
                        if load.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let turn = number * WRITERS + writer;
                        let id =
                            i64::try_from(turn % CONTENDED.unsigned_abs()).unwrap() + LOCKED + 1;
                        let address = Address {
                            user_id: id,
                            street: format!("{writer} {number}"),
                            postal_code: Some(format!("{turn}")),
                        };
                        let name = address.street.clone();
                        let user = User { id, name };
                        let mut done = Ok(());
                        match (turn / 3) % 8 {
                            0 => {
                                users.delete(conn, id).await.unwrap();
                            }
                            1 | 2 => users.upsert(conn, &user).await.unwrap(),
                            3 => {
                                addresses.delete(conn, id).await.unwrap();
                            }
                            4 => {
                                addresses.update(conn, &address).await.unwrap();
                            }
                            5 => {
                                let street = address.street.as_str();
                                addresses.set_street(conn, id, street).await.unwrap();
                            }
                            6 => done = addresses.upsert(conn, &address).await,
                            _ => done = addresses.insert(conn, &address).await,
                        }
                        match done {
                            // There is no such user, or there is an address already.
                            Ok(()) | Err(Error::NoPlace { .. }) => {}
                            Err(error) => {
                                let database =
                                    error.sqlx().and_then(|error| error.as_database_error());
                                let kind = database.expect("the database's own word");
                                assert!(
                                    kind.is_unique_violation() || kind.is_foreign_key_violation(),
                                    "{error}"
                                );
                            }
                        }
                        load.writes.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            tokio::select! {
                () = journey(&mut operator) => {}
                Some(ended) = writers.join_next() => panic!("a writer ended early: {ended:?}"),
            }
            while let Some(ended) = writers.join_next().await {
                ended.unwrap();
            }
            let addresses = Addresses::new(&zdm).unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let ledger = known_of.lock().unwrap().clone();
            for (id, known) in ledger {
                let read = addresses.get(&mut conn, id).await.unwrap();
                let read = read.map(|found| (found.street, found.postal_code));
                assert_eq!(read, known.flatten(), "user {id}");
            }
            drop(conn);
            zdm.close().await.unwrap();
            let both = "SELECT street, postal FROM users WHERE street IS NOT NULL ORDER BY id";
            let old = texts(&mut operator.connection, both).await;
            let part = "SELECT street, postal_code FROM addresses ORDER BY user_id";
            let new = texts(&mut operator.connection, part).await;
            assert_eq!(old, new);
            assert!(new.contains(&(Some("untouched".to_owned()), Some("7".to_owned()))));
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
