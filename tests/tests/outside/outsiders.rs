//! Who writes beside the application: a role that has no right on what is the tool's own, in every way in which rows are written,
//! and what replication applies.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::ledger::{Ledger, ROWS, Row};
use crate::writers::{State, Writers, lock};

/// The side of a row that they know.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Knows {
    Old,
    New,
}

/// The role is there, with rights on the table and nothing else.
pub(crate) async fn invited(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    // Up to PostgreSQL 14 everybody may create functions in `public`.
    let role =
        "CREATE ROLE outsider; GRANT SELECT, INSERT, UPDATE, DELETE ON customers TO outsider;
                REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    sqlx::raw_sql(role).execute(&mut connection).await.unwrap();
}

/// One who knows a side.
pub(crate) async fn who(knows: Knows, url: &str, ledger: &Arc<Ledger>) -> Writers {
    let state = Arc::new(State::default());
    let mut tasks = JoinSet::new();
    let (url, ledger, own) = (url.to_owned(), ledger.clone(), state.clone());
    tasks.spawn(async move {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        for number in 0.. {
            if !own.goes_on() {
                break;
            }
            let id = i64::from(number) % ROWS + 1;
            let mut transaction = connection.begin().await.unwrap();
            let conn = &mut *transaction;
            lock(conn, id).await;
            if let Some(before) = ledger.of(id) {
                let written = match knows {
                    Knows::Old => old(conn, id, before, number).await,
                    Knows::New => new(conn, id, before, number).await,
                };
                ledger.is(id, written);
            }
            transaction.commit().await.unwrap();
            own.count();
        }
    });
    let writers = Writers::new(None, tasks, state);
    writers.written().await;
    writers
}

async fn run(conn: &mut PgConnection, sql: String) {
    let sql = format!("SET LOCAL ROLE outsider; {sql}");
    let told = sql.clone();
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await;
    done.unwrap_or_else(|error| panic!("{told}: {error}"));
}

/// Writes old alone.
async fn old(conn: &mut PgConnection, id: i64, before: Row, number: i32) -> Row {
    let row = Row::of("old", number);
    let values = format!(
        "{id}, '{}', '{}', '{}', {}",
        row.years,
        row.name,
        row.whole(),
        row.amount
    );
    let names = "id, age, name, whole, amount";
    match number % 7 {
        0 => {
            let set = format!(
                "age = '{}', name = '{}', whole = '{}', amount = {}",
                row.years,
                row.name,
                row.whole(),
                row.amount
            );
            run(conn, format!("UPDATE customers SET {set} WHERE id = {id}")).await;
        }
        1 => {
            let set = format!("age = '{}'", row.years);
            run(conn, format!("UPDATE customers SET {set} WHERE id = {id}")).await;
            return Row {
                years: row.years,
                ..before
            };
        }
        2 => {
            let set = format!("whole = '{}', amount = {}", row.whole(), row.amount);
            run(conn, format!("UPDATE customers SET {set} WHERE id = {id}")).await;
            return Row {
                years: before.years,
                name: before.name,
                ..row
            };
        }
        3 => {
            let insert = format!("INSERT INTO customers ({names}) VALUES ({values})");
            run(
                conn,
                format!("DELETE FROM customers WHERE id = {id}; {insert}"),
            )
            .await;
        }
        4 => {
            let upsert = format!(
                "INSERT INTO customers ({names}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET age = excluded.age,
                    name = excluded.name, whole = excluded.whole, amount = excluded.amount"
            );
            run(conn, upsert).await;
        }
        5 => {
            run(conn, format!("DELETE FROM customers WHERE id = {id}")).await;
            let copy = format!("COPY customers ({names}) FROM STDIN WITH (FORMAT csv, QUOTE '''')");
            let mut copying = conn.copy_in_raw(&copy).await.unwrap();
            let line = values.replace(", ", ",") + "\n";
            copying.send(line.as_bytes()).await.unwrap();
            assert_eq!(copying.finish().await.unwrap(), 1);
        }
        _ => {
            // As a worker of logical replication does.
            let sql = format!(
                "SET LOCAL session_replication_role = replica; UPDATE customers SET name = '{}' WHERE id = {id}",
                row.name
            );
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(conn)
                .await
                .unwrap();
            return Row {
                name: row.name,
                ..before
            };
        }
    }
    row
}

/// Writes new alone. What takes over the old name is not named by who knows it by its last one.
async fn new(conn: &mut PgConnection, id: i64, before: Row, number: i32) -> Row {
    let row = Row::of("new", number);
    let names = "id, years, full_name, first, last, amount";
    let values = format!(
        "{id}, {}, '{}', '{}', '{}', {}",
        row.years, row.name, row.first, row.last, row.amount
    );
    match number % 4 {
        0 => {
            let set = format!("years = {}, full_name = '{}'", row.years, row.name);
            run(conn, format!("UPDATE customers SET {set} WHERE id = {id}")).await;
            Row {
                years: row.years,
                name: row.name,
                ..before
            }
        }
        1 => {
            let set = format!("first = '{}'", row.first);
            run(conn, format!("UPDATE customers SET {set} WHERE id = {id}")).await;
            Row {
                first: row.first,
                ..before
            }
        }
        2 => {
            let insert = format!("INSERT INTO customers ({names}) VALUES ({values})");
            run(
                conn,
                format!("DELETE FROM customers WHERE id = {id}; {insert}"),
            )
            .await;
            row
        }
        _ => {
            let upsert = format!(
                "INSERT INTO customers ({names}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET years = excluded.years,
                    full_name = excluded.full_name, first = excluded.first, last = excluded.last, amount = excluded.amount"
            );
            run(conn, upsert).await;
            row
        }
    }
}
