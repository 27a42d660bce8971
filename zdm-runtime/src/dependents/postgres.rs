//! `PostgreSQL` keeps what depends on what in `pg_depend`.

use super::Named;
use crate::database::catalogue::relation;
use crate::database::{Connection, DatabaseError, Row, Value};

/// What names the table or a column of it, and what names a view that does, however far up.
pub(super) async fn on(
    connection: &mut Connection,
    table: &str,
    column: Option<&str>,
) -> Result<Vec<Named>, DatabaseError> {
    let quoted = relation(table);
    let mut found: Vec<Named> = Vec::new();
    let mut views: Vec<(String, String)> = Vec::new();
    for row in direct(connection, &quoted, column, &quoted).await? {
        let (named, view) = read(&row)?;
        views.extend(view.map(|view| (view, named.called())));
        found.push(named);
    }
    let mut next = 0;
    while let Some((view, called)) = views.get(next).cloned() {
        next += 1;
        for row in direct(connection, &view, None, &quoted).await? {
            let (mut named, above) = read(&row)?;
            if let Some(above) = above.filter(|above| views.iter().all(|(known, _)| known != above))
            {
                views.push((above, named.called()));
            }
            named.of = Some(called.clone());
            found.push(named);
        }
    }
    Ok(found)
}

async fn direct(
    connection: &mut Connection,
    relation: &str,
    column: Option<&str>,
    table: &str,
) -> Result<Vec<Row>, DatabaseError> {
    let column = Value::Text(column.map(str::to_owned));
    let asked = [relation.into(), column, table.into()];
    connection.query(POSTGRES, &asked).await
}

/// And the view that it is, where it is one.
fn read(row: &Row) -> Result<(Named, Option<String>), DatabaseError> {
    match row.as_slice() {
        [
            Value::Text(Some(kind)),
            Value::Text(Some(name)),
            Value::Text(schema),
            Value::Text(view),
        ] => {
            let named = Named {
                kind: kind.clone(),
                schema: schema.clone(),
                name: name.clone(),
                of: None,
            };
            Ok((named, view.clone()))
        }
        _ => Err(DatabaseError::unexpected("what depends on a table", row)),
    }
}

