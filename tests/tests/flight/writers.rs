//! Writers of each release. Each takes a row's lock, reads what was committed to it last, writes it, reads what it has written,
//! and notes it in a ledger under that lock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use zdm_runtime::Zdm;

const ROWS: i64 = 5;
const EACH: i32 = 2;
const PATIENCE: Duration = Duration::from_mins(1);

/// What every release stores of a row, each in its own columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    name: String,
    city: String,
    origin: String,
    target: String,
    age: i32,
}

impl Kept {
    /// Of the releases that have one column for both of its ends.
    fn route(&self) -> String {
        format!("{}-{}", self.origin, self.target)
    }
}

/// What was committed last.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<i64, Kept>>);

impl Ledger {
    pub(crate) fn committed(&self) -> BTreeMap<i64, Kept> {
        self.0.lock().unwrap().clone()
    }
}

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
        while self.state.writes.load(Ordering::SeqCst) < from + 20 {
            assert!(began.elapsed() < PATIENCE, "the writers stand still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends them; none may have failed, and none may have met a row whose sides differ.
    pub(crate) async fn end(mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        let mismatches = self.zdm.mismatches();
        assert!(
            mismatches.iter().all(|(_, rows)| *rows == 0),
            "{mismatches:?}"
        );
        self.zdm.close().await.unwrap();
    }
}

/// The writers of a release, whose struct holds a row like this, and whose columns are written one after the other like that.
macro_rules! writers_of {
    (
        $dialect:ident::$release:ident,
        $row:expr,
        |$members:ident, $conn:ident, $written:ident| $set:block
    ) => {
        pub(crate) async fn $release(url: &str, ledger: &Arc<Ledger>) -> Writers {
            use crate::$dialect::$release::models::Member;
            use crate::$dialect::$release::zdm::CODE;
            use crate::$dialect::$release::zdm::members::Members;

            let pool = pool(url).await;
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let state = Arc::new(State::default());
            let mut tasks = JoinSet::new();
            for writer in 0..EACH {
                let members = Members::new(&zdm).unwrap();
                let (pool, state, ledger) = (pool.clone(), state.clone(), ledger.clone());
                let row: fn(i64, &Kept) -> Member = $row;
                tasks.spawn(async move {
                    for number in 0_i32.. {
                        if state.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let id = i64::from(number) % ROWS + 1;
                        let mut transaction = begin(&pool, id).await;
                        let conn = &mut *transaction;
                        let before = ledger.committed().get(&id).map(|kept| row(id, kept));
                        assert_eq!(members.get(conn, id).await.unwrap(), before);
                        let kept = Kept {
                            name: format!("{} {writer} {number}", stringify!($release)),
                            city: format!("{number} {writer}"),
                            origin: number.to_string(),
                            target: format!("{writer} of {}", stringify!($release)),
                            age: number % 90,
                        };
                        let written = row(id, &kept);
                        match (before, number % 4) {
                            (Some(_), 0) => {
                                assert!(members.update(conn, &written).await.unwrap());
                            }
                            (Some(_), 1) => {
                                assert!(members.delete(conn, id).await.unwrap());
                                members.insert(conn, &written).await.unwrap();
                            }
                            (Some(_), 2) => {
                                let ($members, $conn, $written) = (&members, &mut *conn, &written);
                                $set
                            }
                            _ => members.upsert(conn, &written).await.unwrap(),
                        }
                        assert_eq!(members.get(conn, id).await.unwrap(), Some(written));
                        ledger.0.lock().unwrap().insert(id, kept);
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

pub(crate) mod postgres;
pub(crate) mod sqlite;
