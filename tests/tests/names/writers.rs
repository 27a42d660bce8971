//! Writers of each release. Inside a transaction that holds a row's lock, a read gives what was just written, and a ledger
//! kept under that lock holds what was committed last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, PgPool, Row as _};
use tokio::task::JoinSet;
use zdm_runtime::Zdm;

const ROWS: i64 = 5;
const EACH: i32 = 2;
const PATIENCE: Duration = Duration::from_mins(1);

/// What was committed last: age and amount by key.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<i64, (i32, i32)>>);

pub(crate) struct Writers {
    zdm: Zdm,
    tasks: JoinSet<()>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    writes: AtomicU64,
}

impl Writers {
    /// Waits until all have written some more.
    pub(crate) async fn written(&self) {
        let from = self.state.writes.load(Ordering::SeqCst);
        let began = Instant::now();
        while self.state.writes.load(Ordering::SeqCst) < from + 40 {
            assert!(began.elapsed() < PATIENCE, "the writers stand still");
            tokio::time::sleep(Duration::from_millis(5)).await;
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

/// The writers of a release, whose struct takes an age and an amount like this.
macro_rules! writers_of {
    ($release:ident, $model:ident, $module:ident::$repository:ident, $age:expr, $amount:expr) => {
        pub(crate) async fn $release(pool: PgPool, ledger: &Arc<Ledger>) -> Writers {
            use crate::$release::models::$model;
            use crate::$release::zdm::CODE;
            use crate::$release::zdm::$module::$repository;

            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let state = Arc::new(State::default());
            let mut tasks = JoinSet::new();
            for writer in 0..EACH {
                let repository = $repository::new(&zdm).unwrap();
                let (pool, state, ledger) = (pool.clone(), state.clone(), ledger.clone());
                tasks.spawn(async move {
                    for number in 0_i32.. {
                        if state.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let id = i64::from(number) % ROWS + 1;
                        let (age, amount) = (number % 90, number * EACH + writer);
                        let row = $model {
                            id,
                            age: $age(age),
                            amount: $amount(amount),
                        };
                        let mut transaction = pool.begin().await.unwrap();
                        let conn = &mut *transaction;
                        repository.upsert(conn, &row).await.unwrap();
                        match number % 4 {
                            0 => assert!(repository.update(conn, &row).await.unwrap()),
                            1 => {
                                assert!(repository.delete(conn, id).await.unwrap());
                                repository.insert(conn, &row).await.unwrap();
                            }
                            2 => {
                                let amount = row.amount;
                                assert!(repository.set_amount(conn, id, amount).await.unwrap());
                            }
                            _ => {}
                        }
                        let read = repository.get(conn, id).await.unwrap();
                        assert_eq!(read, Some(row));
                        ledger.0.lock().unwrap().insert(id, (age, amount));
                        transaction.commit().await.unwrap();
                        state.writes.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let writers = Writers { zdm, tasks, state };
            writers.written().await;
            writers
        }
    };
}

writers_of!(
    old,
    Customer,
    customers::Customers,
    |age: i32| age.to_string(),
    |amount: i32| amount
);
writers_of!(transition, Customer, customers::Customers, Some, i64::from);
writers_of!(last, Customer, customers::Customers, Some, i64::from);
writers_of!(renamed, Client, clients::Clients, Some, i64::from);

/// The rows are what was committed last.
pub(crate) async fn compare(pool: &PgPool, table: &str, ledger: &Ledger) {
    let query = format!("SELECT id, age, amount FROM {table}");
    let rows = sqlx::query(AssertSqlSafe(query))
        .fetch_all(pool)
        .await
        .unwrap();
    let stored: BTreeMap<i64, (i32, i64)> = rows
        .iter()
        .map(|row| (row.get("id"), (row.get("age"), row.get("amount"))))
        .collect();
    let committed = ledger.0.lock().unwrap().clone();
    let committed: BTreeMap<i64, (i32, i64)> = committed
        .into_iter()
        .map(|(id, (age, amount))| (id, (age, i64::from(amount))))
        .collect();
    assert_eq!(stored, committed);
}
