-- Of the table $1: whether it has row security, whom it is forced on, and what its policies say. Whether a trigger of somebody else's may
-- change what a statement has left alone. Its owner and its schema. Whether a policy of it asks the table $2, and whether the one of the
-- name $3 lets do all to whom $2 shows a row; whether each policy says the same of reading and of writing. Whom it hides rows from of
-- those in whose name triggers compare the two tables. What its owner lacks there, of what a foreign key asks for in his name with the key's columns
-- $4; and the owner of $2 in its schema, of what an owner there has. What its owner lacks on $2, of reading the columns $5 and changing $6, where
-- a foreign key changes or deletes rows here in his name and triggers that follow act in it as well, as they do from PostgreSQL 18 on.
SELECT CAST(relrowsecurity AS int), CAST(relforcerowsecurity AS int), (
        SELECT pg_catalog.string_agg(pg_catalog.regexp_replace(pg_catalog.format('%I%s FOR %s TO %s%s%s', policyname, CASE permissive WHEN 'RESTRICTIVE' THEN ' AS RESTRICTIVE' ELSE '' END, cmd,
            pg_catalog.array_to_string(roles, ', '), ' USING (' || qual || ')', ' WITH CHECK (' || with_check || ')'), '\s+', ' ', 'g'), pg_catalog.chr(31) ORDER BY policyname)
        FROM pg_catalog.pg_policies JOIN pg_catalog.pg_namespace ON nspname = schemaname
        WHERE tablename = c.relname AND pg_namespace.oid = c.relnamespace),
    CAST(EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal AND CAST(tgtype AS int) & 19 = 19
        AND tgfoid NOT IN (SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'zdm')) AS int),
    pg_catalog.quote_ident(CAST(pg_catalog.pg_get_userbyid(relowner) AS text)),
    (SELECT pg_catalog.quote_ident(CAST(nspname AS text)) FROM pg_catalog.pg_namespace WHERE oid = relnamespace),
    CAST(asking.any_of_it IS NOT NULL AS int), CAST(coalesce(asking.whole, false) AS int),
    CAST(NOT EXISTS (SELECT FROM pg_catalog.pg_policy WHERE polrelid = c.oid AND (polcmd <> '*'
        OR polwithcheck IS NOT NULL AND pg_catalog.pg_get_expr(polwithcheck, polrelid) IS DISTINCT FROM pg_catalog.pg_get_expr(polqual, polrelid))) AS int),
    (SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(CAST(rolname AS text)), pg_catalog.chr(31))
        FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_proc ON pg_proc.oid = tgfoid JOIN pg_catalog.pg_roles ON pg_roles.oid = proowner
        WHERE relrowsecurity AND tgrelid IN (c.oid, other.oid) AND prosecdef AND 'row_security=off' = ANY (proconfig)
            AND NOT rolsuper AND NOT rolbypassrls AND (relforcerowsecurity OR NOT pg_catalog.pg_has_role(proowner, relowner, 'USAGE'))),
    pg_catalog.concat_ws(pg_catalog.chr(31), CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute
            WHERE attrelid = c.oid AND attname = ANY (pg_catalog.string_to_array($4, pg_catalog.chr(31))) AND NOT pg_catalog.has_column_privilege(relowner, c.oid, attnum, 'SELECT')) THEN 'SELECT' END,
        CASE WHEN NOT pg_catalog.has_any_column_privilege(relowner, c.oid, 'UPDATE') THEN 'UPDATE' END,
        CASE WHEN NOT pg_catalog.has_table_privilege(relowner, c.oid, 'DELETE') THEN 'DELETE' END,
        CASE WHEN NOT pg_catalog.has_schema_privilege(relowner, relnamespace, 'USAGE') THEN 'USAGE' END),
    (SELECT pg_catalog.concat_ws(pg_catalog.chr(31), CASE WHEN NOT pg_catalog.has_schema_privilege(owners.relowner, c.relnamespace, 'CREATE') THEN 'CREATE' END,
        CASE WHEN NOT pg_catalog.has_schema_privilege(owners.relowner, c.relnamespace, 'USAGE') THEN 'USAGE' END) FROM pg_catalog.pg_class owners WHERE owners.oid = other.oid),
    (SELECT pg_catalog.concat_ws(pg_catalog.chr(31), CASE WHEN pg_catalog.bool_or(attname = ANY (pg_catalog.string_to_array($5, pg_catalog.chr(31)))
                AND NOT pg_catalog.has_column_privilege(c.relowner, there.oid, attnum, 'SELECT')) THEN 'SELECT' END,
            CASE WHEN pg_catalog.bool_or(attname = ANY (pg_catalog.string_to_array($6, pg_catalog.chr(31)))
                AND NOT pg_catalog.has_column_privilege(c.relowner, there.oid, attnum, 'UPDATE')) THEN 'UPDATE' END,
            CASE WHEN NOT pg_catalog.has_schema_privilege(c.relowner, there.relnamespace, 'USAGE') THEN 'USAGE' END)
        FROM pg_catalog.pg_class there JOIN pg_catalog.pg_attribute ON attrelid = there.oid AND attnum > 0 AND NOT attisdropped
        WHERE there.oid = other.oid AND CAST(pg_catalog.current_setting('server_version_num') AS int) >= 180000 AND EXISTS (SELECT FROM pg_catalog.pg_constraint
            WHERE contype = 'f' AND conrelid = c.oid AND confrelid = other.oid AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd')))
        GROUP BY there.relnamespace)
FROM pg_catalog.pg_class c CROSS JOIN LATERAL (SELECT CAST(pg_catalog.to_regclass($2) AS oid) AS oid) AS other CROSS JOIN LATERAL (
        SELECT pg_catalog.bool_or(true) AS any_of_it, pg_catalog.bool_or(polcmd = '*' AND polpermissive AND polname = CAST(CAST($3 AS text) AS name)) AS whole
        FROM pg_catalog.pg_policy JOIN pg_catalog.pg_depend ON classid = CAST(CAST('pg_catalog.pg_policy' AS regclass) AS oid) AND objid = pg_policy.oid
        WHERE polrelid = c.oid AND refclassid = CAST(CAST('pg_catalog.pg_class' AS regclass) AS oid) AND refobjid = other.oid) AS asking
WHERE c.oid = CAST(pg_catalog.to_regclass($1) AS oid)
