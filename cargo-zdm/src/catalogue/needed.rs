//! What tables stand on and no version creates: schemas, extensions, types, functions of defaults and checks.
//!
//! Comes in: an open connection, the schemas that are read. Goes out: each with the statement that makes it in a new database, in an
//! order in which they can be made.
//! Must not know: which tables are imported, where the statements are put.

use serde::Deserialize;
use zdm_runtime::database::{Connection, Dialect};

use super::defined::DOMAIN;
use super::postgres::Scope;
use super::{CatalogueError, Schemas, objects};

/// An object that a table names, itself or through others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Needed {
    /// `extension`, `domain`, `function`.
    pub what: String,
    /// Its name, as [`super::Other`] has it.
    pub object: String,
    /// The statement that makes it; none where the catalogue does not hold enough to make it again.
    pub create: Option<String>,
    /// The statement that takes it away; none of what others may have come to stand on.
    pub drop: Option<String>,
    /// The enums that it names, itself or through others.
    pub enums: Vec<String>,
    /// It names the rows of a table.
    pub of_rows: bool,
}

/// Reads them, of all tables or of these alone; `SQLite` has none.
pub async fn read(
    connection: &mut Connection,
    schemas: &Schemas,
    tables: Option<&[String]>,
) -> Result<Vec<Needed>, CatalogueError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let of_these = tables.map_or("true".to_owned(), |tables| {
        let names = tables
            .iter()
            .map(|name| format!("'{}'", name.replace('\'', "''")));
        format!("{{c}} IN ({})", names.collect::<Vec<_>>().join(", "))
    });
    let question = POSTGRES
        .replace("{domain}", DOMAIN)
        .replace("{of these}", &of_these);
    connection.begin_snapshot().await?;
    let found = found(connection, schemas, &question).await;
    connection.rollback().await?;
    found
}

async fn found(
    connection: &mut Connection,
    schemas: &Schemas,
    question: &str,
) -> Result<Vec<Needed>, CatalogueError> {
    // To compile the question takes longer than to answer it.
    connection.run_file("SET LOCAL jit = off").await?;
    let scope = Scope::of(connection, schemas).await?;
    objects(connection, "what tables stand on", &scope.asked(question)).await
}

