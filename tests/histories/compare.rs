//! The rows that survive a step, value by value: a copy from before against what there is now.

use std::fmt::Write as _;

use cargo_zdm::dialect::Dialect;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use zdm_model::{LogicalType, Schema, Table};

use super::declare::Declared;
use super::rows::ident;

/// Where the copies are.
const COPIES: &str = "zdm_history_before";

/// Copies every table.
pub(crate) async fn keep(connection: &mut PgConnection, schema: &Schema) {
    let mut sql = format!("DROP SCHEMA IF EXISTS {COPIES} CASCADE; CREATE SCHEMA {COPIES};");
    for table in &schema.tables {
        let name = ident(&table.name);
        let columns = table.columns.iter().map(|column| {
            let name = ident(&column.name);
            // Nothing else may hold an enum that goes.
            if column.logical_type == LogicalType::Enum {
                return format!("{name}::text AS {name}");
            }
            name
        });
        let columns: Vec<String> = columns.collect();
        let columns = columns.join(", ");
        let _ = write!(
            sql,
            "CREATE TABLE {COPIES}.{name} AS SELECT {columns} FROM {name};"
        );
    }
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

/// Copies rows that were added meanwhile: they are there as if they had always been.
pub(crate) async fn keep_too(connection: &mut PgConnection, table: &str, of_added: &str) {
    let names = "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = to_regclass(format('%I.%I', $1, $2)) AND attnum > 0";
    let names: Option<String> = sqlx::query_scalar(names)
        .bind(COPIES)
        .bind(table)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let Some(names) = names else {
        return;
    };
    let table = ident(table);
    let sql = format!(
        "INSERT INTO {COPIES}.{table} ({names}) SELECT {names} FROM {table} WHERE {of_added}"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

/// A line per column of a table that holds other values now than the step says.
pub(crate) async fn differences(
    connection: &mut PgConnection,
    before: &Schema,
    after: &Schema,
    declared: &Declared,
) -> Vec<String> {
    let mut found = Vec::new();
    for table in &after.tables {
        let old = declared.old_table(&table.name);
        if let Some(old) = before.table(old) {
            found.extend(of_table(connection, old, table, declared).await);
        }
    }
    found
}

async fn of_table(
    connection: &mut PgConnection,
    old: &Table,
    new: &Table,
    declared: &Declared,
) -> Vec<String> {
    let words = Dialect::named("postgres").unwrap();
    let expected = |column: &str| declared.expected(new, old, column);
    let by = |columns: &[String]| -> Option<Vec<String>> {
        let equal =
            |column: &String| Some(format!("n.{} = ({})", ident(column), expected(column)?));
        columns.iter().map(equal).collect()
    };
    // By the new key, else by the old one where its columns are still there.
    let stays = |columns: &&Vec<String>| columns.iter().all(|name| new.column(name).is_some());
    let keys = [Some(&new.primary_key), Some(&old.primary_key).filter(stays)];
    let mut keys = keys.into_iter().flatten().filter(|key| !key.is_empty());
    let Some(key) = keys.find_map(|columns| by(columns)) else {
        return without_key(connection, old, new, declared).await;
    };
    let mut found = Vec::new();
    let columns = new.columns.iter().filter_map(|column| {
        let expected = expected(&column.name)?;
        let name = ident(&column.name);
        let sql_type = words.uncollated_type_of(column);
        Some((
            column,
            format!("n.{name}::text IS DISTINCT FROM CAST(({expected}) AS {sql_type})::text"),
        ))
    });
    let (names, tests): (Vec<_>, Vec<_>) = columns.unzip();
    let counts: Vec<String> = tests
        .iter()
        .map(|test| format!("count(*) FILTER (WHERE {test})"))
        .collect();
    let sql = format!(
        "SELECT count(*) FILTER (WHERE n IS NULL), count(*) FILTER (WHERE b IS NULL), {}
         FROM {COPIES}.{} b FULL JOIN {} n ON {}",
        counts.join(", "),
        ident(&old.name),
        ident(&new.name),
        key.join(" AND ")
    );
    let row = match sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await {
        Ok(row) => row,
        Err(error) => {
            return vec![format!(
                "{}: its rows cannot be compared: {error}",
                new.name
            )];
        }
    };
    for (at, what) in ["rows are lost", "rows are new"].iter().enumerate() {
        let count: i64 = row.get(at);
        if count > 0 {
            found.push(format!("{}: {count} {what}", new.name));
        }
    }
    for (at, column) in names.iter().enumerate() {
        let count: i64 = row.get(at + 2);
        if count > 0 {
            found.push(format!(
                "{}.{}: {count} values differ",
                new.name, column.name
            ));
        }
    }
    found
}

/// Where nothing tells rows apart, as often as they are there.
async fn without_key(
    connection: &mut PgConnection,
    old: &Table,
    new: &Table,
    declared: &Declared,
) -> Vec<String> {
    let words = Dialect::named("postgres").unwrap();
    let values = new.columns.iter().filter_map(|column| {
        let expected = declared.expected(new, old, &column.name)?;
        let sql_type = words.uncollated_type_of(column);
        Some((
            format!("CAST(({expected}) AS {sql_type})::text"),
            format!("n.{}::text", ident(&column.name)),
        ))
    });
    let (before, now): (Vec<_>, Vec<_>) = values.unzip();
    let before = format!(
        "SELECT {} FROM {COPIES}.{} b",
        before.join(", "),
        ident(&old.name)
    );
    let now = format!("SELECT {} FROM {} n", now.join(", "), ident(&new.name));
    let mut found = Vec::new();
    for (left, right, what) in [(&before, &now, "lost"), (&now, &before, "new")] {
        let sql = format!("SELECT count(*) FROM ({left} EXCEPT ALL {right}) AS of_these");
        let rows = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql));
        match rows.fetch_one(&mut *connection).await {
            Ok(0) => {}
            Ok(count) => found.push(format!("{}: {count} rows are {what}", new.name)),
            Err(error) => {
                found.push(format!(
                    "{}: its rows cannot be compared: {error}",
                    new.name
                ));
            }
        }
    }
    found
}
