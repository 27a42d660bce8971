//! What a person does about objects that name what goes: each is dropped before and made anew after it, as the next version
//! has it, by steps of the version's own.

use sqlx::{PgConnection, Row as _};

/// `(kind, name)` out of "trigger touch names the column users.name".
pub(crate) fn named(said: &str) -> Vec<(String, String)> {
    let lines = said.lines().map(str::trim);
    let mut found: Vec<(String, String)> = lines
        .filter_map(|line| {
            let (object, _) = line.split_once(" names the ")?;
            let (kind, name) = object.rsplit_once(' ')?;
            Some((kind.to_owned(), name.to_owned()))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// How an object is dropped here, and made there, where it is there; `None` where nobody has said how.
pub(crate) async fn recreated(
    here: &mut PgConnection,
    there: &mut PgConnection,
    (kind, name): &(String, String),
) -> Option<(String, Option<String>)> {
    let list = match kind.as_str() {
        "trigger" => TRIGGERS,
        "view" | "materialized view" => VIEWS,
        "function" | "procedure" => FUNCTIONS,
        _ => return None,
    };
    let (drop, _) = texts(here, list, name).await?;
    Some((
        drop,
        texts(there, list, name).await.map(|(_, create)| create),
    ))
}

const TRIGGERS: &str =
    "SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass), pg_get_triggerdef(oid)
    FROM pg_trigger WHERE tgname = $1 AND NOT tgisinternal";

const VIEWS: &str = "SELECT format('DROP %s %s', kind, oid::regclass), format('CREATE %s %s AS %s', kind, oid::regclass,
        pg_get_viewdef(oid))
    FROM (SELECT oid, CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind FROM pg_class
        WHERE relname = $1 AND relkind IN ('v', 'm') AND relnamespace = quote_ident(current_schema())::regnamespace) views";

const FUNCTIONS: &str =
    "SELECT format('DROP ROUTINE %s', oid::regprocedure), pg_get_functiondef(oid) FROM pg_proc
    WHERE proname = $1 AND pronamespace = quote_ident(current_schema())::regnamespace";

async fn texts(
    connection: &mut PgConnection,
    list: &'static str,
    name: &str,
) -> Option<(String, String)> {
    let rows = sqlx::query(list)
        .bind(name)
        .fetch_all(connection)
        .await
        .unwrap();
    let row = rows.first()?;
    Some((row.get(0), row.get(1)))
}
