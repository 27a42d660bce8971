-- Everybody whom a superuser's rights do not cover: who logs in, who somebody becomes by SET ROLE alone, in whose name functions act that others
-- call (with their names, where it is for them alone), and PUBLIC.
WITH RECURSIVE role AS (
    SELECT oid, rolname AS name, pg_catalog.quote_ident(CAST(rolname AS text)) AS called, rolbypassrls AS sees_all, CASE WHEN NOT acts THEN functions END AS lends
    FROM pg_catalog.pg_roles r CROSS JOIN LATERAL (SELECT rolcanlogin OR EXISTS (
        SELECT FROM pg_catalog.pg_roles other WHERE other.rolcanlogin AND NOT other.rolsuper
            AND pg_catalog.pg_has_role(other.oid, r.oid, 'MEMBER') AND NOT pg_catalog.pg_has_role(other.oid, r.oid, 'USAGE')) AS acts, (
        SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', nspname, proname), pg_catalog.chr(31))
        FROM pg_catalog.pg_proc JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace WHERE proowner = r.oid AND prosecdef AND nspname <> 'zdm') AS functions) AS found
    WHERE NOT rolsuper AND rolname !~ '^pg_' AND (acts OR functions IS NOT NULL)
    UNION ALL SELECT 0, 'public', 'PUBLIC', false, NULL)
