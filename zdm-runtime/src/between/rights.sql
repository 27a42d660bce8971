-- Of the table $1, what each role may do with which of the columns $2. Of one that is not there yet the right on the table decides.
SELECT called,
    string_agg(asked, chr(31)) FILTER (WHERE CASE WHEN attnum IS NULL THEN has_table_privilege(name, relid, 'SELECT')
        ELSE has_column_privilege(name, relid, attnum, 'SELECT') END),
    string_agg(asked, chr(31)) FILTER (WHERE CASE WHEN attnum IS NULL THEN has_table_privilege(name, relid, 'INSERT')
        ELSE has_column_privilege(name, relid, attnum, 'INSERT') END),
    string_agg(asked, chr(31)) FILTER (WHERE CASE WHEN attnum IS NULL THEN has_table_privilege(name, relid, 'UPDATE')
        ELSE has_column_privilege(name, relid, attnum, 'UPDATE') END),
    CAST(has_any_column_privilege(name, relid, 'INSERT') AS int),
    CAST(has_any_column_privilege(name, relid, 'UPDATE') AS int),
    CAST(has_table_privilege(name, relid, 'DELETE') AS int),
    CAST(has_schema_privilege(name, namespace, 'USAGE') AS int)
FROM role CROSS JOIN (SELECT oid AS relid, relnamespace AS namespace FROM pg_class WHERE oid = to_regclass($1)) AS relation
    CROSS JOIN unnest(string_to_array($2, chr(31))) AS asked
    LEFT JOIN pg_attribute ON attrelid = relid AND attname = asked AND attnum > 0 AND NOT attisdropped
GROUP BY role.oid, called, name, relid, namespace ORDER BY role.oid = 0 DESC, called