/// Per column, or for the whole table where `$2` is NULL. What goes along with its table is left out (`deptype` a and i), and a
/// schema that is the one of `$3`. A policy that takes the whole row names every column; one of a partition names the table's.
const POSTGRES: &str = "SELECT DISTINCT kind, CAST(name AS text), (SELECT CAST(nspname AS text) FROM pg_namespace WHERE oid = namespace
        AND oid <> (SELECT relnamespace FROM pg_class WHERE oid = CAST(pg_catalog.to_regclass($3) AS oid))), CAST(view AS text) FROM (
    SELECT CASE v.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'rule' END AS kind,
        CASE WHEN v.relkind IN ('v', 'm') THEN v.relname ELSE r.rulename END AS name, d.refobjid, d.refobjsubid, d.deptype,
        CASE WHEN v.relkind IN ('v', 'm') THEN CAST(v.oid AS regclass) END AS view, false AS own,
        CASE WHEN v.relkind IN ('v', 'm') THEN v.relnamespace END AS namespace
    FROM pg_depend d JOIN pg_rewrite r ON d.classid = CAST(CAST('pg_rewrite' AS regclass) AS oid) AND r.oid = d.objid
        JOIN pg_class v ON v.oid = r.ev_class
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid) AND v.oid <> d.refobjid
    UNION ALL SELECT 'rule', r.rulename, d.refobjid, d.refobjsubid, d.deptype, NULL, true, NULL
    FROM pg_depend d JOIN pg_rewrite r ON d.classid = CAST(CAST('pg_rewrite' AS regclass) AS oid) AND r.oid = d.objid
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid) AND r.ev_class = d.refobjid AND r.rulename <> '_RETURN'
    UNION ALL SELECT 'trigger', t.tgname, d.refobjid, d.refobjsubid, d.deptype, NULL, true, NULL
    FROM pg_depend d JOIN pg_trigger t ON d.classid = CAST(CAST('pg_trigger' AS regclass) AS oid) AND t.oid = d.objid
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid) AND NOT t.tgisinternal
    UNION ALL SELECT 'policy', p.polname, d.refobjid, d.refobjsubid, d.deptype, NULL, p.polrelid = d.refobjid, NULL
    FROM pg_depend d JOIN pg_policy p ON d.classid = CAST(CAST('pg_policy' AS regclass) AS oid) AND p.oid = d.objid
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid)
    UNION ALL SELECT 'policy', p.polname, whole.attrelid, whole.attnum, d.deptype, NULL, true, NULL
    FROM pg_depend d JOIN pg_policy p ON d.classid = CAST(CAST('pg_policy' AS regclass) AS oid) AND p.oid = d.objid AND p.polrelid = d.refobjid
        JOIN pg_class part ON part.oid = d.refobjid AND part.relispartition
        JOIN pg_attribute own ON own.attrelid = part.oid AND own.attnum = d.refobjsubid
        JOIN pg_attribute whole ON whole.attrelid = pg_catalog.pg_partition_root(part.oid) AND whole.attname = own.attname
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid)
    UNION ALL SELECT 'policy', p.polname, a.attrelid, a.attnum, d.deptype, NULL, true, NULL
    FROM pg_depend d JOIN pg_policy p ON d.classid = CAST(CAST('pg_policy' AS regclass) AS oid) AND p.oid = d.objid
        JOIN pg_class c ON c.oid = d.refobjid
        JOIN pg_attribute a ON a.attrelid = CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid) ELSE c.oid END AND a.attnum > 0
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid) AND d.refobjsubid = 0
        AND pg_catalog.concat(p.polqual, p.polwithcheck) LIKE '%:varattno 0 %'
    UNION ALL SELECT 'publication', p.pubname, d.refobjid, d.refobjsubid, d.deptype, NULL, true, NULL
    FROM pg_depend d JOIN pg_publication_rel l ON d.classid = CAST(CAST('pg_publication_rel' AS regclass) AS oid) AND l.oid = d.objid
        JOIN pg_publication p ON p.oid = l.prpubid
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid)
    UNION ALL SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.proname, d.refobjid, d.refobjsubid, d.deptype, NULL, false, p.pronamespace
    FROM pg_depend d JOIN pg_proc p ON d.classid = CAST(CAST('pg_proc' AS regclass) AS oid) AND p.oid = d.objid
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid)
    UNION ALL SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.proname, c.oid, 0, d.deptype, NULL, false, p.pronamespace
    FROM pg_depend d JOIN pg_proc p ON d.classid = CAST(CAST('pg_proc' AS regclass) AS oid) AND p.oid = d.objid
        JOIN pg_type t ON t.oid = d.refobjid JOIN pg_class c ON c.reltype IN (t.oid, t.typelem)
    WHERE d.refclassid = CAST(CAST('pg_type' AS regclass) AS oid) AND c.reltype <> 0
    UNION ALL SELECT 'generated column', a.attname, d.refobjid, d.refobjsubid, 'n', NULL, true, NULL
    FROM pg_depend d JOIN pg_attrdef f ON d.classid = CAST(CAST('pg_attrdef' AS regclass) AS oid) AND f.oid = d.objid
        JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid) AND a.attgenerated <> ''
        AND NOT (f.adrelid = d.refobjid AND f.adnum = d.refobjsubid)
    UNION ALL SELECT 'generated column', a.attname, d.refobjid, d.refobjsubid, 'n', NULL, true, NULL
    FROM pg_depend d JOIN pg_attribute a ON d.classid = CAST(CAST('pg_class' AS regclass) AS oid) AND a.attrelid = d.objid AND a.attnum = d.objsubid
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid) AND a.attgenerated <> '' AND d.objsubid > 0
        AND NOT (a.attrelid = d.refobjid AND a.attnum = d.refobjsubid)
    ) found
    WHERE refobjid = CAST(pg_catalog.to_regclass($1) AS oid) AND CASE WHEN CAST($2 AS text) IS NULL
        THEN deptype = 'n' AND NOT own
        ELSE refobjsubid = (SELECT attnum FROM pg_attribute WHERE attrelid = refobjid AND attname = CAST($2 AS text) AND NOT attisdropped) END
    ORDER BY 1, 2";
