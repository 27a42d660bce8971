//! What PostgreSQL's catalogue is asked, one query per kind of object; [`super::scope`] says about which schemas.
//!
//! Whatever an extension owns is left to it. Columns that later versions of the server brought are asked for through
//! `to_jsonb`, which leaves out what is not there.

/// The schemas of the search path that are there, in their order.
pub(super) const PATH: &str = "SELECT CAST(name AS text) FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY found(name, place)
    ORDER BY place";

/// The schemas that have tables, beside the server's and the control tables'.
pub(super) const SCHEMAS: &str = "SELECT CAST(n.oid AS bigint), CAST(nspname AS text),
        CASE WHEN n.oid = CAST(CAST(pg_catalog.quote_ident(pg_catalog.current_schema()) AS regnamespace) AS oid) THEN 1 ELSE 0 END
    FROM pg_namespace n
    WHERE nspname <> 'zdm' AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
        AND (n.oid = CAST(CAST(pg_catalog.quote_ident(pg_catalog.current_schema()) AS regnamespace) AS oid)
            OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')))
    ORDER BY nspname";

pub(super) const TABLES: &str = "SELECT CAST(pg_catalog.json_build_object(
        'name', {c},
        'special', CASE
            WHEN e.objid IS NOT NULL THEN 'it belongs to an extension'
            WHEN {dotted c} THEN 'a dot in its name or its schema''s cannot be told from the one between the two'
            WHEN c.relkind = 'p' THEN 'it is partitioned'
            WHEN c.relispartition THEN 'it is a partition of ' || p.parent
            WHEN p.parent IS NOT NULL THEN 'it inherits from ' || p.parent
            WHEN c.relhassubclass AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) THEN 'other tables inherit from it'
            WHEN c.reloftype <> 0 THEN 'it is a table of the type ' || CAST(CAST(c.reloftype AS regtype) AS text)
        END,
        'unlogged', c.relpersistence = 'u',
        'security', c.relrowsecurity,
        'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
        'options', pg_catalog.array_to_string(c.reloptions, ', ')) AS text)
    FROM pg_class c
    LEFT JOIN pg_depend e ON e.classid = CAST(CAST('pg_class' AS regclass) AS oid) AND e.objid = c.oid AND e.objsubid = 0 AND e.deptype = 'e'
    LEFT JOIN LATERAL (SELECT pg_catalog.string_agg(CAST(CAST(inhparent AS regclass) AS text), ', ') AS parent
        FROM pg_inherits WHERE inhrelid = c.oid) p ON true
    WHERE c.relnamespace IN ({schemas}) AND c.relkind IN ('r', 'p')
    ORDER BY 1";

pub(super) const COLUMNS: &str = "SELECT CAST(pg_catalog.json_build_object(
        'table', {c},
        'column', pg_catalog.json_build_object(
            'name', a.attname,
            'sql_type', pg_catalog.format_type(a.atttypid, a.atttypmod),
            'base', b.typname,
            'kind', CASE
                WHEN t.typtype = 'd' THEN 'domain'
                WHEN t.typtype = 'e' THEN 'enum'
                WHEN t.typtype IN ('r', 'm') THEN 'range'
                WHEN t.typtype = 'c' THEN 'composite'
                WHEN t.typcategory = 'A' THEN 'array'
                ELSE 'base' END,
            'nullable', NOT a.attnotnull,
            'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
            'generated', CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
            'comment', pg_catalog.col_description(a.attrelid, a.attnum),
            'is_virtual', a.attgenerated = 'v',
            'counted', CASE
                WHEN a.attidentity = 'a' THEN 'always'
                WHEN a.attidentity = 'd' THEN 'by_default'
                WHEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) = 'nextval(' || pg_catalog.quote_literal(CAST(CAST(
                    pg_catalog.pg_get_serial_sequence(CAST(CAST(c.oid AS regclass) AS text), a.attname) AS regclass) AS text)) || '::regclass)'
                    THEN 'serial'
                WHEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' THEN 'sequence' END,
            'collation', CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
                THEN CAST(CAST(a.attcollation AS regcollation) AS text) END)) AS text)
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' AND t.typbasetype <> 0 THEN t.typbasetype ELSE t.oid END
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace IN ({schemas}) AND c.relkind IN ('r', 'p')
        AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum";

