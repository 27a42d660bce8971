//! What a step needs that zdm leaves to others: extensions, functions and types that new defaults, checks or indexes name.

use sqlx::{Connection as _, PgConnection, Row as _};

const EXTENSIONS: &str =
    "SELECT format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I', extname, n.nspname)
    FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql'";

const TYPES: &str = "SELECT format('CREATE TYPE %s AS (%s)', c.oid::regclass, string_agg(format('%I %s', attname,
        format_type(atttypid, atttypmod)), ', ' ORDER BY attnum))
    FROM pg_class c JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    WHERE relkind = 'c' AND relnamespace = quote_ident(current_schema())::regnamespace GROUP BY c.oid";

const FUNCTIONS: &str = "SELECT pg_get_functiondef(p.oid) FROM pg_proc p
    WHERE pronamespace = quote_ident(current_schema())::regnamespace AND prokind IN ('f', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')";

/// Makes what the other database has and this one lacks; what was refused, and why. Nothing is taken away.
pub(crate) async fn bring(to: &mut PgConnection, of: &mut PgConnection) -> Vec<String> {
    let mut refused = Vec::new();
    sqlx::query("SET check_function_bodies = off")
        .execute(&mut *to)
        .await
        .unwrap();
    for list in [EXTENSIONS, TYPES, FUNCTIONS] {
        let have = all(to, list).await;
        for statement in all(of, list).await {
            if have.contains(&statement) {
                continue;
            }
            let mut transaction = to.begin().await.unwrap();
            let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
            match statement.execute(&mut *transaction).await {
                Ok(_) => transaction.commit().await.unwrap(),
                Err(error) => {
                    refused.push(format!("an unmanaged object could not be brought: {error}"));
                }
            }
        }
    }
    refused
}

async fn all(connection: &mut PgConnection, sql: &'static str) -> Vec<String> {
    let rows = sqlx::query(sql).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What triggers make of an UPDATE is theirs, the backfill's included: without them every value must survive.
pub(crate) async fn without_triggers(connection: &mut PgConnection) {
    let list = "SELECT DISTINCT format('ALTER TABLE %s DISABLE TRIGGER USER', tgrelid::regclass) FROM pg_trigger
        WHERE NOT tgisinternal";
    for statement in all(connection, list).await {
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
        statement.execute(&mut *connection).await.unwrap();
    }
}
