-- Of the table $1, what each role may do with which of the columns $2. Of one that is not there yet the right on the table decides. Views
-- that run with the rights of their user, and functions whose body is parsed, name a table for who may not name its schema.
SELECT called,
    pg_catalog.string_agg(asked, pg_catalog.chr(31)) FILTER (WHERE CASE WHEN attnum IS NULL THEN pg_catalog.has_table_privilege(name, relid, 'SELECT')
        ELSE pg_catalog.has_column_privilege(name, relid, attnum, 'SELECT') END),
    pg_catalog.string_agg(asked, pg_catalog.chr(31)) FILTER (WHERE CASE WHEN attnum IS NULL THEN pg_catalog.has_table_privilege(name, relid, 'INSERT')
        ELSE pg_catalog.has_column_privilege(name, relid, attnum, 'INSERT') END),
    pg_catalog.string_agg(asked, pg_catalog.chr(31)) FILTER (WHERE CASE WHEN attnum IS NULL THEN pg_catalog.has_table_privilege(name, relid, 'UPDATE')
        ELSE pg_catalog.has_column_privilege(name, relid, attnum, 'UPDATE') END),
    CAST(pg_catalog.has_any_column_privilege(name, relid, 'INSERT') AS int),
    CAST(pg_catalog.has_any_column_privilege(name, relid, 'UPDATE') AS int),
    CAST(pg_catalog.has_table_privilege(name, relid, 'DELETE') AS int),
    CAST(pg_catalog.has_schema_privilege(name, namespace, 'USAGE') AS int),
    CAST(pg_catalog.has_schema_privilege(name, namespace, 'USAGE') OR EXISTS (
        SELECT FROM pg_catalog.pg_depend LEFT JOIN pg_catalog.pg_rewrite ON classid = CAST(CAST('pg_catalog.pg_rewrite' AS regclass) AS oid) AND pg_rewrite.oid = objid
            LEFT JOIN pg_catalog.pg_class AS view ON view.oid = ev_class
        WHERE refclassid = CAST(CAST('pg_catalog.pg_class' AS regclass) AS oid) AND refobjid = relid AND (classid = CAST(CAST('pg_catalog.pg_proc' AS regclass) AS oid)
            OR pg_catalog.array_to_string(reloptions, ',') ~ 'security_invoker=(t|on|1|y)')) AS int),
    lends
FROM role CROSS JOIN (SELECT oid AS relid, relnamespace AS namespace FROM pg_catalog.pg_class WHERE oid = CAST(pg_catalog.to_regclass($1) AS oid)) AS relation
    CROSS JOIN pg_catalog.unnest(pg_catalog.string_to_array($2, pg_catalog.chr(31))) AS asked
    LEFT JOIN pg_catalog.pg_attribute ON attrelid = relid AND attname = asked AND attnum > 0 AND NOT attisdropped
GROUP BY role.oid, called, name, lends, relid, namespace ORDER BY role.oid = 0 DESC, called
