//! Writers of each release. Each has accounts of its own, reads what it has just written, and keeps a ledger of what was
//! committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::{PgPool, Row as _};
use tokio::task::JoinSet;
use zdm_runtime::{Code, Zdm};

const EACH: i32 = 2;
/// How many accounts of its own a writer keeps.
const KEPT: usize = 3;
const PATIENCE: Duration = Duration::from_mins(2);

/// Of an account: its name, the amount of its entry and that entry's key, the note of its tag.
type Kept = (String, i32, i64, Option<String>);

/// What was committed last, by account.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<i64, Kept>>);

impl Ledger {
    fn committed(&self, id: i64, kept: Kept, gone: Option<i64>) {
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

impl State {
    /// A step that waits for several tables finds them free now and then.
    async fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn connected(url: &str, code: &'static Code) -> (PgPool, Zdm) {
    let pool = PgPool::connect(url).await.unwrap();
    let zdm = Zdm::connect(pool.clone(), code).await.unwrap();
    zdm.ready().unwrap();
    (pool, zdm)
}

impl Writers {
    /// Once all have written.
    async fn at_work(self) -> Self {
        self.written().await;
        self
    }

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

/// The writers of a release, with its names for the keys of accounts, entries, duties (two) and tags, and for the account of an
/// entry.
macro_rules! writers_of {
    ($release:ident, $account:ident, $entry:ident, ($holder:ident, $clerk:ident), $word:ident, $of:ident) => {
        pub(crate) async fn $release(url: &str, ledger: &Arc<Ledger>) -> Writers {
            use crate::$release::models::{Account, Duty, Entry, Tag};
            use crate::$release::zdm::CODE;
            use crate::$release::zdm::accounts::Accounts;
            use crate::$release::zdm::duties::Duties;
            use crate::$release::zdm::entries::Entries;
            use crate::$release::zdm::tags::Tags;

            let (pool, zdm) = connected(url, &CODE).await;
            let state = Arc::new(State::default());
            let mut tasks = JoinSet::new();
            for writer in 0..EACH {
                let accounts = Accounts::new(&zdm).unwrap();
                let entries = Entries::new(&zdm).unwrap();
                let duties = Duties::new(&zdm).unwrap();
                let tags = Tags::new(&zdm).unwrap();
                let (pool, state, ledger) = (pool.clone(), state.clone(), ledger.clone());
                tasks.spawn(async move {
                    let mut own: Vec<(i64, i64)> = Vec::new();
                    for number in (0_i32..).take_while(|_| !state.stop.load(Ordering::SeqCst)) {
                        let mut transaction = pool.begin().await.unwrap();
                        let conn = &mut *transaction;
                        let mut account = Account {
                            $account: 0,
                            name: format!("{writer} {number}"),
                            opened_by: own.last().map(|(id, _)| *id),
                        };
                        account.$account = accounts.insert(conn, &account).await.unwrap();
                        let id = account.$account;
                        let mut entry = Entry {
                            $entry: 0,
                            $of: id,
                            amount: number,
                        };
                        entry.$entry = entries.insert(conn, &entry).await.unwrap();
                        let mut duty = Duty {
                            $holder: id,
                            $clerk: writer,
                            both: None,
                        };
                        duties.insert(conn, &duty).await.unwrap();
                        let mut tag = Tag {
                            $word: "new".to_owned(),
                            account_id: id,
                            note: None,
                        };
                        tags.insert(conn, &tag).await.unwrap();
                        account.name.push_str(" named");
                        entry.amount += 1;
                        tag.note = Some(format!("{number}"));
                        match number % 3 {
                            0 => {
                                assert!(accounts.update(conn, &account).await.unwrap());
                                assert!(entries.update(conn, &entry).await.unwrap());
                                assert!(tags.update(conn, &tag).await.unwrap());
                            }
                            1 => {
                                accounts.upsert(conn, &account).await.unwrap();
                                entries.upsert(conn, &entry).await.unwrap();
                                tags.upsert(conn, &tag).await.unwrap();
                            }
                            _ => {
                                let (name, amount) = (&account.name, entry.amount);
                                let note = tag.note.as_deref();
                                assert!(accounts.set_name(conn, id, name).await.unwrap());
                                let entry = entry.$entry;
                                assert!(entries.set_amount(conn, entry, amount).await.unwrap());
                                assert!(tags.set_note(conn, &tag.$word, id, note).await.unwrap());
                            }
                        }
                        duties.upsert(conn, &duty).await.unwrap();
                        duty.both = Some(id + i64::from(writer));
                        let read = accounts.get(conn, id).await.unwrap();
                        assert_eq!(read, Some(account.clone()));
                        let read = accounts.get_many(conn, &[id]).await.unwrap();
                        assert_eq!(read, [account.clone()]);
                        let read = accounts.list(conn, Some(id - 1), 1).await.unwrap();
                        assert_eq!(read, [account.clone()]);
                        let read = entries.get(conn, entry.$entry).await.unwrap();
                        assert_eq!(read, Some(entry.clone()));
                        let read = duties.get(conn, id, writer).await.unwrap();
                        assert_eq!(read, Some(duty));
                        let read = tags.get(conn, &tag.$word, id).await.unwrap();
                        assert_eq!(read, Some(tag.clone()));
                        own.push((id, entry.$entry));
                        let gone = (own.len() > KEPT).then(|| own.remove(0));
                        if let Some((gone, entry)) = gone {
                            assert!(entries.delete(conn, entry).await.unwrap());
                            assert!(accounts.delete(conn, gone).await.unwrap());
                        }
                        transaction.commit().await.unwrap();
                        let kept = (account.name, entry.amount, entry.$entry, tag.note);
                        ledger.committed(id, kept, gone.map(|(gone, _)| gone));
                        state.wrote().await;
                    }
                });
            }
            Writers { zdm, tasks, state }.at_work().await
        }
    };
}

writers_of!(old, id, id, (account_id, clerk), label, account_id);
writers_of!(
    transition,
    account_id,
    entry,
    (holder_id, clerk_id),
    word,
    account_id
);
writers_of!(
    last,
    account_id,
    entry,
    (holder_id, clerk_id),
    word,
    account_id
);
writers_of!(beside, number, entry, (holder_id, clerk_id), word, holder);
writers_of!(end, number, entry, (holder_id, clerk_id), word, holder);

/// The rows are what was committed last.
pub(crate) async fn compare(url: &str, ledger: &Ledger) {
    let pool = PgPool::connect(url).await.unwrap();
    let rows = sqlx::query(
        "SELECT a.number, a.name, e.amount, e.entry, t.note FROM accounts a
         JOIN entries e ON e.holder = a.number JOIN tags t ON t.account_id = a.number AND t.word = 'new'
         WHERE (SELECT count(*) FROM duties d WHERE d.holder_id = a.number) = 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let stored: BTreeMap<i64, Kept> = rows
        .iter()
        .map(|row| {
            let found = (
                row.get("name"),
                row.get("amount"),
                row.get("entry"),
                row.get("note"),
            );
            (row.get("number"), found)
        })
        .collect();
    assert_eq!(stored, ledger.0.lock().unwrap().clone());
    for table in ["accounts", "entries", "duties", "tags"] {
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
                .fetch_one(&pool)
                .await
                .unwrap();
        assert_eq!(usize::try_from(count).unwrap(), stored.len(), "{table}");
    }
}
