//! What a database really has under a name, whatever is on record.
//!
//! Must not know: which names are meant to be there.

use super::{Connection, DatabaseError, Dialect, Value};

/// The columns of a table; none where no such table is there.
pub async fn columns(
    connection: &mut Connection,
    table: &str,
) -> Result<Vec<String>, DatabaseError> {
    let sql = match connection.dialect() {
        Dialect::Postgres => {
            "SELECT CAST(attname AS text) FROM pg_attribute
             WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        }
        Dialect::Sqlite => "SELECT name FROM pragma_table_xinfo($1) ORDER BY cid",
    };
    let rows = connection.query(sql, &[table.into()]).await?;
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [Value::Text(Some(name))] => Ok(name.clone()),
            _ => Err(DatabaseError::unexpected("which columns a table has", &row)),
        })
        .collect()
}

/// Whether a table holds a row.
pub async fn holds_rows(connection: &mut Connection, table: &str) -> Result<bool, DatabaseError> {
    let quoted = table.replace('"', "\"\"");
    let sql = format!("SELECT 1 FROM \"{quoted}\" LIMIT 1");
    Ok(!connection.query(&sql, &[]).await?.is_empty())
}
