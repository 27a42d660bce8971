//! Generated code in the name of roles that row security shows different rows, at every stage: each reads and writes its own, and
//! neither finds out about the other's, in whichever table they are.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool, Row as _};
use zdm_runtime::database::{Connection, Value};
use zdm_runtime::gates::{self, Policy};
use zdm_runtime::manifest::{Direction, Manifest};
use zdm_runtime::phase::Section;
use zdm_runtime::{Stage, Zdm, facts, rights};

use crate::database::{expanded, postgres, run, sides};
use crate::postgres::models::{Address, User};
use crate::postgres::zdm::{CODE, addresses, users};
use crate::stages::enter;

const ROLES: &str = "CREATE ROLE ada LOGIN; CREATE ROLE bob LOGIN; GRANT USAGE ON SCHEMA zdm TO ada, bob;
    GRANT SELECT, INSERT, UPDATE, DELETE ON users TO ada, bob; ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON users USING (name = current_user);";

/// What shut gates print, until none is shut.
async fn let_through(operator: &mut Connection, manifest: &Manifest) -> Vec<String> {
    let mut executed = Vec::new();
    loop {
        let facts = facts::collect(operator, manifest).await.unwrap();
        let gates = gates::for_triggers(&facts, &Policy::default());
        let shut: Vec<_> = gates.into_iter().filter(|gate| !gate.open).collect();
        if shut.is_empty() {
            return executed;
        }
        let opens = shut.iter().filter_map(|gate| gate.opens.as_ref());
        let lines = opens.flat_map(|opens| opens.lines().map(str::trim));
        let sql: Vec<String> = lines
            .filter(|line| line.ends_with(';'))
            .map(str::to_owned)
            .collect();
        assert!(!sql.iter().any(|line| executed.contains(line)), "{shut:#?}");
        operator.run_file(&sql.join("\n")).await.unwrap();
        executed.extend(sql);
    }
}

struct Person {
    name: &'static str,
    conn: PgConnection,
    users: users::Users,
    addresses: addresses::Addresses,
    zdm: Zdm,
}

impl Person {
    async fn of(url: &str, name: &'static str) -> Self {
        let pool = PgPool::connect(url).await.unwrap();
        let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
        zdm.ready().unwrap();
        Self {
            name,
            conn: pool.acquire().await.unwrap().detach(),
            users: users::Users::new(&zdm).unwrap(),
            addresses: addresses::Addresses::new(&zdm).unwrap(),
            zdm,
        }
    }

    fn user(&self, id: i64) -> User {
        User {
            id,
            name: self.name.to_owned(),
        }
    }

