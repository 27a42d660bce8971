//! What somebody has made by hand on a column that another replaces: no step carries it over, and it would go with the column.
//!
//! Comes in: a connection, a manifest. Goes out: indexes, constraints, statistics, settings and rights that no version
//! describes; of rights those that the new column has not got.
//! Must not know: what else names the column.

use crate::database::{Connection, DatabaseError, Dialect, Value, catalogue};
use crate::manifest::{Manifest, Pair, Side};
use crate::phase::Section;

/// What stands on a column.
pub(super) struct Made {
    pub(super) kind: String,
    pub(super) name: String,
    /// `pets.age`
    pub(super) column: String,
    pub(super) way_on: Option<String>,
}

/// Of the columns that give their names away, or of all where contract drops them. `SQLite` refuses to
/// drop a column on which something stands.
pub(super) async fn by_hand(
    connection: &mut Connection,
    manifest: &Manifest,
    from: Section,
) -> Result<Vec<Made>, DatabaseError> {
    let mut found = Vec::new();
    if connection.dialect() == Dialect::Sqlite {
        return Ok(found);
    }
    for pair in &manifest.pairs {
        let Some(described) = manifest.described.get(&pair.table) else {
            continue;
        };
        let there = catalogue::columns(connection, &pair.table).await?;
        for old in &pair.old {
            let (column, is_released) = present_name(pair, old, &there);
            // What an undo that has not ended has put on a released column is the tool's own, and cleared away by the section.
            let gives_away = is_released && released_name(pair) != Some(column);
            if from < Section::Drop && !gives_away {
                continue;
            }
            let kept = manifest.keep.as_ref().filter(|_| from == Section::DropKept);
            let column = kept
                .and_then(|keep| keep.column(&pair.table, released_name(pair).unwrap_or(column)))
                .unwrap_or(column);
            let parameters = [
                Value::from(catalogue::relation(&pair.table)),
                Value::from(column),
                Value::from(pair.new.column.as_str()),
            ];
            for row in connection.query(POSTGRES, &parameters).await? {
                let [
                    Value::Text(Some(kind)),
                    Value::Text(Some(name)),
                    Value::Text(way_on),
                ] = row.as_slice()
                else {
                    return Err(DatabaseError::unexpected("what stands on a column", &row));
                };
                // Those go over with the name.
                let is_carried = is_released && kind == RIGHT;
                if !is_carried && !described.contains(name) {
                    found.push(Made {
                        kind: kind.clone(),
                        name: name.clone(),
                        column: format!("{}.{column}", pair.table),
                        // A right on one of several columns says nothing of what comes out of all.
                        way_on: way_on.clone().filter(|_| pair.old.len() == 1),
                    });
                }
            }
        }
    }
    Ok(found)
}

/// What the user's own SQL calls it when it drops it.
pub(super) fn dropped_as(kind: &str) -> &str {
    match kind {
        "check" | "unique constraint" | "exclusion constraint" | "foreign key" => "constraint",
        other => other,
    }
}

/// What the old column is called now, and whether it is one whose name the new one takes.
fn present_name<'a>(pair: &'a Pair, old: &'a Side, there: &[String]) -> (&'a str, bool) {
    let released = pair.released.as_ref();
    let of_it =
        released.filter(|released| [&released.column, &released.name].contains(&&old.column));
    match of_it {
        Some(released) if there.contains(&released.name) => (&released.name, true),
        Some(released) => (&released.column, true),
        None => (&old.column, false),
    }
}

fn released_name(pair: &Pair) -> Option<&str> {
    pair.released
        .as_ref()
        .map(|released| released.name.as_str())
}

const RIGHT: &str = "right";

