//! Foreign keys that stand on a unique index which goes, beyond those that the version takes along, and those that refer to a column.
//!
//! Comes in: a connection, a key or a column. Goes out: foreign keys, each with its table.
//! Must not know: what takes them along.

use crate::database::{Connection, DatabaseError, Dialect, Value, catalogue};
use crate::manifest::{ExchangedKey, Manifest};

/// On `SQLite` none stands on an index.
pub(super) async fn beyond(
    connection: &mut Connection,
    table: &str,
    key: &ExchangedKey,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let mut others = Vec::new();
    if connection.dialect() == Dialect::Sqlite {
        return Ok(others);
    }
    let mut known = Vec::new();
    for (child, name) in &key.foreign_keys {
        known.push((oid_of(connection, child).await?, name));
    }
    let mut columns = key.columns.clone();
    columns.sort_unstable();
    let parameters = [
        Value::from(catalogue::relation(table)),
        Value::from(columns.join(", ")),
        Value::from(key.index.as_str()),
    ];
    for row in connection.query(STANDING, &parameters).await? {
        let [oid, Value::Text(Some(child)), Value::Text(Some(name))] = row.as_slice() else {
            return Err(DatabaseError::unexpected("what stands on a key", &row));
        };
        let is_known =
            |(of, key): &(Option<Value>, &String)| of.as_ref() == Some(oid) && *key == name;
        if !known.iter().any(is_known) {
            others.push((name.clone(), child.clone()));
        }
    }
    Ok(others)
}

/// Those that refer to a column, alone or with others, from tables that the version does not concern.
pub(super) async fn onto(
    connection: &mut Connection,
    manifest: &Manifest,
    table: &str,
    column: &str,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let mut others = Vec::new();
    if connection.dialect() == Dialect::Sqlite {
        return Ok(others);
    }
    let mut known = Vec::new();
    for table in &manifest.tables {
        known.extend(oid_of(connection, table).await?);
    }
    let parameters = [Value::from(catalogue::relation(table)), Value::from(column)];
    for row in connection.query(ONTO, &parameters).await? {
        let [oid, Value::Text(Some(child)), Value::Text(Some(name))] = row.as_slice() else {
            return Err(DatabaseError::unexpected("what refers to a column", &row));
        };
        if !known.contains(oid) {
            others.push((name.clone(), child.clone()));
        }
    }
    Ok(others)
}

const ONTO: &str =
    "SELECT CAST(conrelid AS text), CAST(CAST(conrelid AS regclass) AS text), CAST(conname AS text) FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND confrelid = CAST(pg_catalog.to_regclass($1) AS oid) AND
        (SELECT attnum FROM pg_attribute WHERE attrelid = confrelid AND attname = CAST($2 AS text) AND NOT attisdropped) = ANY (confkey)
    ORDER BY 2, 3";

async fn oid_of(connection: &mut Connection, table: &str) -> Result<Option<Value>, DatabaseError> {
    let sql = "SELECT CAST(CAST(pg_catalog.to_regclass($1) AS oid) AS text)";
    let parameters = [Value::from(catalogue::relation(table))];
    let rows = connection.query(sql, &parameters).await?;
    Ok(rows.into_iter().flatten().next())
}

/// Once a key is another one, what refers to the old columns stands on another index, though it has the name.
const STANDING: &str =
    "SELECT CAST(conrelid AS text), CAST(CAST(conrelid AS regclass) AS text), CAST(conname AS text)
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conindid AND relname = $3
    WHERE contype = 'f' AND conparentid = 0 AND confrelid = CAST(pg_catalog.to_regclass($1) AS oid) AND CAST($2 AS text) =
        (SELECT pg_catalog.string_agg(attname, ', ' ORDER BY attname COLLATE \"C\") FROM pg_attribute
         WHERE attrelid = confrelid AND attnum = ANY (confkey))
    ORDER BY 2, 3";