    /// The numbers that a query gives.
    async fn numbers(&mut self, sql: &str) -> Vec<i64> {
        let rows = self.conn.fetch_all(AssertSqlSafe(sql.to_owned())).await;
        rows.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

fn address(user_id: i64, street: &str) -> Address {
    Address {
        user_id,
        street: street.to_owned(),
        postal_code: Some("1".to_owned()),
    }
}

/// Her own row, there and back.
async fn serves(person: &mut Person, id: i64) {
    let (user, conn) = (person.user(id), &mut person.conn);
    person.users.insert(conn, &user).await.unwrap();
    person
        .addresses
        .insert(conn, &address(id, "a"))
        .await
        .unwrap();
    assert!(person.addresses.set_street(conn, id, "b").await.unwrap());
    assert!(
        person
            .addresses
            .update(conn, &address(id, "c"))
            .await
            .unwrap()
    );
    let found = person.addresses.get(conn, id).await.unwrap();
    assert_eq!(found, Some(address(id, "c")));
    assert!(person.addresses.delete(conn, id).await.unwrap());
    person
        .addresses
        .upsert(conn, &address(id, "d"))
        .await
        .unwrap();
}

/// Nothing of somebody else's, by new code and by old.
async fn finds_nothing(person: &mut Person, id: i64) {
    let conn = &mut person.conn;
    assert_eq!(person.addresses.get(conn, id).await.unwrap(), None);
    assert!(
        !person
            .addresses
            .set_street(conn, id, "taken")
            .await
            .unwrap()
    );
    assert!(
        !person
            .addresses
            .update(conn, &address(id, "taken"))
            .await
            .unwrap()
    );
    assert!(!person.addresses.delete(conn, id).await.unwrap());
    assert!(
        person
            .addresses
            .insert(conn, &address(id, "taken"))
            .await
            .is_err()
    );
    assert!(
        person
            .addresses
            .upsert(conn, &address(id, "taken"))
            .await
            .is_err()
    );
    assert!(!person.users.delete(conn, id).await.unwrap());
    let old = format!("UPDATE users SET street = 'taken' WHERE id = {id} RETURNING id");
    assert!(person.numbers(&old).await.is_empty());
    let new =
        format!("UPDATE addresses SET street = 'taken' WHERE user_id = {id} RETURNING user_id");
    assert!(person.numbers(&new).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_serves_its_own_rows_at_every_stage_and_no_others() {
    let (server, url) = postgres();
    let (mut operator, migration) = expanded(&url, "").await;
    operator.run_file(ROLES).await.unwrap();
    for (table, rights) in rights::by_table(&rights::APPLICATION) {
        let grant = format!("GRANT {rights} ON zdm.{table} TO ada, bob");
        operator.run_file(&grant).await.unwrap();
    }
    let executed = let_through(&mut operator, migration.manifest()).await;
    assert_eq!(executed.len(), 4, "{executed:#?}");
    let mut ada = Person::of(&server.url_of("split", "ada"), "ada").await;
    let mut bob = Person::of(&server.url_of("split", "bob"), "bob").await;
    let back = [Stage::RampDown, Stage::Live, Stage::DualWrite];
    for (at, stage) in Stage::ALL.into_iter().chain(back).enumerate() {
        if at == 1 {
            run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
            // The rows from before, as the backfill does.
            operator
                .run_file("UPDATE users SET street = street || '!'")
                .await
                .unwrap();
        }
        enter(&mut operator, stage).await;
        let (hers, his) = (
            10 * i64::try_from(at).unwrap(),
            10 * i64::try_from(at).unwrap() + 1,
        );
        serves(&mut ada, hers).await;
        serves(&mut bob, his).await;
        finds_nothing(&mut bob, hers).await;
        finds_nothing(&mut ada, his).await;
        for id in [hers, his] {
            let kept = (Some("d".to_owned()), Some("1".to_owned()));
            let there = Some(kept.clone()).filter(|_| stage != Stage::Off);
            assert_eq!(
                sides(&mut operator, id).await,
                (Some(kept), there),
                "{stage}"
            );
        }
        // What each sees of the two tables is the same, and its own.
        for (person, last) in [(&mut ada, 0), (&mut bob, 1)] {
            let old = person.numbers("SELECT id FROM users ORDER BY 1").await;
            assert!(old.iter().all(|id| id % 10 == last), "{stage}: {old:?}");
            if stage != Stage::Off {
                let new = person
                    .numbers("SELECT user_id FROM addresses ORDER BY 1")
                    .await;
                assert_eq!(new, old, "{stage}");
            }
        }
    }
    for person in [ada, bob] {
        drop((person.users, person.addresses));
        person.zdm.close().await.unwrap();
    }
}

/// Writes a row of its own, of which it knows what it has to hold, and one that another writer of the same role writes too. What is
/// refused is a deadlock or a row that is there already, never a right.
async fn writes(url: String, name: &'static str, own: i64, shared: i64) -> Option<String> {
    let mut conn = PgConnection::connect(&url).await.unwrap();
    let mut held = None;
    for round in 0..119 {
        let street = format!("{name} {own} {round}");
        for id in [shared, own] {
            let (write, holds) = match round % 5 {
                0 => (
                    format!("UPDATE users SET street = '{street}' WHERE id = {id}"),
                    true,
                ),
                1 => (
                    format!("UPDATE addresses SET street = '{street}' WHERE user_id = {id}"),
                    true,
                ),
                2 => (
                    format!("UPDATE users SET street = NULL, postal = NULL WHERE id = {id}"),
                    false,
                ),
                3 => (
                    format!("INSERT INTO addresses VALUES ({id}, '{street}', NULL)"),
                    true,
                ),
                _ => (format!("DELETE FROM addresses WHERE user_id = {id}"), false),
            };
            match conn.execute(AssertSqlSafe(write.clone())).await {
                Ok(_) if id == own => held = Some(street.clone()).filter(|_| holds),
                Ok(_) => {}
                Err(error) => {
                    let code = error
                        .as_database_error()
                        .and_then(sqlx::error::DatabaseError::code);
                    let is_expected = matches!(code.as_deref(), Some("40P01" | "23505"));
                    assert!(is_expected && id == shared, "{write}: {error}");
                }
            }
        }
    }
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn roles_that_see_their_own_rows_write_side_by_side_and_nothing_is_torn_or_refused() {
    let (server, url) = postgres();
    let rows = "INSERT INTO users (id, name) SELECT id, CASE WHEN id % 2 = 0 THEN 'ada' ELSE 'bob' END FROM generate_series(0, 9) AS id";
    let (mut operator, migration) = expanded(&url, rows).await;
    operator.run_file(ROLES).await.unwrap();
    let_through(&mut operator, migration.manifest()).await;
    run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
    let mut writers = Vec::new();
    for (name, own, shared) in [("ada", 2, 0), ("ada", 4, 0), ("bob", 3, 1), ("bob", 5, 1)] {
        let url = server.url_of("split", name);
        writers.push((own, tokio::spawn(writes(url, name, own, shared))));
    }
    for (id, writer) in writers {
        let held = writer.await.unwrap().map(|street| (Some(street), None));
        let there = held.clone().unwrap_or((None, None));
        assert_eq!(sides(&mut operator, id).await, (Some(there), held), "{id}");
    }
    let torn = "SELECT count(*) FROM users LEFT JOIN addresses ON user_id = id
        WHERE (users.street, users.postal) IS DISTINCT FROM (addresses.street, addresses.postal_code)";
    let torn = operator.query(torn, &[]).await.unwrap();
    assert_eq!(torn, [[Value::Int(Some(0))]]);
}
