//! What names the old type of an enum that gets other values: contract drops it behind the columns that had it.
//!
//! Must not know: what columns of the version's own tables depend on.

use crate::database::{Connection, DatabaseError, Value, catalogue};
use crate::losses::quoted;
use crate::manifest::{Manifest, Pair};

/// The objects that name the type, and the columns of it that the version does not replace: `(kind, name)`.
pub(super) async fn on(
    connection: &mut Connection,
    manifest: &Manifest,
    name: &str,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let is_of = |pair: &&Pair| {
        let mut old = pair.old.iter();
        old.any(|old| spells(&old.sql_type, name))
    };
    let mut pairs = manifest.pairs.iter().filter(is_of);
    let found = pairs.find_map(|pair| Some((pair, pair.released.as_ref()?)));
    let Some((pair, released)) = found else {
        return Ok(Vec::new());
    };
    let there = catalogue::columns(connection, &pair.table).await?;
    let column = if there.contains(&released.name) {
        &released.name
    } else {
        &released.column
    };
    let table = catalogue::relation(&pair.table);
    let parameters = [Value::from(table.as_str()), Value::from(column.as_str())];
    let rows = connection.query(POSTGRES, &parameters).await?;
    let mut named = Vec::new();
    for row in rows {
        match row.as_slice() {
            [
                Value::Text(Some(kind)),
                Value::Text(Some(name)),
                Value::Text(table),
                Value::Text(placed),
            ] => {
                let of = [table.as_deref(), placed.as_deref()];
                if !of.iter().any(|table| is_replaced(manifest, *table, name)) {
                    let of = table.as_ref().map(|table| format!("{table}."));
                    named.push((kind.clone(), of.unwrap_or_default() + name));
                }
            }
            _ => return Err(DatabaseError::unexpected("what names an enum", &row)),
        }
    }
    Ok(named)
}

/// A column that goes with the version.
fn is_replaced(manifest: &Manifest, table: Option<&str>, column: &str) -> bool {
    let mut pairs = manifest
        .pairs
        .iter()
        .filter(|pair| table == Some(pair.table.as_str()));
    pairs.any(|pair| {
        let released = pair.released.as_ref();
        released.is_some_and(|released| released.name == column || released.column == column)
    })
}

/// Whether SQL spells the enum like this, each part of its name with quotes or without.
fn spells(sql_type: &str, name: &str) -> bool {
    let parts = (sql_type.split('.'), name.split('.'));
    parts.0.clone().count() == parts.1.clone().count()
        && parts
            .0
            .zip(parts.1)
            .all(|(spelled, part)| spelled == part || spelled == quoted(part))
}

/// By a column of the type. What belongs to a table that has such a column goes with that; what is the tool's own it drops.
const POSTGRES: &str = "SELECT DISTINCT kind, CAST(name AS text), CAST(of AS text),
        (SELECT CAST(nspname AS text) || '.' || of FROM pg_namespace WHERE pg_namespace.oid = place) FROM (
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind, p.proname AS name, CAST(NULL AS name) AS of,
        d.refobjid, p.pronamespace AS place
    FROM pg_depend d JOIN pg_proc p ON d.classid = CAST(CAST('pg_proc' AS regclass) AS oid) AND p.oid = d.objid
    WHERE d.refclassid = CAST(CAST('pg_type' AS regclass) AS oid)
    UNION ALL SELECT 'domain', t.typname, NULL, d.refobjid, t.typnamespace
    FROM pg_depend d JOIN pg_type t ON d.classid = CAST(CAST('pg_type' AS regclass) AS oid) AND t.oid = d.objid
    WHERE d.refclassid = CAST(CAST('pg_type' AS regclass) AS oid) AND t.typtype = 'd'
    UNION ALL SELECT CASE v.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'rule' END,
        CASE WHEN v.relkind IN ('v', 'm') THEN v.relname ELSE r.rulename END, NULL, d.refobjid, v.relnamespace
    FROM pg_depend d JOIN pg_rewrite r ON d.classid = CAST(CAST('pg_rewrite' AS regclass) AS oid) AND r.oid = d.objid
        JOIN pg_class v ON v.oid = r.ev_class
    WHERE d.refclassid = CAST(CAST('pg_type' AS regclass) AS oid)
    UNION ALL SELECT 'column', a.attname, c.relname, d.refobjid, c.relnamespace
    FROM pg_depend d JOIN pg_class c ON d.classid = CAST(CAST('pg_class' AS regclass) AS oid) AND c.oid = d.objid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
    WHERE d.refclassid = CAST(CAST('pg_type' AS regclass) AS oid) AND d.objsubid > 0 AND c.relkind IN ('r', 'p', 'f', 'c')
    ) found
    JOIN pg_type t ON found.refobjid IN (t.oid, t.typarray)
    JOIN pg_attribute a ON a.atttypid = t.oid AND a.attrelid = CAST(pg_catalog.to_regclass($1) AS oid) AND a.attname = CAST($2 AS text)
    WHERE place IS DISTINCT FROM pg_catalog.to_regnamespace('zdm')
    ORDER BY 1, 2, 3";
