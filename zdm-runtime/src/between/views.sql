-- Who writes the table $1, and which of its columns $2, through which views: the server asks whether their owner may do so, and triggers act in
-- the name of whoever writes through them. Of a view that asks in the name of its user there is nothing to say, since he has the rights himself.
, above (relation) AS (
    SELECT CAST(pg_catalog.to_regclass($1) AS oid)
    UNION SELECT ev_class FROM above JOIN pg_catalog.pg_depend ON refclassid = CAST(CAST('pg_catalog.pg_class' AS regclass) AS oid) AND refobjid = relation
        JOIN pg_catalog.pg_rewrite ON classid = CAST(CAST('pg_catalog.pg_rewrite' AS regclass) AS oid) AND pg_rewrite.oid = objid
-- A view that the server updates by itself has one table or view in its FROM: the one of that place among all that its query names.
), shown AS MATERIALIZED (
    SELECT pg_class.oid AS view, relowner AS owner, tree, pg_catalog.pg_relation_is_updatable(pg_class.oid, false) AS events, CAST((
            ARRAY(SELECT found[1] FROM pg_catalog.regexp_matches(tree, ' :relid (\d+)', 'g') AS found)
        )[CAST((pg_catalog.regexp_match(tree, ' :fromlist \(\{RANGETBLREF :rtindex (\d+)\}\)'))[1] AS int)] AS oid) AS base
    FROM above JOIN pg_catalog.pg_class ON pg_class.oid = relation JOIN pg_catalog.pg_rewrite ON ev_class = relation AND ev_type = '1'
        CROSS JOIN LATERAL (SELECT CAST(ev_action AS text)) AS query (tree)
    WHERE relkind = 'v' AND coalesce(pg_catalog.array_to_string(reloptions, ','), '') !~ 'security_invoker=(t|on|1|y)'
), written (relation, attnum, command, of_table) AS (
    SELECT attrelid, attnum, command, CAST(attname AS text)
    FROM pg_catalog.pg_attribute CROSS JOIN (VALUES ('INSERT'), ('UPDATE')) AS commands (command)
    WHERE attrelid = CAST(pg_catalog.to_regclass($1) AS oid) AND attnum > 0 AND NOT attisdropped
    UNION SELECT CAST(pg_catalog.to_regclass($1) AS oid), CAST(0 AS smallint), 'DELETE', ''
    UNION SELECT view, there, command, of_table
    FROM written JOIN shown ON base = relation CROSS JOIN LATERAL (
            SELECT CAST(found[1] AS smallint), CAST(found[2] AS oid), CAST(found[3] AS smallint)
            FROM pg_catalog.regexp_matches(tree, ' :resno (\d+) :resname (?:[^ \\]|\\.)+ :ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+) ', 'g') AS found
            UNION ALL SELECT CAST(0 AS smallint), base, CAST(0 AS smallint)) AS entry (there, origin, here)
    WHERE origin = relation AND here = attnum
        AND CASE command WHEN 'UPDATE' THEN events & 4 WHEN 'INSERT' THEN events & 8 ELSE events & 16 END <> 0
        AND CASE command WHEN 'DELETE' THEN pg_catalog.has_table_privilege(owner, relation, command)
            ELSE pg_catalog.has_column_privilege(owner, relation, attnum, command) END
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE ev_class = view AND is_instead
            AND CAST(ev_type AS text) = CASE command WHEN 'UPDATE' THEN '2' WHEN 'INSERT' THEN '3' ELSE '4' END)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = view AND CAST(tgtype AS int) & 64 <> 0
            AND CAST(tgtype AS int) & CASE command WHEN 'UPDATE' THEN 16 WHEN 'INSERT' THEN 4 ELSE 8 END <> 0)
)
SELECT called, pg_catalog.format('%s', CAST(relation AS regclass)), pg_catalog.quote_ident(CAST(pg_catalog.pg_get_userbyid(relowner) AS text)),
    pg_catalog.string_agg(DISTINCT of_table, pg_catalog.chr(31)) FILTER (WHERE command = 'INSERT' AND of_table = ANY (asked)),
    pg_catalog.string_agg(DISTINCT of_table, pg_catalog.chr(31)) FILTER (WHERE command = 'UPDATE' AND of_table = ANY (asked)),
    CAST(pg_catalog.bool_or(command = 'INSERT') AS int), CAST(pg_catalog.bool_or(command = 'UPDATE') AS int), CAST(pg_catalog.bool_or(command = 'DELETE') AS int)
FROM role CROSS JOIN written JOIN pg_catalog.pg_class ON pg_class.oid = relation AND relkind = 'v'
    CROSS JOIN LATERAL (SELECT pg_catalog.string_to_array($2, pg_catalog.chr(31))) AS columns (asked)
WHERE CASE command WHEN 'DELETE' THEN pg_catalog.has_table_privilege(name, relation, command)
        ELSE pg_catalog.has_column_privilege(name, relation, attnum, command) END
    AND (pg_catalog.has_schema_privilege(name, relnamespace, 'USAGE') OR EXISTS (SELECT FROM pg_catalog.pg_depend
        WHERE refclassid = CAST(CAST('pg_catalog.pg_class' AS regclass) AS oid) AND refobjid = relation AND classid = CAST(CAST('pg_catalog.pg_proc' AS regclass) AS oid)))
GROUP BY called, relation, relowner ORDER BY called, 2
