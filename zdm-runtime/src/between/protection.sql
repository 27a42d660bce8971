-- Whether the table $1 has row security, whom it is forced on, and what its policies say. Whether a trigger of somebody else's may
-- change what a statement has left alone.
SELECT CAST(relrowsecurity AS int), CAST(relforcerowsecurity AS int), (
        SELECT string_agg(regexp_replace(format('%I%s FOR %s TO %s%s%s', policyname, CASE permissive WHEN 'RESTRICTIVE' THEN ' AS RESTRICTIVE' ELSE '' END, cmd,
            array_to_string(roles, ', '), ' USING (' || qual || ')', ' WITH CHECK (' || with_check || ')'), '\s+', ' ', 'g'), chr(31) ORDER BY policyname)
        FROM pg_policies JOIN pg_namespace ON nspname = schemaname
        WHERE tablename = c.relname AND pg_namespace.oid = c.relnamespace),
    CAST(EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal AND tgtype & 19 = 19
        AND tgfoid NOT IN (SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'zdm')) AS int)
FROM pg_class c WHERE oid = to_regclass($1)
