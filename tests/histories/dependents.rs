//! What a person does about objects that name what goes: each is dropped before and made anew after it, as the next version
//! has it, by steps of the version's own.

use sqlx::{PgConnection, Row as _};

/// Something that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    kind: String,
    pub(crate) name: String,
    /// `view shown`, where it stands on a view.
    on: Option<String>,
    /// The folder of the section before which it goes.
    pub(crate) section: String,
}

/// Out of "trigger touch names the column users.name (zdm/raw/drop)"; what stands on a view comes before that view.
pub(crate) fn named(said: &str) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    for line in said.lines().map(str::trim) {
        let Some((object, on)) = line.split_once(" names the ") else {
            continue;
        };
        let read = object.rsplit_once(' ').zip(on.split_once(" (zdm/raw/"));
        let Some(((kind, name), (on, section))) = read else {
            continue;
        };
        let is_view = ["view ", "materialized view "]
            .iter()
            .any(|kind| on.starts_with(kind));
        let named = Named {
            kind: kind.to_owned(),
            name: name.to_owned(),
            on: is_view.then(|| on.to_owned()),
            section: section.trim_end_matches(')').to_owned(),
        };
        match found
            .iter_mut()
            .find(|known| (&known.kind, &known.name) == (&named.kind, &named.name))
        {
            Some(known) => {
                known.on = known.on.take().or(named.on);
                // What goes first goes before the first section.
                if named.section == "expand" {
                    known.section = named.section;
                }
            }
            None => found.push(named),
        }
    }
    let depth = |of: &Named| {
        let (mut depth, mut at) = (0, Some(of));
        while let Some(on) = at.and_then(|named| named.on.as_ref()) {
            depth += 1;
            let mut all = found.iter();
            at = all.find(|named| format!("{} {}", named.kind, named.name) == *on && depth < 50);
        }
        depth
    };
    let mut sorted = found.clone();
    sorted.sort_by_key(|named| std::cmp::Reverse(depth(named)));
    sorted
}

/// How an object is dropped here, and made there, where it is there, with the order in which such are made; `None` where nobody
/// has said how.
pub(crate) async fn recreated(
    here: &mut PgConnection,
    there: &mut PgConnection,
    named: &Named,
) -> Option<(String, Option<(i64, String)>)> {
    let list = match named.kind.as_str() {
        "trigger" => TRIGGERS,
        "view" | "materialized view" => VIEWS,
        "function" | "procedure" => FUNCTIONS,
        _ => return None,
    };
    let (drop, _, _) = texts(here, list, &named.name).await?;
    let create = texts(there, list, &named.name).await;
    Some((drop, create.map(|(_, create, order)| (order, create))))
}

const TRIGGERS: &str =
    "SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass), pg_get_triggerdef(oid), oid::int8
    FROM pg_trigger WHERE tgname = $1 AND NOT tgisinternal";

const VIEWS: &str = "SELECT format('DROP %s %s', kind, oid::regclass), format('CREATE %s %s AS %s', kind, oid::regclass,
        rtrim(pg_get_viewdef(oid), ';')) || CASE relkind WHEN 'm' THEN ' WITH NO DATA' ELSE '' END || coalesce((SELECT string_agg(';' || pg_get_indexdef(indexrelid), '') FROM pg_index
            WHERE indrelid = views.oid), ''), oid::int8
    FROM (SELECT oid, relkind, CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind FROM pg_class
        WHERE relname = $1 AND relkind IN ('v', 'm') AND relnamespace = quote_ident(current_schema())::regnamespace) views";

const FUNCTIONS: &str =
    "SELECT format('DROP ROUTINE %s', oid::regprocedure), pg_get_functiondef(oid), oid::int8 FROM pg_proc
    WHERE proname = $1 AND pronamespace = quote_ident(current_schema())::regnamespace";

async fn texts(
    connection: &mut PgConnection,
    list: &'static str,
    name: &str,
) -> Option<(String, String, i64)> {
    let rows = sqlx::query(list)
        .bind(name)
        .fetch_all(connection)
        .await
        .unwrap();
    let row = rows.first()?;
    Some((row.get(0), row.get(1), row.get(2)))
}