pub(super) const INDEXES: &str = "SELECT CAST(pg_catalog.json_build_object(
        'table', {c},
        'name', x.relname,
        'unique', i.indisunique,
        'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
        'method', m.amname,
        'constraint', CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'x' THEN 'exclusion' END,
        'deferrable', COALESCE(k.condeferrable, false),
        'initially_deferred', COALESCE(k.condeferred, false),
        'keys', i.indnkeyatts,
        'nulls_not_distinct', COALESCE(CAST(pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct' AS boolean), false),
        'storage', (SELECT pg_catalog.string_agg(pg_catalog.replace(o, '=', ' = '), ', ') FROM pg_catalog.unnest(x.reloptions) o),
        'definition', CASE WHEN k.contype = 'x' THEN pg_catalog.pg_get_constraintdef(k.oid) ELSE pg_catalog.pg_get_indexdef(i.indexrelid) END,
        'unusual', pg_catalog.array_remove(ARRAY[
            CASE WHEN CAST(pg_catalog.to_jsonb(k) ->> 'conperiod' AS boolean) THEN 'WITHOUT OVERLAPS' END,
            CASE WHEN NOT i.indisvalid THEN 'that it was left invalid by a failed build' END], NULL),
        'parts', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('column', a.attname) ORDER BY n.n)
            FROM pg_catalog.generate_series(1, i.indnatts) n(n)
            LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n.n - 1] AND a.attnum <> 0)) AS text)
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_am m ON m.oid = x.relam
    JOIN pg_class c ON c.oid = i.indrelid
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
    WHERE c.relnamespace IN ({schemas}) AND c.relkind IN ('r', 'p')
    ORDER BY x.relname COLLATE \"C\"";

pub(super) const CHECKS: &str = "SELECT CAST(pg_catalog.json_build_object(
        'table', {c},
        'name', k.conname,
        'expr', pg_catalog.pg_get_expr(k.conbin, k.conrelid),
        'not_valid', NOT k.convalidated,
        'no_inherit', k.connoinherit,
        'unusual', pg_catalog.array_remove(ARRAY[
            CASE WHEN NOT COALESCE(CAST(pg_catalog.to_jsonb(k) ->> 'conenforced' AS boolean), true) THEN 'NOT ENFORCED' END], NULL)) AS text)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace IN ({schemas}) AND k.contype = 'c'
    ORDER BY k.conname COLLATE \"C\"";

pub(super) const FOREIGN_KEYS: &str = "SELECT CAST(pg_catalog.json_build_object(
        'table', {c},
        'key', pg_catalog.json_build_object(
            'name', k.conname,
            'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY n.n) FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY n(attnum, n)
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.attnum),
            'references', {r},
            'referenced_columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY n.n) FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY n(attnum, n)
                JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.attnum),
            'on_delete', CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
                WHEN 'r' THEN 'restrict' END,
            'on_delete_columns', COALESCE((SELECT pg_catalog.json_agg(a.attname ORDER BY n.n)
                FROM pg_catalog.jsonb_array_elements_text(CASE pg_catalog.jsonb_typeof(pg_catalog.to_jsonb(k) -> 'confdelsetcols')
                    WHEN 'array' THEN pg_catalog.to_jsonb(k) -> 'confdelsetcols' ELSE '[]' END) WITH ORDINALITY n(attnum, n)
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = CAST(n.attnum AS int)), '[]'),
            'on_update', CASE k.confupdtype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
                WHEN 'r' THEN 'restrict' END,
            'match_full', k.confmatchtype <> 's',
            'deferrable', k.condeferrable,
            'initially_deferred', k.condeferred,
            'not_valid', NOT k.convalidated,
            'unusual', pg_catalog.array_remove(ARRAY[
                CASE WHEN r.relnamespace NOT IN ({schemas}) THEN 'a table of another schema' END,
                CASE WHEN NOT COALESCE(CAST(pg_catalog.to_jsonb(k) ->> 'conenforced' AS boolean), true) THEN 'NOT ENFORCED' END,
                CASE WHEN CAST(pg_catalog.to_jsonb(k) ->> 'conperiod' AS boolean) THEN 'PERIOD' END], NULL))) AS text)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
    WHERE c.relnamespace IN ({schemas}) AND k.contype = 'f' AND k.conparentid = 0
    ORDER BY k.conname COLLATE \"C\"";

