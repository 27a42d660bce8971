//! How a database defines what columns name and no version describes: domains and collations.
//!
//! Comes in: an open connection. Goes out: their definitions as the database prints them, to be compared with another database's.
//! Must not know: which columns name them.

use serde::Deserialize;
use zdm_runtime::database::{Connection, Dialect};

use super::{CatalogueError, objects};

/// A domain or a collation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Defined {
    /// `domain`, `collation`.
    pub what: String,
    /// Its name.
    pub object: String,
    /// `integer NOT NULL DEFAULT 1 CONSTRAINT some CHECK ((VALUE > 0))`
    pub definition: String,
}

/// Reads them, ordered by name.
pub async fn definitions(connection: &mut Connection) -> Result<Vec<Defined>, CatalogueError> {
    match connection.dialect() {
        Dialect::Postgres => {
            objects(
                connection,
                "domains and collations",
                &POSTGRES.replace("{domain}", DOMAIN),
            )
            .await
        }
        Dialect::Sqlite => Ok(Vec::new()),
    }
}

/// What a domain `t` is, behind `AS`.
pub(super) const DOMAIN: &str = "pg_catalog.concat_ws(' ', pg_catalog.format_type(typbasetype, typtypmod),
    CASE WHEN t.typcollation <> (SELECT b.typcollation FROM pg_type b WHERE b.oid = t.typbasetype)
        THEN 'COLLATE ' || CAST(CAST(t.typcollation AS regcollation) AS text) END,
    CASE WHEN typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_catalog.pg_get_expr(typdefaultbin, 0),
    (SELECT pg_catalog.string_agg('CONSTRAINT ' || pg_catalog.quote_ident(conname) || ' ' || pg_catalog.pg_get_constraintdef(c.oid), ' ' ORDER BY conname)
        FROM pg_constraint c WHERE contypid = t.oid AND contype = 'c'))";

/// What a collation is has other columns in other versions of the server (manual, `pg_collation`).
const POSTGRES: &str = "SELECT CAST(pg_catalog.json_build_object('what', what, 'object', object, 'definition', definition) AS text) FROM (
    SELECT 'domain' AS what, CAST(typname AS text) AS object, {domain} AS definition,
        CAST(CAST('pg_type' AS regclass) AS oid) AS classid, t.oid AS objid
    FROM pg_type t WHERE typtype = 'd' AND typnamespace = CAST(CAST(pg_catalog.quote_ident(pg_catalog.current_schema()) AS regnamespace) AS oid)
    UNION ALL SELECT 'collation', CAST(collname AS text), pg_catalog.concat_ws(' ',
        CASE collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc' WHEN 'b' THEN 'builtin' ELSE 'default' END,
        coalesce(pg_catalog.to_jsonb(l) ->> 'colllocale', pg_catalog.to_jsonb(l) ->> 'colliculocale', collcollate),
        pg_catalog.to_jsonb(l) ->> 'collicurules',
        CASE WHEN NOT collisdeterministic THEN 'not deterministic' END), CAST(CAST('pg_collation' AS regclass) AS oid), l.oid
    FROM pg_collation l WHERE collnamespace = CAST(CAST(pg_catalog.quote_ident(pg_catalog.current_schema()) AS regnamespace) AS oid)
    ) found
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = found.classid AND d.objid = found.objid AND d.deptype = 'e')
    ORDER BY what, object";
