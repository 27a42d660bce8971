-- Everybody whom a superuser's rights do not cover: who logs in, who somebody becomes by SET ROLE alone, and PUBLIC.
WITH role AS (
    SELECT oid, rolname AS name, pg_catalog.quote_ident(CAST(rolname AS text)) AS called, rolbypassrls AS sees_all
    FROM pg_catalog.pg_roles r WHERE NOT rolsuper AND rolname !~ '^pg_' AND (rolcanlogin OR EXISTS (
        SELECT FROM pg_catalog.pg_roles other WHERE other.rolcanlogin AND NOT other.rolsuper
            AND pg_catalog.pg_has_role(other.oid, r.oid, 'MEMBER') AND NOT pg_catalog.pg_has_role(other.oid, r.oid, 'USAGE')))
    UNION ALL SELECT 0, 'public', 'PUBLIC', false)
