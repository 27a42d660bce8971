//! What was committed last, by key. It is kept under the lock of the row.

use std::collections::BTreeMap;
use std::sync::Mutex;

use sqlx::{Connection as _, PgConnection, Row as _};

use crate::writers::lock;

/// Rows that are written.
pub(crate) const ROWS: i64 = 6;

/// A customer, as all releases mean it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) years: i32,
    pub(crate) name: String,
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) amount: i32,
}

impl Row {
    /// The row of a number, none like that of another one.
    pub(crate) fn of(who: &str, number: i32) -> Self {
        Self {
            years: number,
            name: format!("{who} {number}"),
            first: format!("F{number}"),
            last: format!("{who}{number}"),
            amount: -number,
        }
    }

    pub(crate) fn whole(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

/// The rows.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<i64, Row>>);

impl Ledger {
    pub(crate) fn of(&self, id: i64) -> Option<Row> {
        self.0.lock().unwrap().get(&id).cloned()
    }

    pub(crate) fn is(&self, id: i64, row: Row) {
        self.0.lock().unwrap().insert(id, row);
    }

    /// New holds what was committed last.
    pub(crate) async fn is_stored(&self, url: &str) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let mut transaction = connection.begin().await.unwrap();
        self.is_new(&mut transaction).await;
    }

    /// So does old, though code has written new alone since `complete`.
    pub(crate) async fn is_on_both_sides(&self, url: &str) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let mut transaction = connection.begin().await.unwrap();
        self.is_new(&mut transaction).await;
        let differ: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM customers WHERE age IS DISTINCT FROM years::text OR name IS DISTINCT FROM full_name
                OR whole IS DISTINCT FROM first || ' ' || last OR amount_old IS DISTINCT FROM amount",
        )
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
        assert_eq!(differ, 0);
    }

    /// Compared under the locks of all rows, which the transaction keeps: somebody may be writing.
    async fn is_new(&self, conn: &mut PgConnection) {
        for id in 1..=ROWS {
            lock(conn, id).await;
        }
        let rows =
            sqlx::query("SELECT id, years, full_name, first, last, amount::integer FROM customers")
                .fetch_all(conn)
                .await
                .unwrap();
        let stored = rows.iter().map(|row| {
            (
                row.get("id"),
                Row {
                    years: row.get("years"),
                    name: row.get("full_name"),
                    first: row.get("first"),
                    last: row.get("last"),
                    amount: row.get("amount"),
                },
            )
        });
        let stored: BTreeMap<i64, Row> = stored.collect();
        assert_eq!(stored, *self.0.lock().unwrap());
    }
}
