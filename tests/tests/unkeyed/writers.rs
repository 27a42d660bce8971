//! A writer of each release. It stores every row twice, for nothing tells rows apart, and finds its own by what it has stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tokio::task::JoinHandle;
use zdm_runtime::Zdm;

const PATIENCE: Duration = Duration::from_mins(1);
const ROWS: i32 = 1_500;

/// Rows by what tells them apart for the test, with how often they are there.
pub(crate) type Stored = BTreeMap<String, i64>;

/// Rows from before any release.
pub(crate) async fn seed(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql = format!(
        "INSERT INTO visits (page, seconds, agent, seen) SELECT 'page ' || n, 1, 'A', n FROM generate_series(1, {ROWS}) AS n"
    );
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
}

/// What [`seed`] has stored.
pub(crate) fn seeded() -> Stored {
    (1..=ROWS).map(|n| (format!("page {n}"), 1)).collect()
}

/// The rows of the table after contract.
pub(crate) async fn counted(url: &str) -> Stored {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql =
        "SELECT path, count(*) FROM visits WHERE agent_key = 'a' AND duration = 1 GROUP BY path";
    let rows: Vec<(String, i64)> = sqlx::query_as(sql)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    rows.into_iter().collect()
}

/// A writer at work.
pub(crate) struct Writers {
    zdm: Zdm,
    task: JoinHandle<Stored>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    writes: AtomicU64,
}

impl Writers {
    /// Waits until it has written some more, each way that it has.
    pub(crate) async fn written(&self) {
        let count = || self.state.writes.load(Ordering::SeqCst);
        let (from, began) = (count(), Instant::now());
        while count() < from + 10 {
            assert!(!self.task.is_finished(), "the writer has failed");
            assert!(began.elapsed() < PATIENCE, "the writer stands still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What it has stored in the end.
    pub(crate) async fn end(self) -> Stored {
        self.state.stop.store(true, Ordering::SeqCst);
        let stored = self.task.await.unwrap();
        self.zdm.close().await.unwrap();
        stored
    }
}

/// The writer of a release: what a visit is, and how a query of one's own writes and names its path.
macro_rules! writer_of {
    ($release:ident, $visit:expr, $set:expr, $value:expr) => {
        impl Writers {
            pub(crate) async fn $release(url: &str) -> Self {
                use crate::$release::zdm::CODE;
                use crate::$release::zdm::visits::{Visits, fragments};

                let pool = PgPool::connect(url).await.unwrap();
                let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
                zdm.ready().unwrap();
                let visits = Visits::new(&zdm).unwrap();
                let state = Arc::new(State::default());
                let (own, url) = (state.clone(), url.to_owned());
                let task = tokio::spawn(async move {
                    let mut connection = PgConnection::connect(&url).await.unwrap();
                    let conn = &mut connection;
                    let mut stored = Stored::new();
                    for number in 0.. {
                        if own.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let path = format!("{} {number}", stringify!($release));
                        for _ in 0..2 {
                            visits.insert(conn, &$visit(&path)).await.unwrap();
                        }
                        stored.insert(path.clone(), 2);
                        let first = stored.keys().next().cloned().unwrap();
                        // Each changes its own rows, and, of all, a column that is no side of any.
                        loop {
                            let flags = visits.flags().current();
                            let (set, value): (String, &str) = ($set(flags, "$2"), $value(flags));
                            let (table, guard) = (fragments::TABLE, fragments::guard("$3"));
                            let sql = match number % 3 {
                                0 => format!("UPDATE {table} SET {set} WHERE {value} = $1 AND {guard}"),
                                1 => format!("DELETE FROM {table} WHERE {value} = $1 AND $2 <> '' AND {guard}"),
                                _ => format!(
                                    "UPDATE {table} SET seen = seen + 50 WHERE ctid =
                                         (SELECT ctid FROM {table} WHERE seen % 50 = {} AND $1 <> $2 LIMIT 1) AND {guard}",
                                    number % 50
                                ),
                            };
                            let renamed = format!("{first}, renamed");
                            let done = sqlx::query(AssertSqlSafe(sql))
                                .bind(&first)
                                .bind(&renamed)
                                .bind(flags.epoch())
                                .execute(&mut *conn)
                                .await
                                .unwrap();
                            if done.rows_affected() == 0 {
                                visits.flags().refresh(&mut *conn).await.unwrap();
                                continue;
                            }
                            if number % 3 < 2 {
                                assert_eq!(done.rows_affected(), 2, "{first}");
                                stored.remove(&first);
                            }
                            if number % 3 == 0 {
                                stored.insert(renamed, 2);
                            }
                            break;
                        }
                        let last = stored.keys().next_back().cloned();
                        let found = loop {
                            let flags = visits.flags().current();
                            let sql = format!(
                                "SELECT {} FROM {} WHERE {} = $1",
                                fragments::SELECT_LIST,
                                fragments::TABLE,
                                $value(flags)
                            );
                            let rows = sqlx::query(AssertSqlSafe(sql))
                                .bind(&last)
                                .fetch_all(&mut *conn)
                                .await
                                .unwrap();
                            if let Some(found) = visits.read_all(conn, &rows, flags).await.unwrap() {
                                break found;
                            }
                            visits.flags().refresh(&mut *conn).await.unwrap();
                        };
                        let expected: Vec<_> = last.iter().flat_map(|path| [$visit(path), $visit(path)]).collect();
                        let found: Vec<_> = found.into_iter().map(|visit| crate::$release::models::Visit { seen: 0, ..visit }).collect();
                        assert_eq!(found, expected);
                        own.writes.fetch_add(1, Ordering::SeqCst);
                    }
                    stored
                });
                let writers = Self { zdm, task, state };
                writers.written().await;
                writers
            }
        }
    };
}

writer_of!(
    old,
    |path: &str| crate::old::models::Visit {
        page: path.to_owned(),
        seconds: 1,
        agent: "A".to_owned(),
        seen: 0,
    },
    |_, value: &str| format!("page = {value}"),
    |_| "page"
);
writer_of!(
    transition,
    |path: &str| crate::transition::models::Visit {
        path: path.to_owned(),
        seconds: 1,
        agent: "A".to_owned(),
        seen: 0,
        agent_key: "a".to_owned(),
    },
    fragments::set_path,
    fragments::path
);
writer_of!(
    last,
    |path: &str| crate::last::models::Visit {
        path: path.to_owned(),
        seconds: 1,
        agent: "A".to_owned(),
        seen: 0,
        agent_key: "a".to_owned(),
    },
    |_, value: &str| format!("path = {value}"),
    |_| "path"
);
