-- Of the table $1, the roles to which its row security applies, and for which commands a policy lets each of them through.
SELECT called, coalesce((
        SELECT pg_catalog.string_agg(DISTINCT CAST(polcmd AS text), '') FROM pg_catalog.pg_policy
        WHERE polrelid = relation.oid AND polpermissive AND (0 = ANY (polroles)
            OR role.oid <> 0 AND EXISTS (SELECT FROM pg_catalog.unnest(polroles) AS given WHERE pg_catalog.pg_has_role(role.oid, given, 'USAGE')))), '')
FROM role JOIN pg_catalog.pg_class relation ON relation.oid = CAST(pg_catalog.to_regclass($1) AS oid)
WHERE relrowsecurity AND NOT sees_all
    AND (role.oid = 0 OR relforcerowsecurity OR NOT pg_catalog.pg_has_role(role.oid, relowner, 'USAGE'))
ORDER BY called
