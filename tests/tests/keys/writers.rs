//! Writers of each release. Each has accounts of its own, reads what it has just written, and keeps a ledger of what was
//! committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::{PgPool, Row as _};
use tokio::task::JoinSet;
use zdm_runtime::Zdm;

const EACH: i32 = 2;
/// How many accounts of its own a writer keeps.
const KEPT: usize = 3;
const PATIENCE: Duration = Duration::from_mins(2);

/// What was committed last: by account, its name, the amount of its entry and that entry's key.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<i64, (String, i32, i64)>>);

impl Ledger {
    fn committed(&self, id: i64, kept: (String, i32, i64), gone: Option<i64>) {
        let mut ledger = self.0.lock().unwrap();
        ledger.insert(id, kept);
        gone.inspect(|gone| drop(ledger.remove(gone)));
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

/// The writers of a release, whose keys are of this type.
macro_rules! writers_of {
    ($release:ident, $key:ty) => {
        pub(crate) async fn $release(url: &str, ledger: &Arc<Ledger>) -> Writers {
            use crate::$release::models::{Account, Duty, Entry};
            use crate::$release::zdm::CODE;
            use crate::$release::zdm::accounts::Accounts;
            use crate::$release::zdm::duties::Duties;
            use crate::$release::zdm::entries::Entries;

            let pool = PgPool::connect(url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let state = Arc::new(State::default());
            let mut tasks = JoinSet::new();
            for writer in 0..EACH {
                let accounts = Accounts::new(&zdm).unwrap();
                let entries = Entries::new(&zdm).unwrap();
                let duties = Duties::new(&zdm).unwrap();
                let (pool, state, ledger) = (pool.clone(), state.clone(), ledger.clone());
                tasks.spawn(async move {
                    let mut own: Vec<$key> = Vec::new();
                    for number in 0_i32.. {
                        if state.stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let mut transaction = pool.begin().await.unwrap();
                        let conn = &mut *transaction;
                        let mut account = Account {
                            id: 0,
                            name: format!("{writer} {number}"),
                            opened_by: None,
                        };
                        account.id = accounts.insert(conn, &account).await.unwrap();
                        let id = account.id;
                        let mut entry = Entry {
                            id: 0,
                            account_id: id,
                            amount: number,
                        };
                        entry.id = entries.insert(conn, &entry).await.unwrap();
                        let duty = Duty {
                            account_id: id,
                            clerk: writer,
                        };
                        duties.insert(conn, &duty).await.unwrap();
                        account.name.push_str(" named");
                        match number % 3 {
                            0 => assert!(accounts.update(conn, &account).await.unwrap()),
                            1 => accounts.upsert(conn, &account).await.unwrap(),
                            _ => {
                                let name = &account.name;
                                assert!(accounts.set_name(conn, id, name).await.unwrap());
                            }
                        }
                        entry.amount += 1;
                        entries.upsert(conn, &entry).await.unwrap();
                        duties.upsert(conn, &duty).await.unwrap();
                        let read = accounts.get(conn, id).await.unwrap();
                        assert_eq!(read, Some(account.clone()));
                        let read = accounts.get_many(conn, &[id]).await.unwrap();
                        assert_eq!(read, [account.clone()]);
                        let read = accounts.list(conn, Some(id - 1), 1).await.unwrap();
                        assert_eq!(read, [account.clone()]);
                        let read = entries.get(conn, entry.id).await.unwrap();
                        assert_eq!(read, Some(entry.clone()));
                        let read = duties.get(conn, id, writer).await.unwrap();
                        assert_eq!(read, Some(duty));
                        own.push(id);
                        let gone = (own.len() > KEPT).then(|| own.remove(0));
                        if let Some(gone) = gone {
                            assert!(accounts.delete(conn, gone).await.unwrap());
                        }
                        transaction.commit().await.unwrap();
                        let kept = (account.name, entry.amount, entry.id);
                        ledger.committed(id.into(), kept, gone.map(i64::from));
                        state.writes.fetch_add(1, Ordering::SeqCst);
                        // A step that waits for several tables finds them free now and then.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                });
            }
            let writers = Writers { zdm, tasks, state };
            writers.written().await;
            writers
        }
    };
}

writers_of!(old, i32);
writers_of!(transition, i64);
writers_of!(last, i64);

/// The rows are what was committed last.
pub(crate) async fn compare(url: &str, ledger: &Ledger) {
    let pool = PgPool::connect(url).await.unwrap();
    let rows = sqlx::query(
        "SELECT a.id, a.name, e.amount, e.id AS entry FROM accounts a LEFT JOIN entries e ON e.account_id = a.id
         WHERE (SELECT count(*) FROM duties d WHERE d.account_id = a.id) = 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let stored: BTreeMap<i64, (String, i32, i64)> = rows
        .iter()
        .map(|row| {
            let found = (row.get("name"), row.get("amount"), row.get("entry"));
            (row.get("id"), found)
        })
        .collect();
    assert_eq!(stored, ledger.0.lock().unwrap().clone());
    for table in ["accounts", "entries", "duties"] {
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
                .fetch_one(&pool)
                .await
                .unwrap();
        assert_eq!(usize::try_from(count).unwrap(), stored.len(), "{table}");
    }
}
