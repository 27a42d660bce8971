//! Writers of each release, with accounts of their own and a ledger of what was committed; and one that tries what no foreign key may
//! let through.

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

/// What was committed last: by address, the account's number, its name and the amount of its entry.
#[derive(Default)]
pub(crate) struct Ledger {
    accounts: Mutex<BTreeMap<String, (i64, String, i32)>>,
    /// An account that nobody has.
    none: AtomicU64,
}

impl Ledger {
    fn committed(&self, email: String, kept: (i64, String, i32), gone: Option<&str>) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts.insert(email, kept);
        gone.inspect(|gone| drop(accounts.remove(*gone)));
    }
}

pub(crate) struct Writers {
    zdm: Option<Zdm>,
    tasks: JoinSet<()>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    writes: AtomicU64,
}

impl State {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }

    /// A step that waits for several tables finds them free now and then.
    async fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
        if let Some(zdm) = self.zdm {
            zdm.close().await.unwrap();
        }
    }
}

/// The writers of a release: how its code stores an account and gives its number, what the account's key is, and the key of a
/// permission.
macro_rules! writers_of {
    ($release:ident, $insert:expr, $key:expr, $permission:expr) => {
        pub(crate) async fn $release(url: &str, ledger: &Arc<Ledger>) -> Writers {
            use crate::$release::models::{Account, Entry, Permission, Use};
            use crate::$release::zdm::CODE;
            use crate::$release::zdm::accounts::Accounts;
            use crate::$release::zdm::entries::Entries;
            use crate::$release::zdm::permissions::Permissions;
            use crate::$release::zdm::uses::Uses;

            let pool = PgPool::connect(url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let state = Arc::new(State::default());
            let mut tasks = JoinSet::new();
            for writer in 0..EACH {
                let accounts = Accounts::new(&zdm).unwrap();
                let entries = Entries::new(&zdm).unwrap();
                let permissions = Permissions::new(&zdm).unwrap();
                let uses = Uses::new(&zdm).unwrap();
                let (pool, state, ledger) = (pool.clone(), state.clone(), ledger.clone());
                tasks.spawn(async move {
                    let mut own: Vec<Account> = Vec::new();
                    for number in 0_i32.. {
                        if !state.goes_on() {
                            break;
                        }
                        let mut transaction = pool.begin().await.unwrap();
                        let conn = &mut *transaction;
                        let mut account = Account {
                            id: 0,
                            email: format!(concat!(stringify!($release), "{}@{}"), number, writer),
                            name: format!("{writer} {number}"),
                            invited_by: own.last().map(|account| account.id),
                        };
                        account.id = $insert(&accounts, conn, &account).await;
                        let mut entry = Entry {
                            id: 0,
                            account_id: account.id,
                            amount: number,
                        };
                        entry.id = entries.insert(conn, &entry).await.unwrap();
                        let (role, day) = (writer, number);
                        let mut permission = Permission {
                            id: 0,
                            account_id: account.id,
                            role,
                        };
                        permissions.insert(conn, &permission).await.unwrap();
                        let sql = "SELECT id FROM permissions WHERE account_id = $1 AND role = $2";
                        let found = sqlx::query_scalar(sql).bind(account.id).bind(role);
                        permission.id = found.fetch_one(&mut *conn).await.unwrap();
                        let used = Use {
                            account_id: account.id,
                            role,
                            day,
                        };
                        uses.insert(conn, &used).await.unwrap();
                        account.name.push_str(" named");
                        match number % 3 {
                            0 => assert!(accounts.update(conn, &account).await.unwrap()),
                            1 => accounts.upsert(conn, &account).await.unwrap(),
                            _ => {
                                let (key, name) = ($key(&account), &account.name);
                                assert!(accounts.set_name(conn, key, name).await.unwrap());
                            }
                        }
                        entry.amount += 1;
                        entries.upsert(conn, &entry).await.unwrap();
                        permissions.upsert(conn, &permission).await.unwrap();
                        uses.upsert(conn, &used).await.unwrap();
                        let read = accounts.get(conn, $key(&account)).await.unwrap();
                        assert_eq!(read, Some(account.clone()));
                        let read = $permission(&permissions, conn, &permission).await;
                        assert_eq!(read, Some(permission));
                        own.push(account.clone());
                        let gone = (own.len() > KEPT).then(|| own.remove(0));
                        if let Some(gone) = &gone {
                            assert!(accounts.delete(conn, $key(gone)).await.unwrap());
                        }
                        transaction.commit().await.unwrap();
                        let gone = gone.as_ref().map(|gone| gone.email.as_str());
                        let kept = (account.id, account.name, entry.amount);
                        ledger.committed(account.email, kept, gone);
                        state.wrote().await;
                    }
                });
            }
            let zdm = Some(zdm);
            let writers = Writers { zdm, tasks, state };
            writers.written().await;
            writers
        }
    };
}

fn number(account: &crate::old::models::Account) -> i64 {
    account.id
}

fn address(account: &crate::last::models::Account) -> &str {
    &account.email
}

writers_of!(
    old,
    async |accounts: &Accounts, conn: &mut sqlx::PgConnection, account: &Account| accounts
        .insert(conn, account)
        .await
        .unwrap(),
    number,
    async |permissions: &Permissions, conn: &mut sqlx::PgConnection, found: &Permission| {
        let (account, role) = (found.account_id, found.role);
        permissions.get(conn, account, role).await.unwrap()
    }
);

writers_of!(
    last,
    async |accounts: &Accounts, conn: &mut sqlx::PgConnection, account: &Account| {
        accounts.insert(conn, account).await.unwrap();
        let stored = accounts.get(conn, &account.email).await.unwrap();
        stored.unwrap().id
    },
    address,
    async |permissions: &Permissions, conn: &mut sqlx::PgConnection, found: &Permission| {
        permissions.get(conn, found.id).await.unwrap()
    }
);

/// What refers to no row is refused at every moment; and so is a second account of one number.
pub(crate) async fn stray(url: &str, ledger: &Arc<Ledger>) -> Writers {
    let pool = PgPool::connect(url).await.unwrap();
    let once = "INSERT INTO accounts (id, email, name) VALUES (1000000000, 'once', '')";
    sqlx::query(once).execute(&pool).await.unwrap();
    let state = Arc::new(State::default());
    let mut tasks = JoinSet::new();
    for (sql, code) in [
        (
            "INSERT INTO entries (account_id, amount) VALUES ($1, 0)",
            "23503",
        ),
        (
            "INSERT INTO permissions (account_id, role) VALUES ($1, 7)",
            "23503",
        ),
        (
            "INSERT INTO uses (account_id, role, day) VALUES ($1, 7, 7)",
            "23503",
        ),
        (
            "INSERT INTO accounts (email, name, invited_by) VALUES ('stray', '', $1)",
            "23503",
        ),
        (
            "INSERT INTO accounts (id, email, name) VALUES (1000000000, 'twice', $1::text)",
            "23505",
        ),
    ] {
        let (pool, state, ledger) = (pool.clone(), state.clone(), ledger.clone());
        tasks.spawn(async move {
            while state.goes_on() {
                let none = ledger.none.fetch_add(1, Ordering::SeqCst);
                let none = -1 - i64::try_from(none).unwrap();
                let refused = sqlx::query(sql).bind(none).execute(&pool).await;
                let refused = refused.unwrap_err();
                let found = refused.as_database_error().unwrap().code();
                assert_eq!(found.as_deref(), Some(code), "{sql}: {refused}");
                state.wrote().await;
            }
        });
    }
    let writers = Writers {
        zdm: None,
        tasks,
        state,
    };
    writers.written().await;
    writers
}

/// The rows are what was committed last, each with one of everything that refers to it.
pub(crate) async fn compare(url: &str, ledger: &Ledger) {
    let pool = PgPool::connect(url).await.unwrap();
    let once = "DELETE FROM accounts WHERE id = 1000000000 AND email = 'once'";
    let gone = sqlx::query(once).execute(&pool).await.unwrap();
    assert_eq!(gone.rows_affected(), 1);
    let rows = sqlx::query(
        "SELECT a.id, a.email, a.name, e.amount FROM accounts a JOIN entries e ON e.account_id = a.id
         JOIN permissions p ON p.account_id = a.id JOIN uses u ON u.account_id = p.account_id AND u.role = p.role",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let stored: BTreeMap<String, (i64, String, i32)> = rows
        .iter()
        .map(|row| {
            let found = (row.get("id"), row.get("name"), row.get("amount"));
            (row.get("email"), found)
        })
        .collect();
    assert_eq!(stored, ledger.accounts.lock().unwrap().clone());
    for table in ["accounts", "entries", "permissions", "uses"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), stored.len(), "{table}");
    }
}
