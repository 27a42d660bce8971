//! Writers of each release. Inside a transaction that holds a row's lock, a read gives what was just written, and a ledger
//! kept under that lock holds what was committed last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::{PgPool, Row as _};
use tokio::task::JoinSet;
use zdm_runtime::Zdm;

const ROWS: i64 = 5;
const EACH: i32 = 2;
const PATIENCE: Duration = Duration::from_mins(1);

/// What was committed last: total, amount, and whether it is paid, by key.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<i64, (i32, i32, bool)>>);

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

/// The writers of a release, whose struct takes a total like this, calls the amount and a paid status like this.
macro_rules! writers_of {
    ($release:ident, $total:expr, $amount:ident, $set_amount:ident, $paid:ident) => {
        pub(crate) async fn $release(url: &str, ledger: &Arc<Ledger>) -> Writers {
            use crate::$release::models::{BillingInvoice, Status};
            use crate::$release::zdm::CODE;
            use crate::$release::zdm::billing_invoices::BillingInvoices;

            let pool = PgPool::connect(url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let state = Arc::new(State::default());
            let mut tasks = JoinSet::new();
            for writer in 0..EACH {
                let repository = BillingInvoices::new(&zdm).unwrap();
                let (pool, state, ledger) = (pool.clone(), state.clone(), ledger.clone());
                tasks.spawn(async move {
                    for number in 0_i32.. {
                        if state.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let id = i64::from(number) % ROWS + 1;
                        let (total, amount, is_paid) =
                            (number % 90, number * EACH + writer, number % 2 == 0);
                        let row = BillingInvoice {
                            id,
                            total: $total(total),
                            $amount: amount,
                            status: if is_paid { Status::$paid } else { Status::Open },
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
                            2 => assert!(repository.$set_amount(conn, id, amount).await.unwrap()),
                            _ => {}
                        }
                        let read = repository.get(conn, id).await.unwrap();
                        assert_eq!(read, Some(row));
                        ledger
                            .0
                            .lock()
                            .unwrap()
                            .insert(id, (total, amount, is_paid));
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
    |total: i32| total.to_string(),
    amount,
    set_amount,
    Paid
);
writers_of!(transition, Some, cents, set_cents, Settled);
writers_of!(last, Some, cents, set_cents, Settled);

/// The rows are what was committed last.
pub(crate) async fn compare(url: &str, ledger: &Ledger) {
    let pool = PgPool::connect(url).await.unwrap();
    let sql = "SELECT id, total, cents, status = 'settled' FROM billing.invoices";
    let rows = sqlx::query(sql).fetch_all(&pool).await.unwrap();
    let stored: BTreeMap<i64, (i32, i32, bool)> = rows
        .iter()
        .map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3))))
        .collect();
    assert_eq!(stored, *ledger.0.lock().unwrap());
}

/// The rows of the other table, with when each was written; they are made where there are none.
pub(crate) async fn others(url: &str) -> Vec<(i64, String, String)> {
    let pool = PgPool::connect(url).await.unwrap();
    let fill = "INSERT INTO invoices (id, total) SELECT n, 'no number ' || n FROM generate_series(1, $1) AS n
        ON CONFLICT DO NOTHING";
    sqlx::query(fill).bind(ROWS).execute(&pool).await.unwrap();
    let sql = "SELECT id, total, ctid::text FROM invoices ORDER BY id";
    let rows = sqlx::query(sql).fetch_all(&pool).await.unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}