/// An index that a constraint stands on is told as that constraint.
const POSTGRES: &str = "SELECT kind, CAST(name AS text), way_on FROM (
    SELECT 'index' AS kind, c.relname AS name, d.refobjid, d.refobjsubid, CAST(NULL AS text) AS way_on
    FROM pg_depend d JOIN pg_class c ON d.classid = CAST(CAST('pg_class' AS regclass) AS oid) AND c.oid = d.objid AND c.relkind IN ('i', 'I')
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid)
    UNION ALL SELECT CASE c.contype WHEN 'c' THEN 'check' WHEN 'u' THEN 'unique constraint' WHEN 'x' THEN 'exclusion constraint'
        ELSE 'foreign key' END, c.conname, d.refobjid, d.refobjsubid, NULL
    FROM pg_depend d JOIN pg_constraint c ON d.classid = CAST(CAST('pg_constraint' AS regclass) AS oid) AND c.oid = d.objid
        AND c.conrelid = d.refobjid AND c.contype IN ('c', 'u', 'x', 'f')
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid)
    UNION ALL SELECT 'statistics', s.stxname, d.refobjid, d.refobjsubid, NULL
    FROM pg_depend d JOIN pg_statistic_ext s ON d.classid = CAST(CAST('pg_statistic_ext' AS regclass) AS oid) AND s.oid = d.objid
    WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid)
    UNION ALL SELECT 'right', pg_catalog.format('%s of %s', privilege_type,
        CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(grantee) END), attrelid, attnum,
        pg_catalog.format('GRANT %s (%I) ON %s TO %s%s, or REVOKE it', privilege_type, CAST($3 AS text), CAST(attrelid AS regclass),
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_attribute, pg_catalog.aclexplode(attacl) AS rights
    WHERE NOT EXISTS (SELECT FROM pg_attribute AS comes, pg_catalog.aclexplode(comes.attacl) AS given
        WHERE comes.attrelid = pg_attribute.attrelid AND comes.attname = CAST($3 AS text) AND given.grantee = rights.grantee
            AND given.privilege_type = rights.privilege_type AND (given.is_grantable OR NOT rights.is_grantable))
    UNION ALL SELECT 'right on a partition', pg_catalog.format('%s of %s on %s', privilege_type,
        CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(grantee) END, CAST(own.attrelid AS regclass)), whole.attrelid, whole.attnum,
        pg_catalog.format('GRANT %s (%I) ON %s TO %s%s, or REVOKE it', privilege_type, CAST($3 AS text), CAST(own.attrelid AS regclass),
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_attribute AS own JOIN pg_class AS part ON part.oid = own.attrelid AND part.relispartition
        JOIN pg_attribute AS whole ON whole.attrelid = pg_catalog.pg_partition_root(part.oid) AND whole.attname = own.attname
        CROSS JOIN pg_catalog.aclexplode(own.attacl) AS rights
    WHERE NOT EXISTS (SELECT FROM pg_attribute AS comes, pg_catalog.aclexplode(comes.attacl) AS given
        WHERE comes.attrelid = own.attrelid AND comes.attname = CAST($3 AS text) AND given.grantee = rights.grantee
            AND given.privilege_type = rights.privilege_type AND (given.is_grantable OR NOT rights.is_grantable))
    UNION ALL SELECT 'setting', setting, attrelid, attnum, NULL
        FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid CROSS JOIN LATERAL (VALUES
            (CASE WHEN attstattarget >= 0 THEN 'STATISTICS ' || attstattarget END),
            (CASE WHEN attstorage <> typstorage THEN 'STORAGE ' || CASE attstorage
                WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
            ('COMPRESSION ' || CASE pg_catalog.to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END),
            ('(' || pg_catalog.array_to_string(attoptions, ', ') || ')')) s(setting)
        WHERE setting IS NOT NULL
    ) found
    WHERE refobjid = CAST(pg_catalog.to_regclass($1) AS oid) AND refobjsubid =
        (SELECT attnum FROM pg_attribute WHERE attrelid = refobjid AND attname = CAST($2 AS text) AND NOT attisdropped)
    ORDER BY 1, 2";