pub(super) const ENUMS: &str = "SELECT CAST(pg_catalog.json_build_object(
        'name', {t},
        'sql_type', pg_catalog.format_type(t.oid, NULL),
        'values', (SELECT pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)) AS text)
    FROM pg_type t
    WHERE t.typnamespace IN ({schemas}) AND NOT {dotted t} AND t.typtype = 'e'
        AND EXISTS (SELECT FROM pg_enum e WHERE e.enumtypid = t.oid)
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = CAST(CAST('pg_type' AS regclass) AS oid) AND d.objid = t.oid AND d.deptype = 'e')
    ORDER BY 1";

/// What hangs on a table.
pub(super) const ON_TABLES: &str = "SELECT CAST(pg_catalog.json_build_object('table', {c}, 'what', o.what, 'object', o.object) AS text)
    FROM (
        SELECT tgrelid AS relid, 'trigger' AS what, CAST(tgname AS text) AS object FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT ev_class, 'rule', CAST(rulename AS text) FROM pg_rewrite WHERE rulename <> '_RETURN'
        UNION ALL SELECT polrelid, 'policy', CAST(polname AS text) FROM pg_policy
        UNION ALL SELECT stxrelid, 'statistics', CAST(stxname AS text) FROM pg_statistic_ext
        UNION ALL SELECT prrelid, 'publication', CAST(p.pubname AS text)
            FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid
        UNION ALL SELECT i.indrelid, 'comment on the index', CAST(x.relname AS text)
            FROM pg_description JOIN pg_index i ON i.indexrelid = objoid JOIN pg_class x ON x.oid = objoid
            WHERE classoid = CAST(CAST('pg_class' AS regclass) AS oid)
        UNION ALL SELECT k.conrelid, 'comment on the constraint', CAST(k.conname AS text)
            FROM pg_description JOIN pg_constraint k ON k.oid = objoid WHERE classoid = CAST(CAST('pg_constraint' AS regclass) AS oid)
        UNION ALL SELECT oid, 'REPLICA IDENTITY ' || CASE relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END, ''
            FROM pg_class WHERE relreplident IN ('f', 'n')
        UNION ALL SELECT i.indrelid, o.what, CAST(x.relname AS text)
            FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid CROSS JOIN LATERAL (VALUES
                ('CLUSTER ON', i.indisclustered), ('REPLICA IDENTITY USING INDEX', i.indisreplident)) o(what, holds)
            WHERE o.holds
        UNION ALL SELECT a.attrelid, s.setting, CAST(a.attname AS text)
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid CROSS JOIN LATERAL (VALUES
                (CASE WHEN a.attstattarget >= 0 THEN 'SET STATISTICS ' || a.attstattarget END),
                (CASE WHEN a.attstorage <> t.typstorage THEN 'SET STORAGE ' || CASE a.attstorage
                    WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
                ('SET COMPRESSION ' || CASE pg_catalog.to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END),
                ('SET (' || pg_catalog.array_to_string(a.attoptions, ', ') || ')')) s(setting)
            WHERE a.attnum > 0 AND NOT a.attisdropped AND s.setting IS NOT NULL
        UNION ALL SELECT relid, 'numbers (' || pg_catalog.concat_ws(' ',
                CASE WHEN seqstart <> CASE WHEN seqincrement > 0 THEN seqmin ELSE seqmax END THEN 'START WITH ' || seqstart END,
                CASE WHEN seqincrement <> 1 THEN 'INCREMENT BY ' || seqincrement END,
                CASE WHEN seqmin <> least_number THEN 'MINVALUE ' || seqmin END,
                CASE WHEN seqmax <> greatest_number THEN 'MAXVALUE ' || seqmax END,
                CASE WHEN seqcache <> 1 THEN 'CACHE ' || seqcache END,
                CASE WHEN seqcycle THEN 'CYCLE' END) || ')', attname
            FROM (SELECT s.*, d.refobjid AS relid, CAST(a.attname AS text),
                    CASE WHEN seqincrement > 0 THEN 1 ELSE -pg_catalog.power(2, bits) END AS least_number,
                    CASE WHEN seqincrement > 0 THEN pg_catalog.power(2, bits) - 1 ELSE -1 END AS greatest_number
                FROM pg_sequence s
                JOIN pg_depend d ON d.classid = CAST(CAST('pg_class' AS regclass) AS oid) AND d.objid = seqrelid AND d.deptype IN ('a', 'i')
                    AND d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid) AND d.refobjsubid > 0
                JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                JOIN pg_type t ON t.oid = seqtypid CROSS JOIN LATERAL (SELECT CAST(t.typlen * 8 - 1 AS numeric)) b(bits)) counted
            WHERE seqincrement <> 1 OR seqstart <> 1 OR seqmin <> least_number OR seqmax <> greatest_number OR seqcache <> 1 OR seqcycle
    ) o JOIN pg_class c ON c.oid = o.relid
    WHERE c.relnamespace IN ({schemas}) AND c.relkind IN ('r', 'p')";

