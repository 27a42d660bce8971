//! Instances of each release, with one handle each: writers on the primary, readers on the standby. Beside each row stands the
//! number of its last write, kept in the same transaction; a row is made of that number.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::task::JoinSet;
use zdm_runtime::{Error, Zdm};

/// The last three are written before the migration, and never again.
const ROWS: i64 = 8;
const WRITTEN: i64 = 5;
const EACH: usize = 2;
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// The rows, and the numbers that they are made of.
pub(crate) async fn prepare(primary: &str) {
    let sql = "CREATE TABLE written (id bigint PRIMARY KEY, n bigint NOT NULL);
        INSERT INTO written SELECT id, id FROM generate_series(1, 8) AS id;
        INSERT INTO customers SELECT id, (id % 90)::text, id FROM generate_series(1, 8) AS id";
    let mut connection = PgConnection::connect(primary).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

pub(crate) struct Instances {
    zdm: Zdm,
    tasks: JoinSet<()>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    writes: AtomicU64,
    reads: AtomicU64,
}

impl State {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

impl Instances {
    /// Waits until all have written and read some more.
    pub(crate) async fn went_on(&self) {
        let began = Instant::now();
        let (writes, reads) = (&self.state.writes, &self.state.reads);
        for (what, done, more) in [("writers", writes, 20), ("readers", reads, 60)] {
            let from = done.load(Ordering::SeqCst);
            while done.load(Ordering::SeqCst) < from + more {
                assert!(began.elapsed() < PATIENCE, "the {what} stand still");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    /// Ends them; none may have failed.
    pub(crate) async fn end(mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.zdm.close().await.unwrap();
    }
}

/// How a standby ends a query, or a whole session, that is in the way of what it has to replay, or plans with an index that goes
/// concurrently at that moment.
fn is_in_the_way(error: &Error) -> bool {
    match error.sqlx() {
        Some(sqlx::Error::Io(_)) => true,
        Some(sqlx::Error::Database(error)) => match error.code().as_deref() {
            Some("40001" | "40P01") => true,
            Some("XX000") => error.message().starts_with("could not open relation"),
            _ => false,
        },
        _ => false,
    }
}

async fn number(conn: &mut PgConnection, id: i64) -> Result<i64, Error> {
    let number = sqlx::query_scalar("SELECT n FROM written WHERE id = $1").bind(id);
    Ok(number.fetch_one(conn).await?)
}

/// The instances of a release, whose struct takes an age and an amount like this, and gives the age as a number like that.
macro_rules! instances_of {
    ($release:ident, $age:expr, $amount:expr, $years:expr) => {
        pub(crate) mod $release {
            use super::*;
            use crate::$release::models::Customer;
            use crate::$release::zdm::{CODE, customers::Customers};

            fn made(id: i64, n: i64) -> Customer {
                Customer {
                    id,
                    age: $age(n % 90),
                    amount: $amount(n),
                }
            }

            async fn write(customers: &Customers, pool: &PgPool, id: i64) -> Result<(), Error> {
                let mut transaction = pool.begin().await?;
                let conn = &mut *transaction;
                let next = "UPDATE written SET n = n + 1 WHERE id = $1 RETURNING n";
                let n: i64 = sqlx::query_scalar(next)
                    .bind(id)
                    .fetch_one(&mut *conn)
                    .await?;
                let row = made(id, n);
                match n % 3 {
                    0 => assert!(customers.update(conn, &row).await?),
                    1 => customers.upsert(conn, &row).await?,
                    _ => {
                        assert!(customers.delete(conn, id).await?);
                        customers.insert(conn, &row).await?;
                    }
                }
                assert_eq!(customers.get(conn, id).await?, Some(row));
                transaction.commit().await?;
                Ok(())
            }

            /// All of one moment.
            async fn read_at_once(
                customers: &Customers,
                conn: &mut PgConnection,
                id: i64,
            ) -> Result<(), Error> {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                let mut transaction = conn.begin_with(begin).await?;
                let conn = &mut *transaction;
                let expected = made(id, number(conn, id).await?);
                assert_eq!(customers.get(conn, id).await?.as_ref(), Some(&expected));
                assert_eq!(customers.get_many(conn, &[id]).await?, [expected]);
                let mut all = Vec::new();
                for id in 1..=ROWS {
                    all.push(made(id, number(conn, id).await?));
                }
                assert_eq!(customers.list(conn, None, ROWS).await?, all);
                transaction.rollback().await?;
                Ok(())
            }

            /// A moment for each statement: neither older than what was there before, nor newer than what is there after.
            async fn read(
                customers: &Customers,
                conn: &mut PgConnection,
                id: i64,
            ) -> Result<(), Error> {
                let before = number(conn, id).await?;
                let row = customers
                    .get(conn, id)
                    .await?
                    .expect("the row is always there");
                let after = number(conn, id).await?;
                let n = i64::from(row.amount);
                assert!((before..=after).contains(&n), "{before} {row:?} {after}");
                assert_eq!($years(&row.age), n % 90, "{row:?}");
                Ok(())
            }

            pub(crate) async fn start((primary, standby): (&str, &str)) -> Instances {
                let pool = PgPool::connect(primary).await.unwrap();
                let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
                zdm.ready().unwrap();
                let state = Arc::new(State::default());
                let mut tasks = JoinSet::new();
                for _ in 0..EACH {
                    let customers = Customers::new(&zdm).unwrap();
                    let (pool, own) = (pool.clone(), state.clone());
                    tasks.spawn(async move {
                        for id in (1..=WRITTEN).cycle() {
                            if !own.goes_on() {
                                break;
                            }
                            write(&customers, &pool, id).await.unwrap();
                            own.writes.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                    let customers = Customers::new(&zdm).unwrap();
                    let (standby, own) = (standby.to_owned(), state.clone());
                    tasks.spawn(async move {
                        let mut conn = PgConnection::connect(&standby).await.unwrap();
                        for id in (1..=ROWS).cycle() {
                            if !own.goes_on() {
                                break;
                            }
                            let mut done = read_at_once(&customers, &mut conn, id).await;
                            if done.is_ok() {
                                done = read(&customers, &mut conn, id).await;
                            }
                            match done {
                                Ok(()) => {
                                    own.reads.fetch_add(1, Ordering::SeqCst);
                                }
                                Err(error) if is_in_the_way(&error) => {
                                    conn = PgConnection::connect(&standby).await.unwrap();
                                }
                                Err(error) => panic!("{error}"),
                            }
                        }
                    });
                }
                let instances = Instances { zdm, tasks, state };
                instances.went_on().await;
                instances
            }
        }
    };
}

instances_of!(
    old,
    |age: i64| age.to_string(),
    |amount: i64| i32::try_from(amount).unwrap(),
    |age: &str| age.parse::<i64>().unwrap()
);
instances_of!(
    transition,
    |age: i64| i32::try_from(age).ok(),
    |amount: i64| amount,
    |age: &Option<i32>| i64::from(age.unwrap())
);
instances_of!(
    last,
    |age: i64| i32::try_from(age).ok(),
    |amount: i64| amount,
    |age: &Option<i32>| i64::from(age.unwrap())
);