/// `reached` follows `pg_depend` from the tables (root 0) and from each object that somebody has made. What an extension has brought
/// leads to the extension.
const POSTGRES: &str = "WITH RECURSIVE
    made AS (
        SELECT classid, oid FROM (
            SELECT CAST(CAST('pg_type' AS regclass) AS oid) AS classid, oid FROM pg_type WHERE typcategory <> 'A'
            UNION ALL SELECT CAST(CAST('pg_proc' AS regclass) AS oid), oid FROM pg_proc) found
        WHERE oid >= 16384
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = found.classid AND d.objid = found.oid AND d.deptype IN ('e', 'i'))),
    reached (root, classid, objid) AS (
        SELECT CAST(0 AS oid), CAST(CAST('pg_class' AS regclass) AS oid), c.oid FROM pg_class c
        WHERE relnamespace IN ({schemas}) AND relkind = 'r' AND {of these}
        UNION ALL SELECT oid, classid, oid FROM made
        UNION SELECT r.root, e.classid, e.objid FROM reached r CROSS JOIN LATERAL (
            SELECT d.refclassid, d.refobjid FROM pg_depend d
            WHERE d.classid = r.classid AND d.objid = r.objid AND d.deptype IN ('n', 'e')
                AND NOT EXISTS (SELECT FROM pg_class c WHERE d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid) AND c.oid = d.refobjid
                    AND c.relkind NOT IN ('S', 'c'))
            UNION ALL SELECT d.classid, d.objid FROM pg_depend d
            WHERE d.refclassid = r.classid AND d.refobjid = r.objid AND d.deptype IN ('a', 'i')
                AND (d.classid IN (CAST(CAST('pg_constraint' AS regclass) AS oid), CAST(CAST('pg_attrdef' AS regclass) AS oid))
                    OR EXISTS (SELECT FROM pg_class c WHERE d.classid = CAST(CAST('pg_class' AS regclass) AS oid) AND c.oid = d.objid
                        AND c.relkind IN ('i', 'c')))
            UNION ALL SELECT CAST(CAST('pg_type' AS regclass) AS oid), typelem FROM pg_type
            WHERE r.classid = CAST(CAST('pg_type' AS regclass) AS oid) AND pg_type.oid = r.objid AND typelem <> 0
        ) e (classid, objid)),
    found AS (
        SELECT 1 AS turn, n.oid, CAST(0 AS oid) AS place, 'schema' AS what, CAST(nspname AS text) AS object,
            pg_catalog.format('CREATE SCHEMA IF NOT EXISTS %I', nspname) AS made_by, CAST(NULL AS text) AS dropped_by,
            CAST(CAST('pg_namespace' AS regclass) AS oid) AS classid
        FROM pg_namespace n WHERE nspname <> 'public' AND n.oid <> {own}
        UNION ALL SELECT 2, oid, 0, 'extension', extname,
            pg_catalog.format('CREATE EXTENSION IF NOT EXISTS %I', extname)
                || CASE WHEN extnamespace NOT IN ({own}, CAST(CAST('pg_catalog' AS regnamespace) AS oid))
                    THEN pg_catalog.format(' WITH SCHEMA %s', CAST(extnamespace AS regnamespace)) ELSE '' END,
            NULL, CAST(CAST('pg_extension' AS regclass) AS oid)
        FROM pg_extension WHERE extname <> 'plpgsql'
        UNION ALL SELECT 3, l.oid, collnamespace, 'collation', collname,
            pg_catalog.format('CREATE COLLATION %s (provider = %s, ', CAST(l.oid AS regcollation), CASE collprovider WHEN 'i' THEN 'icu' ELSE 'libc' END)
                || CASE WHEN collprovider = 'i'
                    THEN pg_catalog.format('locale = %L', coalesce(pg_catalog.to_jsonb(l) ->> 'colllocale', pg_catalog.to_jsonb(l) ->> 'colliculocale', collcollate))
                    ELSE pg_catalog.format('lc_collate = %L, lc_ctype = %L', collcollate, collctype) END
                || coalesce(', rules = ' || pg_catalog.quote_literal(nullif(pg_catalog.to_jsonb(l) ->> 'collicurules', '')), '')
                || CASE WHEN collisdeterministic THEN ')' ELSE ', deterministic = false)' END,
            pg_catalog.format('DROP COLLATION %s', CAST(l.oid AS regcollation)), CAST(CAST('pg_collation' AS regclass) AS oid)
        FROM pg_collation l WHERE collprovider IN ('i', 'c')
        UNION ALL SELECT 3, t.oid, typnamespace,
            CASE typtype WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type' WHEN 'c' THEN 'composite type' WHEN 'e' THEN 'enum' ELSE 'type' END,
            typname,
            CASE typtype
                WHEN 'd' THEN pg_catalog.format('CREATE DOMAIN %s AS %s', pg_catalog.format_type(t.oid, NULL), {domain})
                WHEN 'e' THEN pg_catalog.format('CREATE TYPE %s AS ENUM (%s)', pg_catalog.format_type(t.oid, NULL),
                    (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
                WHEN 'c' THEN pg_catalog.format('CREATE TYPE %s AS (%s)', pg_catalog.format_type(t.oid, NULL),
                    (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', pg_catalog.quote_ident(attname), pg_catalog.format_type(atttypid, atttypmod),
                            CASE WHEN attcollation <> b.typcollation THEN 'COLLATE ' || CAST(CAST(attcollation AS regcollation) AS text) END),
                            ', ' ORDER BY attnum)
                        FROM pg_attribute JOIN pg_type b ON b.oid = atttypid WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped))
                WHEN 'r' THEN (SELECT pg_catalog.format('CREATE TYPE %s AS RANGE (%s)', pg_catalog.format_type(t.oid, NULL), pg_catalog.concat_ws(', ',
                        'subtype = ' || pg_catalog.format_type(rngsubtype, NULL),
                        CASE WHEN NOT opcdefault THEN pg_catalog.format('subtype_opclass = %s',
                            CASE WHEN pg_catalog.pg_opclass_is_visible(o.oid) THEN pg_catalog.quote_ident(opcname)
                                ELSE pg_catalog.format('%s.%I', CAST(opcnamespace AS regnamespace), opcname) END) END,
                        CASE WHEN rngcollation <> 0 THEN 'collation = ' || CAST(CAST(rngcollation AS regcollation) AS text) END,
                        CASE WHEN rngsubdiff <> 0 THEN 'subtype_diff = ' || CAST(rngsubdiff AS text) END,
                        'multirange_type_name = ' || pg_catalog.format_type(CAST(pg_catalog.to_jsonb(g) ->> 'rngmultitypid' AS oid), NULL)))
                    FROM pg_range g JOIN pg_opclass o ON o.oid = rngsubopc WHERE rngtypid = t.oid AND CAST(rngcanonical AS oid) = 0) END,
            pg_catalog.format(CASE typtype WHEN 'd' THEN 'DROP DOMAIN %s' ELSE 'DROP TYPE %s' END, pg_catalog.format_type(t.oid, NULL)),
            CAST(CAST('pg_type' AS regclass) AS oid)
        FROM pg_type t JOIN made ON made.oid = t.oid AND made.classid = CAST(CAST('pg_type' AS regclass) AS oid)
        WHERE NOT EXISTS (SELECT FROM pg_class r WHERE r.oid = t.typrelid AND r.relkind <> 'c')
        UNION ALL SELECT 3, p.oid, pronamespace, CASE prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END,
            CAST(proname AS text) || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
            CASE WHEN prokind IN ('f', 'w') THEN 'CREATE FUNCTION ' || pg_catalog.substr(pg_catalog.rtrim(pg_catalog.pg_get_functiondef(p.oid), E'\\n '),
                pg_catalog.length('CREATE OR REPLACE FUNCTION ') + 1 + CASE pronamespace WHEN {own}
                    THEN pg_catalog.length(CAST(CAST({own} AS regnamespace) AS text)) + 1 ELSE 0 END) END,
            pg_catalog.format('DROP FUNCTION %s', CAST(p.oid AS regprocedure)), CAST(CAST('pg_proc' AS regclass) AS oid)
        FROM pg_proc p JOIN made ON made.oid = p.oid AND made.classid = CAST(CAST('pg_proc' AS regclass) AS oid)
        UNION ALL SELECT 3, c.oid, relnamespace, 'sequence', relname,
            pg_catalog.format('CREATE SEQUENCE %s AS %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s', CAST(c.oid AS regclass),
                pg_catalog.format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax, seqcache, CASE WHEN seqcycle THEN ' CYCLE' ELSE '' END),
            pg_catalog.format('DROP SEQUENCE %s', CAST(c.oid AS regclass)), CAST(CAST('pg_class' AS regclass) AS oid)
        FROM pg_class c JOIN pg_sequence ON seqrelid = c.oid
        WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = CAST(CAST('pg_class' AS regclass) AS oid) AND d.objid = c.oid
            AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')))
    SELECT CAST(pg_catalog.json_build_object('what', what,
        'object', coalesce((SELECT CAST(nspname AS text) || '.' FROM pg_namespace n WHERE n.oid = place AND place <> {own}), '') || object,
        'create', made_by, 'drop', dropped_by,
        'enums', (SELECT coalesce(pg_catalog.json_agg({t} ORDER BY t.oid), '[]') FROM reached r JOIN pg_type t ON t.oid = r.objid
            WHERE r.root = found.oid AND r.classid = CAST(CAST('pg_type' AS regclass) AS oid) AND t.typtype = 'e'),
        'of_rows', EXISTS (SELECT FROM reached r JOIN pg_type t ON t.oid = r.objid JOIN pg_class c ON c.oid = t.typrelid
            WHERE r.root = found.oid AND r.classid = CAST(CAST('pg_type' AS regclass) AS oid) AND c.relkind <> 'c')) AS text)
    FROM found
    WHERE EXISTS (SELECT FROM reached r WHERE r.root = 0 AND r.classid = found.classid AND r.objid = found.oid)
    ORDER BY turn, found.oid";
