//! What would go on naming a key's column by the name that it had: `PostgreSQL` keeps bodies of functions as texts. All else
//! follows a rename by itself.
//!
//! Must not know: when it is asked.

use crate::database::{Connection, DatabaseError, Value, catalogue};

/// The triggers of the table whose function reads the column of a row by that name: every write would fail.
pub(super) async fn triggers(
    connection: &mut Connection,
    table: &str,
    column: &str,
) -> Result<Vec<String>, DatabaseError> {
    names(connection, TRIGGERS, table, column).await
}

async fn names(
    connection: &mut Connection,
    sql: &str,
    table: &str,
    column: &str,
) -> Result<Vec<String>, DatabaseError> {
    let rows = connection
        .query(
            sql,
            &[Value::from(catalogue::relation(table)), Value::from(column)],
        )
        .await?;
    let names = rows.into_iter().map(|row| match row.as_slice() {
        [Value::Text(Some(name))] => Ok(name.clone()),
        _ => Err(DatabaseError::unexpected("what names a column", &row)),
    });
    names.collect()
}

/// `NEW.name`, `(new).name`, `OLD."name"`, and the bare name where the trigger's rows are a table of its function. What a text
/// makes of names at run time is not read.
const TRIGGERS: &str = r#"SELECT DISTINCT CAST(t.tgname AS text) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    CROSS JOIN pg_catalog.regexp_replace(CAST($2 AS text), '(\W)', '\\\1', 'g') AS name
    WHERE t.tgrelid = CAST(pg_catalog.to_regclass($1) AS oid) AND NOT t.tgisinternal
        AND (p.prosrc ~* ('\m(new|old)\s*\)?\s*\.\s*"?' || name || '\M')
            OR (t.tgnewtable IS NOT NULL OR t.tgoldtable IS NOT NULL) AND p.prosrc ~* ('\m' || name || '\M'))
    ORDER BY 1"#;
