//! A batch of a version's backfill, as a test executes it by itself: where a function of an application fills the column, the last
//! column of the key stands for what it gives.

use zdm_runtime::database::{Connection, Dialect, Value};
use zdm_runtime::manifest::{Backfill, ComputedColumn};
use zdm_runtime::migration::Migration;

/// Executes the batch over a range; how many rows that changed.
///
/// # Panics
///
/// Where the database refuses.
pub async fn batch(
    connection: &mut Connection,
    migration: &Migration,
    backfill: &Backfill,
    range: &[Value],
) -> u64 {
    let sql = migration.file(&backfill.batch);
    let Some(computed) = &backfill.computed else {
        return connection.execute_file(sql, range).await.unwrap();
    };
    let rows = texts(connection, migration, backfill, computed, range).await;
    let keys = backfill.key.len();
    if connection.dialect() == Dialect::Postgres {
        let columns = keys + computed.taken.len();
        let mut values = range.to_vec();
        for at in (0..columns).chain([keys - 1]) {
            let column: Vec<_> = rows.iter().map(|row| element(row[at].as_deref())).collect();
            values.push(Value::from(format!("{{{}}}", column.join(","))));
        }
        return connection.execute_file(sql, &values).await.unwrap();
    }
    let mut changed = 0;
    for row in &rows {
        let key = || row[..keys].iter().cloned().map(Value::Text);
        let values: Vec<Value> = key().chain(key()).chain(key().skip(keys - 1)).collect();
        changed += connection.execute_file(sql, &values).await.unwrap();
    }
    changed
}

/// The texts of key and inputs, row by row.
async fn texts(
    connection: &mut Connection,
    migration: &Migration,
    backfill: &Backfill,
    computed: &ComputedColumn,
    range: &[Value],
) -> Vec<Vec<Option<String>>> {
    let inputs = migration.file(&computed.inputs);
    let rows = connection.query_file(inputs, range).await.unwrap();
    let texts = backfill.key.len() + computed.taken.len();
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.map(|number| number.to_string()),
    };
    rows.iter()
        .map(|row| row[..texts].iter().map(text).collect())
        .collect()
}

/// A text among those of an array's.
fn element(text: Option<&str>) -> String {
    text.map_or_else(
        || "NULL".to_owned(),
        |text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    )
}
