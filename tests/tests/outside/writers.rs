//! Writers of each release. Under a row's lock a read gives what was committed last, whoever has written it, and what was just
//! written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::task::JoinSet;
use zdm_runtime::Zdm;

use crate::ledger::{Ledger, ROWS, Row};

const PATIENCE: Duration = Duration::from_mins(1);

/// Writers of one kind.
pub(crate) struct Writers {
    zdm: Option<Zdm>,
    tasks: JoinSet<()>,
    state: Arc<State>,
}

/// Whether they go on, and how many transactions they have committed.
#[derive(Default)]
pub(crate) struct State {
    stop: AtomicBool,
    writes: AtomicU64,
}

impl State {
    pub(crate) fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }

    pub(crate) fn count(&self) {
        self.writes.fetch_add(1, Ordering::SeqCst);
    }
}

impl Writers {
    pub(crate) fn new(zdm: Option<Zdm>, tasks: JoinSet<()>, state: Arc<State>) -> Self {
        Self { zdm, tasks, state }
    }

    /// Waits until they have written some more, each way that they have.
    pub(crate) async fn written(&self) {
        let count = || self.state.writes.load(Ordering::SeqCst);
        let (from, began) = (count(), Instant::now());
        while count() < from + 24 {
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
        if let Some(zdm) = self.zdm {
            zdm.close().await.unwrap();
        }
    }
}

/// The transaction's own until it ends, whether the row is there or not.
pub(crate) async fn lock(conn: &mut PgConnection, id: i64) {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(id)
        .execute(conn)
        .await
        .unwrap();
}

/// The writers of a release: how a row is one of its customers, what a visit is, and what else it writes.
macro_rules! writers_of {
    ($release:ident, $customer:expr, $visit:expr, $set:expr) => {
        pub(crate) async fn $release(url: &str, ledger: &Arc<Ledger>) -> Writers {
            use crate::$release::zdm::{CODE, customers::Customers, visits::Visits};

            let pool = PgPool::connect(url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let state = Arc::new(State::default());
            let (customers, visits) = (Customers::new(&zdm).unwrap(), Visits::new(&zdm).unwrap());
            let mut tasks = JoinSet::new();
            let (url, ledger, own) = (url.to_owned(), ledger.clone(), state.clone());
            tasks.spawn(async move {
                let mut connection = PgConnection::connect(&url).await.unwrap();
                for number in 0.. {
                    if !own.goes_on() {
                        break;
                    }
                    let id = i64::from(number) % ROWS + 1;
                    let mut row = Row::of(stringify!($release), number);
                    let mut transaction = connection.begin().await.unwrap();
                    let conn = &mut *transaction;
                    lock(conn, id).await;
                    let found = customers.get(conn, id).await.unwrap();
                    assert_eq!(found, ledger.of(id).map(|row| $customer(id, &row)));
                    match number % 4 {
                        0 => {
                            customers.delete(conn, id).await.unwrap();
                            customers.insert(conn, &$customer(id, &row)).await.unwrap();
                        }
                        1 if found.is_some() => {
                            row = ledger.of(id).unwrap();
                            $set(&customers, conn, id, &mut row, number).await;
                        }
                        2 if found.is_some() => {
                            assert!(customers.update(conn, &$customer(id, &row)).await.unwrap());
                        }
                        _ => customers.upsert(conn, &$customer(id, &row)).await.unwrap(),
                    }
                    let stored = customers.get(conn, id).await.unwrap();
                    assert_eq!(stored, Some($customer(id, &row)));
                    visits.upsert(conn, &$visit(id, &row)).await.unwrap();
                    ledger.is(id, row);
                    transaction.commit().await.unwrap();
                    own.count();
                }
            });
            let writers = Writers::new(Some(zdm), tasks, state);
            writers.written().await;
            writers
        }
    };
}

writers_of!(
    old,
    |id, row: &Row| crate::old::models::Customer {
        id,
        age: row.years.to_string(),
        name: row.name.clone(),
        whole: row.whole(),
        amount: row.amount,
    },
    |id, row: &Row| crate::old::models::Visit {
        id,
        place: row.name.clone(),
    },
    async |customers: &Customers, conn: &mut PgConnection, id: i64, row: &mut Row, number: i32| {
        row.years = number;
        let age = number.to_string();
        assert!(customers.set_age(conn, id, &age).await.unwrap());
    }
);
writers_of!(
    transition,
    |id, row: &Row| crate::transition::models::Customer {
        id,
        years: row.years,
        full_name: row.name.clone(),
        first: row.first.clone(),
        last: row.last.clone(),
        amount: row.amount.into(),
    },
    |id, row: &Row| crate::transition::models::Visit {
        id,
        town: row.name.clone(),
    },
    async |customers: &Customers, conn: &mut PgConnection, id: i64, row: &mut Row, number: i32| {
        row.first = format!("S{number}");
        assert!(customers.set_first(conn, id, &row.first).await.unwrap());
    }
);
writers_of!(
    last,
    |id, row: &Row| crate::last::models::Customer {
        id,
        years: row.years,
        full_name: row.name.clone(),
        first: row.first.clone(),
        last: row.last.clone(),
        amount: row.amount.into(),
    },
    |id, row: &Row| crate::last::models::Visit {
        id,
        town: row.name.clone(),
    },
    async |customers: &Customers, conn: &mut PgConnection, id: i64, row: &mut Row, number: i32| {
        row.last = format!("S{number}");
        assert!(customers.set_last(conn, id, &row.last).await.unwrap());
    }
);