/// What stands beside tables and was not made along with something else: by an extension, for a range type.
pub(super) const OTHERS: &str = "WITH made AS (SELECT classid, objid FROM pg_depend WHERE deptype IN ('e', 'i'))
    SELECT CAST(pg_catalog.json_build_object('what', what, 'object', coalesce((SELECT CAST(nspname AS text) || '.' FROM pg_namespace
            WHERE pg_namespace.oid = place AND place <> {own}), '') || object) AS text) FROM (
        SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                ELSE 'sequence' END AS what,
            CAST(relname AS text) AS object, CAST(CAST('pg_class' AS regclass) AS oid) AS classid, c.oid AS objid, c.relnamespace AS place
        FROM pg_class c WHERE relnamespace IN ({schemas}) AND relkind IN ('v', 'm', 'f', 'S')
            AND NOT (relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = CAST(CAST('pg_class' AS regclass) AS oid)
                AND d.objid = c.oid AND d.refclassid = CAST(CAST('pg_class' AS regclass) AS oid) AND d.refobjsubid > 0
                AND d.deptype IN ('a', 'i')))
        UNION ALL SELECT CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
            CAST(proname AS text) || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', CAST(CAST('pg_proc' AS regclass) AS oid), p.oid, pronamespace
        FROM pg_proc p WHERE pronamespace IN ({schemas})
        UNION ALL SELECT CASE typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type' WHEN 'c' THEN 'composite type'
                ELSE 'type' END,
            CAST(typname AS text), CAST(CAST('pg_type' AS regclass) AS oid), t.oid, typnamespace
        FROM pg_type t WHERE typnamespace IN ({schemas}) AND typtype IN ('e', 'd', 'r', 'b', 'c') AND typcategory <> 'A'
            AND NOT EXISTS (SELECT FROM pg_class r WHERE r.oid = t.typrelid AND r.relkind <> 'c')
        UNION ALL SELECT 'collation', CAST(collname AS text), CAST(CAST('pg_collation' AS regclass) AS oid), l.oid, collnamespace
        FROM pg_collation l WHERE collnamespace IN ({schemas})
        UNION ALL SELECT 'operator', CAST(CAST(o.oid AS regoperator) AS text), CAST(CAST('pg_operator' AS regclass) AS oid), o.oid, NULL
        FROM pg_operator o WHERE oprnamespace IN ({schemas})
        UNION ALL SELECT 'text search configuration', CAST(cfgname AS text), CAST(CAST('pg_ts_config' AS regclass) AS oid), g.oid, cfgnamespace
        FROM pg_ts_config g WHERE cfgnamespace IN ({schemas})
        UNION ALL SELECT 'extension', CAST(extname AS text), CAST(CAST('pg_extension' AS regclass) AS oid), x.oid, NULL
        FROM pg_extension x WHERE extname <> 'plpgsql'
        UNION ALL SELECT 'event trigger', CAST(evtname AS text), CAST(CAST('pg_event_trigger' AS regclass) AS oid), v.oid, NULL FROM pg_event_trigger v
        UNION ALL SELECT 'schema', CAST(n.nspname AS text) || ' with ' || pg_catalog.count(c.oid) || CASE pg_catalog.count(c.oid) WHEN 1 THEN ' table' ELSE ' tables' END,
            CAST(CAST('pg_namespace' AS regclass) AS oid), n.oid, NULL
        FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
        WHERE n.oid NOT IN ({schemas}) AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
        GROUP BY n.oid, n.nspname HAVING n.nspname <> 'public' OR pg_catalog.count(c.oid) > 0
    ) found
    WHERE NOT EXISTS (SELECT FROM made WHERE made.classid = found.classid AND made.objid = found.objid)";
